"""Which advertisements fill a break: what may be shown, what suits best, and why."""
