"""The steps of an invoice: each reads the ledger, asks the rule, acts, records, and says what comes next."""
