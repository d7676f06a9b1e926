"""Meters: what blocks, spend and progress come to, and which lines that reaches; figures worked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from billing.agreements import Agreement, agreement_adapter
from billing.blocks import BoughtBlock
from billing.meter_entries import Measure, MeterEntry
from billing.meter_reading import read
from billing.meter_words import called, line_crossed, stands
from billing.metering import Line, Meter, measures, misplaced, standing
from tests.metering import agreements

TODAY = date(2026, 12, 31)


def agreed(record: dict[str, Any]) -> Agreement:
    return agreement_adapter.validate_python(record)


def entries(*said: tuple[Any, ...], **given: Any) -> list[MeterEntry]:
    """Entries of (day or month-day, quantity, changes)."""
    found = []
    for number, (day, quantity, *changes) in enumerate(said):
        more = changes[0] if changes else {}
        values = {"source": "psa", "id": f"e{number}", "agreement": "a", "quantity": Decimal(str(quantity))}
        found.append(MeterEntry(day=date.fromisoformat(f"2026-{day}"), **{**values, **given, **more}))
    return found


def meter(
    record: dict[str, Any],
    taken_in: Sequence[MeterEntry],
    bought: Sequence[BoughtBlock] = (),
    today: date = TODAY,
    **more: Any,
) -> Meter:
    agreement = agreed(record)
    return read(agreement, measures(agreement, today)[0], taken_in, bought, today, **more)


def reached(found: Meter) -> list[str]:
    return [each.name for each in found.lines if each.reached]


def bought(number: int, day: str, issued: str | None = None) -> BoughtBlock:
    asked = date.fromisoformat(f"2026-{day}")
    return BoughtBlock(number, asked, date.fromisoformat(f"2026-{issued}") if issued else asked)


FIRST = bought(1, "01-01")


@pytest.mark.parametrize(
    ("hours", "changes", "lines"),
    [
        ("9.99", {}, []),
        ("10", {}, ["block-2"]),
        ("10.01", {}, ["block-2"]),
        ("19.99", {}, ["block-2"]),
        ("20", {}, ["block-2", "block-3"]),
        ("35", {}, ["block-2", "block-3", "block-4"]),
        ("7.99", {"replenish_at": "2"}, []),
        ("8", {"replenish_at": "2"}, ["block-2"]),
        ("18", {"replenish_at": "2"}, ["block-2", "block-3"]),
        ("0.25", {"replenish_at": "10"}, ["block-2"]),
        ("35", {"overage": "rate", "overage_rate": "90"}, []),
        ("12", {"overage": "hold"}, ["block-2"]),
        ("0", {"replenish_at": "10"}, []),
    ],
)
def test_next_block(hours: str, changes: dict[str, Any], lines: list[str]) -> None:
    """A block of ten hours: the next is due once it is used up, or down to what is replenished at."""
    assert reached(meter(agreements.block(**changes), entries(("02-01", hours)), [FIRST])) == lines


def test_a_block_nobody_bought_yet_counts_for_its_line() -> None:
    """Hours worked before the first block is billed make the second due, never the first: that has its own trigger."""
    assert reached(meter(agreements.block(), entries(("02-01", 11)))) == ["block-2"]


@pytest.mark.parametrize(
    ("roll_over", "worked", "left", "lapsed", "rolled", "lines"),
    [
        ("0", [("06-30", 4)], "0", "6", "0", []),
        ("2", [("06-30", 4)], "2", "4", "2", []),
        ("10", [("06-30", 4)], "6", "0", "6", []),
        ("0", [("06-30", 10)], "0", "0", "0", ["block-2"]),
        ("0", [("06-30", 4), ("07-01", 1)], "-1", "6", "0", ["block-2"]),
        ("2", [("06-30", 4), ("07-01", 1)], "1", "4", "2", []),
        ("2", [("06-30", 4), ("07-01", 2)], "0", "4", "2", ["block-2"]),
        ("2", [("07-01", 1)], "1", "8", "2", []),
    ],
)
def test_expiry(
    roll_over: str, worked: list[tuple[Any, ...]], left: str, lapsed: str, rolled: str, lines: list[str]
) -> None:
    """Bought on 1 January for six months: what is left on 1 July lapses but for what rolls over; no block is due for
    that, only for the first hour nobody has paid."""
    agreement = agreements.block(expires_after_months=6, roll_over=roll_over)
    found = meter(agreement, entries(*worked), [FIRST])
    assert found.blocks is not None
    figures = (found.blocks.left, found.blocks.lapsed, found.blocks.rolled_over)
    assert figures == (Decimal(left), Decimal(lapsed), Decimal(rolled))
    assert reached(found) == lines


def test_before_the_day_of_expiry_nothing_lapses() -> None:
    """On 30 June the hours are still there, and the standing says until when."""
    agreement = agreements.block(expires_after_months=6)
    found = meter(agreement, entries(("02-01", 4)), [FIRST], date(2026, 6, 30))
    assert found.blocks is not None
    assert (found.blocks.left, found.blocks.expires) == (Decimal(6), date(2026, 7, 1))


def test_time_runs_from_the_issue_of_the_invoice() -> None:
    """A block that waited for approval until 1 March expires six months after that, not after it was asked for."""
    agreement = agreements.block(expires_after_months=6)
    block = [bought(1, "01-01", "03-01")]
    for today, left in ((date(2026, 8, 31), 10), (date(2026, 9, 1), 0)):
        found = meter(agreement, entries(("02-01", 0)), block, today)
        assert found.blocks is not None and found.blocks.left == left


def test_two_blocks_expire_one_after_the_other() -> None:
    """Hours are drawn from the older block; what rolls over expires with the next one."""
    agreement = agreements.block(expires_after_months=6, roll_over="3")
    blocks = [FIRST, bought(2, "04-01")]
    worked = entries(("06-01", 5), ("08-01", 4))
    found = meter(agreement, worked, blocks, date(2026, 9, 30)).blocks
    assert found is not None
    # 1 July: 5 of block 1 left, 3 roll over, 2 lapse; 1 August: 4 of 13 worked
    assert (found.left, found.lapsed, found.expires) == (Decimal(9), Decimal(2), date(2026, 10, 1))
    found = meter(agreement, worked, blocks, date(2026, 10, 1)).blocks
    assert found is not None
    assert (found.left, found.lapsed, found.expires) == (Decimal(3), Decimal(8), None)


def test_hours_owed_are_paid_by_the_next_block() -> None:
    """Twelve hours are worked before the second block is billed: it begins with eight."""
    found = meter(agreements.block(), entries(("02-01", 12)), [FIRST, bought(2, "02-02")])
    assert found.blocks is not None and found.blocks.left == 8
    assert [each.name for each in found.lines if not each.reached] == ["block-3"]


def test_overage_at_a_rate_bills_the_hours_beyond() -> None:
    """With overage by the hour, hours beyond the block stay beyond, even if another block is bought later."""
    agreement = agreements.block(overage="rate", overage_rate="90")
    worked = entries(("02-01", 8), ("02-10", 5), ("03-20", 4))
    found = meter(agreement, worked, [FIRST, bought(2, "03-01")]).blocks
    assert found is not None
    assert [(each.day.isoformat(), each.entry, each.hours) for each in found.beyond] == [
        ("2026-02-10", "psa/e1", Decimal(3))
    ]
    assert found.left == 6, "10 + 10 - 8 - 2 - 4"


def change_order(**changes: Any) -> dict[str, Any]:
    given = {"id": "co-1", "effective": date(2026, 3, 1), "reason": "more", "document": "K-2"}
    return {**given, "proposed_by": "pia", "approved_by": "mara", "approved_on": "2026-02-20", **changes}


def test_blocks_have_the_size_of_the_day_they_were_asked_for() -> None:
    """A change order doubles blocks from March on: block 1 stays at ten hours, block 2 has twenty."""
    agreement = agreements.block(change_orders=[change_order(hours="20")])
    blocks = [FIRST, bought(2, "03-05")]
    for hours, lines in (("29.5", ["block-2"]), ("30", ["block-2", "block-3"])):
        assert reached(meter(agreement, entries(("04-01", hours)), blocks)) == lines


def test_a_line_crossed_once_does_not_come_again() -> None:
    """The meter moves back below block 2, which is billed: what comes next is block 3."""
    found = meter(agreements.block(), entries(("02-01", 4)), [FIRST], crossed={"block-2"})
    stand = standing("acme-block", found, {"block-2"})
    assert stand.next is not None
    assert (stand.next.name, stand.next.threshold, stand.next.missing) == (
        "block-3",
        Decimal(20),
        Decimal(16),
    )


@pytest.mark.parametrize(
    ("hours", "lines"),
    [
        ("9.99", []),
        ("10", ["spend-1"]),
        ("35.5", ["spend-1", "spend-2", "spend-3"]),
    ],
)
def test_spend_is_billed_at_every_thousand(hours: str, lines: list[str]) -> None:
    """Hours of a developer at 100 make the meter; each 1,000 is a line."""
    assert reached(meter(agreements.spend(), entries(("02-01", hours), role="dev"))) == lines


def test_spend_is_priced_by_the_rates_of_the_day() -> None:
    """100 an hour, 120 from March on by a change order, 80 of a dated rate; an amount counts as it is."""
    record = agreements.spend(
        rates={"dev": "100", "ops": [{"since": "2026-01-01", "price": "80"}]},
        change_orders=[change_order(rates={"dev": "120"})],
    )
    spent: dict[str, Any] = {"measure": "spend", "role": ""}
    taken_in = entries(
        ("02-28", 1, {"role": "dev"}),
        ("03-01", 1, {"role": "dev"}),
        ("03-01", "0.5", {"role": "ops"}),
        ("03-02", "17.25", spent),
    )
    assert meter(record, taken_in).value == Decimal("277.2500")


def test_included_hours_cost_nothing() -> None:
    """Two hours a month are included: of three and one in two months, one is priced."""
    found = meter(agreements.spend(included_hours="2"), entries(("02-10", 3), ("03-01", 1), role="dev"))
    assert found.value == 100


def test_budget_and_cap_are_told_once_they_are_passed() -> None:
    """To the cent they hold, a cent more crosses them. A cap is of one month; a raised limit is another line."""
    record = agreements.spend(trigger="time", budget="1000", cap="600")
    exact = entries(("02-01", 6), ("03-01", 4), role="dev")
    assert reached(meter(record, exact)) == []
    more = [*exact, *entries(("02-02", "0.01"), role="dev", id="x")]
    assert reached(meter(record, more)) == ["budget-1000", "cap-2026-02-01-600"]
    raised = agreements.spend(trigger="time", budget="1000", change_orders=[change_order(budget="2500")])
    assert [each.name for each in meter(raised, more).lines] == ["budget-2500"]


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ([("02-01", 29)], []),
        ([("02-01", 30)], ["plan"]),
        ([("02-01", 95)], ["plan", "build"]),
        ([("02-01", 95), ("02-02", 20)], []),
        ([("02-02", 20), ("02-01", 95)], []),
        ([("02-01", 10), ("02-01", 35)], ["plan"]),
        ([("02-01", 95), ("02-02", 40, {"milestone": "build"})], ["plan"]),
        ([("02-01", 10), ("02-02", 85, {"milestone": "build"})], ["build"]),
    ],
)
def test_progress(said: list[tuple[Any, ...]], lines: list[str]) -> None:
    """The newest day counts, of one day the highest; a milestone's own progress comes before the project's."""
    found = meter(agreements.milestones(), entries(*said, measure="progress"))
    assert reached(found) == lines


def test_milestones_with_the_trigger_progress_are_billed_when_they_are_done() -> None:
    """Where nothing else is said, at 100 %."""
    record = agreements.milestones(trigger="progress reached")
    found = meter(record, entries(("02-01", 100), measure="progress"))
    assert reached(found) == ["plan", "build", "done"]


def test_scope_of_a_fixed_price() -> None:
    """Hours beyond the agreed scope are a line that tells a person, and bills nothing."""
    record = agreements.fixed_price()
    (line,) = meter(record, entries(("02-01", "40.5"))).lines
    assert (line.name, line.reached, line.item, line.code) == ("scope-40", True, None, "scope-exceeded")
    told = line_crossed(agreed(record), Measure.HOURS, line).message
    assert "40.5 h are worked under agreement 'acme-fix', more than the agreed scope: 40 h" in told


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("02-01", -1), "-1 hours: less than nothing; correct or delete the entry"),
        (("02-01", 1000.5), "1,000.5 hours in one entry; correct it, or split it by day"),
        (("07-01", 1), "2026-07-01 is still to come; it counts from that day on"),
    ],
)
def test_what_cannot_count_is_held(said: tuple[Any, ...], why: str) -> None:
    """It counts nothing, moves no line, and says why."""
    found = meter(agreements.block(), entries(said, ("02-02", 3)), [FIRST], date(2026, 6, 30))
    assert found.value == 3
    ((entry, reason),) = found.held
    assert (entry.id, reason.why) == ("e0", why)


def test_days_outside_the_agreement_are_held() -> None:
    """Work before it began, or after a change order ended it."""
    record = agreements.block(change_orders=[change_order(end="2026-03-31")])
    early = MeterEntry(source="psa", id="x", agreement="a", day=date(2025, 12, 31), quantity=Decimal(1))
    found = meter(record, [early, *entries(("03-31", 1), ("04-01", 1))], [FIRST])
    assert found.value == 1
    assert {why.kind for _, why in found.held} == {"outside"}


def test_hours_wait_for_their_rate() -> None:
    """A role without a rate, a rate that begins later, no role at all: held, each kind by itself."""
    record = agreements.spend(rates={"dev": "100", "ops": [{"since": "2026-03-01", "price": "80"}]})
    said = [("02-01", 1, {"role": role}) for role in ("dev", "boss", "ops", "")]
    found = meter(record, entries(*said))
    assert found.value == 100
    assert [why.kind for _, why in found.held] == ["rate boss", "rate ops", "rate"]


@pytest.mark.parametrize(
    ("record", "measured"),
    [
        (agreements.block(), ["hours"]),
        (agreements.spend(), ["spend"]),
        (agreements.spend(trigger="time", bill_at=None), []),
        (agreements.spend(trigger="time", cap="10"), ["spend"]),
        (agreements.milestones(), ["progress"]),
        (agreements.milestones(scope_hours="5"), ["progress", "hours"]),
        (agreements.milestones(milestones=[{"id": "m", "title": "M", "amount": "1"}]), []),
    ],
)
def test_what_is_metered(record: dict[str, Any], measured: list[str]) -> None:
    """A meter is there only where a line can be crossed."""
    assert list(measures(agreed(record), TODAY)) == measured


def test_entries_that_have_no_place() -> None:
    """Another measure, an unknown milestone, an agreement without a meter: refused with what to write."""
    build, plain = agreed(agreements.milestones()), agreed(agreements.spend(trigger="time", bill_at=None))
    (hours,) = entries(("02-01", 1))
    assert misplaced(plain, (), hours) == (
        "agreement 'acme-spend' has no meter: nothing of it is billed or told by a threshold"
    )
    metered = measures(build, TODAY)
    assert misplaced(build, metered, hours) == "agreement 'acme-build' does not meter hours; write progress"
    (other,) = entries(("02-01", 1), measure="progress", milestone="roof")
    assert misplaced(build, metered, other) == (
        "agreement 'acme-build' has no milestone 'roof'; it has: plan, build, done"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": None},
        {"day": None},
        {"quantity": "0.12345"},
        {"quantity": 1.5},
        {"quantity": "NaN"},
        {"revision": 0},
        {"id": ""},
        {"colour": "red"},
    ],
)
def test_entries_that_are_none(wrong: dict[str, Any]) -> None:
    """Without day or quantity, with more decimals than a meter keeps, as a float: refused."""
    right = {"source": "psa", "id": "1", "agreement": "a", "day": "2026-02-01", "quantity": "1"}
    MeterEntry.model_validate(right)
    with pytest.raises(ValidationError):
        MeterEntry.model_validate({**right, **wrong})


@given(
    st.lists(st.tuples(st.integers(1, 360), st.decimals("0", "15", places=2)), min_size=1, max_size=12),
    st.sampled_from(["0", "2.5", "20"]),
    st.sampled_from([None, 2, 6]),
    st.randoms(use_true_random=False),
)
def test_blocks_add_up_in_any_order(
    said: list[tuple[int, Decimal]], roll_over: str, months: int | None, random: Any
) -> None:
    """However entries come in: what was bought is worked, lapsed or left, and blocks are due one after the other."""
    record = agreements.block(roll_over=roll_over, expires_after_months=months)
    day = agreements.START.toordinal()
    taken_in = [
        MeterEntry(
            source="psa", id=f"{number}", agreement="a", day=date.fromordinal(day + after), quantity=hours
        )
        for number, (after, hours) in enumerate(said)
    ]
    blocks = [FIRST, bought(2, "03-01"), bought(3, "05-15")]
    found = meter(record, taken_in, blocks)
    random.shuffle(taken_in)
    assert meter(record, taken_in, blocks) == found
    assert found.blocks is not None
    assert found.blocks.bought == 30
    assert found.blocks.left + found.blocks.lapsed + sum(hours for _, hours in said) == 30
    assert found.blocks.lapsed >= 0 and (months or found.blocks.lapsed == 0)
    assert reached(found) == [f"block-{number}" for number in range(2, len(reached(found)) + 2)]


def test_which_line_comes_next_and_what_it_is_called() -> None:
    """Of the caps of periods the newest, though an older one is nearer; limits are called by what they limit."""
    lines = tuple(
        Line(name, Decimal(100), Decimal(value), False)
        for name, value in (("cap-2026-02-01-100", 90), ("cap-2026-03-01-100", 20), ("budget-100", 10))
    )
    found = standing("acme-spend", Meter(Measure.SPEND, Decimal(110), lines, ()), ()).next
    assert found is not None and found.name == "cap-2026-03-01-100"
    assert [
        called(each) for each in (found.name, "budget-500.5", "scope-320", "block-2", "scope-review")
    ] == [
        "cap of the period from 2026-03-01",
        "budget",
        "agreed scope",
        "block-2",
        "scope-review",
    ]


def test_where_a_meter_stands_in_words() -> None:
    """One line for people, with what is left, until when, and the next line."""
    agreement = agreements.block(expires_after_months=6)
    found = meter(agreement, entries(("02-01", "2.5")), [FIRST], date(2026, 3, 1))
    assert stands(standing("acme-block", found, ()), "EUR") == (
        "2.5 h of 10 h used, 7.5 h left, some of it until 2026-07-01 only; block-2 at 10 h, 7.5 h to go"
    )
    line = Line("block-2", Decimal(10), Decimal(4), False, last=Decimal(0))
    assert line.percent == 40
