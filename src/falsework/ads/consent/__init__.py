"""What a viewer agreed to: consent strings read, and what they come to for each thing that may be done."""
