"""The rules of invoicing: pure values and functions. No clock, no I/O, no Temporal."""
