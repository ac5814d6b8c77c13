"""falsework turns a plate and a brief into a finished building collapse."""

import os

__version__ = "0.1.0"

# Numba takes the first of these that it finds. OpenVINO brings a TBB along, and with that one Numba warns of
# each process that is started beside it.
os.environ.setdefault("NUMBA_THREADING_LAYER_PRIORITY", "omp tbb workqueue")
