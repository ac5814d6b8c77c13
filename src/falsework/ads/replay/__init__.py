"""Bidding and pacing on logs of auctions: what a strategy would have won, and for how much."""
