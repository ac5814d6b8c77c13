"""Data sets for the project's own networks: shots drawn from a described distribution, sample by sample."""
