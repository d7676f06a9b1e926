"""Collection's next step: every combination of facts, every moment, and whole walks through a policy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from activities.invoicing.calendars import public_holidays
from billing.calendars import Calendar
from billing.dunning_policy import Act, CollectionFacts, DunningPolicy, NextStep, Offset, next_step
from billing.payment_terms import late_from_day
from tests.billing.properties import examples

DUE = date(2026, 6, 16)
"""A Tuesday; in Berlin the invoice is late from 22:00 UTC."""

STANDARD = DunningPolicy.model_validate(
    {
        "id": "standard",
        "courtesy_before_due": {"days": 3},
        "levels": [{"days": 5}, {"days": 15}, {"days": 30}],
        "escalate_after_due": {"days": 40},
        "hand_over_after_due": {"days": 60},
    }
)
LEVELS = ("reminder-1", "reminder-2", "reminder-3", "escalation", "hand-over")


@cache
def calendar(place: str = "DE-BE", zone: str = "Europe/Berlin", **hours: Any) -> Calendar:
    known = public_holidays(place, 2025) | public_holidays(place, 2027)
    return Calendar(zone=zone, holidays=known, **hours)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def facts(due: date = DUE, zone: str = "Europe/Berlin", **changes: Any) -> CollectionFacts:
    """An unpaid invoice of 1,190.00."""
    record = {"due_date": due, "late_from": late_from_day(due, zone), "open_amount": Decimal("1190.00")}
    return CollectionFacts.model_validate({**record, **changes})


def following(
    as_of: str, policy: DunningPolicy = STANDARD, here: Calendar | None = None, **changes: Any
) -> NextStep:
    return next_step(facts(**changes), policy, here or calendar(), utc(as_of))


def policy(**record: Any) -> DunningPolicy:
    return DunningPolicy.model_validate({"id": "other", **record})


# Berlin is at UTC+2: 09:00 there is 07:00 UTC.
@pytest.mark.parametrize(
    ("done", "name", "at"),
    [
        ((), "courtesy-note", "2026-06-15T07:00"),  # 13 June is a Saturday: Monday
        (("courtesy-note",), "reminder-1", "2026-06-22T07:00"),  # 21 June is a Sunday: Monday
        (LEVELS[:1], "courtesy-note", "2026-06-15T07:00"),
        (("courtesy-note", *LEVELS[:1]), "reminder-2", "2026-07-01T07:00"),
        (("courtesy-note", *LEVELS[:2]), "reminder-3", "2026-07-16T07:00"),
        (("courtesy-note", *LEVELS[:3]), "escalation", "2026-07-27T07:00"),  # 26 July is a Sunday
        (("courtesy-note", *LEVELS[:4]), "hand-over", "2026-08-17T07:00"),  # 15 August is a Saturday
    ],
)
def test_moments_are_reckoned_from_the_due_date(done: tuple[str, ...], name: str, at: str) -> None:
    """Three days before, then 5, 15, 30, 40 and 60 days after the due date, each on a business day at nine."""
    step = following("2026-06-01T10:00", done=frozenset(done))
    assert (step.name, step.at) == (name, utc(at))


@pytest.mark.parametrize(
    ("place", "zone", "due", "at"),
    [
        ("DE-BE", "Europe/Berlin", "2026-12-20", "2026-12-28T08:00"),  # 25 December is a Friday
        ("GB-ENG", "Europe/London", "2026-12-20", "2026-12-29T09:00"),  # Boxing Day is made up for on Monday
        ("DE-BY", "Europe/Berlin", "2026-05-30", "2026-06-05T07:00"),  # Corpus Christi, 4 June 2026
        ("DE-BE", "Europe/Berlin", "2026-05-30", "2026-06-04T07:00"),
        (
            "US-TX",
            "America/Chicago",
            "2026-11-21",
            "2026-11-30T15:00",
        ),  # Thanksgiving, the Friday after, weekend
        ("IN-MH", "Asia/Kolkata", "2026-01-21", "2026-01-27T03:30"),  # Republic Day, 26 January 2026
        ("DE-BE", "Europe/Berlin", "2026-03-25", "2026-03-30T07:00"),  # the first Monday of summer time
        ("DE-BE", "Europe/Berlin", "2026-10-21", "2026-10-26T08:00"),  # the first Monday of winter time
    ],
)
def test_level_one_where_the_client_is(place: str, zone: str, due: str, at: str) -> None:
    """Five days after the due date, or on the client's next business day, at nine by the client's clock."""
    day = date.fromisoformat(due)
    step = next_step(
        facts(day, zone), policy(levels=[{"days": 5}]), calendar(place, zone), utc(f"{due}T00:00")
    )
    assert (step.name, step.at) == ("reminder-1", utc(at))


def test_every_combination_of_facts() -> None:
    """Settled before anything else, then handed over, then what stops the clock, then the first level not done."""
    yes_no = (False, True)
    count = 0
    for credited, written_off, paid, handed_over in product(yes_no, repeat=4):
        for disputed, held, promised in product(yes_no, repeat=3):
            for as_of, reached in product(("2026-06-01T10:00", "2026-09-01T10:00"), range(6)):
                step = following(
                    as_of,
                    credited=credited,
                    written_off=written_off,
                    open_amount=Decimal(0) if paid else Decimal("0.01"),
                    handed_over=handed_over,
                    disputed_until=utc("2026-10-01T10:00") if disputed else None,
                    held_until=utc("2026-10-02T10:00") if held else None,
                    promised_for=date(2026, 10, 5) if promised else None,
                    done=frozenset(LEVELS[:reached]),
                )
                if written_off or paid:
                    how = "credited" if credited and paid else "written off" if written_off else "paid"
                    expected = (Act.SETTLE, how)
                elif handed_over:
                    expected = (Act.REST, "handed over to collection")
                elif credited:
                    expected = (Act.REST, "credited, and more went back than had come")
                elif promised or held or disputed:
                    last = (
                        "disputed"
                        if disputed
                        else "payment promised for 2026-10-05"
                        if promised
                        else "on hold"
                    )
                    expected = (Act.WAIT, last)
                else:
                    names = [*LEVELS[reached:], "rest"]
                    wanted = "courtesy-note" if as_of < "2026-06-15" else names[0]
                    expected = (Act(wanted.removesuffix(f"-{step.level}")), step.why)
                    assert step.name == wanted
                assert (step.act, step.why) == expected
                assert step.at >= utc(as_of)
                count += 1
    assert count == 16 * 8 * 12


@pytest.mark.parametrize("open_amount", ["0", "0.00", "-0.01", "-1190.00"])
def test_nobody_is_reminded_of_what_is_paid(open_amount: str) -> None:
    """Paid and overpaid invoices are settled at once, whatever level is due."""
    step = following("2026-07-20T10:00", open_amount=Decimal(open_amount))
    assert (step.act, step.at, step.why) == (Act.SETTLE, utc("2026-07-20T10:00"), "paid")


def test_a_payment_after_hand_over_settles() -> None:
    """Money that comes after the hand-over still closes the invoice."""
    assert following("2026-09-01T10:00", handed_over=True, open_amount=Decimal(0)).act is Act.SETTLE


@pytest.mark.parametrize(
    ("changes", "until", "why"),
    [
        ({"held_until": "2026-07-03T12:00"}, "2026-07-03T12:00", "on hold"),
        ({"disputed_until": "2026-07-03T12:00"}, "2026-07-03T12:00", "disputed"),
        ({"promised_for": "2026-06-30"}, "2026-07-01T07:00", "payment promised for 2026-06-30"),
        ({"promised_for": "2026-07-03"}, "2026-07-06T07:00", "payment promised for 2026-07-03"),  # a Friday
        ({"promised_for": "2026-06-30", "held_until": "2026-07-03T12:00"}, "2026-07-03T12:00", "on hold"),
        (
            {"promised_for": "2026-07-10", "held_until": "2026-07-03T12:00"},
            "2026-07-13T07:00",
            "payment promised",
        ),
        (
            {"disputed_until": "2026-07-01T12:00", "held_until": "2026-06-30T12:00"},
            "2026-07-01T12:00",
            "disputed",
        ),
    ],
)
def test_what_stops_the_clock(changes: dict[str, str], until: str, why: str) -> None:
    """Hold, dispute and promise hold back every level until the last of them ends; a promise gets its whole day."""
    parsed: dict[str, Any] = {
        key: utc(value) if "T" in value else date.fromisoformat(value) for key, value in changes.items()
    }
    step = following("2026-06-25T10:00", **parsed)
    assert (step.act, step.at) == (Act.WAIT, utc(until))
    assert step.why.startswith(why)


@pytest.mark.parametrize(
    "stopped", [{"held_until": utc("2026-07-17T12:00")}, {"promised_for": date(2026, 7, 16)}]
)
def test_holds_and_promises_end_by_themselves(stopped: dict[str, Any]) -> None:
    """When time is up collection goes on with the very level at which it stood, nothing skipped, nothing doubled."""
    done = frozenset({"reminder-1"})
    waiting = following("2026-07-02T10:00", done=done, last_act_at=utc("2026-06-22T07:00"), **stopped)
    assert waiting.act is Act.WAIT
    step = next_step(
        facts(done=done, last_act_at=utc("2026-06-22T07:00"), **stopped), STANDARD, calendar(), waiting.at
    )
    assert step.name == "reminder-2"
    assert step.at == waiting.at


def test_a_dispute_lasts_until_somebody_decides() -> None:
    """Past its deadline a dispute is brought up again within the hour; the client is not reminded meanwhile."""
    step = following("2026-07-20T10:00", disputed_until=utc("2026-07-03T12:00"))
    assert (step.act, step.why) == (Act.WAIT, "disputed")
    assert utc("2026-07-20T10:00") < step.at <= utc("2026-07-20T11:00")


def test_an_expired_hold_is_no_hold() -> None:
    """At the very instant a hold ends it holds nothing back."""
    assert following("2026-06-25T10:00", held_until=utc("2026-06-25T10:00")).name == "reminder-1"


def test_catching_up_after_ten_days() -> None:
    """Three levels missed in an outage go out one at a time, two days apart, at decent hours."""
    three = policy(levels=[{"days": 5}, {"days": 8}, {"days": 11}])
    back = utc("2026-07-01T08:00")  # Wednesday, 10:00 in Berlin
    acts = list(walk(facts(), three, calendar(), back))
    assert [(step.name, step.at) for step in acts] == [
        ("reminder-1", back),
        ("reminder-2", utc("2026-07-03T08:00")),  # two days later, Friday
        ("reminder-3", utc("2026-07-06T07:00")),  # Sunday: Monday at nine
    ]


def test_an_outage_that_ends_at_night_waits_for_the_morning() -> None:
    """What is overdue at three in the morning or on a Sunday goes out when the office opens."""
    assert following("2026-06-24T01:00", done=frozenset()).at == utc("2026-06-24T07:00")
    assert following("2026-06-28T10:00", done=frozenset()).at == utc("2026-06-29T07:00")
    assert following("2026-06-24T15:00", done=frozenset()).at == utc("2026-06-25T07:00")  # 17:00 sharp


def test_a_courtesy_note_that_missed_its_time_is_dropped() -> None:
    """Once the invoice is late, or would be by the next decent hour, nobody is told that it will be due."""
    assert following("2026-06-16T22:00").name == "reminder-1"  # midnight: late
    assert following("2026-06-16T14:59").name == "courtesy-note"  # the last decent minute of the due date
    late = following("2026-06-16T15:30")  # 17:30 on the due date: the next decent hour is too late
    assert (late.name, late.at) == ("reminder-1", utc("2026-06-22T07:00"))


def test_a_courtesy_note_that_never_had_a_decent_hour() -> None:
    """A day before Easter Monday is a Sunday, and the next business day is after the due date: there is no note."""
    note = policy(courtesy_before_due={"days": 1}, levels=[{"days": 5}])
    step = next_step(facts(date(2026, 4, 6)), note, calendar(), utc("2026-03-20T10:00"))
    assert step.name == "reminder-1"


@pytest.mark.parametrize(
    ("here", "at"),
    [
        (calendar(), "2026-06-17T07:00"),
        (calendar(around_the_clock=True), "2026-06-16T22:00"),
    ],
)
def test_no_level_before_the_invoice_is_late(here: Calendar, at: str) -> None:
    """A level zero days after the due date goes out when that day is over: until then the client is in time."""
    step = next_step(facts(), policy(levels=[{"days": 0}]), here, utc("2026-06-10T10:00"))
    assert (step.name, step.at) == ("reminder-1", utc(at))


def test_collection_never_goes_back_a_level() -> None:
    """After the second reminder a client does not get a first one, whatever a newer policy has put in between."""
    done = frozenset({"reminder-2"})
    assert following("2026-07-02T10:00", done=done).name == "reminder-3"
    assert following("2026-07-02T10:00", done=done | {"escalation"}).name == "hand-over"
    assert following("2026-07-02T10:00", done=frozenset({"hand-over"})).act is Act.REST


def test_a_due_date_moved_later_keeps_the_level() -> None:
    """Moved by a month after the first reminder: a note before the new date, then level two reckoned from it."""
    done, last = frozenset({"courtesy-note", "reminder-1"}), utc("2026-06-22T07:00")
    step = following("2026-06-23T10:00", due=date(2026, 7, 16), done=done, last_act_at=last)
    assert (step.name, step.at) == ("reminder-2", utc("2026-07-31T07:00"))


def test_a_due_date_moved_earlier_catches_up() -> None:
    """Moved to three weeks before: level one is due at once, and only that one."""
    step = following("2026-06-17T10:00", due=date(2026, 5, 26))
    assert (step.name, step.at) == ("reminder-1", utc("2026-06-17T10:00"))


def test_the_quick_client_is_reminded_by_the_minute() -> None:
    """Terms and levels in minutes, around the clock, without a gap: each act at its own minute."""
    quick = policy(
        courtesy_before_due={"minutes": 1},
        levels=[{"minutes": 1}, {"minutes": 2}, {"minutes": 3}],
        escalate_after_due={"minutes": 4},
        hand_over_after_due={"minutes": 6},
        around_the_clock=True,
        gap={"minutes": 0},
    )
    late = utc("2026-06-20T23:30")  # a Saturday night
    acts = list(
        walk(facts(late_from=late), quick, calendar(around_the_clock=True), late - timedelta(minutes=2))
    )
    assert [step.name for step in acts] == ["courtesy-note", *LEVELS]
    assert [(step.at - late) // timedelta(minutes=1) for step in acts] == [-1, 1, 2, 3, 4, 6]


def test_a_policy_without_steps_rests() -> None:
    """Where nothing is planned the answer says so."""
    step = following("2026-07-20T10:00", policy())
    assert (step.act, step.why) == (Act.REST, "the dunning policy has no further step")


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": [{"days": 5}, {"days": 5}]},
        {"levels": [{"days": 15}, {"days": 5}]},
        {"levels": [{"days": 5}], "escalate_after_due": {"days": 5}},
        {"levels": [{"days": 5}], "hand_over_after_due": {"days": 1}},
        {"escalate_after_due": {"days": 9}, "hand_over_after_due": {"days": 8}},
        {"levels": [{"days": 1}, {"minutes": 1440}]},
        {"opens": "17:00", "closes": "09:00"},
        {"opens": "09:00", "closes": "09:00"},
        {"levels": [{"days": 1, "minutes": 1}]},
        {"levels": [{}]},
        {"levels": [{"days": -1}]},
    ],
)
def test_policies_that_are_none(wrong: dict[str, Any]) -> None:
    """Levels rise, escalation follows them, hand-over follows that; hours open before they close."""
    with pytest.raises(ValidationError):
        policy(**wrong)


# --- whole walks ------------------------------------------------------------------------------------------------------


def walk(
    start: CollectionFacts,
    rules: DunningPolicy,
    here: Calendar,
    as_of: datetime,
    late_by: timedelta = timedelta(0),
) -> Iterator[NextStep]:
    """Acts at the instant the rule names until it names none; each act is missed once where there are outages."""
    now, missed = start, ""
    while (step := next_step(now, rules, here, as_of)).act not in (Act.REST, Act.SETTLE):
        assert step == next_step(now, rules, here, as_of), "asking twice gives two answers"
        assert step.at >= as_of
        half_way = as_of + (step.at - as_of) / 2
        assert next_step(now, rules, here, half_way) == step, "asked on the way the plan changes by itself"
        if late_by and missed != step.name:
            as_of, missed = step.at + late_by, step.name
            continue
        at_last = next_step(now, rules, here, step.at)
        assert (at_last.name, at_last.at) == (step.name, step.at), "at its instant the step is not due"
        yield step
        as_of = step.at
        now = now.model_copy(update={"done": now.done | {step.name}, "last_act_at": step.at})


days = st.integers(0, 45)


@st.composite
def policies(draw: st.DrawFn) -> DunningPolicy:
    """Policies with up to five levels, with and without note, escalation and hand-over."""
    after = sorted(draw(st.lists(days, max_size=7, unique=True)))
    hand_over = after.pop() if draw(st.booleans()) and after else None
    escalate = after.pop() if draw(st.booleans()) and after else None
    return DunningPolicy(
        id="any",
        courtesy_before_due=Offset(days=draw(st.integers(0, 10))) if draw(st.booleans()) else None,
        levels=tuple(Offset(days=day) for day in after),
        escalate_after_due=None if escalate is None else Offset(days=escalate),
        hand_over_after_due=None if hand_over is None else Offset(days=hand_over),
        gap=draw(st.sampled_from([Offset(days=2), Offset(days=1), Offset(days=4), Offset(minutes=90)])),
    )


places = st.sampled_from(
    [
        calendar("DE-BE", "Europe/Berlin"),
        calendar("GB-ENG", "Europe/London"),
        calendar("US-TX", "America/Chicago"),
        calendar("IN-MH", "Asia/Kolkata"),
        calendar("FR", "Australia/Sydney"),
        calendar("DE-BE", "Europe/Berlin", opens=time(8, 30), closes=time(9)),
        calendar("DE-BE", "Europe/Berlin", around_the_clock=True),
    ]
)
due_dates = st.dates(date(2026, 1, 1), date(2027, 6, 30))
first_looks = st.integers(-30 * 24 * 60, 90 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
outages = st.sampled_from([timedelta(0)] * 2 + [timedelta(hours=11), timedelta(days=1), timedelta(days=10)])


@given(policies(), places, due_dates, first_looks, outages)
@examples(250)
def test_a_whole_walk(
    rules: DunningPolicy, here: Calendar, due: date, first_look: timedelta, outage: timedelta
) -> None:
    """From any moment, over any outage: no level skipped, doubled, early, at an indecent hour or too close."""
    start = facts(due, here.zone)
    acts = list(walk(start, rules, here, start.late_from + first_look, outage))
    names = [step.name for step in acts if step.act is not Act.COURTESY_NOTE]
    planned = {f"reminder-{level}": offset for level, offset in enumerate(rules.levels, start=1)}
    planned |= {"escalation": rules.escalate_after_due} if rules.escalate_after_due else {}
    planned |= {"hand-over": rules.hand_over_after_due} if rules.hand_over_after_due else {}
    assert names == list(planned), "a level is skipped, doubled or out of order"
    notes = [step for step in acts if step.act is Act.COURTESY_NOTE]
    assert notes == acts[: len(notes)] and len(notes) <= 1
    assert all(note.at < start.late_from for note in notes), "a courtesy note for a late invoice"
    for step in acts:
        assert here.is_decent(step.at), "an act at an indecent hour"
        if step.act is not Act.COURTESY_NOTE:
            assert step.at >= max(start.late_from, here.opening(due + planned[step.name].length)), "too early"
    assert all(later.at - earlier.at >= rules.gap.length for earlier, later in pairwise(acts)), "too close"


@given(policies(), places, due_dates, first_looks, st.integers(0, 60), st.sampled_from(["hold", "promise"]))
@examples(150)
def test_a_walk_with_a_stop(
    rules: DunningPolicy, here: Calendar, due: date, first_look: timedelta, stops_for: int, kind: str
) -> None:
    """A hold or promise in the way only delays: nothing happens within it, and every level still comes once."""
    start = facts(due, here.zone)
    as_of = start.late_from + first_look
    until = as_of + timedelta(days=stops_for)
    stop = {"held_until": until} if kind == "hold" else {"promised_for": until.date()}
    stopped = start.model_copy(update=stop)
    acts = [
        step for step in walk_through_waits(stopped, rules, here, as_of) if step.act is not Act.COURTESY_NOTE
    ]
    free = [step.name for step in walk(start, rules, here, as_of) if step.act is not Act.COURTESY_NOTE]
    assert [step.name for step in acts] == free
    if kind == "hold":
        assert all(step.at >= until for step in acts)
    else:
        assert all(step.at >= late_from_day(until.date(), here.zone) or not stops_for for step in acts)


def walk_through_waits(
    now: CollectionFacts, rules: DunningPolicy, here: Calendar, as_of: datetime
) -> Iterator[NextStep]:
    """Like `walk`, sleeping through waits; each wait must end later than it began."""
    while (step := next_step(now, rules, here, as_of)).act not in (Act.REST, Act.SETTLE):
        if step.act is Act.WAIT:
            assert step.at > as_of, "a wait that does not wait"
        else:
            yield step
            now = now.model_copy(update={"done": now.done | {step.name}, "last_act_at": step.at})
        as_of = step.at


SOON = "2026-06-20T10:00"


@pytest.mark.parametrize(
    ("changes", "name", "at", "why"),
    [
        # the whole invoice is disputed: somebody looks at the deadline
        ({"disputed_until": utc("2026-06-25T10:00")}, "wait", "2026-06-25T10:00", "disputed"),
        # a part of it: the rest is reminded on its day, or the dispute comes up first
        (
            {"disputed_until": utc("2026-06-25T10:00"), "undisputed": Decimal(10)},
            "reminder-1",
            "2026-06-22T07:00",
            "unpaid since 2026-06-16",
        ),
        (
            {"disputed_until": utc("2026-06-21T10:00"), "undisputed": Decimal(10)},
            "wait",
            "2026-06-21T10:00",
            "disputed in part",
        ),
        # nothing is handed over while a part is disputed
        (
            {
                "disputed_until": utc("2026-09-21T10:00"),
                "undisputed": Decimal(10),
                "done": frozenset(LEVELS[:4]),
            },
            "wait",
            "2026-09-21T10:00",
            "disputed in part",
        ),
        # a promise for the rest, or a hold, lasts no longer than the deadline of the dispute
        (
            {
                "disputed_until": utc("2026-06-21T10:00"),
                "undisputed": Decimal(10),
                "promised_for": date(2026, 7, 1),
            },
            "wait",
            "2026-06-21T10:00",
            "disputed in part",
        ),
        # days of a dispute do not count: 21 June plus 7 days is a Sunday
        ({"rested_days": 7}, "reminder-1", "2026-06-29T07:00", "unpaid since 2026-06-16"),
        # decent notice: nothing before it, and then at a decent hour (27 June is a Saturday)
        (
            {"notice_until": utc("2026-06-27T10:00")},
            "reminder-1",
            "2026-06-29T07:00",
            "unpaid since 2026-06-16",
        ),
        (
            {"notice_until": utc("2026-06-01T10:00")},
            "reminder-1",
            "2026-06-22T07:00",
            "unpaid since 2026-06-16",
        ),
    ],
)
def test_after_and_during_disputes(changes: dict[str, Any], name: str, at: str, why: str) -> None:
    """What is disputed rests, what is not goes on; afterwards days missed are not made up for, and notice is decent."""
    step = following(SOON, **{"done": frozenset({"courtesy-note"}), **changes})
    assert (step.name, step.at, step.why) == (name, utc(at), why)


@pytest.mark.parametrize(
    ("as_of", "changes", "name", "at"),
    [
        ("2026-06-20T10:00", {}, "reminder-1", "2026-06-22T07:00"),  # not its day yet: nobody asks the bank
        ("2026-06-22T07:00", {}, "wait", "2026-06-22T13:00"),  # six hours later
        ("2026-06-22T13:00", {}, "wait", "2026-06-23T07:00"),  # at the next decent hour
        ("2026-07-27T08:00", {"done": frozenset(LEVELS[:3])}, "wait", "2026-07-27T14:00"),
        ("2026-06-22T07:00", {"open_amount": Decimal(0)}, "settle", "2026-06-22T07:00"),
    ],
)
def test_old_bank_data(as_of: str, changes: dict[str, Any], name: str, at: str) -> None:
    """While the money may be there unseen, nothing is sent, escalated or handed over; it is looked at again by day."""
    given_facts = {"done": frozenset({"courtesy-note"}), "bank_data_old": "bank data are too old", **changes}
    step = following(as_of, **given_facts)
    assert (step.name, step.at) == (name, utc(at))


@pytest.mark.parametrize(
    ("step", "fits"),
    [("reminder-2", True), ("reminder-3", False), ("hand-over", False), ("escalation", True)],
)
def test_credit_hold_names_a_step_of_the_policy(step: str, fits: bool) -> None:
    """A policy cannot put clients on hold with a step it never takes."""
    record = {
        "levels": [{"days": 5}, {"days": 9}],
        "escalate_after_due": {"days": 20},
        "credit_hold_at": step,
    }
    if fits:
        assert policy(**record).credit_hold_at == step
    else:
        with pytest.raises(ValidationError, match="does not take"):
            policy(**record)
