"""What happened, counted once, and what would have happened under another policy."""
