"""A visit from its first event to its conclusion: the machine is run, and what it commands is done."""
