"""Training of the networks, from data sets made here."""
