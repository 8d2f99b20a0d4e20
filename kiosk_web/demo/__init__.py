"""`kiosk demo`: the whole product and its neighbours on one computer, for trying it."""
