"""What makes which agreement due: every billing model against every trigger."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.agreements import Agreement, Recurring, Timing
from billing.due import due_occasions, event_occasions, occasion_for
from billing.errors import Refused
from billing.events import BillingEvent, EventType
from billing.periods import Every
from tests.billing.properties import examples
from tests.billing.records import fixed_price, milestones, prepaid_block, retainer, time_and_materials

TODAY = date(2026, 3, 10)
MODELS: dict[str, Callable[..., Agreement]] = {
    "retainer": retainer,
    "time and materials": time_and_materials,
    "milestone": milestones,
    "fixed price": fixed_price,
    "prepaid block": prepaid_block,
}


def keys_due(agreement: Agreement, today: date = TODAY) -> list[str]:
    return [occasion.billing_key for occasion in due_occasions(agreement, today)]


def asked(agreement: Agreement, item: str | None = None, *billed: str, today: date = TODAY) -> str:
    return occasion_for(agreement, item, frozenset(billed), today).billing_key


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
    found = event_occasions(event(kind, agreement.id, **data), agreement, TODAY)
    return [occasion.billing_key for occasion in found]


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        ("retainer", ["care/fee/2026-01-01", "care/fee/2026-02-01", "care/fee/2026-03-01"]),  # in advance
        ("time and materials", ["hours/time/2026-01-01", "hours/time/2026-02-01"]),  # in arrears
        ("milestone", []),
        ("fixed price", []),
        ("prepaid block", []),
    ],
)
def test_what_the_calendar_makes_due(model: str, keys: list[str]) -> None:
    """By the calendar, every period not yet billed of a recurring agreement is due, oldest first; nothing else is."""
    assert keys_due(MODELS[model]()) == keys


@pytest.mark.parametrize(
    ("timing", "today", "periods"),
    [
        ("in advance", "2025-12-31", 0),
        ("in advance", "2026-01-01", 1),  # due on its first day
        ("in advance", "2026-01-31", 1),
        ("in advance", "2026-02-01", 2),
        ("in arrears", "2026-01-31", 0),  # its last day still runs
        ("in arrears", "2026-02-01", 1),
        ("in arrears", "2026-02-28", 1),
        ("in arrears", "2026-03-01", 2),
    ],
)
def test_the_day_a_period_becomes_due(timing: str, today: str, periods: int) -> None:
    """In advance: on the period's first day. In arrears: on the day after its last."""
    assert len(keys_due(retainer(timing=timing), date.fromisoformat(today))) == periods


def test_the_last_period_of_an_ended_agreement() -> None:
    """An agreement that ends on 15 March has three periods; the third is over on the 16th."""
    ending = time_and_materials(end="2026-03-15")
    assert len(keys_due(ending, date(2026, 3, 15))) == 2
    assert len(keys_due(ending, date(2026, 3, 16))) == 3
    assert len(keys_due(ending, date(2027, 3, 16))) == 3


@given(
    st.dates(date(2024, 1, 1), date(2028, 12, 31)),
    st.sampled_from(list(Every)),
    st.sampled_from(list(Timing)),
    st.none() | st.integers(0, 900),
    st.integers(0, 1200),
    st.integers(0, 200),
)
@examples(200)
def test_asking_later_only_adds(
    start: date, every: Every, timing: Timing, lasts: int | None, day: int, more: int
) -> None:
    """The billing keys due by a day are the first of those due by any later day: an outage changes none."""
    end = start + timedelta(days=lasts) if lasts is not None else None
    agreement = retainer(start=start, every=every, timing=timing, end=end)
    early = keys_due(agreement, start + timedelta(days=day))
    late = keys_due(agreement, start + timedelta(days=day + more))
    assert late[: len(early)] == early
    assert len(set(late)) == len(late)


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("retainer", "care/fee/2026-01-01"),
        ("time and materials", "hours/time/2026-01-01"),
        ("fixed price", "move/price"),
        ("prepaid block", "block/block-1"),
    ],
)
def test_bill_this_now(model: str, key: str) -> None:
    """A person who names just the agreement means its oldest due period, its price, its first block."""
    assert asked(MODELS[model]()) == key


def test_bill_this_now_takes_the_oldest_that_is_left() -> None:
    """What is billed is passed over; when nothing due is left, the running period is billed early."""
    first, second = "hours/time/2026-01-01", "hours/time/2026-02-01"
    assert asked(time_and_materials(), None, first) == second
    assert asked(time_and_materials(), None, first, second) == "hours/time/2026-03-01"
    assert asked(retainer(), None, "care/fee/2026-01-01", "care/fee/2026-03-01") == "care/fee/2026-02-01"


def test_bill_this_now_before_the_start_and_after_the_end() -> None:
    """An agreement that has no period today cannot be billed for today."""
    with pytest.raises(Refused, match="no period on 2025-12-31"):
        asked(retainer(), today=date(2025, 12, 31))
    with pytest.raises(Refused, match="no period on 2026-03-10"):
        asked(retainer(end="2026-01-31"), None, "care/fee/2026-01-01")


