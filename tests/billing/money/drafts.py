"""Drafts of given lines, taxes, allowances and charges: what a person would write on paper."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from billing.allowances import Allowance, Charge
from billing.draft import Draft, InvoiceLine, line
from billing.payment_terms import PaymentTerms
from billing.taxes.categories import TaxCategory
from billing.taxes.outcome import TaxComponent, TaxDecision
from billing.totals import totals
from tests.billing.records import issuer


def component(rate: str, name: str = "VAT", share: str = "100") -> TaxComponent:
    """A tax at a rate; a rate of nothing is zero-rated."""
    category = TaxCategory.STANDARD if Decimal(rate) else TaxCategory.ZERO_RATED
    return TaxComponent(name=name, category=category, rate=Decimal(rate), share=Decimal(share))


def decision(*taxes: TaxComponent) -> TaxDecision:
    first = taxes[0]
    return TaxDecision(category=first.category, rate=first.rate, why="worked", components=taxes)


def lines_of(*written: tuple[str, str], currency: str = "EUR", rate: str = "") -> list[InvoiceLine]:
    """Lines of quantity and unit price; all at one rate of their own, if one is given."""
    taxes = (component(rate),) if rate else ()
    return [
        line(f"Part {n}", Decimal(quantity), "C62", Decimal(price), currency, taxes=taxes)
        for n, (quantity, price) in enumerate(written, start=1)
    ]


def drafted(
    lines: Sequence[InvoiceLine],
    *taxes: TaxComponent,
    currency: str = "EUR",
    allowances: Sequence[Allowance] = (),
    charges: Sequence[Charge] = (),
    steps: dict[str, str] | None = None,
    **changes: Any,
) -> Draft:
    """The draft of these lines, taxed at 19 % unless taxes are given."""
    seller = issuer(round_due_to=steps or {})
    sums = totals(
        lines,
        decision(*(taxes or (component("19"),))),
        currency,
        allowances=allowances,
        charges=charges,
        round_due_to=seller.round_due_to.get(currency),
    )
    return Draft.model_validate(
        {
            "billing_key": "manual/worked",
            "title": "Worked",
            "issuer": seller,
            "buyer": {
                "name": "Acme GmbH",
                "address": {"street": "Weg 2", "postcode": "20095", "city": "Hamburg", "country": "DE"},
                "contact": {"name": "Kim Vogel", "email": "ap@client.example"},
            },
            "client": "acme",
            "account_manager": "pia",
            "language": "en",
            "zone": "Europe/Berlin",
            "currency": currency,
            "lines": tuple(lines),
            "taxes": sums.taxes,
            "net": sums.net,
            "tax": sums.tax,
            "gross": sums.gross,
            "rounding": sums.rounding,
            "terms": PaymentTerms(net_days=14),
            "allowances": tuple(allowances),
            "charges": tuple(charges),
            **changes,
        }
    )
