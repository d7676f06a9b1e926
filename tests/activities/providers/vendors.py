"""Vendors that tests make up, installed as a package of a third party would be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from activities.providers import registry


@contextmanager
def the_only(vendor: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Meanwhile no other provider is installed than this entry point."""
    monkeypatch.setattr(registry, "entry_points", lambda group: [vendor] if group == registry.GROUP else [])
    registry.providers.cache_clear()
    registry._built.cache_clear()
    yield
    registry.providers.cache_clear()
    registry._built.cache_clear()
