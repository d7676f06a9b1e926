"""A rendering process that is never replaced stays as large as it was."""

from __future__ import annotations

import pytest

from benchmarks.documents import growth

MOST_GROWTH = 40
"""MiB over 500 documents, each validated and rendered: SaxonC and Pango keep some kilobytes of each (measured)."""


@pytest.mark.scale
@pytest.mark.timeout(900)
def test_memory_is_flat() -> None:
    """500 documents cost a process less than 40 MiB, so that replacing it after 500 keeps a worker flat for ever."""
    before, after = growth(500)
    assert after - before < MOST_GROWTH, f"{before:.0f} MiB before, {after:.0f} MiB after"
