"""What an invoice costs: Temporal Actions, history bytes, seconds."""
