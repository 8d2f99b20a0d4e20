"""The home page of an invented city, where residents sign in from home by their My Number Card (Type 2)."""
