"""The digest an approval is bound to: the same for the same draft, another for every other one."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing.draft import Draft, SourceRef, digest_of, line
from billing.money import rounded
from billing.payment_terms import PaymentTerms
from billing.taxes.decision import TaxCategory, TaxDecision
from billing.totals import breakdowns
from tests.billing.records import ISSUER

NINETEEN = TaxDecision(category=TaxCategory.STANDARD, rate=Decimal(19), why="S")


def draft() -> Draft:
    """Two lines, 19 % VAT, net 14 days."""
    ref = SourceRef(source="psa/time", id="T-1")
    lines = (
        line("Development: senior", Decimal("7.5"), "HUR", Decimal(120), "EUR", detail="Mira", sources=[ref]),
        line("Licence", Decimal(1), "C62", Decimal("99.99"), "EUR"),
    )
    (tax,) = breakdowns(lines, NINETEEN, "EUR")
    return Draft.model_validate(
        {
            "billing_key": "hours/time/2026-01-01",
            "title": "Development",
            "issuer": ISSUER,
            "buyer": {
                "name": "Acme GmbH",
                "address": {"street": "Weg 2", "postcode": "20095", "city": "Hamburg", "country": "DE"},
                "vat_id": "DE129273398",
                "contact": {"name": "Kim Vogel", "email": "ap@client.example"},
            },
            "client": "acme",
            "copies_to": ["boss@client.example"],
            "account_manager": "pia",
            "language": "en",
            "zone": "Europe/Berlin",
            "currency": "EUR",
            "lines": lines,
            "taxes": [tax],
            "net": "999.99",
            "tax": tax.tax,
            "gross": "1189.99",
            "terms": {"net_days": 14},
            "supply": {"start": "2026-01-01", "end": "2026-01-31"},
            "agreement": "hours",
            "contract_reference": "CT-1",
            "order_reference": "PO 7",
            "note": "Thank you",
        }
    )


def test_figures_of_the_draft() -> None:
    """7.5 hours at 120 are 900.00, with 99.99 they are 999.99; 19 % of it is 189.9981, so 190.00."""
    assert draft().lines[0].net == Decimal("900.00")
    assert (draft().taxes[0].taxable, draft().taxes[0].tax) == (Decimal("999.99"), Decimal("190.00"))


def test_tax_is_reckoned_on_the_sum_not_by_line() -> None:
    """Three lines of 0.33 carry 0.19 (19 % of 0.99 is 0.1881), not three times 0.06 (BR-CO-17)."""
    lines = [line("Part", Decimal(1), "C62", Decimal("0.33"), "EUR") for _ in range(3)]
    assert sum(rounded(each.net * 19 / 100, "EUR") for each in lines) == Decimal("0.18")
    assert breakdowns(lines, NINETEEN, "EUR")[0].tax == Decimal("0.19")


def test_the_digest_is_that_of_the_content() -> None:
    """Made twice, stored and read back, or with its keys in another order, a draft has one digest."""
    first = draft()
    stored = json.loads(first.model_dump_json())
    turned = dict(reversed(list(stored.items())))
    turned["issuer"] = dict(reversed(list(turned["issuer"].items())))
    assert {first.digest, draft().digest, Draft.model_validate(stored).digest} == {first.digest}
    assert Draft.model_validate(turned).digest == first.digest
    assert len(first.digest) == 64 and set(first.digest) <= set("0123456789abcdef")


def test_a_draft_stored_before_there_were_more_fields_keeps_its_digest() -> None:
    """What was approved stays approved: a field that came later changes no digest as long as it says nothing."""
    stored = Path(__file__).with_name("stored_draft.json").read_text("utf-8")
    digest = "65af5b726c56877a829c95cb6aa7d1960f90eb6ddd225f9627a6e71ee055e43c"
    assert "preceding" not in stored
    assert Draft.model_validate_json(stored).digest == digest
    assert draft().digest == digest
    assert draft().model_copy(update={"preceding": "B-2026-00001"}).digest != digest


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in _leaves(each, (*path, key))]
    if isinstance(value, list) and value:
        return [leaf for n, each in enumerate(value) for leaf in _leaves(each, (*path, n))]
    return [path]


CHANGED = {
    "currency": "CHF",
    "category": "AE",
    "country": "AT",
    "zone": "Europe/Vienna",
    "language": "de",
    "accent": "#000000",
    "email": "other@client.example",
    "net_days": 30,
    "start": "2025-12-01",
    "end": "2026-02-28",
    "number_prefix": "W",
    "id": "other",
    "discount": "5",
    "non_standard_terms": True,
    "allowances": [{"amount": "1", "reason": "Discount"}],
    "charges": [{"amount": "1", "reason": "Courier"}],
    "registrations": [{"country": "FR", "scheme": "one-stop shop"}],
    "taxes": [{"category": "S", "rate": "19"}],
    "agreed_gross": "1190.00",
    "home_tax": {
        "currency": "GBP",
        "amount": "160.00",
        "base": "EUR",
        "rate": "0.85",
        "rate_date": "2026-01-31",
        "source": "ECB",
    },
    "business_day": "next",
    "early_payment": {"percent": "2", "days": 10},
    "electronic_address": "9930:DE136695976",
    "kind": "corrected invoice",
    "hours_appendix": "by ticket",
    "preceding_date": "2026-01-15",
    "work": [{"line": 1, "day": "2026-01-05", "person": "Jana", "hours": "3.5"}],
}


def _with(path: tuple[str | int, ...], stored: Any) -> Any:
    key, *rest = path
    changed: Any = list(stored) if isinstance(stored, list) else dict(stored)
    changed[key] = _with(tuple(rest), stored[key]) if rest else _other(path, stored[key])
    return changed


def _other(path: tuple[str | int, ...], value: Any) -> Any:
    name = str(path[-1])
    if name in CHANGED:
        return CHANGED[name]
    try:
        return str(Decimal(value) + 1)
    except (ArithmeticError, TypeError):
        return f"{value}x" if value else "something"


FIELDS = [
    path
    for path in _leaves(draft().model_dump(mode="json"))
    if path[-1] != "sources"
    and (path[0] != "terms" or path[-1] in ("net_days", "business_day", "early_payment"))
]


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: ".".join(map(str, path)))
def test_every_field_counts(path: tuple[str | int, ...]) -> None:
    """Whatever is approved is in the digest: parties, lines, amounts, taxes, terms, references, each field of each."""
    changed = _with(path, draft().model_dump(mode="json"))
    if path[0] == "copies_to":
        changed["copies_to"] = ["other@client.example"]
    other = Draft.model_validate(changed)
    assert other != draft()
    assert other.digest != draft().digest


@pytest.mark.parametrize(
    "terms",
    [
        {"net_minutes": 30},
        {"end_of_month_plus": 10},
        {"end_of_month_plus": 0},
        {"day_of_month": 15},
        {"day_of_month": 15, "months_later": 1},
        {"before_supply_days": 5},
    ],
    ids=str,
)
def test_other_terms_count(terms: dict[str, int]) -> None:
    """Thirty minutes, the end of the month or the 15th instead of fourteen days is another draft, each its own."""
    digests = {
        draft().model_copy(update={"terms": PaymentTerms.model_validate(each)}).digest
        for each in (terms, {"net_days": 14}, {"day_of_month": 15, "months_later": 2})
    }
    assert len(digests) == 3


def test_how_the_amount_due_is_rounded_counts() -> None:
    """An issuer that rounds francs to five Rappen makes another draft than one that does not."""
    issuer = draft().issuer.model_copy(update={"round_due_to": {"CHF": Decimal("0.05")}})
    assert draft().model_copy(update={"issuer": issuer}).digest != draft().digest


def test_a_tax_of_its_own_is_not_dropped_with_the_default_of_another_place() -> None:
    """A draft without any tax breakdown is not one that never had the field: lines may leave taxes out, a draft not."""
    stored = draft().model_dump(mode="json")
    assert digest_of({**stored, "taxes": []}) != digest_of({k: v for k, v in stored.items() if k != "taxes"})


@pytest.mark.parametrize("turn", ["lines", "taxes", "copies_to"])
def test_leaving_something_out_counts(turn: str) -> None:
    """A line, a tax or a copy less is another draft; so are lines in another order."""
    assert draft().model_copy(update={turn: getattr(draft(), turn)[1:]}).digest != draft().digest
    assert draft().model_copy(update={"lines": draft().lines[::-1]}).digest != draft().digest


def test_number_and_dates_of_issue_do_not_count() -> None:
    """A draft knows no number, issue date or due date: giving them later does not touch what was approved."""
    assert not {"number", "issue_date", "due_date", "issued_at"} & set(Draft.model_fields)
