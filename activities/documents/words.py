"""The words of documents, by language."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml

from activities.documents.page_templates import TEMPLATES


@lru_cache
def words_in(language: str) -> dict[str, Any]:
    """The words of invoices in a language; English where there are none in it."""
    path = TEMPLATES / f"words.{language}.yaml"
    if not path.is_file():
        path = TEMPLATES / "words.en.yaml"
    words: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return words
