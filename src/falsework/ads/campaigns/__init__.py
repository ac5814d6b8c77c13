"""Campaigns: read from files, and laid out so that thousands of them are looked through at once."""
