"""Reminder letters, statements of account, receipts and interest statements on the issuer's letter paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from activities.documents import receipt, reminder_letter, statement_of_account
from activities.documents.look import PLAIN, LookFiles
from activities.documents.sample_documents import (
    BUYER,
    Parties,
    sample_receipt,
    sample_reminder,
    sample_statement,
)
from activities.languages.catalogue import LANGUAGES
from billing.looks import Look, LookName
from billing.money import Money
from billing.statement_of_account import accounts
from tests.activities.documents.samples import ISSUER

GERMAN, ENGLISH = Parties(ISSUER, BUYER, "de"), Parties(ISSUER, BUYER, "en")


def text(pdf: bytes) -> str:
    """All text of a PDF, blanks and line breaks alike."""
    words = " ".join(each.extract_text() for each in PdfReader(BytesIO(pdf)).pages).split()
    return " ".join(words).replace("\N{THIN SPACE}", " ")


@pytest.mark.parametrize(
    ("level", "heading", "says"),
    [
        (0, "Hinweis zur Zahlung", "Die unten stehenden 2 Rechnungen werden demnächst fällig"),
        (1, "Zahlungserinnerung", "Sicher ist es Ihnen nur entgangen"),
        (2, "2. Mahnung", "Trotz unserer ersten Erinnerung"),
        (3, "3. Mahnung", "Wir haben Sie mehrfach erinnert"),
        (7, "7. Mahnung", "Wir haben Sie mehrfach erinnert"),
    ],
)
def test_a_reminder_of_each_level(level: int, heading: str, says: str) -> None:
    """Each level has its heading and tone; invoices, days late, 7,140.00 in all; interest from the second on."""
    pdf = reminder_letter.render_reminder_letter(sample_reminder(GERMAN, level))
    found = text(pdf)
    for part in (
        heading,
        says,
        "BER-2026-00042",
        "BER-2026-00051",
        "7.140,00 €",
        "DE89 3704 0044 0532 0130 00",
    ):
        assert part in found
    assert ("84,51 €" in found) is ("124,51 €" in found) is ("§ 288" in found) is (level > 1)
    assert ("46 5.950,00" in found) is (level > 0)
    assert reminder_letter.render_reminder_letter(sample_reminder(GERMAN, level)) == pdf


def test_a_reminder_of_one_invoice_names_it() -> None:
    """One invoice stands in the heading, and its reference is what to quote."""
    letter = sample_reminder(ENGLISH, 1)
    page = reminder_letter.page(letter.model_copy(update={"invoices": letter.invoices[:1]}))
    assert "Invoice BER-2026-00042 · Managed service, March 2026" in page
    assert "the invoice below was due" in page
    assert "the numbers of the invoices you pay" not in page


def test_a_reminder_in_two_currencies() -> None:
    """Nothing is added up over currencies: each has its sum."""
    letter = sample_reminder(ENGLISH, 1)
    francs = letter.invoices[1].model_copy(update={"due": Money.of(300, "CHF"), "open": Money.of(200, "CHF")})
    page = reminder_letter.page(letter.model_copy(update={"invoices": (letter.invoices[0], francs)}))
    assert "CHF\N{NO-BREAK SPACE}200.00 + €5,950.00" in page


def test_a_statement_of_account() -> None:
    """2,856 brought forward and paid, 2,000 of 5,950 paid, 1,190 eleven days late, 2,856 not due: 7,996 owed."""
    found = text(statement_of_account.render_statement_of_account(sample_statement(ENGLISH)))
    for part in (
        "Statement of account",
        "1 Mar – 31 May 2026",
        "1 Mar 2026 Balance brought forward 2,856.00",
        "Payment BER-2026-00042 −2,000.00 3,950.00",
        "Balance due €7,996.00",
        "BER-2026-00042 16 Mar 2026 15 Apr 2026 46 5,950.00 3,950.00",
        "BER-2026-00051 20 Apr 2026 20 May 2026 11 1,190.00 1,190.00",
        "2,856.00 1,190.00 3,950.00 0.00 0.00",
    ):
        assert part in found


def test_an_account_that_never_moved() -> None:
    """It says so, and asks for nothing."""
    empty = sample_statement(ENGLISH).model_copy(update={"accounts": ()})
    page = statement_of_account.page(empty)
    assert "nothing moved on your account" in page
    assert "IBAN" not in page


def test_a_balance_in_the_clients_favour() -> None:
    """What was paid too much is said to be the client's, and no account is named to pay to."""
    statement = sample_statement(ENGLISH)
    paid = accounts([], statement.since, statement.until)
    assert paid == ()
    account = statement.accounts[0].model_copy(
        update={"balance": -statement.accounts[0].balance, "items": ()}
    )
    page = statement_of_account.page(statement.model_copy(update={"accounts": (account,)}))
    assert "Balance in your favour" in page
    assert 'class="payment"' not in page


@pytest.mark.parametrize(
    ("due", "says"),
    [
        (5950, "Of invoice BER-2026-00042, €3,950.00 is still open"),
        (2000, "Invoice BER-2026-00042 is settled"),
        (1900, "It is €100.00 more than invoice BER-2026-00042 asks for"),
    ],
)
def test_a_receipt(due: int, says: str) -> None:
    """2,000 received: part of an invoice, all of it, or too much; it is no invoice."""
    made = sample_receipt(ENGLISH).model_copy(update={"due": Money.of(due, "EUR")})
    found = text(receipt.render_receipt(made))
    for part in (says, "Received €2,000.00", "This is no invoice"):
        assert part in found


RENDERED: dict[str, Callable[[Parties, LookFiles], str]] = {
    "reminder": lambda parties, look: reminder_letter.page(sample_reminder(parties, 3), look),
    "statement": lambda parties, look: statement_of_account.page(sample_statement(parties), look),
    "receipt": lambda parties, look: receipt.page(sample_receipt(parties), look),
}


@pytest.mark.parametrize("name", RENDERED)
def test_no_language_is_left_out(name: str) -> None:
    """Each language has words of its own for each document: no two pages are alike."""
    pages = [RENDERED[name](Parties(ISSUER, BUYER, language), PLAIN) for language in LANGUAGES]
    assert len(set(pages)) == len(LANGUAGES)


@pytest.mark.parametrize("name", RENDERED)
def test_the_look_of_the_issuer(name: str) -> None:
    """Logo, line in the foot, terms and overridden blocks are those of invoices."""
    own = LookFiles(
        Look(
            id="berlin",
            based_on=LookName.BOLD,
            logo="logo.svg",
            footer={"en": "Since 1999"},
            terms={"en": "T&C"},
        ),
        {"logo.svg": b"<svg/>", "blocks/address_window.html": b"To {{ addressee }}"},
    )
    page = RENDERED[name](ENGLISH, own)
    for part in ("asset:logo.svg", "Since 1999", "T&amp;C", "To Sample Client GmbH"):
        assert part in page


@pytest.mark.parametrize("name", RENDERED)
def test_hostile_names(name: str) -> None:
    """Names are text, never markup, wherever they stand."""
    name_of: dict[str, Any] = {"name": "<script>alert(1)</script> & Söhne"}
    buyer = BUYER.model_copy(update=name_of)
    page = RENDERED[name](Parties(ISSUER, buyer, "en"), PLAIN)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_client_only_the_system_before_knows() -> None:
    """Without an address the name stands in the window, and nothing is missing."""
    made = sample_receipt(ENGLISH).model_copy(update={"buyer": None, "client_name": "acme"})
    assert "<div>acme</div>" in receipt.page(made)
    assert made.as_of == date(2026, 4, 2)
