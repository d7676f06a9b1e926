"""Hours on an invoice: grouped, priced by role and day, included, left over, beyond a block; each entry named."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.agreements import Agreement, TimeAndMaterials
from billing.assembly import Assembly
from billing.draft import InvoiceLine
from billing.hours import together
from billing.hours import worked as parts_of
from billing.periods import Period
from billing.sources import TimeEntry
from tests.billing.assembling import JANUARY, codes, draft_of, found, hours, made, only
from tests.billing.properties import examples
from tests.billing.records import prepaid_block, project, retainer, time_and_materials, worked

RATES = {"senior": "120.00", "junior": "95.00"}

Line = tuple[str, str, str, str, str]


def told(lines: tuple[InvoiceLine, ...]) -> list[Line]:
    """Description, detail, quantity, unit price and net of each line."""
    return [
        (each.description, each.detail, f"{each.quantity.normalize():f}", str(each.unit_price), str(each.net))
        for each in lines
    ]


def named(lines: tuple[InvoiceLine, ...]) -> list[list[str]]:
    return [[ref.id for ref in line.sources] for line in lines]


def overage(*entries: TimeEntry, period: Period = JANUARY, **more: Any) -> Assembly:
    """Hours beyond the ten a month that the fee includes."""
    sources = {key: more.pop(key) for key in ("earlier_time", "billed_time") if key in more}
    agreement = retainer(**{"project": "P-1", "rates": RATES, "included_hours": "10", **more})
    return made(agreement, "overage", period, time_entries=entries, project=project(), **sources)


def changed(agreement: Agreement, **figures: Any) -> Agreement:
    """The agreement with an approved change order from 15 January on."""
    order = {
        "id": "co-1",
        "effective": "2026-01-15",
        "reason": "more work",
        "document": "CT-2",
        "proposed_by": "pia",
        "approved_by": "noor",
        "approved_on": "2026-01-10",
        **figures,
    }
    return type(agreement).model_validate({**agreement.model_dump(mode="json"), "change_orders": [order]})


WORK = [
    worked("T-1", "2", "senior", "Mira", "2026-01-05", task="Login", ticket="#7"),
    worked("T-2", "1.5", "junior", "Jo", "2026-01-05", task="Login", ticket="#7"),
    worked("T-3", "4", "senior", "Mira", "2026-01-06", task="Search", ticket="#9"),
    worked("T-4", "0.25", "senior", "Mira", "2026-01-06"),
]


@pytest.mark.parametrize(
    ("group_by", "lines"),
    [
        (["person", "role"], [
            ("Development: senior", "Mira", "6.25", "120.00", "750.00"),
            ("Development: junior", "Jo", "1.5", "95.00", "142.50"),
        ]),
        (["role"], [
            ("Development: senior", "", "6.25", "120.00", "750.00"),
            ("Development: junior", "", "1.5", "95.00", "142.50"),
        ]),
        (["person"], [
            ("Development", "Mira", "6.25", "120.00", "750.00"),
            ("Development", "Jo", "1.5", "95.00", "142.50"),
        ]),
        (["task"], [  # one task at two prices: the roles tell the lines apart
            ("Development: Login", "senior", "2", "120.00", "240.00"),
            ("Development: Login", "junior", "1.5", "95.00", "142.50"),
            ("Development: Search", "", "4", "120.00", "480.00"),
            ("Development", "", "0.25", "120.00", "30.00"),
        ]),
        (["ticket", "person"], [
            ("Development: #7", "Mira", "2", "120.00", "240.00"),
            ("Development: #7", "Jo", "1.5", "95.00", "142.50"),
            ("Development: #9", "Mira", "4", "120.00", "480.00"),
            ("Development", "Mira", "0.25", "120.00", "30.00"),
        ]),
        (["day", "role"], [
            ("Development: senior", "2026-01-05", "2", "120.00", "240.00"),
            ("Development: junior", "2026-01-05", "1.5", "95.00", "142.50"),
            ("Development: senior", "2026-01-06", "4.25", "120.00", "510.00"),
        ]),
        (["day", "task", "ticket"], [
            ("Development: Login", "2026-01-05 · #7 · senior", "2", "120.00", "240.00"),
            ("Development: Login", "2026-01-05 · #7 · junior", "1.5", "95.00", "142.50"),
            ("Development: Search", "2026-01-06 · #9", "4", "120.00", "480.00"),
            ("Development", "2026-01-06", "0.25", "120.00", "30.00"),
        ]),
    ],
)  # fmt: skip
def test_grouped_as_agreed(group_by: list[str], lines: list[Line]) -> None:
    """Whatever the grouping, it is 7.75 hours for 892.50, each entry is named once, and no two lines read the same."""
    draft = draft_of(hours(*WORK, group_by=group_by))
    assert told(draft.lines) == lines
    assert draft.net == Decimal("892.50")
    assert sorted(key for keys in named(draft.lines) for key in keys) == ["T-1", "T-2", "T-3", "T-4"]
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize(
    "agreement",
    [
        time_and_materials(
            rates={
                "senior": [
                    {"since": "2025-01-01", "price": "120.00"},
                    {"since": "2026-01-15", "price": "130.00"},
                ]
            }
        ),
        changed(time_and_materials(), rates={"senior": "130.00"}),
    ],
    ids=["dated rates", "change order"],
)
def test_a_new_rate_within_the_period(agreement: TimeAndMaterials) -> None:
    """Hours to the 14th cost 120, from the 15th on 130; two lines, each with its days."""
    entries = [
        worked("T-1", "3", day="2026-01-05"),
        worked("T-2", "2", day="2026-01-14"),
        worked("T-3", "2", day="2026-01-15"),
    ]
    sources = {
        "CT-2": {"id": "CT-2", "client": "C-1", "value": "0", "currency": "EUR", "signed_on": "2026-01-10"}
    }
    assembly = made(agreement, "time", JANUARY, time_entries=entries, amendments=sources)
    assert assembly.findings == ()
    assert told(draft_of(assembly).lines) == [
        ("Development: senior", "Mira · 2026-01-05 – 2026-01-14", "5", "120.00", "600.00"),
        ("Development: senior", "Mira · 2026-01-15", "2", "130.00", "260.00"),
    ]


def test_days_and_figures_in_the_clients_language() -> None:
    """A German client reads German days and words."""
    from billing.line_words import line_words

    german, other = line_words("de"), line_words("xx")
    assert german.days(JANUARY) == "01.01.2026 – 31.01.2026"
    assert german.figure(Decimal("12.50")) == "12,5"
    assert (other.day(date(2026, 1, 5)), other.figure(Decimal(10))) == ("2026-01-05", "10")


# --- included hours ---------------------------------------------------------------------------------------------------

FIFTEEN = [
    worked("T-1", "6", "senior", "Mira", "2026-01-05"),
    worked("T-2", "3", "junior", "Jo", "2026-01-08"),
    worked("T-3", "4", "senior", "Mira", "2026-01-12"),
    worked("T-4", "2", "junior", "Jo", "2026-01-20"),
]


def test_the_oldest_hours_are_included() -> None:
    """Of 15 hours ten are free: 6, 3 and one of the 4 of the 12th. 3 h at 120 and 2 h at 95 are 550.00."""
    assembly = overage(*reversed(FIFTEEN))
    draft = draft_of(assembly)
    assert assembly.findings == ()
    assert told(draft.lines) == [
        ("Managed service: included hours", "", "10", "0", "0.00"),
        ("Managed service: senior", "Mira", "3", "120.00", "360.00"),
        ("Managed service: junior", "Jo", "2", "95.00", "190.00"),
    ]
    assert named(draft.lines) == [["T-1", "T-2", "T-3"], ["T-3"], ["T-4"]]
    assert draft.net == Decimal("550.00")


def test_an_included_hour_needs_no_rate() -> None:
    """What costs nothing needs no price; what does is named with its day."""
    intern = worked("T-0", "1", "intern", day="2026-01-02")
    assert overage(intern, *FIFTEEN).findings == ()
    finding = only(overage(*FIFTEEN, worked("T-9", "1", "intern", day="2026-01-30")))
    assert finding.code.value == "rate-missing"
    assert "no rate is agreed for the role 'intern'" in finding.message
    assert "1 entry: T-9 of 2026-01-30" in finding.message


def test_hours_within_the_included_ones_are_nobodys_work() -> None:
    """Nine of ten hours: nothing to bill, nobody need look; the draft holds the entries so that none is left over."""
    assembly = overage(*FIFTEEN[:2])
    assert codes(assembly) == ["empty"]
    assert "all hours are within the included ones" in assembly.findings[0].message
    assert assembly.skip == "nothing to bill in 2026-01-01 to 2026-01-31"
    assert named(draft_of(assembly).lines) == [["T-1", "T-2"]]


@pytest.mark.parametrize(
    ("start", "period", "before", "free"),
    [
        ("2026-01-01", ("2026-01-01", "2026-01-31"), (), "10"),
        ("2026-01-16", ("2026-01-16", "2026-01-31"), (), "5.16"),  # 16 of 31 days: 5.1612…
        ("2026-01-01", ("2026-01-11", "2026-01-31"), ("6",), "4"),  # an early invoice had six of them
        ("2026-01-01", ("2026-01-11", "2026-01-31"), ("6", "7"), "0"),  # it had them all, and more
        ("2026-01-01", ("2026-01-01", "2026-01-10"), (), "10"),  # the early invoice itself may have them all
    ],
)
def test_included_hours_of_a_part(
    start: str, period: tuple[str, str], before: tuple[str, ...], free: str
) -> None:
    """Of a period cut by the agreement they are cut by days; of one billed in parts, what the parts have left."""
    part = Period(start=date.fromisoformat(period[0]), end=date.fromisoformat(period[1]))
    work = worked("T-9", "20", day=period[1])
    billed = [worked(f"T-{n}", each, day="2026-01-03") for n, each in enumerate(before)]
    draft = draft_of(overage(work, start=start, anchor="2026-01-01", period=part, billed_time=billed))
    charged = sum(each.quantity for each in draft.lines if each.unit_price)
    assert charged == 20 - Decimal(free)


def test_a_change_order_changes_the_included_hours_of_the_next_period() -> None:
    """Twelve instead of ten from 15 January on hold for February, whose hours are counted from its first day."""
    agreement = changed(retainer(project="P-1", rates=RATES, included_hours="10"), hours="12")
    for day, free in (("2026-01-20", Decimal(10)), ("2026-02-02", Decimal(12))):
        sources = found(time_entries=[worked("T-1", "20", day=day)])
        parts = parts_of(agreement, sources, None, date(2026, 3, 1))  # type: ignore[arg-type]
        assert [(part.hours, part.included) for part in parts] == [(free, True), (20 - free, False)]


# --- left over --------------------------------------------------------------------------------------------------------

LATE = worked("T-0", "3", day="2025-12-29")


def hours_with_leftovers(leftovers: str, *late: TimeEntry) -> Assembly:
    agreement = time_and_materials(start="2025-01-01", leftovers=leftovers)
    entries = [worked("T-1", "8")]
    return made(agreement, "time", JANUARY, time_entries=entries, earlier_time=late or (LATE,))


def test_leftovers_are_held() -> None:
    """Three hours of December that nobody billed hold January; accepted, they are left out."""
    assembly = hours_with_leftovers("hold")
    finding = only(assembly)
    assert finding.code.value == "leftovers"
    assert finding.message.startswith(
        "3 h of earlier periods that are billed already stand on no invoice (1 entry: T-0 of 2025-12-29); "
    )
    assert named(draft_of(assembly).lines) == [["T-1"]]


def test_leftovers_are_billed_along() -> None:
    """Where the agreement says so they are a line of their own with their days, which says that they came late."""
    assembly = hours_with_leftovers("bill")
    draft = draft_of(assembly)
    assert assembly.findings == ()
    assert told(draft.lines) == [
        ("Development: senior", "Mira · 2025-12-29", "3", "120.00", "360.00"),
        ("Development: senior", "Mira · 2026-01-12", "8", "120.00", "960.00"),
    ]
    assert "left over from earlier days and billed along" in draft.lines[0].why


def test_leftovers_are_left() -> None:
    """Where the agreement says so nobody hears of them here."""
    assembly = hours_with_leftovers("leave")
    assert assembly.findings == ()
    assert named(draft_of(assembly).lines) == [["T-1"]]


def test_the_rest_of_a_period_takes_what_its_early_invoice_missed() -> None:
    """Hours of the 8th approved after the early invoice up to the 10th are on the rest, whatever leftovers do."""
    rest = Period(start=date(2026, 1, 11), end=date(2026, 1, 31))
    late = worked("T-0", "2", day="2026-01-08")
    for leftovers in ("hold", "leave"):
        agreement = time_and_materials(leftovers=leftovers)
        assembly = made(agreement, "time", rest, time_entries=[worked("T-1", "8")], earlier_time=[late])
        assert assembly.findings == ()
        assert draft_of(assembly).net == Decimal("1200.00")
        assert draft_of(assembly).supply == rest


def test_leftovers_use_the_included_hours_of_their_own_period() -> None:
    """December had 8 of 10 hours: of 3 that came late two are free and one is billed, and January's ten stay ten."""
    december = [worked("D-1", "8", day="2025-12-03")]
    assembly = overage(
        *FIFTEEN, start="2025-01-01", leftovers="bill", earlier_time=[LATE], billed_time=december
    )
    assert draft_of(assembly).net == Decimal("670.00")  # 550.00 and an hour at 120
    assert sum(each.quantity for each in draft_of(assembly).lines) == 18


