"""Everything on one machine: PostgreSQL, Temporal with its UI, a mailbox, workers and web, as child processes."""
