"""Sample documents of every kind, for looking at templates: made-up figures between an issuer and a client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from activities.documents import interest_statement, receipt, reminder_letter, statement_of_account
from activities.documents.invoice_values import values
from activities.documents.look import LookFiles
from activities.documents.press import page
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.draft import Draft, InvoiceLine, line
from billing.interest.accrual import Interest, Segment
from billing.interest.statement import InterestStatement
from billing.money import Money
from billing.numbering import payment_reference
from billing.parties import Address, Buyer, Contact, Issuer
from billing.payment_terms import EarlyPayment, PaymentTerms
from billing.periods import Period
from billing.receipt import Receipt
from billing.reminder_letter import RemindedInvoice, ReminderLetter
from billing.statement_of_account import (
    AccountInvoice,
    EntryKind,
    Movement,
    StatementOfAccount,
    accounts,
)
from billing.taxes.categories import TaxCategory
from billing.taxes.outcome import TaxDecision
from billing.totals import totals
from billing.work_records import WorkRecord

DAY = date(2026, 3, 16)
"""The day of every sample: the same sample gives the same bytes."""

BUYER = Buyer(
    name="Sample Client GmbH",
    address=Address(street="Musterweg 8", postcode="20095", city="Hamburg", country="DE"),
    vat_id="DE129273398",
    contact=Contact(name="Kim Vogel", email="ap@client.example"),
)
_DUE, _PAID_ON = date(2026, 4, 15), date(2026, 4, 2)
_NUMBER = "2026-00042"


@dataclass(frozen=True)
class Parties:
    """Whom a sample is from and to, in which language and currency."""

    issuer: Issuer
    buyer: Buyer
    language: str
    currency: str = "EUR"

    @property
    def number(self) -> str:
        return f"{self.issuer.number_prefix}{_NUMBER}"


def sample_invoice(parties: Parties, kind: DocumentKind = DocumentKind.INVOICE) -> InvoiceDocument:
    """An invoice of the kind with a handful of lines, 19 per cent tax, and an appendix of hours."""
    lines = _lines(parties.currency, kind)
    tax = TaxDecision(category=TaxCategory.STANDARD, rate=Decimal(19), note="", why="sample")
    sums = totals(lines, tax, parties.currency)
    terms = PaymentTerms(net_days=30)
    if kind is DocumentKind.INVOICE:
        terms = PaymentTerms(net_days=30, early_payment=EarlyPayment(percent=Decimal(2), days=10))
    corrects = kind in (DocumentKind.CREDIT_NOTE, DocumentKind.CORRECTED)
    draft = Draft(
        billing_key="sample/preview",
        title="Managed service, March 2026",
        issuer=parties.issuer,
        buyer=parties.buyer,
        client="sample",
        account_manager="sample",
        language=parties.language,
        zone=parties.issuer.zone,
        currency=parties.currency,
        lines=lines,
        taxes=sums.taxes,
        net=sums.net,
        tax=sums.tax,
        gross=sums.gross,
        terms=terms,
        supply=Period(start=date(2026, 3, 1), end=date(2026, 3, 31)),
        contract_reference="RV-2025-114",
        order_reference="PO 4500123456",
        kind=kind,
        preceding=f"{parties.issuer.number_prefix}2026-00017" if corrects else "",
        preceding_date=date(2026, 2, 16) if corrects else None,
        work=_work() if kind is DocumentKind.INVOICE else (),
    )
    return InvoiceDocument(
        draft=draft,
        number=parties.number,
        issue_date=DAY,
        due_date=_DUE,
        issued_at=datetime(2026, 3, 16, 9, tzinfo=UTC),
        payment_reference=payment_reference(parties.number),
        payment_link="https://pay.example/i/sample" if kind is DocumentKind.INVOICE else "",
    )


def _lines(currency: str, kind: DocumentKind) -> tuple[InvoiceLine, ...]:
    found = [
        line(
            "Operation of servers and backups",
            Decimal(1),
            "MON",
            Decimal(2400),
            currency,
            detail="March 2026",
        ),
        line(
            "Second-level support", Decimal("12.5"), "HUR", Decimal(145), currency, detail="by approved hours"
        ),
        line("Project: migration to the new data centre", Decimal(3), "DAY", Decimal(1160), currency),
        line("Licences, passed on at cost", Decimal(18), "C62", Decimal("21.50"), currency),
    ]
    if kind is DocumentKind.FINAL:
        found.append(
            line("Prepayment invoice of 16 January 2026", Decimal(-1), "C62", Decimal(1500), currency)
        )
    return tuple(found)


def _work() -> tuple[WorkRecord, ...]:
    return tuple(
        WorkRecord(
            line=2, day=date(2026, 3, 2 + 3 * n), person=person, hours=hours, ticket=f"T-{410 + n}", task=task
        )
        for n, (person, hours, task) in enumerate(
            [
                ("Ada Brandt", Decimal("4.5"), "Mail server: certificates renewed"),
                ("Ben Okafor", Decimal(3), "Backup restored and checked"),
                ("Ada Brandt", Decimal(5), "New firewall rules, tested with the client"),
            ]
        )
    )


def sample_interest(currency: str) -> Interest:
    """Interest of 5,950 for 46 days at 11.27 per cent, and 40 of compensation."""
    return Interest(
        currency=currency,
        as_of=date(2026, 5, 31),
        law="§ 288(2), (5) BGB",
        segments=(
            Segment(
                since=date(2026, 4, 16),
                until=date(2026, 5, 31),
                days=46,
                principal=Decimal(5950),
                rate=Decimal("11.27"),
                divisor=365,
                source="Deutsche Bundesbank",
                amount=Money.of("84.51", currency).amount if currency != "JPY" else Decimal(85),
                reference="DE",
                reference_rate=Decimal("2.27"),
                read_on=date(2026, 1, 1),
            ),
        ),
        compensation=Money.of(40, currency),
        per_day=Money.of("1.84" if currency != "JPY" else 2, currency),
    )


def sample_reminder(parties: Parties, level: int) -> ReminderLetter:
    """A reminder of two invoices; from the second level on with interest."""
    interest = sample_interest(parties.currency) if level > 1 else None
    return ReminderLetter(
        issuer=parties.issuer,
        buyer=parties.buyer,
        client_name=parties.buyer.name,
        contact_name=parties.buyer.contact.name,
        language=parties.language,
        level=level,
        day=date(2026, 5, 31) if level else date(2026, 4, 12),
        invoices=(
            _reminded(
                parties.number, "Managed service, March 2026", _DUE, "5950", parties.currency, interest
            ),
            _reminded(
                f"{parties.issuer.number_prefix}2026-00051",
                "Training",
                date(2026, 5, 20) if level else _DUE,
                "1190",
                parties.currency,
                None,
            ),
        ),
    )


def _reminded(
    number: str, title: str, due: date, amount: str, currency: str, interest: Interest | None
) -> RemindedInvoice:
    return RemindedInvoice(
        number=number,
        title=title,
        issue_date=DAY,
        due_date=due,
        due=Money.of(amount, currency),
        open=Money.of(amount, currency),
        payment_reference=payment_reference(number),
        interest=interest,
    )


def sample_statement(parties: Parties) -> StatementOfAccount:
    """Three months of an account with something paid, something open and something late."""
    prefix, until = parties.issuer.number_prefix, date(2026, 5, 31)

    def invoiced(number: str, issued: date, due: date, amount: str, *moves: Movement) -> AccountInvoice:
        return AccountInvoice(
            number=f"{prefix}2026-{number}",
            title="Managed service",
            issue_date=issued,
            due_date=due,
            amount=Money.of(amount, parties.currency),
            movements=moves,
        )

    return StatementOfAccount(
        issuer=parties.issuer,
        buyer=parties.buyer,
        client_name=parties.buyer.name,
        language=parties.language,
        since=date(2026, 3, 1),
        until=until,
        accounts=accounts(
            [
                invoiced(
                    "00011", date(2026, 2, 2), date(2026, 3, 4), "2856", _paid(date(2026, 3, 3), "2856")
                ),
                invoiced("00042", DAY, _DUE, "5950", _paid(_PAID_ON, "2000")),
                invoiced("00051", date(2026, 4, 20), date(2026, 5, 20), "1190"),
                invoiced("00060", date(2026, 5, 15), date(2026, 6, 14), "2856"),
            ],
            date(2026, 3, 1),
            until,
        ),
    )


def _paid(on: date, amount: str) -> Movement:
    return Movement(on=on, amount=Decimal(amount), kind=EntryKind.PAYMENT)


def sample_receipt(parties: Parties) -> Receipt:
    """A part payment."""
    return Receipt(
        issuer=parties.issuer,
        buyer=parties.buyer,
        client_name=parties.buyer.name,
        language=parties.language,
        number=parties.number,
        title="Managed service, March 2026",
        issue_date=DAY,
        due=Money.of(5950, parties.currency),
        movements=(_paid(_PAID_ON, "2000"),),
        as_of=_PAID_ON,
    )


def sample_interest_statement(parties: Parties) -> InterestStatement:
    """A statement of the sample's interest."""
    return InterestStatement(
        issuer=parties.issuer,
        buyer=parties.buyer,
        client_name=parties.buyer.name,
        language=parties.language,
        number=parties.number,
        issue_date=DAY,
        due_date=_DUE,
        due=Money.of(5950, parties.currency),
        open=Money.of(5950, parties.currency),
        interest=sample_interest(parties.currency),
    )


def invoice_page(document: InvoiceDocument, look: LookFiles) -> str:
    """The page of an invoice document before it is set."""
    return page("invoice.html", values(document, look), document.number, look)


def _of_kind(kind: DocumentKind) -> Callable[[Parties, LookFiles], str]:
    return lambda parties, look: invoice_page(sample_invoice(parties, kind), look)


def _of_level(level: int) -> Callable[[Parties, LookFiles], str]:
    return lambda parties, look: reminder_letter.page(sample_reminder(parties, level), look)


PAGES: Mapping[str, Callable[[Parties, LookFiles], str]] = {
    **{kind.value.replace(" ", "-"): _of_kind(kind) for kind in DocumentKind},
    "courtesy-note": _of_level(0),
    **{f"reminder-{level}": _of_level(level) for level in (1, 2, 3)},
    "statement": lambda parties, look: statement_of_account.page(sample_statement(parties), look),
    "receipt": lambda parties, look: receipt.page(sample_receipt(parties), look),
    "interest": lambda parties, look: interest_statement.page(sample_interest_statement(parties), look),
}
"""The page of each kind of document with sample data, by the name people ask for it."""
