"""HTTP in: parse, one call of a service, render. Pages of residents and of staff; the API in `api/`."""
