"""The words of the pages: complete in German, as the browser or the person asks, figures as the country has them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog

from activities.languages.catalogue import places, read
from activities.languages.extraction import written
from billing.exceptions import ReasonCode
from billing.roles import Role
from billing.status import CollectionStatus, DocumentStatus, PaymentStatus
from starter.web.languages import CATALOGUES, CHOICES, TRANSLATED, asked_for
from starter.web.languages.extraction import updated
from starter.web.words import words
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story

BERLIN = ZoneInfo("Europe/Berlin")


def file_of(language: str) -> Catalog:
    return read((CATALOGUES / f"{language}.po").read_bytes(), language)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated(language: str) -> None:
    """Each message in use has its translation, with the places of the English; none is left over."""
    found = file_of(language)
    missing = []
    for each in found:
        ids = (each.id,) if isinstance(each.id, str) else tuple(each.id)
        texts = (each.string,) if isinstance(each.string, str) else tuple(each.string or ())
        if ids[0] and not (texts and all(text.strip() for text in texts)):
            missing.append(ids[0])
        assert not ids[0] or all(places(text) <= places(ids[-1]) for text in texts), ids
    assert missing == []
    assert written(updated(language)) == (CATALOGUES / f"{language}.po").read_bytes(), "run: make languages"
    assert not found.obsolete


def test_every_state_has_words() -> None:
    """Every status, reason code and role is said in German."""
    german = file_of("de")
    states = [*DocumentStatus, *PaymentStatus, *CollectionStatus, *ReasonCode, *Role]
    assert [each for each in states if each.replace("-", " ") not in german] == []


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", "en-GB"),
        ("de", "de-DE"),
        ("de-AT,de;q=0.9,en;q=0.8", "de-AT"),
        ("de-LI", "de-DE"),
        ("en-US,en;q=0.9", "en-US"),
        ("en-AU", "en-GB"),
        ("fr-FR,fr;q=0.9,de;q=0.5,en;q=0.3", "de-DE"),
        ("en;q=0.2, de;q=0.7", "de-DE"),
        ("de;q=0, en", "en-GB"),
        ("*", "en-GB"),
        ("de;q=x, ;;;, " + "en-US," * 1000, "en-US"),
    ],
)
def test_asked_for(header: str, tag: str) -> None:
    """Of the languages a browser asks for (RFC 9110, 12.5.4) the first there is, with its country if it names one."""
    assert asked_for(header) == tag


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("en-GB", ["EUR −1,234.50", "JPY 1,000", "3 Feb 2026", "1,234.5", "42%"]),
        ("en-US", ["EUR −1,234.50", "JPY 1,000", "Feb 3, 2026", "1,234.5", "42%"]),
        ("de-DE", ["−1.234,50 EUR", "1.000 JPY", "03.02.2026", "1.234,5", "42 %"]),
        ("de-CH", ["−1’234.50 EUR", "1’000 JPY", "03.02.2026", "1’234.5", "42 %"]),
    ],
)
def test_figures(tag: str, said: list[str]) -> None:
    """Amounts, days and figures as CLDR has them for the language and country, never broken over a line."""
    there = words(tag)
    found = [
        there.money(Decimal("-1234.5"), "EUR"),
        there.money(Decimal(1000), "JPY"),
        there.day(date(2026, 2, 3)),
        there.figure(Decimal("1234.500")),
        there.percent(Decimal("0.42")),
    ]
    assert found == [each.replace(" ", "\u00a0") for each in said]
    assert (there.money(None, "EUR"), there.day(None)) == ("–", "–")


@pytest.mark.parametrize(
    ("away", "english", "german"),
    [
        (timedelta(seconds=20), "in a moment", "gleich"),
        (timedelta(seconds=-20), "just now", "gerade eben"),
        (timedelta(minutes=1), "in 1 minute", "in 1 Minute"),
        (timedelta(hours=-1), "1 hour ago", "vor 1 Stunde"),
        (timedelta(hours=5), "in 5 hours", "in 5 Stunden"),
        (timedelta(days=1), "in 1 day", "in 1 Tag"),
        (timedelta(days=-3), "3 days ago", "vor 3 Tagen"),
    ],
)
def test_distances(away: timedelta, english: str, german: str) -> None:
    """How far away something is, in the form for one and for many."""
    now = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    for tag, said in (("en-GB", english), ("de-DE", german)):
        shown = words(tag).distance(now + away, now, BERLIN)
        assert f">{said}</time>".replace(" ", "\u00a0") in shown.replace(" ", "\u00a0")


def test_instant() -> None:
    """An instant reads in the zone of the page, which its title names; a machine reads it exactly."""
    at = datetime(2026, 3, 29, 1, 5, tzinfo=UTC)  # five minutes after the clocks went forward
    shown = words("de-DE").instant(at, BERLIN)
    assert 'datetime="2026-03-29T03:05:00+02:00"' in shown
    assert "29.03.2026, 03:05</time>" in shown and "CEST (Europe/Berlin)" in shown
    assert "Mar\u00a029,\u00a02026, 3:05\u202fAM</time>" in words("en-US").instant(at, BERLIN)


def test_browser_and_person(story: Story, visitor: Visitor) -> None:
    """A page is in the language the browser asks for, until the person chooses; then it is in that one everywhere."""
    story.issued("one")
    visitor.sign_in("lena")
    german = {"accept-language": "de-DE,de;q=0.9"}
    page = visitor.get("/invoices", headers=german).text
    assert '<html lang="de-DE">' in page and "Wartet auf" in page and "8.500,00\u00a0EUR" in page
    token = visitor.token("/preferences")
    chosen = {"csrf": token, "language": "de-CH", "appearance": "dark", "shortcuts": "on"}
    assert "Ihre Einstellungen sind gespeichert." in visitor.post("/preferences", data=chosen).text
    page = visitor.get("/invoices").text
    assert '<html lang="de-CH" data-appearance="dark">' in page and "8’500.00\u00a0EUR" in page
    assert 'data-keys="off"' in visitor.post("/preferences", data={"csrf": token}).text
    assert '<html lang="en-GB"' in visitor.get("/invoices").text


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"appearance": "pink"}])
def test_wrong_choice(story: Story, visitor: Visitor, wrong: dict[str, str]) -> None:
    """What cannot be chosen is refused, and changes nothing."""
    token = visitor.sign_in("lena").token("/preferences")
    answer = visitor.post("/preferences", data={"csrf": token} | wrong)
    assert (answer.status_code, "there is no" in answer.text.lower()) == (409, True)


def test_words_of_others(story: Story) -> None:
    """A word nobody translated is said as it is, per cent signs and all."""
    assert words("de-DE").said("100% certain") == "100% certain"
    assert (words("de-DE").said("tax-unknown"), words("de-DE").waits("payment of EUR 1")) == (
        "Steuer unbekannt",
        "Zahlung",
    )


def test_choices_are_known() -> None:
    """Each choice is a language there are words in."""
    assert {tag.partition("-")[0] for tag in CHOICES} == {"en", *TRANSLATED}
