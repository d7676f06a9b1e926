"""The mark by which the web app of one stack is told from that of another on the same port."""

from __future__ import annotations

import hashlib

STACK_HEADER = "X-Billow-Stack"


def stack_mark(home: str) -> str:
    """Short digest of a stack's home; nothing can be learned from it."""
    return hashlib.sha256(home.encode()).hexdigest()[:16]
