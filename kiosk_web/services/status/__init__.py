"""Is the certificate in force? Asked of responders and lists, on the route that a policy lays down."""
