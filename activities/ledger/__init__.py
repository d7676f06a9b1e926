"""The ledger: Billow's own database, the truth about every invoice."""