def test_a_late_correction_below_zero_is_not_billed_silently() -> None:
    """An hour taken back for a billed month is told, whether leftovers are held or billed."""
    back = worked("T-0", "-1", day="2025-12-29")
    assert codes(hours_with_leftovers("hold", back)) == ["leftovers"]
    finding = only(hours_with_leftovers("bill", back))
    assert "time entry T-0 of 2025-12-29 has -1 hours" in finding.message


# --- beyond a block ---------------------------------------------------------------------------------------------------


def beyond(hours: str, **changes: Any) -> Assembly:
    agreement = prepaid_block(**{"overage": "rate", "overage_rate": "110", **changes})
    sources = {"time_entries": FIFTEEN, "project": project(), "beyond_block": hours}
    return made(agreement, "overage", JANUARY, **sources)


@pytest.mark.parametrize(
    ("hours", "net", "entries"),
    [
        ("1", "110.00", ["T-4"]),
        ("2", "220.00", ["T-4"]),
        ("4.5", "495.00", ["T-3", "T-4"]),  # the block ran out within T-3
        ("15", "1650.00", ["T-1", "T-2", "T-3", "T-4"]),
    ],
)
def test_hours_beyond_a_block(hours: str, net: str, entries: list[str]) -> None:
    """The last hours are those the block does not hold; they cost the agreed rate, whoever worked them."""
    draft = draft_of(beyond(hours))
    assert draft.net == Decimal(net)
    assert named(draft.lines) == [entries]


