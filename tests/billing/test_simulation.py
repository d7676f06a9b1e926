"""Simulation by hand: a small company, sources in memory, every instant and amount worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.calendars import Calendar
from billing.company import Client, Company
from billing.draft import Draft
from billing.dunning_policy import CollectionFacts, DunningPolicy
from billing.errors import SourceUnavailable
from billing.exceptions import Finding
from billing.money import Money
from billing.periods import Period
from billing.request import BillingRequest
from billing.simulation.comparison import Change, compare
from billing.simulation.facts import Books, OpenInvoice
from billing.simulation.loop import next_run, simulate
from billing.simulation.months import by_month
from billing.simulation.outcome import Assumptions, Simulation
from billing.simulation.register import Register
from billing.sources import Sources, TimeEntry
from billing.taken import Taken
from tests.billing import records

START = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
"""A Monday, eleven o'clock in Berlin."""

DUNNING = {
    "id": "standard",
    "courtesy_before_due": {"days": 3},
    "levels": [{"days": 4}, {"days": 14}],
    "escalate_after_due": {"days": 20},
    "hand_over_after_due": {"days": 30},
}
LARGE = {"id": "large", "above": {"EUR": "1000"}, "approvers": ["noor"], "decide_within_hours": 24}
PEOPLE = [
    {"id": "mara", "name": "Mara", "email": "mara@issuer.example", "roles": ["approver"]},
    {
        "id": "noor",
        "name": "Noor",
        "email": "noor@issuer.example",
        "roles": ["approver"],
        "reports_to": "mara",
    },
    {"id": "pia", "name": "Pia", "email": "pia@issuer.example", "roles": ["approver"], "reports_to": "noor"},
]


@dataclass
class Memory:
    """Sources and calendars in memory; no public holidays."""

    facts: Sources = field(default_factory=lambda: Sources(client=records.crm_client()))
    hours: Sequence[TimeEntry] = ()
    away: bool = False

    def sources(self, request: BillingRequest, today: date, register: Register) -> Sources:
        if self.away:
            raise SourceUnavailable("the PSA does not answer")
        period = request.occasion.period if request.occasion else None
        if period is None:
            return self.facts
        worked = [each for each in self.hours if period.start <= each.day <= min(period.end, today)]
        return self.facts.model_copy(update={"time_entries": tuple(worked)})

    def worked(self, project: str, period: Period) -> Sequence[TimeEntry]:
        return [each for each in self.hours if period.start <= each.day <= period.end]

    def elsewhere(self, draft: Draft) -> Sequence[str]:
        return ()

    def check(self, draft: Draft, at: datetime) -> Sequence[Finding]:
        return ()

    def calendar(self, client: Client, policy: DunningPolicy, today: date) -> Calendar:
        return Calendar(zone=client.zone, opens=policy.opens, closes=policy.closes)

    def business_days(self, client: Client, today: date) -> Calendar:
        return Calendar(zone=client.zone)


def company(*agreements: Any, tiers: Sequence[Any] = (), dunning: Any = DUNNING, **changes: Any) -> Company:
    return records.company(
        *agreements, people=PEOPLE, approvals={"tiers": tiers}, dunning=[dunning], **changes
    )


def run(rules: Company, days: int = 70, assumptions: Assumptions | None = None, **more: Any) -> Simulation:
    world = more.pop("world", None) or Memory()
    return simulate(rules, world, START, START + timedelta(days=days), assumptions, **more)


def told(simulation: Simulation) -> list[tuple[str, str]]:
    """Acts in Berlin time (always UTC+1 here), without the keys."""
    return [(f"{each.at + timedelta(hours=1):%m-%d %H:%M}", each.act) for each in simulation.steps]


NEVER = Assumptions(pay_after=None)
ONCE = records.retainer(end=date(2026, 1, 31))


def test_never_paid() -> None:
    """Due on Jan 19: note on the Friday before, levels 4 and 14 days after, escalation, hand-over, on business days."""
    simulation = run(company(ONCE), assumptions=NEVER)
    assert told(simulation) == [
        ("01-05 11:00", "billed"),
        ("01-05 11:00", "issued"),
        ("01-05 11:00", "sent"),
        ("01-16 09:00", "courtesy-note"),
        ("01-23 09:00", "reminder-1"),
        ("02-02 09:00", "reminder-2"),
        ("02-09 09:00", "escalation"),  # the 8th is a Sunday
        ("02-18 09:00", "hand-over"),
    ]
    assert {str(each.amount) for each in simulation.steps} == {"EUR 1,190.00"}
    who = {each.act: each.who for each in simulation.steps}
    assert (who["sent"], who["reminder-1"]) == ("ap@client.example", "ap@client.example")
    assert (who["escalation"], who["hand-over"]) == ("pia", "pia")


