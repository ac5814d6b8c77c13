"""How many threads NumPy's products may take, which has to be said before NumPy is loaded."""

from __future__ import annotations

import os

__all__ = ["one_thread"]


def one_thread() -> None:
    """One thread for OpenBLAS in this process and in those it starts, unless the user's environment says
    otherwise.

    Its threads spin while they wait. The products of a search are so small that two threads take twice the
    processor time and are no sooner done.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
