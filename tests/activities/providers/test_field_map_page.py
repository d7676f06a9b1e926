"""The page of all fields says what the adapters do."""

from __future__ import annotations

from activities.providers.registry import providers
from tests.activities.providers.field_map_page import PAGE, page


def test_in_step() -> None:
    """docs/field-map.md is what the providers say now; where it is not, write it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_whole() -> None:
    """Every field of every provider stands there."""
    written = page()
    assert [
        each.ours for one in providers().values() for each in one.fields if f"`{each.ours}`" not in written
    ] == []
