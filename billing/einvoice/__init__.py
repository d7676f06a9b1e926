"""E-invoices: an invoice in the terms of EN 16931, before any syntax."""
