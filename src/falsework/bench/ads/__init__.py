"""How fast breaks are decided, measured from outside the server."""
