"""SCTE 35 cues: where in a programme a break may stand. ANSI/SCTE 35 2023r1."""
