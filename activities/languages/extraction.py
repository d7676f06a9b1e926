"""Keeps the catalogues in step with the messages in use: `make languages`.

New messages are added without a translation, those not in use any more are marked obsolete, translations stay.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import write_po

from activities.languages.catalogue import CATALOGUES, LANGUAGES, SOURCE, read
from billing.taxes.notes import ENGLISH

ROOT = Path(__file__).parents[2]
TEMPLATE = CATALOGUES / "messages.pot"

_PYTHON = ("activities/delivery", "activities/documents", "starter/web/portal")
_TEMPLATES = (
    "activities/delivery/templates",
    "activities/documents/templates",
    "starter/web/portal/templates",
)
_TEMPLATE_ENDINGS = {".html", ".j2"}
_TEMPLATE_OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false", "trim_blocks": "true"}
_KEYWORDS = {**DEFAULT_KEYWORDS, "message": None, "counted": (1, 2)}
_COMMENT = "Translators:"
_FLEETING = (b"POT-Creation-Date", b"PO-Revision-Date", b"Last-Translator", b"Language-Team", b"Generated-By")
_FLEETING_LINES = re.compile(rb'"(%s|Report-Msgid-Bugs-To): [^\n]*\n' % b"|".join(_FLEETING))
"""Left out of the files: they change with every run, or say what version control knows."""

_HEADER = """The words of Billow's documents and mails in {name}.

msgid is the English text. %(name)s is a place that is filled: keep it as it is,
put it where it belongs. Clients are addressed formally.
docs/languages.md tells how to change a word, and how to add a language."""

_TEMPLATE_HEADER = """Every text of Billow's documents and mails, to translate into a language of one's own.

Copy this file to templates/languages/<language>.po in the company folder (sv.po, for Swedish)
and fill in msgstr; what is left empty is said in English. docs/languages.md tells more."""
_NOTE = "a note the tax law asks for; the languages of Billow have it in billing/taxes/data/notes.toml"


Sources = Iterable[tuple[Path, str, dict[str, str]]]
"""Files that have messages, with Babel's method to extract them and its options."""


def messages(sources: Sources | None = None) -> Catalog:
    """Every message in use: in templates and in code, unless told otherwise those of documents and mails."""
    found = Catalog()
    for path, method, options in sources or sources_in(_PYTHON, _TEMPLATES):
        place = path.relative_to(ROOT).as_posix()
        for lineno, message, comments, context in extract_from_file(
            method, path, _KEYWORDS, [_COMMENT], options, strip_comment_tags=True
        ):
            found.add(message, None, [(place, lineno)], auto_comments=comments, context=context)
    return found


def template() -> Catalog:
    """Everything a company can word: the messages in use, and the notes of the tax law that `billing` keeps."""
    found = messages()
    for text in ENGLISH.values():
        if text:
            found.add(text, locations=[("billing/taxes/notes.py", 1)], auto_comments=[_NOTE])
    found.project, found.version, found.fuzzy = "Billow", "1", False
    found.header_comment = _comment(_TEMPLATE_HEADER)
    return found


def updated(language: str, found: Catalog, folder: Path = CATALOGUES, header: str = _HEADER) -> Catalog:
    """The catalogue of a language with the messages found; a new one where there is none yet."""
    path = folder / f"{language}.po"
    known = read(path.read_bytes(), language) if path.exists() else Catalog(language)
    # copied: what is new would else be one message of all languages
    known.update(
        deepcopy(found), no_fuzzy_matching=True, update_header_comment=False, keep_user_comments=True
    )
    known.project, known.version, known.fuzzy = "Billow", "1", False
    name = known.locale.english_name if known.locale else language
    known.header_comment = _comment(header.format(name=name))
    return known


def _comment(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.splitlines())


def written(catalogue: Catalog) -> bytes:
    """A catalogue as it stands in its file: in order of place, without dates and line numbers."""
    out = BytesIO()
    write_po(out, catalogue, width=100, include_lineno=False)
    return _FLEETING_LINES.sub(b"", out.getvalue())


def sources_in(python: Sequence[str], templates: Sequence[str]) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """The modules that stand in folders of the project, and the templates in and below others."""
    for folder in python:
        for path in sorted((ROOT / folder).glob("*.py")):
            yield path, "python", {}
    for folder in templates:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in _TEMPLATE_ENDINGS:
                yield path, "jinja2.ext:babel_extract", _TEMPLATE_OPTIONS


def main() -> None:
    """Updates the file of every language and says what is left to translate."""
    TEMPLATE.write_bytes(written(template()))
    found = messages()
    for language in LANGUAGES:
        if language != SOURCE:
            update(CATALOGUES / f"{language}.po", updated(language, found))


def update(path: Path, catalogue: Catalog) -> None:
    """Writes a catalogue, and says what is left to translate."""
    path.write_bytes(written(catalogue))
    missing = sum(1 for each in catalogue if each.id and not (each.string and all(each.string)))
    sys.stdout.write(f"{path.relative_to(ROOT)}: {len(catalogue)} messages, {missing} to translate, ")
    sys.stdout.write(f"{len(catalogue.obsolete)} obsolete\n")


if __name__ == "__main__":
    main()
