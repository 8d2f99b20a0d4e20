"""Who is it, to this system? Identifiers, renewals, what the register says, and what is held about somebody."""
