"""Definitions for PyTorch, imported where networks are trained or run on CUDA."""
