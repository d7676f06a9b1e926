"""Documents in every language: nothing English left, and everything said can be printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from html import unescape
from typing import Any

import pytest

from activities.documents import interest_statement, receipt, reminder_letter, statement_of_account
from activities.documents.invoice_values import values
from activities.documents.look import LookFiles
from activities.documents.press import page
from activities.documents.printable import unprintable
from activities.languages.catalogue import LANGUAGES
from billing.allowances import Allowance, Charge
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.home_tax import HomeTax
from billing.instalments import Part
from billing.looks import Look
from billing.money import Money
from billing.payment_terms import PaymentTerms
from billing.receipt import Receipt
from billing.reminder_letter import RemindedInvoice, ReminderLetter
from billing.statement_of_account import AccountInvoice, EntryKind, Movement, StatementOfAccount, accounts
from billing.taxes.decision import TaxCategory
from billing.taxes.notes import ENGLISH, NoteCode, english
from billing.work_records import HoursAppendix, WorkRecord
from tests.activities.delivery.test_mail_languages import words_of
from tests.activities.documents.samples import BUYER, ISSUER, invoice
from tests.activities.documents.test_interest_statement import german, statement

DAY = date(2026, 11, 22)
NOTE = english(NoteCode.REVERSE_CHARGE, article="Art. 196 Directive 2006/112/EC")
PARTIES: dict[str, Any] = {"issuer": ISSUER, "buyer": BUYER, "client_name": BUYER.name}


def euro(amount: str) -> Money:
    return Money.of(amount, "EUR")


def rich(language: str, kind: DocumentKind) -> InvoiceDocument:
    """An invoice with all that one can have."""
    whole = invoice(
        ["7"],
        language=language,
        kind=kind,
        title="7",
        category=TaxCategory.REVERSE_CHARGE,
        note=NOTE,
        preceding="BER-2026-00011",
        preceding_date=date(2026, 10, 1),
        buyer_reference="04011000-1234512345-06",
        allowances=(Allowance(amount=Decimal(10), base=Decimal(100), percent=Decimal(10)),),
        charges=(Charge(amount=Decimal(5)),),
        rounding=Decimal("0.01"),
        home_tax=HomeTax(
            currency="PLN",
            amount=Decimal("1.00"),
            base="EUR",
            rate=Decimal("4.25"),
            rate_date=DAY,
            source="NBP",
        ),
        terms=PaymentTerms.model_validate({"net_days": 30, "early_payment": {"percent": "2", "days": 10}}),
        hours_appendix=HoursAppendix.BY_TICKET,
        work=(WorkRecord(line=1, day=DAY, person="Mira", hours=Decimal("1.5")),),
    )
    parts: tuple[Part, ...] = ()
    if kind is DocumentKind.CORRECTED:
        late = datetime(2027, 1, 1, tzinfo=UTC)
        parts = (Part(amount=Decimal(1), due_date=DAY, late_from=late),)
    return whole.model_copy(update={"instalments": parts, "payment_link": "https://p.example/1"})


def letter(language: str, level: int, *, several: bool) -> str:
    one = RemindedInvoice(
        number="BER-2026-00017",
        title="7",
        issue_date=date(2026, 10, 1),
        due_date=date(2026, 10, 31),
        due=euro("100"),
        open=euro("90"),
        payment_reference="RF18BER202600017",
        interest=german() if level else None,
    )
    invoices = (one, one.model_copy(update={"number": "BER-2026-00018"})) if several else (one,)
    return reminder_letter.page(
        ReminderLetter(
            **PARTIES, contact_name="Mira", language=language, level=level, day=DAY, invoices=invoices
        )
    )


def moved(language: str, paid: str) -> str:
    movements: tuple[Movement, ...] = (Movement(on=DAY, amount=Decimal(paid), kind=EntryKind.PAYMENT),)
    if paid == "90":
        movements += (Movement(on=DAY, amount=Decimal(2), kind=EntryKind.DISCOUNT),)
    return receipt.page(
        Receipt(
            **PARTIES,
            language=language,
            number="BER-2026-00017",
            title="7",
            issue_date=DAY,
            due=euro("100"),
            movements=movements,
            as_of=DAY,
        )
    )


def account(language: str, amount: str) -> str:
    kinds = [each for each in EntryKind if each not in (EntryKind.INVOICE, EntryKind.CREDIT_NOTE)]
    movements = tuple(Movement(on=DAY, amount=Decimal(1), kind=each) for each in kinds)
    months = [(date(2026, month, 1), date(2026, month, 20)) for month in (7, 8, 9, 10, 11)]
    invoices = [
        AccountInvoice(
            number="BER-1",
            title="7",
            issue_date=since,
            due_date=due,
            amount=euro(amount),
            movements=movements,
        )
        for since, due in months
    ]
    since = date(2026, 9, 1)
    return statement_of_account.page(
        StatementOfAccount(
            **PARTIES,
            language=language,
            since=since,
            until=DAY,
            accounts=accounts(invoices if amount != "0" else [], since, DAY),
        )
    )


def invoice_page(language: str, kind: DocumentKind) -> str:
    return page("invoice.html", values(rich(language, kind)), "the invoice")


def interest_page(language: str) -> str:
    return interest_statement.page(statement(german(), language))


DOCUMENTS: dict[str, Callable[[str], str]] = {
    **{f"{kind}": partial(invoice_page, kind=kind) for kind in DocumentKind},
    **{f"reminder {level}": partial(letter, level=level, several=False) for level in range(5)},
    **{f"reminder {level} of two": partial(letter, level=level, several=True) for level in range(5)},
    **{f"receipt {paid}": partial(moved, paid=paid) for paid in ("90", "100", "110")},
    **{f"account of {amount}": partial(account, amount=amount) for amount in ("100", "-9", "0")},
    "interest": interest_page,
}


def shown(html: str) -> str:
    """The text of a page, without what is not read."""
    html = re.sub(r"<(style|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    html = re.sub(r'data-sum="([^"]*)"', r">\1<", html)
    return unescape(re.sub(r"<[^>]*>", " ", html))


SAME_AS_ENGLISH = {
    "de": {"a", "charge", "in", "online", "person", "reverse", "ticket", "was"},
    "es": {"a", "final", "no", "simple", "ticket", "total"},
    "fr": {"a", "base", "date", "directive", "forma", "message", "net", "page", "pro", "ticket", "total"},
    "it": {"a", "base", "in", "online", "ticket"},
    "nl": {"a", "contract", "in", "is", "late", "of", "online", "open", "scan", "ticket"},
    "pl": {"a", "do", "forma", "online", "pro", "we"},
    "pt": {"a", "base", "do", "final", "forma", "item", "no", "online", "ticket", "total"},
}
"""Words of a language that are spelt as some English word is."""

DATES = {"jan", "feb", "mar", "may", "jun", "jul", "aug", "sept", "oct", "nov", "dec"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_english_is_left(name: str) -> None:
    """No word of the English document stands in that of another language, but what people and laws said."""
    english_words = words_of(shown(DOCUMENTS[name]("en")))
    given = words_of(
        " ".join(map(str, (ISSUER, BUYER, rich("en", DocumentKind.INVOICE).draft.contract_reference)))
    )
    given |= words_of("BER RF IBAN BIC EUR PLN NBP Mira PO RV Art COBADEFFXXX BGB p example https")
    for language in LANGUAGES:
        if language == "en":
            continue
        text = shown(DOCUMENTS[name](language))
        assert "%(" not in text
        assert words_of(text) & english_words - given - SAME_AS_ENGLISH[language] - DATES == set(), language


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_of_it_can_be_printed(language: str) -> None:
    """Every character of every document has a glyph in the fonts documents are set in."""
    assert not unprintable(shown(each(language)) for each in DOCUMENTS.values())


def test_words_of_a_company() -> None:
    """A look's own catalogue speaks on the page: its words, its notes of the law, and English where it has none."""
    own = (
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Invoice"\nmsgstr "Faktura <1>"\n\n'
        f'msgid "{ENGLISH[NoteCode.REVERSE_CHARGE]}"\nmsgstr "Omvänd betalningsskyldighet (%(article)s)"\n'
    )
    look = LookFiles(Look(id="berlin"), {"languages/sv.po": own.encode()})
    html = page("invoice.html", values(rich("sv", DocumentKind.INVOICE), look), "the invoice", look)
    assert '<html lang="sv">' in html and "Faktura &lt;1&gt;" in html and "Quantity" in html
    assert "Omvänd betalningsskyldighet (Art. 196 Directive 2006/112/EC)" in shown(html)