@pytest.mark.parametrize(
    ("days", "last"),
    [
        (0, [("01-16 09:00", "courtesy-note"), ("01-19 12:00", "paid")]),
        (-10, [("01-05 11:00", "sent"), ("01-09 12:00", "paid")]),
        (4, [("01-23 09:00", "reminder-1"), ("01-23 12:00", "paid")]),
        (60, [("02-18 09:00", "hand-over"), ("03-20 12:00", "paid")]),
    ],
)
def test_paid(days: int, last: list[tuple[str, str]]) -> None:
    """Money comes at noon so many days from the due date, and ends everything."""
    simulation = run(company(ONCE), days=90, assumptions=Assumptions(pay_after=days))
    assert told(simulation)[-2:] == last


def test_due_by_calendar_and_service() -> None:
    """Due dates follow the client's business days, and the day the service begins, as they do when it is real."""
    for terms, paid in (
        ({"net_days": 12, "business_day": "next"}, "01-19 12:00"),  # the 17th is a Saturday
        ({"net_days": 12, "business_day": "previous"}, "01-16 12:00"),
    ):
        rules = company(records.retainer(end=date(2026, 1, 31), terms=terms))
        assert told(run(rules, assumptions=Assumptions(pay_after=0)))[-1] == (paid, "paid")


def test_instalments() -> None:
    """Each part is paid, or reminded, by its own due date; levels count over the whole invoice."""
    terms = {"instalments": [{"percent": 40, "net_days": 14}, {"percent": 60, "net_days": 45}]}
    rules = company(records.retainer(end=date(2026, 1, 31), terms=terms))
    in_time = run(rules, assumptions=Assumptions(pay_after=0))
    assert told(in_time)[3:] == [
        ("01-16 09:00", "courtesy-note"),
        ("01-19 12:00", "paid"),
        ("02-19 12:00", "paid"),
    ]
    assert [str(each.amount) for each in in_time.steps if each.act == "paid"] == ["EUR 476.00", "EUR 714.00"]
    late = run(rules, days=90, assumptions=Assumptions(pay_after=5))
    assert told(late)[3:] == [
        ("01-16 09:00", "courtesy-note"),
        ("01-23 09:00", "reminder-1"),
        ("01-24 12:00", "paid"),
        ("02-24 12:00", "paid"),  # the second level would come 14 days after 19 February
    ]
    never = run(rules, assumptions=NEVER)
    assert [act for _, act in told(never)][-2:] == ["escalation", "hand-over"]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (0, [("01-05 11:00", "approval asked"), ("01-05 11:00", "approved")]),
        (
            30,
            [
                ("01-05 11:00", "approval asked"),
                ("01-05 23:00", "approval reminded"),
                ("01-06 11:00", "approval escalated"),
                ("01-06 17:00", "approved"),
            ],
        ),
        (12, [("01-05 11:00", "approval asked"), ("01-05 23:00", "approved")]),
    ],
)
def test_approval(hours: int, expected: list[tuple[str, str]]) -> None:
    """After half of 24 hours those asked are reminded, past them it goes up the line; an answer in time counts."""
    rules = company(ONCE, tiers=[LARGE])
    simulation = run(rules, assumptions=Assumptions(approve_after=timedelta(hours=hours)))
    assert told(simulation)[1 : 1 + len(expected)] == expected
    assert told(simulation)[1 + len(expected)] == (expected[-1][0], "issued")
    if hours == 30:
        escalated = next(each for each in simulation.steps if each.act == "approval escalated")
        assert escalated.who == "noor, mara"


def test_nobody_approves() -> None:
    """A question nobody answers goes round for as long as one looks, and nothing is issued."""
    simulation = run(company(ONCE, tiers=[LARGE]), days=4, assumptions=Assumptions(approve_after=None))
    assert [act for _, act in told(simulation)] == [
        "billed",
        "approval asked",
        *["approval reminded", "approval escalated"] * 3,
        "approval reminded",
    ]


def test_catch_up_and_calendar() -> None:
    """Of a monthly fee since November: three periods at the first run, then one at each midnight in Berlin."""
    care = records.retainer(start=date(2025, 11, 1))
    simulation = run(company(care), days=60)
    billed = [
        (f"{each.at:%m-%d %H:%M}", each.billing_key) for each in simulation.steps if each.act == "billed"
    ]
    assert billed == [
        ("01-05 10:00", "care/fee/2025-11-01"),
        ("01-05 10:00", "care/fee/2025-12-01"),
        ("01-05 10:00", "care/fee/2026-01-01"),
        ("01-31 23:00", "care/fee/2026-02-01"),
        ("02-28 23:00", "care/fee/2026-03-01"),
    ]


