"""What was agreed, said and moved about invoices, each kind as a list of its own, the newest first.

Amounts carry the decimals of their currency; instants are UTC. A page of a list is one query, however long the list.
"""
