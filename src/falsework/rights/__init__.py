"""What may ship, and the proof: records, ledger, rules, gate, credentials, audits, reports.

This room knows nothing of stages; `falsework.shots` records for them.
"""