@pytest.mark.parametrize(
    ("at", "every", "expected"),
    [
        ("2026-01-05T10:00", 60, "2026-01-05T10:00"),
        ("2026-01-05T10:01", 60, "2026-01-05T11:00"),
        ("2026-01-05T10:01", 1440, "2026-01-06T00:00"),
        ("2026-01-05T10:01:01", 1, "2026-01-05T10:02"),
    ],
)
def test_next_run(at: str, every: int, expected: str) -> None:
    """Runs come at whole intervals since 1970 in UTC."""
    instants = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (at, expected)]
    assert next_run(instants[0], every) == instants[1]


def test_taken_is_not_billed_again() -> None:
    """What the ledger has billed, by key or by part of a period, is left out."""
    taken = Taken(
        keys=frozenset({"care/fee/2026-01-01"}),
        periods={"fee": (Period(start=date(2026, 1, 1), end=date(2026, 2, 14)),)},
    )
    simulation = run(company(records.retainer()), days=40, books=Books(taken={"care": taken}))
    keys = {each.billing_key for each in simulation.steps}
    assert keys == {"care/fee/2026-02-15"}


def test_held_is_said_with_owner_and_amount() -> None:
    """A deal of another value holds the invoice; what it would be stands beside it, and nothing follows."""
    world = Memory(Sources(client=records.crm_client(), deal=records.deal("900.00")))
    rules = company(records.retainer(end=date(2026, 1, 31), deal="D-1"))
    (held,) = run(rules, world=world).steps
    assert (held.act, held.who, str(held.amount)) == ("held", "pia", "EUR 1,190.00")
    assert held.why.startswith("sources-differ: ") and "900.00" in held.why


def test_sources_away() -> None:
    """A source that does not answer holds what it is needed for; an event's agreement says so while it waits."""
    simulation = run(company(ONCE, records.fixed_price()), world=Memory(away=True))
    (held,), (waiting,) = simulation.steps, simulation.waiting
    assert held.why == "source-unreadable: the PSA does not answer"
    assert waiting.waits_for == "the PSA does not answer"


def _hours() -> list[TimeEntry]:
    """Ten hours in October to December each; in November two of them not billable."""
    return [
        records.worked("a", "10", day="2025-10-15"),
        records.worked("b", "8", day="2025-11-15"),
        records.worked("c", "2", day="2025-11-16", billable=False),
        records.worked("d", "10", day="2025-12-15", approved=False),
    ]


def test_hours_to_come() -> None:
    """A month that is not over is billed without amount; a month that is, by its hours: 10 h × 120.00 + 19 %."""
    agreement = records.time_and_materials(start=date(2025, 12, 1))
    worked = [records.worked("d", "10", day="2025-12-15"), records.worked("e", "3", day="2026-01-02")]
    simulation = run(company(agreement), days=30, world=Memory(hours=worked))
    billed = [(each.billing_key, each.amount, each.why) for each in simulation.steps if each.act == "billed"]
    assert billed == [
        ("hours/time/2025-12-01", Money.of("1428.00", "EUR"), "2025-12-01 to 2025-12-31"),
        ("hours/time/2026-01-01", None, "2026-01-01 to 2026-01-31; hours to come; 3 h so far"),
    ]


def test_expected_hours() -> None:
    """28 billable hours in the 92 days before, so 28 × 31 / 92 = 9.43, 9.5 h in January: 9.5 × 120.00 + 19 %."""
    agreement = records.time_and_materials(start=date(2025, 10, 1))
    taken = Taken(periods={"time": (Period(start=date(2025, 10, 1), end=date(2025, 12, 31)),)})
    simulation = run(
        company(agreement),
        days=30,
        assumptions=Assumptions(expect=True),
        world=Memory(hours=_hours()),
        books=Books(taken={"hours": taken}),
    )
    billed = simulation.steps[0]
    assert (billed.billing_key, billed.estimate) == ("hours/time/2026-01-01", True)
    assert billed.amount == Money.of("1356.60", "EUR")


def test_events() -> None:
    """What was signed off is billed at once, what was not waits with its price; a contract is signed on its day."""
    done = records.milestone(signed_off=date(2026, 1, 4))
    world = Memory(Sources(client=records.crm_client(), project=records.project(), milestone=done))
    taken = Taken(keys=frozenset({"shop/launch"}))
    simulation = run(company(records.milestones()), world=world, books=Books(taken={"shop": taken}))
    assert simulation.steps[0].billing_key == "shop/design"
    assert simulation.steps[0].amount == Money.of("3808.00", "EUR")
    later = replace(world, facts=world.facts.model_copy(update={"milestone": None}))
    simulation = run(company(records.milestones()), world=later)
    assert [(each.waits_for, str(each.net)) for each in simulation.waiting] == [
        ("milestone design signed off", "EUR 3,200.00"),
        ("milestone launch signed off", "EUR 6,000.00"),
    ]


