"""A reading on request, and the basic 4 information that one receiver gets of it."""
