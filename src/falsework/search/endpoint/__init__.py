"""A language model behind an OpenAI-compatible endpoint: it may understand, rank and quote, never answer.

Whatever it says is checked against the catalogue. Whenever it is slow, gone, over budget or wrong, the
offline answer stands.
"""
