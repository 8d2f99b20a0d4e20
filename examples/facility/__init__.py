"""A facility booking system (施設予約): a clerk's page that knows people by their PPID alone."""
