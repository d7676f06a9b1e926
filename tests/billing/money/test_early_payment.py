"""The discount for paying early, worked by hand: until when, how much, and what it takes off each tax."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.draft import Draft
from billing.early_payment import Offer, discount_taken, offer, received_in_time, reduction
from billing.money import smallest_unit, total
from billing.payment_terms import PaymentTerms
from tests.billing.money.drafts import component, drafted, lines_of
from tests.billing.money.test_properties import invoices
from tests.billing.properties import examples

ISSUED = date(2026, 11, 22)
TWO_TEN = PaymentTerms.model_validate({"net_days": 30, "early_payment": {"percent": "2", "days": 10}})


def draft(*nets: tuple[str, str], **changes: Any) -> Draft:
    """Nets, each at a rate of its own; 2 % within 10 days, net 30."""
    lines = [each for net, rate in nets for each in lines_of(("1", net), rate=rate)]
    return drafted(lines, terms=TWO_TEN, **changes)


def offered(made: Draft) -> Offer:
    found = offer(made, ISSUED)
    assert found is not None
    return found


OFFERS = [
    # net, rate, per cent, days → discount (with tax), payable, last day
    ("1000.00", "19", "2", 10, "23.80", "1166.20", "2026-12-02"),
    ("100.00", "19", "3", 7, "3.57", "115.43", "2026-11-29"),
    ("99.99", "19", "2", 10, "2.38", "116.61", "2026-12-02"),  # 118.99: 2.3798
    ("0.21", "19", "2", 10, "0.01", "0.24", "2026-12-02"),  # 0.25: 0.005, half up
    ("0.20", "19", "2", 10, "0.00", "0.24", "2026-12-02"),  # 0.24: 0.0048
    ("1000.00", "0", "2", 0, "20.00", "980.00", "2026-11-22"),
    ("1000.00", "8.1", "1.5", 40, "16.22", "1064.78", "2027-01-01"),  # 16.215
]


@pytest.mark.parametrize(("net", "rate", "percent", "days", "discount", "payable", "last"), OFFERS)
def test_offer(net: str, rate: str, percent: str, days: int, discount: str, payable: str, last: str) -> None:
    """Per cent of the amount due, rounded once; payable is the rest; the days are counted from the issue date."""
    terms = {"net_days": 60, "early_payment": {"percent": percent, "days": days}}
    made = drafted(lines_of(("1", net)), component(rate), terms=PaymentTerms.model_validate(terms))
    found = offered(made)
    assert (str(found.discount), str(found.payable)) == (discount, payable)
    assert found.last_day == date.fromisoformat(last)
    assert found.discount + found.payable == made.due


def test_no_offer() -> None:
    """Without such terms, and where nothing is to be paid, nothing is offered."""
    assert offer(drafted(lines_of(("1", "100.00"))), ISSUED) is None
    assert offer(draft(("-100.00", "19")), ISSUED) is None


REDUCTIONS = [
    # nets and rates, discount with tax → net of it, tax by rate (§ 17(1) UStG; Art. 90(1) Directive 2006/112/EC)
    ([("1000.00", "19")], "23.80", "20.00", ["3.80"]),
    ([("99.99", "19")], "2.38", "2.00", ["0.38"]),
    ([("100.00", "19"), ("100.00", "7")], "4.52", "4.00", ["0.38", "0.14"]),  # 2.38 and 2.14
    ([("100.00", "19"), ("50.00", "0")], "3.38", "3.00", ["0.38", "0.00"]),
    ([("33.33", "19")], "0.79", "0.66", ["0.13"]),  # 0.79 × 19 / 119 = 0.12613
    ([("1.00", "19")], "0.02", "0.02", ["0.00"]),  # 0.0032
    ([("1000.00", "0")], "20.00", "20.00", ["0.00"]),
    ([("100.00", "19")], "119.00", "100.00", ["19.00"]),  # all of it
]


@pytest.mark.parametrize(("nets", "amount", "net", "taxes"), REDUCTIONS)
def test_reduction(nets: list[tuple[str, str]], amount: str, net: str, taxes: list[str]) -> None:
    """What is in the discount at each rate comes off that tax, the rest off the net; together they are the discount."""
    found = reduction(draft(*nets), Decimal(amount))
    assert str(found.net) == net
    assert [str(each.amount) for each in found.taxes] == taxes
    assert found.net + found.tax == Decimal(amount)


def test_two_taxes_on_one_net() -> None:
    """GST 5 % and QST 9.975 % of 1,000.00 are 1,149.75; 2 % of it, 23.00 (22.995), hold 1.00 and 2.00 of tax.

    23.00 × 5 / 114.975 = 1.00022; × 9.975 / 114.975 = 1.99543.
    """
    lines = lines_of(("1", "1000.00"), currency="CAD")
    made = drafted(lines, component("5", "GST"), component("9.975", "QST"), currency="CAD", terms=TWO_TEN)
    assert str(offered(made).discount) == "23.00"
    found = reduction(made, Decimal("23.00"))
    assert [(each.tax.name, str(each.amount)) for each in found.taxes] == [("GST", "1.00"), ("QST", "2.00")]
    assert str(found.net) == "20.00"


TAKEN = [
    # received by the last day, received at all → what is waived of 119.00, where 116.62 are enough
    ("0", "0", "0"),
    ("116.61", "116.61", "0"),
    ("116.62", "116.62", "2.38"),
    ("117.00", "117.00", "2.00"),
    ("116.61", "116.62", "0"),  # the cent came too late
    ("116.62", "119.00", "0"),  # the rest was paid after all
    ("119.00", "119.00", "0"),
    ("120.00", "120.00", "0"),
]


@pytest.mark.parametrize(("in_time", "paid", "waived"), TAKEN)
def test_taken(in_time: str, paid: str, waived: str) -> None:
    """Enough by the last day waives what is open; nothing less does, and nothing that was paid is given back."""
    made = draft(("100.00", "19"))
    found = offered(made)
    assert str(found.payable) == "116.62"
    assert discount_taken(made, found, Decimal(in_time), Decimal(paid)) == Decimal(waived)


IN_TIME = [
    # what came and went on which day of November → what of it was received by the 20th and kept
    ([], "0"),
    ([(20, "100"), (21, "50")], "100"),
    ([(19, "60"), (20, "40"), (25, "-30")], "70"),
    ([(20, "100"), (25, "100"), (26, "-100")], "100"),  # the second payment goes back first
    ([(20, "100"), (25, "-100"), (26, "100")], "0"),  # what comes again comes too late
    ([(20, "100"), (25, "30"), (26, "-50")], "80"),
    ([(26, "-50"), (20, "100"), (25, "30")], "80"),  # in any order
    ([(20, "-10"), (20, "100")], "90"),
]


@pytest.mark.parametrize(("moved", "expected"), IN_TIME)
def test_received_in_time(moved: list[tuple[int, str]], expected: str) -> None:
    """Money taken back is first what came after the last day, then what came in time."""
    payments = [(date(2026, 11, day), Decimal(amount)) for day, amount in moved]
    assert received_in_time(payments, date(2026, 11, 20)) == Decimal(expected)


@given(invoices(), st.integers(1, 9999))
@examples(200)
def test_reduced_and_discount_are_the_whole(made: Draft, hundredths: int) -> None:
    """For any invoice and percentage: reduced gross + discount = due; the discount is its net and its taxes, exactly.

    Each tax in it is within a unit for each rate of what its rate makes of the net that goes with it.
    """
    terms = {"net_days": 30, "early_payment": {"percent": str(Decimal(hundredths).scaleb(-2)), "days": 5}}
    made = made.model_copy(update={"terms": PaymentTerms.model_validate(terms)})
    found = offer(made, ISSUED)
    if found is None:
        assert made.due <= 0
        return
    assert found.payable + found.discount == made.due
    off = reduction(made, found.discount)
    assert off.net + off.tax == found.discount
    unit = smallest_unit(made.currency)
    for each in off.taxes:
        assert abs(each.amount - each.taxable * each.tax.rate / 100) <= unit * 2 * len(made.lines)
    assert total(each.amount for each in off.taxes) == off.tax