def test_no_hours_beyond_a_block() -> None:
    """A month within the block needs nobody; hours beyond without a rate hold the invoice."""
    assembly = beyond("0")
    assert (codes(assembly), bool(assembly.skip)) == (["empty"], True)
    assert codes(beyond("2", overage_rate=None)) == ["rate-missing", "empty"]


@pytest.mark.parametrize(
    ("hours", "quantity"),
    [
        (["0.3333333333"] * 3, "1"),
        (["0.6666666666"] * 30, "20"),
        (["0.3333333333"], "0.3333333333"),
        (["0.25", "0.10"], "0.35"),
        (["0.00001"] * 2, "0.00002"),
        ([], "0"),
    ],
)
def test_thirds_of_an_hour(hours: list[str], quantity: str) -> None:
    """Three entries of twenty minutes are one hour on the invoice; what has an end stays as it was written."""
    assert str(together(map(Decimal, hours))) == quantity


CUT_OFF = Decimal("1e-6")
"""What thirds of an hour, cut off after ten digits, may come to."""

# --- whatever is worked -----------------------------------------------------------------------------------------------

entries_of_january = st.lists(
    st.tuples(
        st.integers(1, 31), st.integers(1, 900), st.sampled_from(["senior", "junior"]), st.sampled_from("AB")
    ),
    max_size=12,
).map(
    lambda rows: [
        worked(f"T-{n}", str(Decimal(minutes) / 60)[:12], role, person, f"2026-01-{day:02}")
        for n, (day, minutes, role, person) in enumerate(rows)
    ]
)


@given(
    entries_of_january,
    st.integers(0, 40),
    st.lists(st.sampled_from(["person", "role", "task", "day"]), min_size=1),
)
@examples(150)
def test_no_hour_is_lost_or_billed_twice(work: list[TimeEntry], included: int, group_by: list[str]) -> None:
    """Lines sum to the hours worked; free ones are as many as agreed at most; every entry is named on a line."""
    agreement = time_and_materials(group_by=group_by, **({"included_hours": included} if included else {}))
    draft = made(agreement, "time", JANUARY, time_entries=work, project=project()).draft
    lines = draft.lines if draft else ()
    in_all = sum((each.hours for each in work), Decimal(0))
    assert abs(sum((line.quantity for line in lines), Decimal(0)) - in_all) < CUT_OFF
    free = sum((line.quantity for line in lines if not line.unit_price), Decimal(0))
    assert abs(free - min(Decimal(included), in_all)) < CUT_OFF
    assert {ref.id for line in lines for ref in line.sources} == {each.id for each in work}
