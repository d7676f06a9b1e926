"""Everything on one machine, as child processes: PostgreSQL, Temporal with its UI, mailbox, workers, web."""
