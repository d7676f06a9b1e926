"""Who the clients are and what was sold to them."""
