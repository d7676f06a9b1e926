"""E-invoices as files: CII and UBL written from the terms of EN 16931, and validated."""
