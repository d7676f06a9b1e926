"""What banks say: their statements, read."""
