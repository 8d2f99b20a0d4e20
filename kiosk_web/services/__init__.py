"""The use-cases: what is done, in which order and in which transaction, over the ports in `ports/`."""
