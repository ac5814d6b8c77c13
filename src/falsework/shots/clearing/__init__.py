"""What a shot has to do with rights: its ledger, what a run puts on record, approving, delivering."""
