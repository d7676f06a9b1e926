"""Delivery: what is written to clients and to our own people, and how it gets to their mail server."""
