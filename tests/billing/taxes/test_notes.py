"""Notes in the document's language: known by their English words, translated with their articles and numbers."""

from __future__ import annotations

import pytest

from billing.taxes.notes import ENGLISH, GERMAN, NoteCode, english, note_in

DIRECTIVE = "Art. 196 Directive 2006/112/EC"
WORDED_BY_LAW = {NoteCode.EXPORT_UNDER_UNDERTAKING, NoteCode.ZONE_UNDER_UNDERTAKING}


def said(code: NoteCode) -> str:
    return english(code, article=DIRECTIVE, home="DE", tax="GST", number="N7")


@pytest.mark.parametrize(
    ("code", "german"),
    [
        (
            NoteCode.REVERSE_CHARGE,
            "Steuerschuldnerschaft des Leistungsempfängers (Reverse charge, Art. 196 Richtlinie 2006/112/EG)",
        ),
        (
            NoteCode.SUPPLIED_ABROAD,
            "In DE nicht steuerbar: Leistungsort ist das Land des Empfängers (Art. 196 Richtlinie 2006/112/EG)",
        ),
        (
            NoteCode.SMALL_BUSINESS,
            "Es wird keine Umsatzsteuer (GST) berechnet: Kleinunternehmer (Art. 196 Richtlinie 2006/112/EG)",
        ),
        (NoteCode.EXEMPT, "Steuerfrei (GST, Art. 196 Richtlinie 2006/112/EG)"),
        (NoteCode.EXPORT, "GST 0 %: Ausfuhr von Dienstleistungen (Art. 196 Richtlinie 2006/112/EG)"),
        (NoteCode.CERTIFICATE, "Befreit von GST: Bescheinigung N7"),
    ],
)
def test_german_notes(code: NoteCode, german: str) -> None:
    """A German document has the note in German, with article, country, tax and number of the English."""
    assert note_in("de", said(code)) == german


def test_every_note_has_german_words_or_is_worded_by_law() -> None:
    """A code without German words is one whose words a law prescribes in English (rule 46, CGST Rules 2017)."""
    assert set(ENGLISH) - set(GERMAN) == WORDED_BY_LAW
    for code in WORDED_BY_LAW:
        assert note_in("de", said(code)) == said(code)


@pytest.mark.parametrize("code", NoteCode)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_english_else(code: NoteCode, language: str) -> None:
    """English stays English, and a language without translations gets English."""
    assert note_in(language, said(code)) == said(code)


@pytest.mark.parametrize("note", ["", "Thank you", "Reverse charge", "Exempt from VAT (Art. 1) as agreed"])
def test_own_words_stay(note: str) -> None:
    """What a person or a company rule worded is printed as it stands."""
    assert note_in("de", note) == note


def test_an_article_with_brackets_is_kept_whole() -> None:
    """Articles have brackets of their own; nothing of them is lost."""
    note = english(NoteCode.EXEMPT, article="Art. 53(1) (a), 54", tax="VAT")
    assert note_in("de", note) == "Steuerfrei (VAT, Art. 53(1) (a), 54)"
