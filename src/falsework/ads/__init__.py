"""Advertising that respects the story and the viewer: which advertisements fill a break, and why."""
