"""Notes in the document's language: known by their English words, translated with their articles and numbers."""

from __future__ import annotations

import pytest

from billing.taxes.notes import ENGLISH, NoteCode, english, note_in

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


LANGUAGES = ("de", "es", "fr", "it", "nl", "pl", "pt")


@pytest.mark.parametrize(
    ("language", "words", "article"),
    [
        ("de", "Steuerschuldnerschaft des Leistungsempfängers", "Art. 196 Richtlinie 2006/112/EG"),
        ("es", "Inversión del sujeto pasivo", "Art. 196 Directiva 2006/112/CE"),
        ("fr", "Autoliquidation", "Art. 196 directive 2006/112/CE"),
        ("it", "Inversione contabile", "Art. 196 direttiva 2006/112/CE"),
        ("nl", "Btw verlegd", "Art. 196 Richtlijn 2006/112/EG"),
        ("pl", "Odwrotne obciążenie", "Art. 196 dyrektywy 2006/112/WE"),
        ("pt", "IVA - autoliquidação", "Art. 196 Diretiva 2006/112/CE"),
    ],
)
def test_the_words_the_law_asks_for(language: str, words: str, article: str) -> None:
    """Reverse charge is said first, in the words of the law (Directive, Art. 226(11a)), with the article."""
    note = note_in(language, said(NoteCode.REVERSE_CHARGE))
    assert note.startswith(words) and article in note


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [each for each in NoteCode if each is not NoteCode.NONE])
def test_every_note_in_every_language(code: NoteCode, language: str) -> None:
    """Each note is translated with all it names, unless a law prescribes its words in English (CGST Rules 2017)."""
    english_note, note = said(code), note_in(language, said(code))
    assert (note == english_note) == (code in WORDED_BY_LAW)
    for named in ("196", "GST", "N7", "2006/112"):
        assert (named in note) == (named in english_note), note
    assert "%" not in note or "0" in note


def test_the_name_of_the_tax() -> None:
    """VAT is called as in the language; the taxes of other countries keep their names."""
    exempt = english(NoteCode.EXEMPT, article="Art. 1", tax="VAT")
    assert [note_in(each, exempt).split(" (")[0] for each in ("es", "fr", "nl")] == [
        "Exento de IVA",
        "Exonéré de TVA",
        "Vrijgesteld van btw",
    ]
    assert note_in("fr", english(NoteCode.EXEMPT, article="s. 1", tax="GST")) == "Exonéré de GST (s. 1)"


@pytest.mark.parametrize("code", NoteCode)
@pytest.mark.parametrize("language", ["en", "sv"])
def test_english_else(code: NoteCode, language: str) -> None:
    """English stays English, and a language without translations gets English."""
    assert note_in(language, said(code)) == said(code)


def test_words_of_a_company() -> None:
    """A company's own words go before ours, in a language of its own and in one of ours; without them ours stand."""
    own = {ENGLISH[NoteCode.REVERSE_CHARGE]: "Omvänd betalningsskyldighet (%(article)s)"}

    def words(text: str) -> str:
        return own.get(text, text)

    assert note_in("sv", said(NoteCode.REVERSE_CHARGE), words) == f"Omvänd betalningsskyldighet ({DIRECTIVE})"
    assert note_in("sv", said(NoteCode.EXEMPT), words) == said(NoteCode.EXEMPT)
    assert note_in("de", said(NoteCode.REVERSE_CHARGE), words).startswith("Omvänd betalningsskyldighet (Art.")
    assert note_in("de", said(NoteCode.EXEMPT), words).startswith("Steuerfrei")


@pytest.mark.parametrize("note", ["", "Thank you", "Reverse charge", "Exempt from VAT (Art. 1) as agreed"])
def test_own_words_stay(note: str) -> None:
    """What a person or a company rule worded is printed as it stands."""
    assert note_in("de", note) == note


def test_an_article_with_brackets_is_kept_whole() -> None:
    """Articles have brackets of their own; nothing of them is lost."""
    note = english(NoteCode.EXEMPT, article="Art. 53(1) (a), 54", tax="VAT")
    assert note_in("de", note) == "Steuerfrei (VAT, Art. 53(1) (a), 54)"
