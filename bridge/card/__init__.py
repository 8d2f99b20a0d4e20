"""The card layer: bytes, commands (ISO 7816-4), the applications of a My Number Card, and PC/SC beside them."""
