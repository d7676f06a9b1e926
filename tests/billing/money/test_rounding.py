"""Rounding, worked by hand: line nets, taxes of one and several rates, the amount due, in three kinds of currency."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.allowances import Allowance, Charge, percentage_off
from billing.document_check import sums
from billing.draft import line
from billing.money import rounded
from billing.totals import round_to
from tests.billing.money.drafts import component, drafted, lines_of

HALF_AWAY = [
    # amount, currency, rounded; half away from zero (EN 16931-1, 6.4.3; Directive leaves the method to the states)
    ("1.005", "EUR", "1.01"),
    ("-1.005", "EUR", "-1.01"),
    ("1.0049", "EUR", "1.00"),
    ("2.675", "EUR", "2.68"),
    ("0.004", "EUR", "0.00"),
    ("-0.004", "EUR", "0.00"),
    ("0.5", "JPY", "1"),
    ("-0.5", "JPY", "-1"),
    ("1234.49", "JPY", "1234"),
    ("0.0005", "KWD", "0.001"),
    ("-0.0005", "KWD", "-0.001"),
    ("1.23449", "KWD", "1.234"),
]


@pytest.mark.parametrize(("amount", "currency", "result"), HALF_AWAY)
def test_half_is_rounded_away_from_zero(amount: str, currency: str, result: str) -> None:
    """Half a smallest unit goes away from zero, above and below it alike."""
    assert str(rounded(Decimal(amount), currency)) == result


LINE_NETS = [
    # quantity, unit price, per cent off, charge, currency, net (Peppol BIS Billing 3, R120)
    ("3", "0.333", "0", "0", "EUR", "1.00"),  # 0.999
    ("7.5", "120", "0", "0", "EUR", "900.00"),
    ("0.35", "0.10", "0", "0", "EUR", "0.04"),  # 0.035: half up
    ("-0.35", "0.10", "0", "0", "EUR", "-0.04"),
    ("1", "99.99", "10", "0", "EUR", "89.99"),  # 10 % are 9.999, so 10.00 off
    ("1", "99.99", "10", "5.00", "EUR", "94.99"),
    ("2", "0.015", "50", "0", "EUR", "0.01"),  # 0.03 less 0.015, rounded to 0.02
    ("3", "33.5", "0", "0", "JPY", "101"),  # 100.5
    ("1", "1001", "12.5", "0", "JPY", "876"),  # 125.125, so 125 off
    ("1.5", "0.3333", "0", "0", "KWD", "0.500"),  # 0.49995
]


@pytest.mark.parametrize(("quantity", "price", "percent", "plus", "currency", "net"), LINE_NETS)
def test_net_of_a_line(quantity: str, price: str, percent: str, plus: str, currency: str, net: str) -> None:
    """Quantity × price is rounded, then what is off it is, then one is taken from the other: R120, R040."""
    whole = rounded(Decimal(quantity) * Decimal(price), currency)
    off = [percentage_off(whole, Decimal(percent), currency, "Discount")] if Decimal(percent) else []
    on = [Charge(amount=Decimal(plus), reason="Courier")] if Decimal(plus) else []
    made = line("Part", Decimal(quantity), "C62", Decimal(price), currency, allowances=off, charges=on)
    assert str(made.net) == net
    assert not list(sums(drafted([made], currency=currency)))


TAXES = [
    # line nets, rates with names, currency → taxes; rounded once on the sum (BR-CO-17)
    (["0.33", "0.33", "0.33"], ["19"], "EUR", ["0.19"]),  # 0.1881; by line it were 0.18
    (["999.99"], ["19"], "EUR", ["190.00"]),  # 189.9981
    (["0.50"], ["19"], "EUR", ["0.10"]),  # 0.095: half up
    (["-0.50"], ["19"], "EUR", ["-0.10"]),
    (["100.00"], ["8.1"], "CHF", ["8.10"]),  # Swiss rate, Art. 25 MWSTG
    (["33.33"], ["8.1"], "CHF", ["2.70"]),  # 2.69973
    (["1234"], ["10"], "JPY", ["123"]),  # 123.4
    (["1235"], ["10"], "JPY", ["124"]),  # 123.5
    (["10.005"], ["5"], "KWD", ["0.500"]),  # 0.50025
    (["10.010"], ["5"], "KWD", ["0.501"]),  # 0.5005
    (
        ["1000.00"],
        ["GST 5", "QST 9.975"],
        "CAD",
        ["50.00", "99.75"],
    ),  # Quebec: both each on the price
    (["99.99"], ["GST 5", "QST 9.975"], "CAD", ["5.00", "9.97"]),  # 4.9995; 9.97400
    (["333.33"], ["GST 5", "PST 7"], "CAD", ["16.67", "23.33"]),  # 16.6665; 23.3331
    (
        ["1005.50"],
        ["CGST 9", "SGST 9"],
        "INR",
        ["90.50", "90.50"],
    ),  # 90.495 each: half up; 18 % at once were 180.99
    (
        ["1000.00"],
        ["Sales tax 8.25 80"],
        "USD",
        ["66.00"],
    ),  # Texas Tax Code § 151.351: 80 % of it
    (["0.03"], ["Sales tax 8.25 80"], "USD", ["0.00"]),  # taxable 0.024 → 0.02
]


@pytest.mark.parametrize(("nets", "rates", "currency", "taxes"), TAXES)
def test_taxes_on_one_net(nets: list[str], rates: list[str], currency: str, taxes: list[str]) -> None:
    """Each tax is on the whole net, or its share of it, by itself and rounded once; gross is net and all of them."""
    parts = []
    for each in rates:
        name, _, rest = each.rpartition(" ") if not each[0].isdigit() else ("VAT", "", each)
        if each.endswith(" 80"):
            name, rest, share = "Sales tax", "8.25", "80"
        else:
            share = "100"
        parts.append(component(rest, name, share))
    draft = drafted(lines_of(*(("1", net) for net in nets), currency=currency), *parts, currency=currency)
    assert [str(each.tax) for each in draft.taxes] == taxes
    assert draft.gross == sum(map(Decimal, nets)) + sum(map(Decimal, taxes))
    assert not list(sums(draft))


SEVERAL_RATES = [
    # (net, rate) of each line → taxable and tax by rate, in order of appearance (BR-S-08, BR-CO-17)
    ([("100.00", "19"), ("100.00", "7")], [("100.00", "19.00"), ("100.00", "7.00")]),
    (
        [("10.01", "19"), ("20.02", "7"), ("10.01", "19")],
        [("20.02", "3.80"), ("20.02", "1.40")],
    ),  # 3.8038, 1.4014
    ([("0.03", "19"), ("0.07", "7")], [("0.03", "0.01"), ("0.07", "0.00")]),  # 0.0057, 0.0049
    ([("100.00", "16"), ("100.00", "19")], [("100.00", "16.00"), ("100.00", "19.00")]),  # DE, 2020 to 2021
    ([("50.00", "0"), ("50.00", "19")], [("50.00", "0.00"), ("50.00", "9.50")]),
    ([("100.00", "19"), ("-100.00", "19")], [("0.00", "0.00")]),
    ([("-10.50", "19"), ("3.25", "7")], [("-10.50", "-2.00"), ("3.25", "0.23")]),  # -1.995, 0.2275
]


@pytest.mark.parametrize(("nets", "expected"), SEVERAL_RATES)
def test_several_rates(nets: list[tuple[str, str]], expected: list[tuple[str, str]]) -> None:
    """Lines of one rate are summed before tax; what is negative is rounded like what is positive."""
    lines = [each for net, rate in nets for each in lines_of(("1", net), rate=rate)]
    draft = drafted(lines)
    assert [(str(each.taxable), str(each.tax)) for each in draft.taxes] == expected
    assert not list(sums(draft))


ON_THE_WHOLE = [
    # lines, allowances, charges → net, tax, gross at 19 % (BR-CO-11 to BR-CO-15)
    (["1000.01"], ["125.00"], [], ["875.01", "166.25", "1041.26"]),
    (["100.00", "50.00"], ["15.00"], ["4.90"], ["139.90", "26.58", "166.48"]),  # 26.581
    (["100.00"], ["100.00"], [], ["0.00", "0.00", "0.00"]),
    (["100.00"], [], ["0.03"], ["100.03", "19.01", "119.04"]),  # 19.0057
    (["100.00"], ["120.00"], [], ["-20.00", "-3.80", "-23.80"]),
    (["-100.00"], ["-10.00"], [], ["-90.00", "-17.10", "-107.10"]),
]


@pytest.mark.parametrize(("nets", "off", "on", "expected"), ON_THE_WHOLE)
def test_allowances_and_charges_on_the_whole(
    nets: list[str], off: list[str], on: list[str], expected: list[str]
) -> None:
    """They change the net before tax; tax is on what is left."""
    draft = drafted(
        lines_of(*(("1", net) for net in nets)),
        allowances=[Allowance(amount=Decimal(each), reason="Discount") for each in off],
        charges=[Charge(amount=Decimal(each), reason="Courier") for each in on],
    )
    assert [str(each) for each in (draft.net, draft.tax, draft.gross)] == expected
    assert not list(sums(draft))


FIVE_RAPPEN = [
    # gross, step → due (rounding to the nearest five Rappen; the two smaller coins are out of use)
    ("10.02", "0.05", "10.00"),
    ("10.03", "0.05", "10.05"),
    ("10.024", "0.05", "10.00"),
    ("10.025", "0.05", "10.05"),
    ("-10.02", "0.05", "-10.00"),
    ("-10.03", "0.05", "-10.05"),
    ("10.07", "0.05", "10.05"),
    ("10.08", "0.05", "10.10"),
    ("10.05", "0.05", "10.05"),
    ("99.51", "1", "100"),
    ("12.25", "0.50", "12.50"),
]


@pytest.mark.parametrize(("gross", "step", "due"), FIVE_RAPPEN)
def test_rounded_to_a_step(gross: str, step: str, due: str) -> None:
    """To the nearest step, half of one away from zero."""
    assert round_to(Decimal(gross), Decimal(step)) == Decimal(due)


@pytest.mark.parametrize(
    ("net", "gross", "rounding", "due"),
    [
        ("100.00", "108.10", "0", "108.10"),  # nothing to round
        ("100.02", "108.12", "-0.02", "108.10"),  # 8.10162
        ("33.33", "36.03", "0.02", "36.05"),
        ("-33.33", "-36.03", "-0.02", "-36.05"),
    ],
)
def test_amount_due_in_francs(net: str, gross: str, rounding: str, due: str) -> None:
    """The tax stays exact (BR-CO-15); what is due is rounded beside it (BT-114, BR-CO-16)."""
    lines = lines_of(("1", net), currency="CHF")
    draft = drafted(lines, component("8.1"), currency="CHF", steps={"CHF": "0.05"})
    assert [str(draft.gross), str(draft.rounding), str(draft.due)] == [gross, rounding, due]
    assert draft.amount_due.amount == Decimal(due)
    assert not list(sums(draft))


def test_other_currencies_of_the_issuer_are_not_rounded() -> None:
    """Five Rappen are for francs: an issuer that rounds them leaves euros as they are."""
    draft = drafted(lines_of(("1", "33.33")), component("8.1"), steps={"CHF": "0.05"})
    assert (draft.gross, draft.due) == (Decimal("36.03"), Decimal("36.03"))
