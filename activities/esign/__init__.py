"""What was signed."""
