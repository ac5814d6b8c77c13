"""Conversational search over the catalogue: only titles that are in it are ever answered."""
