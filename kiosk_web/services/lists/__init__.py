"""Revocation lists: taken in, kept fresh, watched; and many certificates held against them at once."""
