"""Keeps the catalogues of the web app in step with the messages in use: `make languages`."""

from __future__ import annotations

from babel.messages.catalog import Catalog

from activities.languages import extraction
from starter.web.languages import CATALOGUES, TRANSLATED

_PYTHON = ("starter/web", "starter/web/commands")
_TEMPLATES = ("starter/web/templates",)
_HEADER = """The words of Billow's pages in {name}.

msgid is the English text. %(name)s is a place that is filled: keep it as it is,
put it where it belongs."""


def messages() -> Catalog:
    """Every message of the pages in use."""
    return extraction.messages(extraction.sources_in(_PYTHON, _TEMPLATES))


def updated(language: str) -> Catalog:
    """The catalogue of a language, in step with the messages in use."""
    return extraction.updated(language, messages(), CATALOGUES, _HEADER)


def main() -> None:
    """Updates the file of every language and says what is left to translate."""
    for language in TRANSLATED:
        extraction.update(CATALOGUES / f"{language}.po", updated(language))


if __name__ == "__main__":
    main()
