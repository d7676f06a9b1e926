"""Worked money: figures reckoned by hand, each with its source."""
