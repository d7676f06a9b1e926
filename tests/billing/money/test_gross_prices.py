"""Prices agreed with tax, and minimum fees, worked by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.document_check import sums
from billing.gross_prices import without_tax
from billing.money import rounded, smallest_unit, total
from billing.periods import Period
from billing.taxes.outcome import TaxComponent
from tests.billing.assembling import JANUARY, billed_by_hand, codes, draft_of, hours, made
from tests.billing.money.drafts import component, drafted, lines_of
from tests.billing.properties import examples
from tests.billing.records import time_and_materials, worked

NINETEEN = (component("19"),)

GROSS = [
    # gross of each line, rate, currency → nets, tax, rounding
    (["119.00"], "19", "EUR", ["100.00"], "19.00", "0"),
    (["100.00"], "19", "EUR", ["84.03"], "15.97", "0"),  # 84.0336
    (["0.03"], "19", "EUR", ["0.03"], "0.01", "-0.01"),  # 0.02 + 0.00 or 0.03 + 0.01
    (["59.50", "59.50"], "19", "EUR", ["50.00", "50.00"], "19.00", "0"),
    (["33.33", "33.33", "33.34"], "19", "EUR", ["28.01", "28.01", "28.01"], "15.97", "0"),
    (["10.00", "20.00"], "19", "EUR", ["8.40", "16.81"], "4.79", "0"),  # 25.21: 8.4033, 16.8067
    (["1100"], "10", "JPY", ["1000"], "100", "0"),
    (["105"], "10", "JPY", ["95"], "10", "0"),  # 9.5, half up
    (["100.00"], "8.1", "CHF", ["92.51"], "7.49", "0"),  # 7.49331
    (["100.00"], "0", "EUR", ["100.00"], "0.00", "0"),
    (["119.00", "-11.90"], "19", "EUR", ["100.00", "-10.00"], "17.10", "0"),
    (["-119.00"], "19", "EUR", ["-100.00"], "-19.00", "0"),
]


@pytest.mark.parametrize(("gross", "rate", "currency", "nets", "tax", "rounding"), GROSS)
def test_with_tax(
    gross: list[str], rate: str, currency: str, nets: list[str], tax: str, rounding: str
) -> None:
    """The net with the nearest gross, over the lines by largest remainder; what none can reach is rounding (BT-114)."""
    lines = lines_of(*(("1", each) for each in gross), currency=currency)
    taxes = (component(rate),)
    found = without_tax(lines, taxes, currency)
    assert [str(each.net) for each in found.lines] == nets
    assert str(found.rounding) == rounding
    draft = drafted(found.lines, *taxes, currency=currency)
    assert (str(draft.tax), draft.gross + found.rounding) == (tax, total(map(Decimal, gross)))


def test_unit_prices_come_to_the_net() -> None:
    """3 at 33.33 with tax are 84.03 net, 28.01 each; 7 at 9.99 are 58.76, which takes three decimals (R120)."""
    (line,) = without_tax(lines_of(("3", "33.33")), NINETEEN, "EUR").lines
    assert (str(line.net), str(line.unit_price)) == ("84.03", "28.01")
    (line,) = without_tax(lines_of(("7", "9.99")), NINETEEN, "EUR").lines
    assert (str(line.net), str(line.unit_price)) == ("58.76", "8.394")
    assert rounded(line.quantity * line.unit_price, "EUR") == line.net


def test_two_taxes() -> None:
    """114.98 with GST and QST is 100.00, 5.00 and 9.98 (9.975)."""
    taxes = (component("5", "GST"), component("9.975", "QST"))
    found = without_tax(lines_of(("1", "114.98"), currency="CAD"), taxes, "CAD")
    assert (str(found.lines[0].net), str(found.rounding)) == ("100.00", "0")


def test_what_is_due_is_what_was_agreed() -> None:
    """0.03 with tax stays 0.03 to pay: gross 0.04, rounding −0.01; a draft that says otherwise is refused."""
    draft = draft_of(billed_by_hand(("1", "0.03"), prices="gross"))
    assert [str(each) for each in (draft.net, draft.tax, draft.gross, draft.rounding, draft.due)] == [
        "0.03",
        "0.01",
        "0.04",
        "-0.01",
        "0.03",
    ]
    assert not list(sums(draft))
    assert list(sums(draft.model_copy(update={"agreed_gross": None})))
    other = draft.model_copy(update={"agreed_gross": Decimal("0.06"), "rounding": Decimal("0.02")})
    assert any("no matter of rounding" in each for each in sums(other))


def test_a_discount_comes_off_the_net() -> None:
    """119.00 with tax less 10 %: 90.00 net, 17.10 tax, 107.10."""
    draft = draft_of(billed_by_hand(("1", "119.00"), prices="gross", discount="10"))
    assert (str(draft.net), str(draft.gross), draft.agreed_gross) == ("90.00", "107.10", None)
    assert not list(sums(draft))


TAXES = st.sampled_from(
    [NINETEEN, (component("7"),), (component("8.1"),), (component("5", "GST"), component("9.975", "QST"))]
)
PRICES = st.lists(
    st.tuples(st.integers(1, 5000), st.integers(-(10**6), 10**6)).map(
        lambda pair: (str(Decimal(pair[0]).scaleb(-2)), str(Decimal(pair[1]).scaleb(-2)))
    ),
    min_size=1,
    max_size=6,
)


@given(PRICES, TAXES, st.sampled_from(["EUR", "JPY", "KWD"]))
@examples(300)
def test_any_gross(written: list[tuple[str, str]], taxes: tuple[TaxComponent, ...], currency: str) -> None:
    """Net, taxes and rounding are the agreed gross; rounding is at most a unit a tax; lines fit their prices."""
    lines = lines_of(*written, currency=currency)
    found = without_tax(lines, taxes, currency)
    agreed = total(each.net for each in lines)
    draft = drafted(found.lines, *taxes, currency=currency)
    assert draft.gross + found.rounding == agreed
    assert abs(found.rounding) <= smallest_unit(currency) * len(taxes)
    assert not list(sums(draft))


MINIMUM = [
    # hours at 120.00, minimum, days of January the agreement covers → what is added
    ("5", "1000.00", {}, "400.00"),
    ("8", "960.00", {}, None),
    ("9", "1000.00", {}, None),
    ("5", "1000.00", {"start": "2026-01-12", "anchor": "2026-01-01"}, "45.16"),  # 20 of 31 days: 645.16
    ("1", "500.00", {"end": "2026-01-15"}, "121.94"),  # 15 of 31 days: 241.94
]


@pytest.mark.parametrize(("worked_hours", "minimum", "changes", "added"), MINIMUM)
def test_minimum_fee(worked_hours: str, minimum: str, changes: dict[str, Any], added: str | None) -> None:
    """A line for the rest, where the hours of a period stay below the minimum; in part by days."""
    agreement = time_and_materials(minimum=minimum, **changes)
    period = Period(start=max(JANUARY.start, agreement.start), end=agreement.end or JANUARY.end)
    entry = worked("T-1", worked_hours, day="2026-01-13")
    draft = draft_of(made(agreement, "time", period, time_entries=(entry,)))
    extra = [str(each.net) for each in draft.lines if each.description == "Minimum fee"]
    assert extra == ([added] if added else [])


def test_minimum_without_any_work() -> None:
    """A period without work costs the minimum; without one it is empty."""
    assert str(draft_of(hours(minimum="250.00")).net) == "250.00"
    assert "empty" in codes(hours())


def test_minimum_of_a_period_billed_in_parts() -> None:
    """Only the invoice that ends the period adds to it, and what was billed before counts."""
    agreement = time_and_materials(minimum="1000.00")
    first = Period(start=JANUARY.start, end=JANUARY.start.replace(day=15))
    second = Period(start=JANUARY.start.replace(day=16), end=JANUARY.end)
    entry = worked("T-1", "5", day="2026-01-12")
    assert str(draft_of(made(agreement, "time", first, time_entries=(entry,))).net) == "600.00"
    late = worked("T-2", "1", day="2026-01-20")
    draft = draft_of(
        made(agreement, "time", second, time_entries=(late,), billed_in_period=Decimal("600.00"))
    )
    assert [str(each.net) for each in draft.lines] == ["120.00", "280.00"]
