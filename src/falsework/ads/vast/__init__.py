"""VAST and VMAP: what a player is told to show, and what partners send in the same language."""
