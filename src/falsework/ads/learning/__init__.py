"""How likely a response is, learned from the studio's own log and from nothing a person did not permit."""
