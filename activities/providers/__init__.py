"""Providers: what every vendor's adapter is built from, and how it is found."""
