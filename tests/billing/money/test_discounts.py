"""Discounts by rule, worked by hand: amounts, steps, order, groups, limits, and who gets them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from billing.allowances import sum_of
from billing.discounts import Discount, DiscountFacts, applied, effective, holds
from billing.document_check import sums
from billing.line_words import line_words
from billing.money import rounded
from tests.billing.assembling import billed_by_hand, care, draft_of
from tests.billing.money.drafts import drafted, lines_of
from tests.billing.properties import examples
from tests.billing.records import company, retainer

START = date(2024, 2, 29)


def rule(key: str = "d", **more: Any) -> Discount:
    return Discount.model_validate({"id": key, "title": key.title(), **more})


def facts(net: str = "1000.00", day: str = "2026-01-01", **more: Any) -> DiscountFacts:
    """An invoice of an agreement that began on 29 February 2024."""
    known = {"client": "acme", "currency": "EUR", "agreement": "care", "agreement_start": START}
    return DiscountFacts(
        net=Decimal(net), day=date.fromisoformat(day), words=line_words("en"), **{**known, **more}
    )


def off(*rules: Discount, **more: Any) -> list[str]:
    return [str(each.amount) for each in applied(rules, facts(**more))]


SIZES = [
    # rule, net of the invoice → what comes off
    ({"percent": "10"}, "1000.00", ["100.00"]),
    ({"percent": "2.5"}, "999.99", ["25.00"]),  # 24.99975
    ({"percent": "3.3"}, "0.15", []),  # 0.00495 is nothing
    ({"percent": "5"}, "0.10", ["0.01"]),  # 0.005: half up
    ({"percent": "100"}, "80.00", ["80.00"]),
    ({"amount": "50", "currency": "EUR"}, "1000.00", ["50.00"]),
    ({"amount": "50", "currency": "EUR"}, "30.00", ["30.00"]),  # never below zero
    ({"amount": "50", "currency": "CHF"}, "1000.00", []),  # another currency
    ({"percent": "10", "at_most": "60", "currency": "EUR"}, "1000.00", ["60.00"]),
    ({"percent": "10", "at_most": "60", "currency": "EUR"}, "599.99", ["60.00"]),  # 59.999, rounded
    ({"percent": "10", "at_most": "60", "currency": "EUR"}, "599.94", ["59.99"]),
    ({"percent": "10"}, "0.00", []),
    ({"percent": "10"}, "-100.00", []),  # a credit gets no discount by rule
    ({"percent": "10", "on": "original net"}, "-100.00", []),
    ({"volume": [{"net": "0", "percent": "10"}], "currency": "EUR", "on": "original net"}, "-100.00", []),
]


@pytest.mark.parametrize(("given_rule", "net", "expected"), SIZES)
def test_how_much(given_rule: dict[str, str], net: str, expected: list[str]) -> None:
    """Per cent of the net, or an amount, rounded once, at most its limit and at most what there is."""
    assert off(rule(**given_rule), net=net) == expected


VOLUME: dict[str, Any] = {
    "volume": [
        {"net": "1000", "percent": "2"},
        {"net": "5000", "percent": "5"},
        {"net": "10000", "percent": "8"},
    ],
    "currency": "EUR",
}
TIERS = [
    ("999.99", []),
    ("1000.00", ["20.00"]),
    ("4999.99", ["100.00"]),  # 99.9998
    ("5000.00", ["250.00"]),
    ("10000.00", ["800.00"]),  # the tier reached counts for all of it
]


@pytest.mark.parametrize(("net", "expected"), TIERS)
def test_volume(net: str, expected: list[str]) -> None:
    """The highest tier the net reaches holds for the whole net."""
    assert off(rule(**VOLUME), net=net) == expected


LOYALTY: dict[str, Any] = {"loyalty": [{"years": 1, "percent": "3"}, {"years": 3, "percent": "5"}]}
YEARS = [
    # the agreement began on 29 February 2024
    ("2025-02-27", []),
    ("2025-02-28", ["30.00"]),  # a year later there is no 29th
    ("2027-02-27", ["30.00"]),
    ("2027-02-28", ["50.00"]),
]


@pytest.mark.parametrize(("day", "expected"), YEARS)
def test_loyalty(day: str, expected: list[str]) -> None:
    """Full years since the agreement began, on the first day of the supply."""
    assert off(rule(**LOYALTY), day=day) == expected


TIMES = [
    ({"first_months": 3}, "2024-02-28", False),  # before it began
    ({"first_months": 3}, "2024-02-29", True),
    ({"first_months": 3}, "2024-05-28", True),
    ({"first_months": 3}, "2024-05-29", False),
    ({"until": "2026-03-31"}, "2026-03-31", True),
    ({"until": "2026-03-31"}, "2026-04-01", False),
    ({"since": "2026-03-01"}, "2026-02-28", False),
    ({"since": "2026-03-01"}, "2026-03-01", True),
    ({"since": "2026-03-01", "until": "2026-03-31"}, "2026-03-15", True),
]


@pytest.mark.parametrize(("condition", "day", "expected"), TIMES)
def test_when(condition: dict[str, Any], day: str, expected: bool) -> None:
    """From a day, until a day (both included), in the first months of the agreement."""
    assert holds(rule(percent="10", **condition), facts(day=day)) is expected


def test_for_whom() -> None:
    """Agreements and clients that are named get it, and no others; a one-off has no agreement and no years."""
    assert holds(rule(percent="10", agreements=["care"]), facts())
    assert not holds(rule(percent="10", agreements=["other"]), facts())
    assert holds(rule(percent="10", clients=["acme", "other"]), facts())
    assert not holds(rule(percent="10", clients=["other"]), facts())
    alone = facts(agreement="", agreement_start=None)
    assert not holds(rule(**LOYALTY), alone)
    assert not holds(rule(percent="10", first_months=3), alone)
    assert holds(rule(percent="10"), alone)


STACKS = [
    # rules in the order they are applied, the agreed percentage, net 1,000.00 → amounts
    ([{"percent": "10", "order": 1}, {"percent": "5", "order": 2}], "0", ["100.00", "45.00"]),
    (
        [{"percent": "10", "order": 1}, {"percent": "5", "order": 2, "on": "original net"}],
        "0",
        ["100.00", "50.00"],
    ),
    ([{"percent": "5", "order": 2}, {"percent": "10", "order": 1}], "0", ["100.00", "45.00"]),
    (
        [{"amount": "100", "currency": "EUR", "order": 1}, {"percent": "10", "order": 2}],
        "0",
        ["100.00", "90.00"],
    ),
    (
        [{"percent": "10", "order": 1}, {"amount": "100", "currency": "EUR", "order": 2}],
        "0",
        ["100.00", "100.00"],
    ),
    ([{"percent": "10"}], "20", ["200.00", "80.00"]),
    ([{"percent": "10", "on": "original net"}], "20", ["200.00", "100.00"]),
    (
        [{"percent": "60", "on": "original net"}, {"percent": "60", "on": "original net"}],
        "0",
        ["600.00", "400.00"],
    ),
    ([{"percent": "100"}, {"percent": "10"}], "0", ["1000.00"]),
    ([], "12.5", ["125.00"]),
]


@pytest.mark.parametrize(("rules", "agreed", "expected"), STACKS)
def test_stacking(rules: list[dict[str, Any]], agreed: str, expected: list[str]) -> None:
    """The agreed one first, then by order: each on what the others left, or on the original net, never below zero."""
    written = [rule(f"d{n}", **each) for n, each in enumerate(rules)]
    assert off(*written, agreed=Decimal(agreed)) == expected


def test_the_best_of_a_group_is_given_and_named() -> None:
    """Of exclusive ones only the best counts, where the first of them would have stood; it says what it beat."""
    spring = rule("spring", percent="10", exclusive="season", order=1)
    loyal = rule("loyal", percent="12", exclusive="season", order=5)
    more = rule("more", percent="5", order=9)
    found = applied([more, spring, loyal], facts())
    assert [str(each.amount) for each in found] == ["120.00", "44.00"]
    assert found[0].reason == "Loyal" and "better than spring" in found[0].why
    other = rule("other", percent="1", exclusive="else", order=2)
    assert off(spring, other) == ["100.00", "9.00"]


def test_of_two_that_are_equal_the_first_is_given() -> None:
    """By order, then by id: the same invoice always gets the same one."""
    one, two = (rule(key, percent="10", exclusive="x") for key in ("a", "b"))
    assert [each.reason for each in applied([two, one], facts())] == ["A"]


def test_what_is_cut_is_no_percentage_any_more() -> None:
    """At its limit a discount names no base and percentage, for the amount is not the product (Peppol R040)."""
    (cut,) = applied([rule(percent="10", at_most="60", currency="EUR")], facts())
    assert (cut.amount, cut.base, cut.percent) == (Decimal("60.00"), None, None)
    (whole,) = applied([rule(percent="10")], facts())
    assert (whole.base, whole.percent) == (Decimal("1000.00"), Decimal(10))


@pytest.mark.parametrize(
    ("given_rule", "code"),
    [({"percent": "5"}, "95"), ({**LOYALTY}, "102"), ({"percent": "5", "until": "2026-12-31"}, "103")],
)
def test_reason_codes(given_rule: dict[str, Any], code: str) -> None:
    """95 discount, 102 fixed long term, 103 temporary (UNTDID 5189)."""
    (found,) = applied([rule(**given_rule)], facts())
    assert found.reason_code == code


@pytest.mark.parametrize(
    ("given_rule", "words"),
    [
        ({}, "exactly one of"),
        ({"percent": "5", **LOYALTY}, "exactly one of"),
        ({"amount": "5"}, "need a currency"),
        ({"percent": "5", "at_most": "10"}, "need a currency"),
        ({"volume": VOLUME["volume"]}, "need a currency"),
        ({"percent": "5", "since": "2026-02-01", "until": "2026-01-01"}, "lies before since"),
        ({"loyalty": [{"years": 3, "percent": "5"}, {"years": 1, "percent": "3"}]}, "ascending"),
        ({"percent": "101"}, "less than or equal to 100"),
        ({"percent": 0.5}, "binary floats"),
    ],
)
def test_rules_that_are_none(given_rule: dict[str, Any], words: str) -> None:
    """What cannot be meant is refused where it is written."""
    with pytest.raises(ValidationError, match=words):
        rule(**given_rule)


def test_effective_percentage() -> None:
    """What all discounts take together, in per cent with two decimals; nothing of nothing."""
    found = applied([rule("a", percent="10"), rule("b", percent="5")], facts())
    assert effective(found, Decimal("1000.00")) == Decimal("14.50")
    assert effective(found, Decimal(0)) == 0


def test_rules_of_the_company_reach_the_draft() -> None:
    """The agreed 10 % and a rule of 5 % on the rest: 1,000.00 − 100.00 − 45.00; approvers see 14.5 %."""
    rules = [rule("spring", percent="5", titles={"de": "Frühling"}, until="2026-01-31")]
    agreement = retainer(discount="10")
    assembly = care(agreement)
    assert draft_of(assembly).discount == Decimal(10)
    one_off = billed_by_hand(("1", "1000.00"), in_company=company(discounts=rules), discount="10")
    assert [str(each.amount) for each in draft_of(one_off).allowances] == ["100.00"]  # billed in February
    rules = [rule("spring", percent="5", titles={"de": "Frühling"}, until="2026-02-28")]
    one_off = billed_by_hand(("1", "1000.00"), in_company=company(discounts=rules), discount="10")
    draft = draft_of(one_off)
    assert [str(each.amount) for each in draft.allowances] == ["100.00", "45.00"]
    assert (str(draft.net), draft.discount) == ("855.00", Decimal("14.50"))
    assert not list(sums(draft))


RULES = st.lists(
    st.fixed_dictionaries(
        {
            "percent": st.integers(1, 10000).map(lambda n: str(Decimal(n).scaleb(-2))),
            "order": st.integers(0, 3),
            "on": st.sampled_from(["remaining net", "original net"]),
            "exclusive": st.sampled_from(["", "", "x", "y"]),
            "currency": st.just("EUR"),
            "at_most": st.one_of(st.none(), st.integers(1, 10**6).map(lambda n: str(Decimal(n).scaleb(-2)))),
        }
    ),
    max_size=6,
)


@given(RULES, st.integers(0, 10**7), st.sampled_from(["0", "3", "12.5"]), st.randoms(use_true_random=False))
@examples(300)
def test_any_discounts(written: list[dict[str, Any]], cents: int, agreed: str, chance: Any) -> None:
    """Whatever the rules: whole cents, nothing below zero, the order they are written in is irrelevant, sums add up."""
    rules = [rule(f"d{n}", **each) for n, each in enumerate(written)]
    net = Decimal(cents).scaleb(-2)
    known = facts(net=str(net), agreed=Decimal(agreed))
    found = applied(rules, known)
    assert sum_of(found) <= net
    assert all(each.amount > 0 and each.amount == rounded(each.amount, "EUR") for each in found)
    turned = list(rules)
    chance.shuffle(turned)
    assert applied(turned, known) == found
    assert not list(sums(drafted(lines_of(("1", str(net))), allowances=found)))
