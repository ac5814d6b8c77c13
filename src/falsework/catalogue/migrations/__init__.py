"""How the catalogue's tables came to be what they are, step by step, for Alembic."""
