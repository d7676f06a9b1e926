"""What a person or an event means: every billing model against every way to bill it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from billing.agreements import Agreement, Expenses, Occasion
from billing.calendars import Calendar
from billing.errors import Refused
from billing.events import BillingEvent, EventType
from billing.occasions import event_occasions, occasion_for
from billing.periods import Period
from billing.taken import NOTHING, Taken
from tests.billing.records import (
    START,
    fixed_price,
    milestones,
    prepaid_block,
    retainer,
    time_and_materials,
)

TODAY = date(2026, 3, 10)
CALENDAR = Calendar(zone="Europe/Berlin")
MARCH = ("2026-03-01", "2026-03-31")


def expenses(**changes: Any) -> Expenses:
    """Expenses of a project, monthly in arrears."""
    record = {"id": "travel", "model": "expenses", "client": "acme", "title": "Travel", "currency": "EUR"}
    return Expenses.model_validate({**record, "start": START, "project": "P-1", **changes})


MODELS: dict[str, Callable[..., Agreement]] = {
    "retainer": retainer,
    "time and materials": time_and_materials,
    "expenses": expenses,
    "milestone": milestones,
    "fixed price": fixed_price,
    "prepaid block": prepaid_block,
}


def billed(agreement: Agreement, *items: str, **periods: list[tuple[str, str]]) -> Taken:
    """These whole items, and these periods of items, are billed."""
    days = {
        item: tuple(Period(start=date.fromisoformat(a), end=date.fromisoformat(b)) for a, b in each)
        for item, each in periods.items()
    }
    whole = [Occasion(agreement=agreement.id, item=item) for item in items]
    parts = [
        Occasion(agreement=agreement.id, item=item, period=period)
        for item, each in days.items()
        for period in each
    ]
    return Taken(keys=frozenset(each.billing_key for each in (*whole, *parts)), periods=days)


def asked(
    agreement: Agreement,
    item: str | None = None,
    taken: Taken = NOTHING,
    today: date = TODAY,
    until: str | None = None,
) -> str:
    """The billing key of what a person asks for, and its last day."""
    day = date.fromisoformat(until) if until else None
    found = occasion_for(agreement, item, taken, today, CALENDAR, day)
    return found.billing_key + (f" to {found.period.end.isoformat()}" if found.period else "")


def event(kind: EventType, agreement: str, **data: object) -> BillingEvent:
    return BillingEvent.model_validate(
        {
            "specversion": "1.0",
            "id": "E-1",
            "source": "/psa",
            "type": kind,
            "data": {"agreement": agreement, **data},
        }
    )


def keys_of_event(kind: EventType, agreement: Agreement, **data: object) -> list[str]:
    found = event_occasions(event(kind, agreement.id, **data), agreement, TODAY, CALENDAR)
    return [occasion.billing_key for occasion in found]


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("retainer", "care/fee/2026-01-01 to 2026-01-31"),
        ("time and materials", "hours/time/2026-01-01 to 2026-01-31"),
        ("expenses", "travel/expenses/2026-01-01 to 2026-01-31"),
        ("fixed price", "move/price"),
        ("prepaid block", "block/block-1"),
    ],
)
def test_bill_this_now(model: str, key: str) -> None:
    """A person who names just the agreement means its oldest due period, its price, its first block."""
    assert asked(MODELS[model]()) == key
    assert asked(MODELS[model](), "") == key


def test_bill_this_now_takes_the_oldest_that_is_left() -> None:
    """What is billed is passed over; when nothing due is left, the running period is billed early."""
    hours = time_and_materials()
    january, february = ("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28")
    assert asked(hours, taken=billed(hours, time=[january])) == "hours/time/2026-02-01 to 2026-02-28"
    both = billed(hours, time=[january, february])
    assert asked(hours, taken=both) == "hours/time/2026-03-01 to 2026-03-10"
    care = retainer()
    assert asked(care, taken=billed(care, fee=[january, MARCH])) == "care/fee/2026-02-01 to 2026-02-28"


EARLY_FEE = retainer(start="2026-03-01", timing="in arrears")
EARLY_WORK = time_and_materials(start="2026-03-01")


@pytest.mark.parametrize(
    ("agreement", "until", "taken", "found"),
    [
        (EARLY_FEE, None, [], "care/fee/2026-03-01 to 2026-03-31"),
        (EARLY_FEE, "2026-03-15", [], "care/fee/2026-03-01 to 2026-03-15"),
        (EARLY_FEE, "2026-03-31", [], "care/fee/2026-03-01 to 2026-03-31"),
        (EARLY_FEE, "2026-04-15", [], "care/fee/2026-04-01 to 2026-04-15"),  # the next period, in part
        (EARLY_FEE, None, [("2026-03-01", "2026-03-15")], "care/fee/2026-03-16 to 2026-03-31"),
        (EARLY_FEE, "2026-03-20", [("2026-03-01", "2026-03-15")], "care/fee/2026-03-16 to 2026-03-20"),
        (
            EARLY_FEE,
            None,
            [("2026-03-16", "2026-03-31")],
            "care/fee/2026-03-01 to 2026-03-15",
        ),  # its first was voided
        (EARLY_WORK, None, [], "hours/time/2026-03-01 to 2026-03-10"),
        (EARLY_WORK, "2026-03-05", [], "hours/time/2026-03-01 to 2026-03-05"),
        (EARLY_WORK, None, [("2026-03-01", "2026-03-05")], "hours/time/2026-03-06 to 2026-03-10"),
    ],
)
def test_an_early_invoice(
    agreement: Agreement, until: str | None, taken: list[tuple[str, str]], found: str
) -> None:
    """Of the running period: a fee whole or up to a day that is named, work up to today; else what is left of that."""
    item = "fee" if agreement is EARLY_FEE else "time"
    assert asked(agreement, taken=billed(agreement, **{item: taken}), until=until) == found


@pytest.mark.parametrize(
    ("agreement", "until", "taken", "complaint"),
    [
        (EARLY_FEE, None, [MARCH], "fee of agreement 'care' is billed up to 2026-03-31 already"),
        (EARLY_FEE, "2026-03-09", [("2026-03-01", "2026-03-10")], "billed up to 2026-03-09 already"),
        (
            EARLY_WORK,
            None,
            [("2026-03-01", "2026-03-10")],
            "billed up to 2026-03-10 already",
        ),  # the second click
        (EARLY_WORK, "2026-03-11", [], "2026-03-11 is still to come; work is billed up to today at most"),
        (EARLY_FEE, "2026-02-28", [], "no period on 2026-02-28: it runs from 2026-03-01$"),
    ],
)
def test_an_early_invoice_that_cannot_be(
    agreement: Agreement, until: str | None, taken: list[tuple[str, str]], complaint: str
) -> None:
    """What is billed is not billed again; work is not billed before it is done."""
    item = "fee" if agreement is EARLY_FEE else "time"
    with pytest.raises(Refused, match=complaint):
        asked(agreement, taken=billed(agreement, **{item: taken}), until=until)


def test_up_to_a_day_of_a_period_that_is_due() -> None:
    """Who names a day means its period, even if older ones wait: those keep waiting."""
    assert asked(retainer(), until="2026-02-14") == "care/fee/2026-02-01 to 2026-02-14"


def test_bill_this_now_before_the_start_and_after_the_end() -> None:
    """An agreement that has no period today cannot be billed for today; the fee of a day to come can be named."""
    with pytest.raises(Refused, match="no period on 2025-12-31: it runs from 2026-01-01"):
        asked(retainer(), today=date(2025, 12, 31))
    assert (
        asked(retainer(), today=date(2025, 12, 31), until="2026-01-31") == "care/fee/2026-01-01 to 2026-01-31"
    )
    ended = retainer(end="2026-01-31")
    with pytest.raises(Refused, match="no period on 2026-03-10: it runs from 2026-01-01 to 2026-01-31"):
        asked(ended, taken=billed(ended, fee=[("2026-01-01", "2026-01-31")]))
    with pytest.raises(Refused, match="no period on 2026-03-10"):
        asked(retainer(end="2025-12-31"))


@pytest.mark.parametrize("make", [retainer, time_and_materials, expenses])
def test_by_hand_only(make: Callable[..., Agreement]) -> None:
    """What nothing but a person bills is billed by the same periods as by the calendar."""
    assert asked(make(trigger="manual")) == asked(make())


def test_overage_by_hand() -> None:
    """The item of hours beyond is named; without a name it is the fee, or the next block."""
    care = retainer(project="P-1", included_hours="10", rates={"senior": "120.00"})
    assert asked(care) == "care/fee/2026-01-01 to 2026-01-31"
    assert asked(care, "overage") == "care/overage/2026-01-01 to 2026-01-31"
    block = prepaid_block(overage="rate", overage_rate="110.00")
    assert asked(block) == "block/block-1"
    assert asked(block, "overage") == "block/overage/2026-01-01 to 2026-01-31"
    with pytest.raises(Refused, match="nothing that is billed by the period"):
        asked(prepaid_block(), "overage")


def test_work_at_completion() -> None:
    """By hand it is the completion; what is worked after it, or is billed before it, counts on beside it."""
    hours = time_and_materials(trigger="project completed")
    assert asked(hours) == "hours/completion"
    assert asked(hours, "spend-1") == "hours/spend-1"
    assert asked(hours, taken=billed(hours, "completion")) == "hours/spend-1"
    assert asked(hours, taken=billed(hours, "completion", "spend-1")) == "hours/spend-2"


def test_work_by_spend() -> None:
    """The next of the row; one that is named is that one, billed or not, so that a second click changes nothing."""
    hours = time_and_materials(trigger="spend reached", bill_at="5000")
    assert asked(hours) == "hours/spend-1"
    assert asked(hours, taken=billed(hours, "spend-1", "spend-2")) == "hours/spend-3"
    assert asked(hours, "spend-1", billed(hours, "spend-1")) == "hours/spend-1"
    for item in ("time", "spend-0", "spend-01", "spend"):
        with pytest.raises(Refused, match=f"no item '{item}'; its items are spend-1, spend-2 and so on"):
            asked(hours, item)


def test_milestones_are_named() -> None:
    """With several left a person must say which; with one left that is the one; an unknown one is refused."""
    shop = milestones()
    with pytest.raises(Refused, match="--item: design, launch"):
        asked(shop)
    assert asked(shop, "launch") == "shop/launch"
    assert asked(shop, None, billed(shop, "design")) == "shop/launch"
    with pytest.raises(Refused, match="no milestone 'lunch'; it has: design, launch"):
        asked(shop, "lunch")
    with pytest.raises(Refused, match="--item: design, launch"):
        asked(shop, None, billed(shop, "design", "launch"))


def test_a_milestone_of_a_change_order() -> None:
    """A milestone that a change order adds can be billed once the order is in force."""
    order = {
        "id": "co-1",
        "effective": TODAY,
        "reason": "Search",
        "document": "CT-2",
        "proposed_by": "pia",
        "milestones": [{"id": "search", "title": "Search", "amount": "2000.00"}],
    }
    approval = {"approved_by": "noor", "approved_on": "2026-03-01"}
    assert asked(milestones(change_orders=[order | approval]), "search") == "shop/search"
    for change in (order, order | approval | {"effective": "2026-03-11"}):
        with pytest.raises(Refused, match="no milestone 'search'"):
            asked(milestones(change_orders=[change]), "search")


@pytest.mark.parametrize("items", [(), ("design",), ("design", "launch")])
def test_an_empty_item_is_no_item(items: tuple[str, ...]) -> None:
    """`--item ""` is the same as saying nothing: it never picks a milestone by chance, and never falls over."""
    shop = milestones()
    taken = billed(shop, *items)
    try:
        named_nothing: str | None = asked(shop, None, taken)
    except Refused:
        named_nothing = None
    if named_nothing:
        assert asked(shop, "", taken) == named_nothing
    else:
        with pytest.raises(Refused):
            asked(shop, "", taken)


def test_blocks_are_counted() -> None:
    """The next block is the first that is not billed; one can be named by its number."""
    block = prepaid_block()
    assert asked(block, None, billed(block, "block-1", "block-2")) == "block/block-3"
    assert asked(block, "block-2") == "block/block-2"


@pytest.mark.parametrize(
    "item", ["block-02", "block-0", "block-", "2", "fee", "Block 2", "block-2x", "block--2", "spend-1"]
)
def test_a_block_has_one_name(item: str) -> None:
    """`block-02` would be a second billing key for block-2, and bill it twice: it is refused."""
    with pytest.raises(Refused, match="block-1"):
        asked(prepaid_block(), item)


@pytest.mark.parametrize(
    ("model", "item", "right"),
    [
        ("retainer", "2026-02", "fee"),
        ("retainer", "overage", "fee"),  # it bills no hours beyond
        ("time and materials", "fee", "time"),
        ("time and materials", "completion", "time"),
        ("expenses", "time", "expenses"),
        ("fixed price", "design", "price"),
    ],
)
def test_an_item_the_agreement_has_not(model: str, item: str, right: str) -> None:
    """Who names an item gets that one or a refusal, never another one silently."""
    with pytest.raises(Refused, match=f"'{item}'.*{right}"):
        asked(MODELS[model](), item)
    assert asked(MODELS[model](), right) == asked(MODELS[model]())


EVENTS: dict[EventType, dict[str, object]] = {
    EventType.MILESTONE_SIGNED_OFF: {"milestone": "launch"},
    EventType.PROJECT_COMPLETED: {},
    EventType.BLOCK_USED_UP: {"block": 1},
    EventType.CONTRACT_SIGNED: {},
    EventType.DEAL_WON: {},
}
THREE_MONTHS = ["care/fee/2026-01-01", "care/fee/2026-02-01", "care/fee/2026-03-01"]
BILLED_BY: dict[tuple[EventType, str], list[str]] = {
    (EventType.MILESTONE_SIGNED_OFF, "milestone"): ["shop/launch"],
    (EventType.PROJECT_COMPLETED, "fixed price"): ["move/price"],
    (EventType.PROJECT_COMPLETED, "time and materials"): [],  # the calendar bills it
    (EventType.BLOCK_USED_UP, "prepaid block"): ["block/block-2"],
    (EventType.CONTRACT_SIGNED, "prepaid block"): ["block/block-1"],
    (EventType.CONTRACT_SIGNED, "retainer"): THREE_MONTHS,
    (EventType.CONTRACT_SIGNED, "fixed price"): [],  # its completion bills it
    (EventType.DEAL_WON, "retainer"): THREE_MONTHS,
    (EventType.DEAL_WON, "prepaid block"): [],  # a deal is no signature
    (EventType.DEAL_WON, "fixed price"): [],
}


@pytest.mark.parametrize("kind", list(EventType))
@pytest.mark.parametrize("model", MODELS)
def test_every_event_against_every_model(kind: EventType, model: str) -> None:
    """An event bills what it can bill, and is refused with the model named where it never can."""
    agreement = MODELS[model]()
    if (kind, model) in BILLED_BY:
        assert keys_of_event(kind, agreement, **EVENTS[kind]) == BILLED_BY[kind, model]
    else:
        with pytest.raises(Refused, match=f"cannot bill agreement '{agreement.id}'.*'{model}'"):
            keys_of_event(kind, agreement, **EVENTS[kind])


@pytest.mark.parametrize(
    ("kind", "agreement", "keys"),
    [
        (EventType.DEAL_WON, fixed_price(trigger="deal won"), ["move/price"]),
        (EventType.CONTRACT_SIGNED, fixed_price(trigger="deal won"), []),
        (EventType.PROJECT_COMPLETED, fixed_price(trigger="deal won"), []),
        (EventType.CONTRACT_SIGNED, fixed_price(trigger="contract signed"), ["move/price"]),
        (EventType.DEAL_WON, prepaid_block(trigger="deal won"), ["block/block-1"]),
        (EventType.PROJECT_COMPLETED, time_and_materials(trigger="project completed"), ["hours/completion"]),
        # the rest below the last line
        (
            EventType.PROJECT_COMPLETED,
            time_and_materials(trigger="spend reached", bill_at="5000"),
            ["hours/completion"],
        ),
        (EventType.BLOCK_USED_UP, prepaid_block(overage="hold"), []),
        (EventType.BLOCK_USED_UP, prepaid_block(overage="rate", overage_rate="110"), []),
        (EventType.MILESTONE_SIGNED_OFF, milestones(trigger="progress reached"), ["shop/launch"]),
        (EventType.MILESTONE_SIGNED_OFF, milestones(trigger="manual"), []),
        (EventType.PROJECT_COMPLETED, fixed_price(trigger="manual"), []),
        (EventType.PROJECT_COMPLETED, time_and_materials(trigger="manual"), []),
        (EventType.CONTRACT_SIGNED, prepaid_block(trigger="manual"), []),
        (EventType.CONTRACT_SIGNED, retainer(trigger="manual"), []),
    ],
)
def test_an_event_the_agreement_waits_for_or_not(
    kind: EventType, agreement: Agreement, keys: list[str]
) -> None:
    """An event bills by the trigger that was agreed; what another trigger bills, or only a person, it leaves alone."""
    assert keys_of_event(kind, agreement, **EVENTS[kind]) == keys


def test_an_event_and_a_person_meet_in_one_key() -> None:
    """Whoever fires first, the same thing has the same billing key."""
    shop, block = milestones(), prepaid_block()
    assert keys_of_event(EventType.PROJECT_COMPLETED, fixed_price()) == [asked(fixed_price())]
    signed_off = keys_of_event(EventType.MILESTONE_SIGNED_OFF, shop, milestone="design")
    assert signed_off == [asked(shop, "design")]
    used_up = keys_of_event(EventType.BLOCK_USED_UP, block, block=2)
    assert used_up == [asked(block, None, billed(block, "block-1", "block-2"))]


def test_a_contract_signed_ahead_of_time_bills_nothing_yet() -> None:
    """A retainer that begins next month is due then, not on signature."""
    assert keys_of_event(EventType.CONTRACT_SIGNED, retainer(start="2026-04-01")) == []


def test_a_contract_signed_late_bills_only_what_is_left() -> None:
    """What was billed by hand before the signature came is not billed again."""
    care = retainer()
    taken = billed(care, fee=[("2026-01-01", "2026-02-28")])
    found = event_occasions(event(EventType.CONTRACT_SIGNED, "care"), care, TODAY, CALENDAR, taken)
    assert [each.billing_key for each in found] == ["care/fee/2026-03-01"]


def test_an_event_about_an_unknown_milestone_is_refused() -> None:
    """A milestone the agreement has not cannot be billed."""
    with pytest.raises(Refused, match="no milestone 'lunch'"):
        keys_of_event(EventType.MILESTONE_SIGNED_OFF, milestones(), milestone="lunch")