def _open(**changes: Any) -> OpenInvoice:
    facts = {
        "due_date": date(2026, 1, 19),
        "late_from": datetime(2026, 1, 19, 23, tzinfo=UTC),
        "open_amount": Decimal("500.00"),
        "last_act_at": START - timedelta(days=9),
    }
    return OpenInvoice(
        billing_key="old/fee/2025-12-01",
        client="acme",
        agreement="old",
        company=company(),
        amount=Money.of("500.00", "EUR"),
        facts=CollectionFacts.model_validate({**facts, **changes}),
        contact="ap@client.example",
    )


LATE = {"due_date": date(2025, 12, 29), "late_from": datetime(2025, 12, 29, 23, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [("01-16 09:00", "courtesy-note"), ("01-19 12:00", "paid")]),
        (
            {**LATE, "done": frozenset({"reminder-1"}), "last_act_at": START - timedelta(hours=1)},
            # 14 days after the due date; nobody who is late already is assumed to pay
            [("01-12 09:00", "reminder-2"), ("01-19 09:00", "escalation"), ("01-28 09:00", "hand-over")],
        ),
        ({**LATE, "promised_for": date(2026, 1, 14)}, [("01-14 12:00", "paid")]),
        ({**LATE, "disputed_until": START + timedelta(days=2)}, [("01-05 11:00", "held")]),
        (
            {**LATE, "held_until": START + timedelta(days=35)},
            [("02-09 11:00", "reminder-1"), ("02-11 11:00", "reminder-2"), ("02-13 11:00", "escalation")],
        ),
    ],
    ids=["not due", "reminded before", "promised", "disputed", "on hold"],
)
def test_open_items(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Open items are collected on from where they stand."""
    simulation = run(company(), days=60, books=Books(standing=[_open(**changes)]))
    assert told(simulation)[:3] == expected


def test_months() -> None:
    """Months are those of the zone: the fee of February is billed on Jan 31 in UTC, and counts as February's."""
    months = by_month(run(company(records.retainer()), days=40), "Europe/Berlin")
    assert [(month.first, month.issued, month.paid) for month in months] == [
        (date(2026, 1, 1), {"EUR": Decimal("1190.00")}, {"EUR": Decimal("1190.00")}),
        (date(2026, 2, 1), {"EUR": Decimal("1190.00")}, {}),
    ]


def test_same_rules_no_difference() -> None:
    """The same rules give the same simulation, and comparing says nothing."""
    rules = company(records.retainer(), records.fixed_price(), tiers=[LARGE])
    assert run(rules) == run(rules)
    compared = compare(run(rules), run(rules))
    assert compared.empty and not compared.invoices and not compared.issued


def test_what_an_edit_changes() -> None:
    """A higher fee from the same day: two invoices of another amount, 2 × 119.00 more; a later level moves alone."""
    before = run(company(records.retainer()), days=40, assumptions=NEVER)
    after = run(company(records.retainer(amount="1100.00")), days=40, assumptions=NEVER)
    compared = compare(before, after)
    assert compared.invoices == dict.fromkeys(["care/fee/2026-01-01", "care/fee/2026-02-01"], Change.CHANGED)
    assert compared.issued == {"EUR": Decimal("238.00")}
    assert {each.changes for each in compared.differences} == {(Change.AMOUNT,)}
    later = {**DUNNING, "levels": [{"days": 5}, {"days": 14}]}
    moved = compare(before, run(company(records.retainer(), dunning=later), days=40, assumptions=NEVER))
    (only,) = moved.differences
    assert (only.act, only.changes) == ("reminder-1", (Change.MOVED,))
    assert only.after and f"{only.after.at:%m-%d %H:%M}" == "01-26 08:00"  # the 24th is a Saturday


def test_added_and_gone() -> None:
    """A new agreement adds its invoices; one that ends takes them away."""
    one, two = records.retainer(end=date(2026, 1, 31)), records.retainer(id="more", amount="10.00")
    compared = compare(run(company(one), days=20), run(company(two), days=20))
    assert compared.invoices == {"care/fee/2026-01-01": Change.GONE, "more/fee/2026-01-01": Change.ADDED}
    assert compared.issued == {"EUR": Decimal("-1178.10")}  # 11.90 instead of 1,190.00


def test_look_alikes_are_held() -> None:
    """Two agreements that bill the same client the same for the same time: the second one is held."""
    twin = records.retainer(id="twin", end=date(2026, 1, 31))
    simulation = run(company(ONCE, twin), days=2)
    held = [each.billing_key for each in simulation.steps if each.act == "held"]
    assert held == ["twin/fee/2026-01-01"]
