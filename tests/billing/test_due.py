"""What the calendar makes due, and when: the same periods and billing keys whenever somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.agreements import Agreement, Occasion, Recurring
from billing.calendars import Calendar
from billing.due import Due, due, items_of, next_due
from billing.errors import Refused
from billing.occasions import occasion_for
from billing.periods import Period
from billing.taken import NOTHING, Taken
from tests.billing.properties import examples
from tests.billing.records import fixed_price, milestones, prepaid_block, retainer, time_and_materials
from tests.billing.test_occasions import MODELS, billed, expenses

TODAY = date(2026, 3, 10)
HOLIDAYS = ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25", "2026-12-31", "2027-01-01"]
CALENDAR = Calendar(zone="Europe/Berlin", holidays=frozenset(map(date.fromisoformat, HOLIDAYS)))
OVERAGE = {"project": "P-1", "included_hours": "10", "rates": {"senior": "120.00"}}


def keys_due(agreement: Agreement, today: date = TODAY, taken: Taken = NOTHING) -> list[str]:
    return [each.occasion.billing_key for each in due(agreement, today, CALENDAR, taken)]


def told(found: Due) -> tuple[str, str]:
    """The period of what is due, and the day from which it is billed."""
    return str(found.occasion.period), found.since.isoformat()


def billing_days(agreement: Agreement, until: str) -> list[tuple[str, str]]:
    return [told(each) for each in due(agreement, date.fromisoformat(until), CALENDAR)]


def change_order(**changes: object) -> dict[str, object]:
    order = {"id": "co-1", "effective": "2026-04-01", "reason": "Longer", "document": "CT-2"}
    return {**order, "proposed_by": "pia", "approved_by": "noor", "approved_on": "2026-03-01", **changes}


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        ("retainer", ["care/fee/2026-01-01", "care/fee/2026-02-01", "care/fee/2026-03-01"]),  # in advance
        ("time and materials", ["hours/time/2026-01-01", "hours/time/2026-02-01"]),  # in arrears
        ("expenses", ["travel/expenses/2026-01-01", "travel/expenses/2026-02-01"]),
        ("milestone", []),
        ("fixed price", []),
        ("prepaid block", []),
    ],
)
def test_what_the_calendar_makes_due(model: str, keys: list[str]) -> None:
    """By the calendar, every period not yet billed of a recurring agreement is due, oldest first; nothing else is."""
    assert keys_due(MODELS[model]()) == keys


@pytest.mark.parametrize(
    ("agreement", "keys"),
    [
        (retainer(trigger="manual", **OVERAGE), []),
        (time_and_materials(trigger="manual"), []),
        (time_and_materials(trigger="project completed"), []),
        (time_and_materials(trigger="spend reached", bill_at="5000"), []),
        (expenses(trigger="manual"), []),
        (prepaid_block(overage="next block"), []),
        (prepaid_block(overage="hold"), []),
        (
            prepaid_block(overage="rate", overage_rate="110", trigger="manual"),
            ["block/overage/2026-01-01", "block/overage/2026-02-01"],
        ),
        (
            retainer(**OVERAGE),
            [
                "care/fee/2026-01-01",
                "care/fee/2026-02-01",
                "care/fee/2026-03-01",
                "care/overage/2026-01-01",
                "care/overage/2026-02-01",
            ],
        ),
    ],
)
def test_triggers_and_overage(agreement: Agreement, keys: list[str]) -> None:
    """The calendar bills what time triggers, and work beyond what is included or prepaid, after its month."""
    assert keys_due(agreement) == keys


@pytest.mark.parametrize(
    ("timing", "today", "count"),
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
def test_the_day_a_period_becomes_due(timing: str, today: str, count: int) -> None:
    """In advance: on the period's first day. In arrears: on the day after its last."""
    assert len(keys_due(retainer(timing=timing), date.fromisoformat(today))) == count


