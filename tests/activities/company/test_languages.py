"""The language of a client: one that Billow or the company has words in, else a warning."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from activities.company.folder import read_folder
from activities.company.problems import errors
from activities.company.sample import write_starter
from activities.languages.built_in import LANGUAGES
from tests.activities.company.test_folder import edit, line_of

SWEDISH = (
    b'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Invoice"\nmsgstr "Faktura"\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_starter(tmp_path, date(2026, 11, 22))
    return tmp_path


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_of_billow(folder: Path, language: str) -> None:
    """A client may have any language Billow has."""
    edit(folder, "clients.yaml", "language: de ", f"language: {language} ")
    assert not [each for each in read_folder(folder).problems if "language" in each.where]


def test_a_language_nobody_has(folder: Path) -> None:
    """A client of another language is written to in English: told on its line, with what there is and what to add."""
    edit(folder, "clients.yaml", "language: de ", "language: sv ")
    reading = read_folder(folder)
    (told,) = [each for each in reading.problems if "language" in each.where]
    assert (told.file, told.line) == ("clients.yaml", line_of(folder, "clients.yaml", "language: sv"))
    assert told.warning and not errors(reading.problems) and reading.company
    for words in ("'sv'", "written in English", "de, en, es, fr", "templates/languages/sv.po"):
        assert words in told.message


@pytest.mark.parametrize("place", ["templates/languages", "templates/main/languages"])
def test_a_language_of_ones_own(folder: Path, place: str) -> None:
    """With a catalogue of the company, or of the issuer alone, the language is there."""
    edit(folder, "clients.yaml", "language: de ", "language: sv ")
    (folder / place).mkdir(parents=True)
    (folder / place / "sv.po").write_bytes(SWEDISH)
    reading = read_folder(folder)
    assert not [each for each in reading.problems if "language" in each.where]


def test_somebody_elses_language(folder: Path) -> None:
    """A catalogue in the folder of another issuer gives this client no words."""
    edit(folder, "clients.yaml", "language: de ", "language: sv ")
    (folder / "templates/other/languages").mkdir(parents=True)
    (folder / "templates/other/languages/sv.po").write_bytes(SWEDISH)
    assert [each for each in read_folder(folder).problems if "language" in each.where]
