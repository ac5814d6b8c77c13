"""The encoder: all-MiniLM-L6-v2, its weights in the package, without PyTorch."""

from falsework.search.encoder.encoder import Encoder

__all__ = ["Encoder"]