@pytest.mark.parametrize(
    ("every", "timing", "days"),
    [
        ("quarter", "in advance", ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01", "2027-01-01"]),
        ("quarter", "in arrears", ["2026-04-01", "2026-07-01", "2026-10-01", "2027-01-01"]),
        ("half-year", "in arrears", ["2026-07-01", "2027-01-01"]),
        ("year", "in advance", ["2026-01-01", "2027-01-01"]),
        ("90 days", "in advance", ["2026-01-01", "2026-04-01", "2026-06-30", "2026-09-28", "2026-12-27"]),
        ("90 days", "in arrears", ["2026-04-01", "2026-06-30", "2026-09-28", "2026-12-27"]),
    ],
)
def test_the_days_of_every_cadence(every: str, timing: str, days: list[str]) -> None:
    """Quarters, half-years and years by the calendar; ninety days by counting."""
    found = billing_days(retainer(every=every, timing=timing), "2027-01-01")
    assert [since for _, since in found] == days


@pytest.mark.parametrize(
    ("bill_on", "timing", "work", "days"),
    [
        # the periods are January to April 2026; 28 February is a Saturday, 31 March a Tuesday, 3 April a holiday
        (15, "in advance", False, ["2026-01-15", "2026-02-15", "2026-03-15", "2026-04-15"]),
        (29, "in advance", False, ["2026-01-29", "2026-02-28", "2026-03-29", "2026-04-29"]),
        (31, "in advance", False, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("first business day", "in advance", False, ["2026-01-02", "2026-02-02", "2026-03-02", "2026-04-01"]),
        ("last business day", "in advance", False, ["2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30"]),
        (1, "in arrears", False, ["2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"]),
        (15, "in arrears", False, ["2026-02-15", "2026-03-15", "2026-04-15", "2026-05-15"]),
        (28, "in arrears", False, ["2026-02-28", "2026-03-28", "2026-04-28", "2026-05-28"]),
        (30, "in arrears", False, ["2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"]),
        (31, "in arrears", False, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("last business day", "in arrears", False, ["2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30"]),
        ("first business day", "in arrears", False, ["2026-02-02", "2026-03-02", "2026-04-01", "2026-05-04"]),
        # hours are known only when the period is over: a month's end is then that of the next month
        (1, "in arrears", True, ["2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"]),
        (31, "in arrears", True, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("last business day", "in arrears", True, ["2026-02-27", "2026-03-31", "2026-04-30", "2026-05-29"]),
    ],
)
def test_the_billing_day(bill_on: Any, timing: str, work: bool, days: list[str]) -> None:
    """The named day of the month a period begins in, or the first after it; of a fee, the month's end at its end."""
    make = time_and_materials if work else retainer
    found = billing_days(make(bill_on=bill_on, timing=timing), "2026-06-30")
    assert [since for _, since in found][:4] == days


@pytest.mark.parametrize(("bill_on", "since"), [(14, "2026-03-14"), (15, "2026-02-15"), (16, "2026-02-16")])
def test_the_billing_day_right_after_a_period(bill_on: int, since: str) -> None:
    """A month that ends on 14 February is over on the 15th: that billing day bills it, the 14th waits for March."""
    agreement = time_and_materials(start="2026-01-15", bill_on=bill_on)
    assert billing_days(agreement, "2026-03-14")[0] == ("2026-01-15 to 2026-02-14", since)


def test_no_billing_day_is_skipped_in_a_leap_year() -> None:
    """The 29th, 30th and 31st of February 2028 are the 29th; a Tuesday, its last business day too."""
    for bill_on in (29, 30, 31, "last business day"):
        found = billing_days(retainer(start="2028-02-01", bill_on=bill_on), "2028-02-29")
        assert found == [("2028-02-01 to 2028-02-29", "2028-02-29")]


@pytest.mark.parametrize(
    ("start", "anchor", "bill_on", "found"),
    [
        # begun on the 17th, then by the calendar month: not billed before it begins
        ("2026-01-17", "2026-01-01", 1, [("2026-01-17 to 2026-01-31", "2026-01-17")]),
        ("2026-01-17", "2026-01-01", 31, [("2026-01-17 to 2026-01-31", "2026-01-31")]),
        # months from the 15th, billed on the 1st of the month each begins in
        (
            "2026-01-15",
            None,
            1,
            [("2026-01-15 to 2026-02-14", "2026-01-15"), ("2026-02-15 to 2026-03-14", "2026-02-01")],
        ),
    ],
)
def test_a_billing_day_before_the_period_begins(
    start: str, anchor: str | None, bill_on: int, found: list[tuple[str, str]]
) -> None:
    """In advance, a period is billed on the billing day before it, if the agreement has begun by then."""
    agreement = retainer(start=start, anchor=anchor, bill_on=bill_on)
    assert billing_days(agreement, "2026-02-01")[: len(found)] == found
    assert billing_days(agreement, "2026-01-16") == [each for each in found if each[1] <= "2026-01-16"]


def test_a_renewal_date() -> None:
    """Up to the renewal a part of the year, from then on whole years, each on its anniversary."""
    yearly = retainer(every="year", start="2026-03-15", anchor="2026-07-01")
    assert billing_days(yearly, "2028-06-30") == [
        ("2026-03-15 to 2026-06-30", "2026-03-15"),
        ("2026-07-01 to 2027-06-30", "2026-07-01"),
        ("2027-07-01 to 2028-06-30", "2027-07-01"),
    ]


def test_the_last_period_of_an_ended_agreement() -> None:
    """An agreement that ends on 15 March has three periods; the third is over on the 16th."""
    ending = time_and_materials(end="2026-03-15")
    assert len(keys_due(ending, date(2026, 3, 15))) == 2
    assert len(keys_due(ending, date(2026, 3, 16))) == 3
    assert len(keys_due(ending, date(2027, 3, 16))) == 3
    assert billing_days(retainer(timing="in arrears", end="2026-03-15", bill_on=31), "2027-01-01")[-1] == (
        "2026-03-01 to 2026-03-15",
        "2026-03-31",
    )
    assert keys_due(retainer(end="2025-12-31")) == []


def test_an_end_that_a_change_order_moves() -> None:
    """A known last day cuts a period whenever that is billed; a later one brings what is left of the period cut."""
    cancelled = retainer(change_orders=[change_order(effective="2026-03-20", end="2026-03-20")])
    assert billing_days(cancelled, "2026-03-01")[-1][0] == "2026-03-01 to 2026-03-20"
    assert billing_days(cancelled, "2026-06-01")[-1][0] == "2026-03-01 to 2026-03-20"
    extended = retainer(every="quarter", end="2026-02-15", change_orders=[change_order(end="2026-12-31")])
    taken = billed(extended, fee=[("2026-01-01", "2026-02-15")])  # before anybody knew of the order
    assert keys_due(extended, date(2026, 4, 1), taken) == ["care/fee/2026-02-16", "care/fee/2026-04-01"]


def test_what_is_billed_is_not_due() -> None:
    """Billed periods are passed over, wherever they lie; of one billed in part, the rest is due with its period."""
    care = retainer()
    part = billed(care, fee=[("2026-02-01", "2026-02-28"), ("2026-03-01", "2026-03-05")])
    found = [told(each) for each in due(care, TODAY, CALENDAR, part)]
    assert found == [("2026-01-01 to 2026-01-31", "2026-01-01"), ("2026-03-06 to 2026-03-31", "2026-03-01")]
    assert keys_due(care, TODAY, billed(care, fee=[("2026-01-01", "2026-03-31")])) == []
    # a key without its days, from before invoices carried them, is taken as a whole
    assert keys_due(care, TODAY, Taken(keys=frozenset({"care/fee/2026-01-01"}))) == [
        "care/fee/2026-02-01",
        "care/fee/2026-03-01",
    ]


def test_another_cadence_in_the_middle_of_a_period() -> None:
    """Billed by the month up to May and then by the quarter: of the running quarter, June; no day twice."""
    quarterly = retainer(every="quarter")
    taken = billed(quarterly, fee=[("2026-01-01", "2026-05-31")])
    assert keys_due(quarterly, date(2026, 7, 1), taken) == ["care/fee/2026-06-01", "care/fee/2026-07-01"]


@pytest.mark.parametrize(
    ("agreement", "taken", "found"),
    [
        (retainer(), [], ("2026-01-01 to 2026-01-31", "2026-01-01")),  # due already
        (retainer(), [("2026-01-01", "2026-03-31")], ("2026-04-01 to 2026-04-30", "2026-04-01")),
        (retainer(), [("2026-01-01", "2026-03-05")], ("2026-03-06 to 2026-03-31", "2026-03-01")),
        (retainer(every="year"), [("2026-01-01", "2028-12-31")], ("2029-01-01 to 2029-12-31", "2029-01-01")),
        (retainer(start="2031-05-01"), [], ("2031-05-01 to 2031-05-31", "2031-05-01")),
        (
            retainer(every="24 months"),
            [("2026-01-01", "2027-12-31")],
            ("2028-01-01 to 2029-12-31", "2028-01-01"),
        ),
        (retainer(end="2026-03-31"), [("2026-01-01", "2026-03-31")], None),
        (retainer(end="2025-12-31"), [], None),
        (retainer(trigger="manual"), [], None),
        (fixed_price(), [], None),
        (milestones(), [], None),
        (prepaid_block(), [], None),
    ],
)
def test_what_the_calendar_bills_next(
    agreement: Agreement, taken: list[tuple[str, str]], found: tuple[str, str] | None
) -> None:
    """The first period nobody has billed, due or years away; nothing where the calendar never bills again."""
    next_one = next_due(agreement, CALENDAR, billed(agreement, fee=taken))
    assert (told(next_one) if next_one else None) == found


def test_the_next_of_several_items() -> None:
    """Of fee and overage, the one that comes first."""
    care = retainer(**OVERAGE)
    found = next_due(care, CALENDAR, billed(care, fee=[("2026-01-01", "2026-02-28")]))
    assert found and found.occasion.billing_key == "care/overage/2026-01-01"


ZONES = ["Europe/Berlin", "Pacific/Auckland", "Pacific/Honolulu", "Asia/Kolkata", "UTC"]


def test_after_two_months_without_a_run() -> None:
    """What became due while nothing ran is due at once, oldest first, each period by itself."""
    care = retainer()
    taken = billed(care, fee=[("2026-01-01", "2026-01-31")])
    assert keys_due(care, date(2026, 4, 2), taken) == [
        "care/fee/2026-02-01",
        "care/fee/2026-03-01",
        "care/fee/2026-04-01",
    ]


@dataclass
class Ledger:
    """What is billed of one agreement: refuses a day of an item twice, as the ledger does."""

    agreement: Agreement
    living: list[Occasion] = field(default_factory=list)
    asked: set[tuple[str, date]] = field(default_factory=set)

    @property
    def taken(self) -> Taken:
        periods: dict[str, tuple[Period, ...]] = {}
        for each in self.living:
            if each.period:
                periods[each.item] = (*periods.get(each.item, ()), each.period)
        return Taken(frozenset(each.billing_key for each in self.living), periods)

    def bill(self, occasion: Occasion) -> None:
        assert occasion.billing_key not in self.taken.keys
        assert occasion.period is not None
        assert not set(days_of(occasion)) & set(self.days)
        self.living.append(occasion)

    def run(self, today: date) -> None:
        for each in due(self.agreement, today, CALENDAR, self.taken):
            assert each.since <= today
            self.bill(each.occasion)

    def ask(self, item: str, today: date, until: date | None) -> None:
        with suppress(Refused):
            occasion = occasion_for(self.agreement, item, self.taken, today, CALENDAR, until)
            self.bill(occasion)
            self.asked.update(days_of(occasion))

    def void(self, number: int) -> None:
        if self.living:
            self.living.pop(number % len(self.living))

    @property
    def days(self) -> list[tuple[str, date]]:
        return [day for each in self.living for day in days_of(each)]

    @property
    def told(self) -> set[tuple[str, str]]:
        return {(each.billing_key, str(each.period)) for each in self.living}


def days_of(occasion: Occasion) -> list[tuple[str, date]]:
    assert occasion.period is not None
    return [(occasion.item, occasion.period.start + timedelta(days=n)) for n in range(occasion.period.days)]


CADENCES = ["month", "quarter", "half-year", "year", "90 days", "2 weeks", "5 days", "5 months"]
BEGIN = datetime(2025, 12, 1, tzinfo=UTC)
MADE: list[tuple[Callable[..., Agreement], dict[str, Any]]] = [
    (retainer, {}),
    (retainer, OVERAGE),
    (time_and_materials, {}),
]
INSTANTS = st.integers(0, 1100 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    """A recurring agreement of any cadence, anchor, billing day, timing and end."""
    start = draw(st.dates(date(2025, 12, 1), date(2027, 6, 30)))
    end = draw(st.none() | st.integers(0, 900))
    anchor = draw(st.none() | st.integers(-400, 400))
    record: dict[str, Any] = {
        "start": start,
        "every": draw(st.sampled_from(CADENCES)),
        "timing": draw(st.sampled_from(["in advance", "in arrears"])),
        "bill_on": draw(
            st.none() | st.integers(1, 31) | st.sampled_from(["first business day", "last business day"])
        ),
        "end": None if end is None else start + timedelta(days=end),
        "anchor": None if anchor is None else start + timedelta(days=anchor),
    }
    make, more = draw(st.sampled_from(MADE))
    if draw(st.booleans()):
        moved = start + timedelta(days=draw(st.integers(0, 900)))
        record["change_orders"] = [change_order(effective=start + timedelta(days=100), end=moved)]
    agreement: Agreement = make(**record, **more)
    return agreement


@given(agreements(), st.sampled_from(ZONES), st.lists(INSTANTS, max_size=12), INSTANTS)
@examples(300)
def test_it_does_not_matter_when_the_runs_are(
    agreement: Agreement, zone: str, runs: list[datetime], last: datetime
) -> None:
    """Whenever runs happen and however long none does, the billing keys and their periods are the same."""
    often, once = Ledger(agreement), Ledger(agreement)
    for at in sorted([*(each for each in runs if each < last), last]):
        often.run(at.astimezone(ZoneInfo(zone)).date())
    once.run(last.astimezone(ZoneInfo(zone)).date())
    assert often.told == once.told
    assert often.told == {
        (each.occasion.billing_key, str(each.occasion.period))
        for each in due(agreement, last.astimezone(ZoneInfo(zone)).date(), CALENDAR)
    }


ACTS = st.tuples(
    st.integers(0, 1100),
    st.sampled_from(["run", "ask", "ask", "void"]),
    st.none() | st.integers(-60, 60),
    st.integers(0, 1),
)


@given(agreements(), st.lists(ACTS, max_size=15), st.integers(0, 1100))
@examples(300)
def test_every_day_is_billed_once(
    agreement: Agreement, acts: list[tuple[int, str, int | None, int]], last: int
) -> None:
    """Early invoices, voided ones and runs, in any order: in the end each day that is due is billed, none twice.

    Beyond what is due, only what was asked for is billed; and nothing is left that would be due.
    """
    ledger, names = Ledger(agreement), [each.name for each in items_of(agreement)]
    first = BEGIN.date()
    for after, act, until, number in sorted(acts, key=lambda each: each[0]):
        today = first + timedelta(days=min(after, last))
        if act == "run":
            ledger.run(today)
        elif act == "void":
            ledger.void(number)
        else:
            named = None if until is None else today + timedelta(days=until)
            ledger.ask(names[number % len(names)], today, named)
    ledger.run(first + timedelta(days=last))
    billed_days = ledger.days
    assert len(billed_days) == len(set(billed_days))
    scheduled = [each.occasion for each in due(agreement, first + timedelta(days=last), CALENDAR)]
    owed = {day for each in scheduled for day in days_of(each)}
    assert owed <= set(billed_days)
    assert set(billed_days) <= owed | ledger.asked
    assert not [*due(agreement, first + timedelta(days=last), CALENDAR, ledger.taken)]


@given(agreements(), st.integers(0, 1500))
@examples(200)
def test_billing_days_follow_their_periods(agreement: Agreement, until: int) -> None:
    """Periods of an item become due in their order; work never before it is over; none before the agreement begins."""
    found = [*due(agreement, BEGIN.date() + timedelta(days=until), CALENDAR)]
    for item in items_of(agreement):
        own = [each for each in found if each.occasion.item == item.name]
        assert all(earlier.since <= later.since for earlier, later in pairwise(own))
        for each in own:
            assert each.occasion.period and each.since >= agreement.start
            assert not item.work or each.since > each.occasion.period.end


def test_recurring_models_are_those_with_periods() -> None:
    """The list of recurring models and the models that have due periods are the same."""
    assert {name for name, make in MODELS.items() if isinstance(make(), Recurring)} == {
        name for name, make in MODELS.items() if keys_due(make())
    }