def test_milestones_are_named() -> None:
    """With several left a person must say which; with one left that is the one; an unknown one is refused."""
    shop = milestones()
    with pytest.raises(Refused, match="--item: design, launch"):
        asked(shop)
    assert asked(shop, "launch") == "shop/launch"
    assert asked(shop, None, "shop/design") == "shop/launch"
    with pytest.raises(Refused, match="no milestone 'lunch'; it has: design, launch"):
        asked(shop, "lunch")
    with pytest.raises(Refused, match="--item: design, launch"):
        asked(shop, None, "shop/design", "shop/launch")


@pytest.mark.parametrize("billed", [(), ("shop/design",), ("shop/design", "shop/launch")])
def test_an_empty_item_is_no_item(billed: tuple[str, ...]) -> None:
    """`--item ""` is the same as saying nothing: it never picks a milestone by chance, and never falls over."""
    try:
        named_nothing: str | None = asked(milestones(), None, *billed)
    except Refused:
        named_nothing = None
    if named_nothing:
        assert asked(milestones(), "", *billed) == named_nothing
    else:
        with pytest.raises(Refused):
            asked(milestones(), "", *billed)


def test_blocks_are_counted() -> None:
    """The next block is the first that is not billed; one can be named by its number."""
    assert asked(prepaid_block(), None, "block/block-1", "block/block-2") == "block/block-3"
    assert asked(prepaid_block(), "block-2") == "block/block-2"


@pytest.mark.parametrize(
    "item", ["block-02", "block-0", "block-", "2", "fee", "Block 2", "block-2x", "block--2"]
)
def test_a_block_has_one_name(item: str) -> None:
    """`block-02` would be a second billing key for block-2, and bill it twice: it is refused."""
    with pytest.raises(Refused, match="block-1"):
        asked(prepaid_block(), item)


@pytest.mark.parametrize(
    ("model", "item", "right"),
    [
        ("retainer", "2026-02", "fee"),
        ("time and materials", "fee", "time"),
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
}
BILLED_BY: dict[tuple[EventType, str], list[str]] = {
    (EventType.MILESTONE_SIGNED_OFF, "milestone"): ["shop/launch"],
    (EventType.PROJECT_COMPLETED, "fixed price"): ["move/price"],
    (EventType.BLOCK_USED_UP, "prepaid block"): ["block/block-2"],
    (EventType.CONTRACT_SIGNED, "prepaid block"): ["block/block-1"],
    (EventType.CONTRACT_SIGNED, "retainer"): [
        "care/fee/2026-01-01",
        "care/fee/2026-02-01",
        "care/fee/2026-03-01",
    ],
}


@pytest.mark.parametrize("kind", list(EventType))
@pytest.mark.parametrize("model", MODELS)
def test_every_event_against_every_model(kind: EventType, model: str) -> None:
    """An event bills what it can bill, and is refused with the model named where it cannot."""
    agreement = MODELS[model]()
    if (kind, model) in BILLED_BY:
        assert keys_of_event(kind, agreement, **EVENTS[kind]) == BILLED_BY[kind, model]
    else:
        with pytest.raises(Refused, match=f"cannot bill agreement '{agreement.id}'.*'{model}'"):
            keys_of_event(kind, agreement, **EVENTS[kind])


def test_an_event_and_a_person_meet_in_one_key() -> None:
    """Whoever fires first, the same thing has the same billing key."""
    assert keys_of_event(EventType.PROJECT_COMPLETED, fixed_price()) == [asked(fixed_price())]
    assert keys_of_event(EventType.MILESTONE_SIGNED_OFF, milestones(), milestone="design") == [
        asked(milestones(), "design")
    ]
    assert keys_of_event(EventType.BLOCK_USED_UP, prepaid_block(), block=2) == [
        asked(prepaid_block(), None, "block/block-1", "block/block-2")
    ]
    assert keys_of_event(EventType.CONTRACT_SIGNED, retainer()) == keys_due(retainer())


def test_a_contract_signed_ahead_of_time_bills_nothing_yet() -> None:
    """A retainer that begins next month is due then, not on signature."""
    assert keys_of_event(EventType.CONTRACT_SIGNED, retainer(start="2026-04-01")) == []


def test_an_event_about_an_unknown_milestone_is_refused() -> None:
    """A milestone the agreement has not cannot be billed."""
    with pytest.raises(Refused, match="no milestone 'lunch'"):
        keys_of_event(EventType.MILESTONE_SIGNED_OFF, milestones(), milestone="lunch")


def test_recurring_models_are_those_with_periods() -> None:
    """The list of recurring models and the models that have due periods are the same."""
    assert {name for name, make in MODELS.items() if isinstance(make(), Recurring)} == {
        "retainer",
        "time and materials",
    }
