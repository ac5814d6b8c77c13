"""The networks: their definitions, their weights with cards, and what runs them."""
