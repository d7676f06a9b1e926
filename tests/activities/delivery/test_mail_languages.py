"""Mails to clients in every language: complete, addressed formally, folded, and in that language alone."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from activities.delivery.mail import CLIENT_EVENTS, STAFF_EVENTS, Composed, compose
from activities.invoicing.late_payment import InvoiceInterest
from activities.languages.catalogue import CATALOGUES, LANGUAGES, read
from billing.money import Money
from tests.activities.delivery.test_late_payment import german
from tests.activities.delivery.test_mail import context, plain

PARTS = [
    {"amount": Money.of("1000.00", "EUR"), "due_date": date(2026, 12, 1)},
    {"amount": Money.of("1156.88", "EUR"), "due_date": date(2026, 12, 22)},
]
OTHERS = [
    {
        "number": "BER-2026-00012",
        "due_date": date(2026, 11, 30),
        "open_amount": Money.of("59.50", "EUR"),
        "invoice_url": "https://billing.example/i/abc",
    }
]
CONTEXTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "in instalments": {"instalments": PARTS, "open_amount": Money.of("1000.00", "EUR")},
    "with interest and others": {"late_payment": [german()], "others": OTHERS},
    "disputed in part": {"disputed": Money.of("1499.40", "EUR"), "open_amount": Money.of("59.50", "EUR")},
    "due today, partly paid": {"days_late": 0, "open_amount": Money.of("0.01", "EUR")},
    "a day late, level 4": {"days_late": 1, "level": 4, "open_amount": Money.of(0, "EUR")},
    "without a page": {"invoice_url": "", "inbox_url": "", "findings": []},
}
NEUTRAL = context(
    title="Nordwind 11/2026", contact_name="Katharina Weiß", reason="§ 7", findings=["8.500 ≠ 9.200"]
)
SAME_AS_ENGLISH = {
    "de": {"mail", "was", "person", "an", "in"},
    "es": {"a", "no", "plan"},
    "fr": {"message", "date", "dates", "client", "a", "mail", "plan"},
    "it": {"come", "date", "decide", "in", "a", "mail"},
    "nl": {"over", "open", "best", "of", "in", "mail", "is", "late"},
    "pl": {"do", "a", "plan"},
    "pt": {"a", "as", "do", "mail", "no"},
}
"""Words of a language that are spelt as some English word is."""

MONTHS = {"nov", "dec", "aug"}


def composed(event: str, language: str, name: str) -> Composed:
    return compose(event, language, NEUTRAL | {"level": 1} | CONTEXTS[name])


def words_of(text: str) -> set[str]:
    return {each.lower() for each in re.findall(r"[^\W\d_]+", text)}


@pytest.mark.parametrize("name", CONTEXTS)
@pytest.mark.parametrize("event", [*CLIENT_EVENTS, *STAFF_EVENTS])
def test_nothing_english_is_left(event: str, name: str) -> None:
    """No sentence or label of the English mail stands in that of another language."""
    english = composed(event, "en", name)
    given = words_of(" ".join(map(str, NEUTRAL.values()))) | words_of(
        "IBAN BIC Billow Nordlicht Systems GmbH Torstraße Berlin Amtsgericht Charlottenburg HRB B BGB RF BER EUR"
    )
    for language in LANGUAGES:
        if language == "en":
            continue
        other = composed(event, language, name)
        kept = words_of(english.subject + english.text) & words_of(other.subject + other.text)
        assert kept - given - SAME_AS_ENGLISH[language] <= MONTHS, f"{language}: {sorted(kept)}"
        lines = {line.strip() for line in english.text.splitlines() if len(line.split()) > 3}
        assert not {line for line in lines if line in other.text and words_of(line) - given}


@pytest.mark.parametrize("name", CONTEXTS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", CLIENT_EVENTS)
def test_fits_the_reader(event: str, language: str, name: str) -> None:
    """Subjects have less than 78 characters, lines of text less than 80; text and HTML say the same words."""
    mail = composed(event, language, name)
    assert 10 < len(mail.subject) < 78, mail.subject
    assert max(map(len, mail.text.splitlines())) < 80
    assert "\n\n\n" not in mail.text and "%(" not in mail.text + mail.html + mail.subject
    assert f'<html lang="{language}">' in mail.html
    shown = plain(
        re.sub(r"<[^>]+>", " ", re.sub(r"<(title|style)>.*?</\1>", " ", mail.html, flags=re.DOTALL))
    )
    said = set(re.findall(r"[^\W_]+", mail.text)) - {"https", "billing", "example", "i", "abc"}
    assert not said - set(re.findall(r"[^\W_]+", shown)), said


@pytest.mark.parametrize(
    ("language", "familiar"),
    [
        ("de", "du dich dir dein deine deinem deinen deiner"),
        ("es", "tú tu tus te ti"),
        ("fr", "tu te toi ton ta tes"),
        ("it", "tu te ti tuo tua tuoi tue"),
        ("nl", "je jij jou jouw jullie"),
        ("pl", "ty cię ci tobie twój twoja twoje twoją"),
        ("pt", "tu te ti teu tua teus tuas"),
    ],
)
def test_nobody_is_addressed_familiarly(language: str, familiar: str) -> None:
    """No translation, of a mail or of a document, says "du", "tu" or "ty" to its reader."""
    found = read((CATALOGUES / f"{language}.po").read_bytes(), language)
    for entry in found:
        if entry.id:
            texts = [entry.string] if isinstance(entry.string, str) else entry.string or []
            assert not words_of(" ".join(texts)) & set(familiar.split()), texts


@pytest.mark.parametrize(
    ("language", "days", "says"),
    [
        ("fr", 0, "en retard depuis aujourd’hui"),
        ("fr", 1, "en retard depuis un jour"),
        ("es", 1, "vencida desde hace un día"),
        ("es", 30, "vencida desde hace 30 días"),
        ("it", 1, "scaduta da un giorno"),
        ("it", 2, "scaduta da 2 giorni"),
        ("nl", 1, "vervallen sinds één dag"),
        ("nl", 14, "vervallen sinds 14 dagen"),
        ("pl", 1, "po terminie od jednego dnia"),
        ("pl", 3, "po terminie od 3 dni"),
        ("pl", 22, "po terminie od 22 dni"),
        ("pt", 1, "vencida há um dia"),
        ("pt", 14, "vencida há 14 dias"),
    ],
)
def test_days_late(language: str, days: int, says: str) -> None:
    """Days late are counted as people speak, in every language."""
    assert says in compose("reminder-2", language, context(days_late=days)).subject


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("es", "87,22 € de intereses hasta el 31 ago 2025, 2,81 € por cada día adicional;"),
        ("fr", "87,22 € d’intérêts jusqu’au 31 août 2025, 2,81 € par jour supplémentaire;"),
        ("it", "87,22 € di interessi fino al 31 ago 2025, 2,81 € per ogni giorno ulteriore;"),
        ("nl", "€ 87,22 rente tot en met 31 aug 2025, € 2,81 voor elke volgende dag;"),
        ("pl", "87,22 € odsetek do 31 sierpnia 2025, 2,81 € za każdy kolejny dzień;"),
        ("pt", "87,22 € de juros até 31 de agosto de 2025, 2,81 € por cada dia adicional;"),
    ],
)
def test_interest(language: str, says: str) -> None:
    """What late payment costs is told in the reader's figures and dates."""
    mail = compose("reminder-2", language, context(late_payment=[german()]))
    assert says in plain(mail.text) and says in plain(mail.html)


def test_own_words() -> None:
    """A company's catalogue speaks in mails: its words first, and English where it has none."""
    own = (
        b'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        b'msgid "Dear %(contact_name)s,"\nmsgstr "<b>Hej %(contact_name)s,</b>"\n'
    )
    mail = compose("invoice", "sv", context(contact_name="Åsa & Co"), more=own)
    assert "<b>Hej Åsa & Co,</b>" in mail.text and "Kind regards" in mail.text
    assert "&lt;b&gt;Hej Åsa &amp; Co,&lt;/b&gt;" in mail.html
    assert "2\N{NO-BREAK SPACE}156,88\N{NO-BREAK SPACE}€" in mail.text


def test_a_language_nobody_has() -> None:
    """A reader of a language nobody has is written to in English, figures and all."""
    assert compose("invoice", "sv", context()) == compose("invoice", "en", context())


def test_same_mail_twice() -> None:
    """Composing twice says the same: interest, instalments and others included."""
    late = {"late_payment": [InvoiceInterest("BER-2026-00017", german().interest)], "others": OTHERS}
    for language in LANGUAGES:
        assert compose("reminder-3", language, context(**late)) == compose(
            "reminder-3", language, context(**late)
        )
