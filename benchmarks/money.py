"""How fast money and tax are computed: tax, lines, sums and the check of the sums, without ledger or renderer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from billing.document_check import sums
from billing.draft import Draft, InvoiceLine, line
from billing.parties import Buyer, Contact, Issuer
from billing.payment_terms import PaymentTerms
from billing.periods import Period
from billing.sales import Question, Sale
from billing.sources import CrmClient
from billing.taxes.company_rules import TaxRules
from billing.taxes.outcome import TaxDecision
from billing.totals import totals

INVOICES = 100_000

ISSUER = Issuer.model_validate({
    "id": "berlin",
    "name": "Benchmark GmbH",
    "address": {"street": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE"},
    "vat_id": "DE136695976",
    "email": "billing@issuer.example",
    "bank_account": {"iban": "DE02120300000000202051"},
    "zone": "Europe/Berlin",
    "number_prefix": "B",
})  # fmt: skip

_CONTACT = Contact(name="Kim", email="ap@client.example")

_CLIENTS = tuple(
    CrmClient.model_validate({
        "id": country,
        "name": f"Client in {country}",
        "address": {"street": "Road 2", "postcode": "2000", "city": "Town", "country": country},
        "vat_id": number,
        "billing_contact": {"name": "Kim", "email": "ap@client.example"},
    })
    for country, number in (
        ("DE", "DE129273398"), ("AT", "ATU12345675"), ("FR", "FR40303265045"), ("CH", ""), ("US", ""),
    )
)  # fmt: skip
"""At home, in two member states, in two countries outside."""


@dataclass(frozen=True)
class Measured:
    """How many invoices were computed in how many seconds, and the sum of what is due: all of it was done."""

    invoices: int
    seconds: float
    due: Decimal

    @property
    def a_second(self) -> float:
        return self.invoices / self.seconds

    def __str__(self) -> str:
        return (
            f"money and tax: {self.invoices:,} invoices in {self.seconds:.1f} s, {self.a_second:,.0f} a second "
            f"(tax, five lines, breakdown, check of the sums)"
        )


def measure(invoices: int = INVOICES) -> Measured:
    """Computes so many invoices of five lines, one after the other, in one process."""
    due, rules = Decimal(0), TaxRules()
    _computed(0, rules)  # the data files are read once a process, which is not what is measured
    begin = time.perf_counter()
    for n in range(invoices):
        due += _computed(n, rules)
    return Measured(invoices, time.perf_counter() - begin, due)


def _computed(n: int, rules: TaxRules) -> Decimal:
    """What is due for the n-th invoice. Raises AssertionError where the sums are wrong."""
    draft = draft_of(n, rules)
    wrong = list(sums(draft))
    assert not wrong, wrong
    return draft.gross


def draft_of(n: int, rules: TaxRules) -> Draft:
    """The draft of the n-th invoice. Raises AssertionError where no tax is decided."""
    client, day = _CLIENTS[n % len(_CLIENTS)], date(2026, 1, 1) + timedelta(days=n % 300)
    supply = Period(start=day, end=day + timedelta(days=30))
    tax = Sale(ISSUER, client, Question(client.id), supply, issued=day).tax(rules).outcome
    assert isinstance(tax, TaxDecision), tax
    lines = tuple(_line(n, each) for each in range(5))
    found = totals(lines, tax, "EUR")
    return Draft.model_construct(
        billing_key=f"bench/{n}",
        title="Service",
        issuer=ISSUER,
        buyer=Buyer(name=client.name, address=client.address, vat_id=client.vat_id, contact=_CONTACT),
        client=client.id,
        account_manager="pia",
        language="en",
        zone="Europe/Berlin",
        currency="EUR",
        lines=lines,
        taxes=found.taxes,
        net=found.net,
        tax=found.tax,
        gross=found.gross,
        terms=PaymentTerms(net_days=14),
        supply=supply,
        note=tax.note,
    )


def _line(n: int, position: int) -> InvoiceLine:
    hours = Decimal(n % 160 + position) + Decimal("0.25")
    return line(f"Part {position}", hours, "HUR", Decimal("112.35") + position, "EUR")
