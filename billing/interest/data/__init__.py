"""Reference rates and the laws on late payment, as data."""
