"""A period over a change of rate where the law taxes both parts apart: Switzerland, 7.7 % until 2023, then 8.1 %."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.agreements import Agreement, Occasion
from billing.assembly import Assembly, assemble
from billing.document_check import check_document
from billing.periods import Period
from tests.billing.assembling import codes, found, requested
from tests.billing.records import CLIENT, ISSUER, company, crm_client, retainer, time_and_materials, worked
from tests.billing.test_sales import SWISS

OVER = Period(start=date(2023, 12, 15), end=date(2024, 1, 14))
TODAY = date(2024, 1, 20)


def made(agreement: Agreement, item: str, **sources: Any) -> Assembly:
    swiss = company(
        agreement,
        issuers=[{**ISSUER, **SWISS, "zone": "Europe/Zurich"}],
        clients=[{**CLIENT, "currency": "CHF", "zone": "Europe/Zurich", "calendar": "CH-ZH"}],
    )
    occasion = Occasion(agreement=agreement.id, item=item, period=OVER)
    return assemble(requested(occasion), swiss, found(client=crm_client(**SWISS), **sources), TODAY)


def test_a_fee_by_days() -> None:
    """1,000.00 over 31 days: 17 of them 548.39 at 7.7 % (42.23), 14 of them 451.61 at 8.1 % (36.58): 1,078.81."""
    assembly = made(retainer(currency="CHF", start=date(2023, 12, 15)), "fee")
    draft = assembly.draft
    assert draft is not None and not assembly.findings
    assert [each.net for each in draft.lines] == [Decimal("548.39"), Decimal("451.61")]
    assert [(each.rate, each.taxable, each.tax) for each in draft.taxes] == [
        (Decimal("7.7"), Decimal("548.39"), Decimal("42.23")),
        (Decimal("8.1"), Decimal("451.61"), Decimal("36.58")),
    ]
    assert draft.gross == Decimal("1078.81")


def test_hours_by_their_day() -> None:
    """Two hours in December at 120.00 bear 7.7 %, three in January 8.1 %: 240.00 + 18.48, 360.00 + 29.16."""
    agreement = time_and_materials(currency="CHF", start=date(2023, 12, 15))
    entries = (
        worked("T-1", "2", day="2023-12-20"),
        worked("T-2", "3", day="2024-01-10"),
    )
    draft = made(agreement, "time", time_entries=entries).draft
    assert draft is not None
    assert [(each.taxable, each.tax) for each in draft.taxes] == [
        (Decimal("240.00"), Decimal("18.48")),
        (Decimal("360.00"), Decimal("29.16")),
    ]
    assert {ref.id for each in draft.lines for ref in each.sources} == {"T-1", "T-2"}


def test_a_minimum_fee_is_for_a_person() -> None:
    """What belongs to no day cannot be told apart, so nobody bills it at one rate."""
    agreement = time_and_materials(currency="CHF", start=date(2023, 12, 15), minimum="5000")
    entries = (worked("T-1", "2", day="2023-12-20"),)
    assert "tax-unknown" in codes(made(agreement, "time", time_entries=entries))


def test_the_document_stands_the_check() -> None:
    """Both rates pass the sums of EN 16931, with a discount apportioned to them."""
    draft = made(retainer(currency="CHF", start=date(2023, 12, 15), discount="10"), "fee").draft
    assert draft is not None and len(draft.allowances) == 2
    assert draft.net == Decimal("900.00")
    assert check_document(draft, datetime(2024, 1, 20, 12, tzinfo=UTC)) == []
