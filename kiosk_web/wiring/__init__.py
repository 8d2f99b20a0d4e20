"""Services and adapters put together from the settings: for the server, and for one command beside it."""
