"""Measuring falsework against what users would take instead. Nothing here is needed to make a shot."""
