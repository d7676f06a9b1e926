"""What every adapter of a port promises, shown for each of them."""
