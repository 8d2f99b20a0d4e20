"""The commands of `kiosk`: each reads its own arguments, calls services and prints. `__main__` finds them."""
