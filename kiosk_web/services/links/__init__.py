"""Links of persons and user numbers: made, ended, and the linked number handed over."""
