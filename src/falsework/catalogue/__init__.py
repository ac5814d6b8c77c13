"""The studio's titles, people, scenes and shots, in a database."""
