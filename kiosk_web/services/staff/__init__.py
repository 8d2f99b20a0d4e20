"""Members of staff: who they are, which terminal they attend, what they asked for."""
