"""Whether HarfBuzz's subset library is there: documents hold only the glyphs they show, and it picks them fast."""

from __future__ import annotations

MISSING = (
    "libharfbuzz-subset is missing: each PDF takes three times as long; install it "
    "(Debian: apt-get install libharfbuzz-subset0; Fedora and macOS: it comes with harfbuzz)"
)
"""What whoever runs Billow is told without it."""


def is_installed() -> bool:
    """Whether WeasyPrint finds it; without it, fonts are subset by fontTools, in Python."""
    from weasyprint.text import ffi

    return ffi.harfbuzz_subset is not None
