"""What is simulated is what then happens."""
