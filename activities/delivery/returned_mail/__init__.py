"""Mail that comes back: read from a mailbox, told apart, and attributed to what was sent."""
