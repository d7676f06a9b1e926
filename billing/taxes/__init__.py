"""Tax by jurisdiction, decided by pure rules; unknown stops."""
