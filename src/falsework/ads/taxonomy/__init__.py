"""What advertisements are for and scenes are about, in the IAB's taxonomies, and which go together."""
