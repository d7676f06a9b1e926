"""The languages Billow speaks by itself."""

from __future__ import annotations

SOURCE = "en"
"""The language messages are written in."""

LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "pl", "pt")
"""Languages documents and mails are written in; a company adds its own with a catalogue of its own."""
