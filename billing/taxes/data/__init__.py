"""Tax rates as data, one file a part of the world."""
