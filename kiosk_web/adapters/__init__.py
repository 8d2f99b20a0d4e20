"""The world behind the ports of `services/`: files, HTTP out, sockets, the clock; the database in `store/`."""
