"""falsework turns a plate and a brief into a finished building collapse."""

__version__ = "0.1.0"
