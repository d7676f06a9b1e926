"""Revenue leakage: what should have been billed and was not."""
