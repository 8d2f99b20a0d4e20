"""Personal mode: the bridge on a resident's own computer, for pages that identify by Type 2 (`docs/personal.md`)."""
