"""Billing runs against a real ledger, without Temporal: what they ask for, hold, catch up, and how they resume."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from activities.invoicing import billing_runs
from activities.invoicing.billing_runs import BATCH, SLICE, Pulse, run, run_batch
from activities.ledger import audit_trail, billing_run_records, events, invoices, triggers
from activities.ledger.billing_run_records import Outcome, RunItem
from activities.ledger.database import Ledger
from activities.ledger.invoices import Requested
from activities.ledger.tables import (
    AuditEventRow,
    BillingRunItemRow,
    BillingRunRow,
    ExceptionRow,
    InvoiceRow,
    MessageRow,
    OutboxRow,
)
from billing.agreements import Occasion
from billing.errors import NotFound, Refused
from billing.events import BillingEvent
from tests.activities.ledger.conftest import at_once, during
from tests.company import TestCompany, client, crm_client, retainer
from workflows.messages import BillingRunOrder, BillingRunProgress

NOON = datetime(2026, 11, 20, 11, tzinfo=UTC)
"""A Friday, noon in Berlin."""


def order(run: str = "run", as_of: datetime = NOON, **changes: Any) -> BillingRunOrder:
    return BillingRunOrder(run=run, as_of=as_of, **changes)


def keys(ledger: Ledger) -> list[str]:
    """The billing keys of all invoices, a key as often as it was billed."""
    with ledger.transaction() as tx:
        return list(tx.scalars(select(InvoiceRow.billing_key).order_by(InvoiceRow.billing_key)))


def items(ledger: Ledger, run: str, outcome: Outcome | None = None) -> list[RunItem]:
    with ledger.transaction() as tx:
        return billing_run_records.items(tx, run, outcome)


def exceptions(ledger: Ledger) -> list[ExceptionRow]:
    """Every exception there ever was, oldest first."""
    with ledger.transaction() as tx:
        return list(tx.scalars(select(ExceptionRow).order_by(ExceptionRow.id)))


def many(company: TestCompany, count: int, **changes: Any) -> None:
    """So many retainers of 10 EUR, each with one period due."""
    company.agreements = [
        retainer(f"care-{n:04d}", "acme", "10.00", start=date(2026, 11, 1), **changes) for n in range(count)
    ]


def test_two_months_of_downtime(ledger: Ledger, company: TestCompany) -> None:
    """After two months without a run both missed periods are billed, once each, and it is said in every place."""
    company.agreements = [retainer("care", "acme", "100.00", start=date(2026, 9, 1))]
    company.apply(ledger)
    september = datetime(2026, 9, 1, 8, tzinfo=UTC)
    assert run(ledger, "september", september) == BillingRunProgress(
        agreements=1, looked_at=1, triggered=1, finished=True
    )
    late = run(ledger, "november", datetime(2026, 11, 15, 8, tzinfo=UTC))
    assert (late.triggered, late.caught_up, late.held) == (2, 2, 0)
    assert keys(ledger) == [f"care/fee/2026-{month}-01" for month in ("09", "10", "11")]
    told = [(each.billing_key, each.because, each.due_since) for each in items(ledger, "november")]
    assert told == [
        ("care/fee/2026-10-01", "caught up: due since 2026-10-01", date(2026, 10, 1)),
        ("care/fee/2026-11-01", "caught up: due since 2026-11-01", date(2026, 11, 1)),
    ]
    with ledger.transaction() as tx:
        (triggered,) = audit_trail.trail(tx, invoices.find(tx, "care/fee/2026-10-01").id)
        assert triggered.facts["reason"] == "caught up: due since 2026-10-01"
        assert billing_run_records.oldest_caught_up(tx, "november") == date(2026, 10, 1)
    assert run(ledger, "again", datetime(2026, 11, 15, 9, tzinfo=UTC)).triggered == 0


@pytest.mark.parametrize(
    ("due", "seen", "caught_up"),
    [
        (date(2026, 11, 20), "on the day", 0),
        (date(2026, 11, 18), "two days late, over a weekend of maintenance", 0),
        (date(2026, 11, 17), "three days late", 1),
    ],
)
def test_what_counts_as_caught_up(
    ledger: Ledger, company: TestCompany, due: date, seen: str, caught_up: int
) -> None:
    """A run looks at least daily: what has been due for more than two days was missed."""
    company.agreements = [retainer("care", "acme", "100.00", start=due)]
    company.apply(ledger)
    assert run(ledger, "run", NOON).caught_up == caught_up


CADENCES = [
    retainer("by-31st", "acme", "10.00", start=date(2026, 1, 31)),
    retainer("by-quarter", "acme", "10.00", start=date(2026, 1, 15), every="quarter"),
    retainer("by-90-days", "acme", "10.00", start=date(2026, 1, 1), every="90 days"),
    retainer(
        "in-arrears", "acme", "10.00", start=date(2026, 2, 1), timing="in arrears", end=date(2026, 5, 17)
    ),
]
"""Agreements of which several periods fall due between January and July."""

FIRST, LAST = date(2026, 1, 1), date(2026, 7, 31)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, (LAST - FIRST).days - 1), max_size=6))
def test_keys_do_not_depend_on_when_runs_happen(ledger: Ledger, company: TestCompany, days: set[int]) -> None:
    """Whatever days the runs happen on, an outage of any length between them: the same keys, each once."""
    company.agreements = CADENCES
    company.apply(ledger)
    forget(ledger)
    for day in [*sorted(days), (LAST - FIRST).days]:
        at = datetime(2026, 1, 1, 11, tzinfo=UTC) + timedelta(days=day)
        run(ledger, f"day {day}", at)
    assert keys(ledger) == sorted(
        [
            *(
                f"by-31st/fee/2026-{day}"
                for day in ("01-31", "02-28", "03-31", "04-30", "05-31", "06-30", "07-31")
            ),
            *(f"by-quarter/fee/2026-{day}" for day in ("01-15", "04-15", "07-15")),
            *(f"by-90-days/fee/2026-{day}" for day in ("01-01", "04-01", "06-30")),
            *(f"in-arrears/fee/2026-{day}" for day in ("02-01", "03-01", "04-01", "05-01")),
        ]
    )


def forget(ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for table in (OutboxRow, AuditEventRow, BillingRunItemRow, BillingRunRow, MessageRow, InvoiceRow):
            tx.execute(delete(table))


@dataclass(frozen=True)
class Hold:
    """What is wrong with an agreement of two due periods of 100 EUR, and how it is held."""

    name: str
    change: Callable[[TestCompany], None]
    code: str
    says: str
    repair: Callable[[TestCompany], None]
    subject: str = "agreement/care"
    at_stake: Decimal | None = Decimal("200.00")


def _inactive(company: TestCompany) -> None:
    company.crm = [crm_client("C-1", "Acme GmbH", active=False)]


def _active(company: TestCompany) -> None:
    company.crm = [crm_client("C-1", "Acme GmbH")]


def _gone(company: TestCompany) -> None:
    company.crm = []


def _unreadable(company: TestCompany) -> None:
    (company.folder / "data/crm/clients.yaml").write_text("- id: [")


def _unsigned(company: TestCompany) -> None:
    company.agreements[0]["contract"] = "K-1"


def _signed(company: TestCompany) -> None:
    company.contracts = [
        {"id": "K-1", "client": "C-1", "value": "100.00", "currency": "EUR", "signed_on": date(2026, 9, 1)}
    ]


HOLDS = [
    Hold("client not active", _inactive, "client-inactive", "is not active in the CRM", _active),
    Hold("client not in the CRM", _gone, "client-unknown", "the CRM has no company 'C-1'", _active),
    Hold("contract not signed", _unsigned, "not-signed", "there is no signed contract 'K-1'", _signed),
    Hold(
        "CRM that cannot be read",
        _unreadable,
        "source-unreadable",
        "clients.yaml cannot be used",
        _active,
        subject="billing-run/sources",
        at_stake=None,
    ),
]


@pytest.mark.parametrize("hold", HOLDS, ids=lambda hold: hold.name)
def test_held(ledger: Ledger, company: TestCompany, hold: Hold) -> None:
    """What may not be billed is held with its reason and what is at stake, told once, and billed once repaired."""
    company.agreements = [retainer("care", "acme", "100.00", start=date(2026, 10, 1))]
    company.apply(ledger)
    hold.change(company)
    if hold.change is not _unreadable:  # which apply would write anew
        company.apply(ledger)
    for number, hours in ((1, 0), (2, 1)):
        done = run(ledger, f"run {number}", NOON + timedelta(hours=hours))
        assert (done.finished, done.triggered, done.held) == (True, 0, 2)
        held = items(ledger, f"run {number}")
        assert [each.billing_key for each in held] == ["care/fee/2026-10-01", "care/fee/2026-11-01"]
        assert {each.code for each in held} == {hold.code}
        assert all(hold.says in each.because for each in held)
    (raised,) = exceptions(ledger)
    assert (raised.subject, raised.code, raised.at_stake) == (hold.subject, hold.code, hold.at_stake)
    assert raised.resolved_at is None and keys(ledger) == []
    hold.repair(company)
    company.apply(ledger)
    assert run(ledger, "repaired", NOON + timedelta(hours=2)).triggered == 2
    (raised,) = exceptions(ledger)
    assert raised.resolution == "repaired"
    assert keys(ledger) == ["care/fee/2026-10-01", "care/fee/2026-11-01"]


def test_at_stake_with_a_discount(ledger: Ledger, company: TestCompany) -> None:
    """At stake is what the invoices would come to: 100.10 less 12.5 %, rounded as the line is, is 87.59, twice."""
    company.agreements = [retainer("care", "acme", "100.10", start=date(2026, 10, 1), discount="12.5")]
    _inactive(company)
    company.apply(ledger)
    run(ledger, "run", NOON)
    assert [each.at_stake for each in exceptions(ledger)] == [Decimal("175.18")]


def test_one_held_keeps_no_other_back(ledger: Ledger, company: TestCompany) -> None:
    """Agreements of other clients are billed, in whatever order they stand."""
    company.clients = [client("acme", "C-1"), client("gone", "C-2")]
    company.crm = [crm_client("C-1", "Acme GmbH"), crm_client("C-2", "Gone GmbH", active=False)]
    company.agreements = [
        retainer(name, whose, "10.00", start=date(2026, 11, 1))
        for name, whose in (("c", "acme"), ("b", "gone"), ("a", "acme"), ("d", "nobody"))
    ]
    company.apply(ledger)
    done = run(ledger, "run", NOON)
    assert (done.looked_at, done.triggered, done.held) == (4, 2, 2)
    assert keys(ledger) == ["a/fee/2026-11-01", "c/fee/2026-11-01"]
    assert {each.subject for each in exceptions(ledger)} == {"agreement/b", "agreement/d"}


def test_an_unreadable_source_is_told_once_for_all(ledger: Ledger, company: TestCompany) -> None:
    """A CRM that cannot be read holds every agreement and ends no run; one exception tells of it, not sixty."""
    many(company, 60)
    company.apply(ledger)
    _unreadable(company)
    done = run(ledger, "run", NOON)
    assert (done.finished, done.held, done.triggered) == (True, 60, 0)
    assert [each.subject for each in exceptions(ledger)] == ["billing-run/sources"]


@pytest.mark.parametrize("statement", ["select 1 / 0", "select repeat('x', 5)::int", None])
def test_an_agreement_nobody_can_make_sense_of(
    ledger: Ledger, company: TestCompany, monkeypatch: pytest.MonkeyPatch, statement: str | None
) -> None:
    """Whatever one agreement makes fail, here or in the database, it is held and told, and the others are billed."""
    many(company, 3)
    company.apply(ledger)
    by_occasion = triggers.by_occasion

    def failing(tx: Session, occasion: Occasion, *rest: Any, **more: Any) -> Requested:
        if occasion.agreement == "care-0001":
            by_occasion(tx, occasion, *rest, **more)
            if statement is None:
                raise ValueError("it makes no sense")
            tx.execute(text(statement))
        return by_occasion(tx, occasion, *rest, **more)

    monkeypatch.setattr(triggers, "by_occasion", failing)
    done = run(ledger, "run", NOON)
    assert (done.looked_at, done.triggered, done.held, done.finished) == (3, 2, 1, True)
    assert keys(ledger) == ["care-0000/fee/2026-11-01", "care-0002/fee/2026-11-01"]
    (raised,) = exceptions(ledger)
    assert (raised.subject, raised.code) == ("agreement/care-0001", "step-failed")
    assert "\n" not in raised.finding["message"]
    monkeypatch.undo()
    assert run(ledger, "repaired", NOON + timedelta(hours=1)).triggered == 1
    assert exceptions(ledger)[0].resolution == "repaired"


class Killed(Exception):
    """The worker dies."""


class Dying(Pulse):
    """Dies at the so-and-so-many-eth beat."""

    def __init__(self, beats: int) -> None:
        self.beats = beats

    def beat(self) -> None:
        self.beats -= 1
        if not self.beats:
            raise Killed


@pytest.mark.parametrize("beats", [1, 2, 4])
def test_killed_and_resumed(ledger: Ledger, company: TestCompany, beats: int) -> None:
    """A batch that dies anywhere is resumed where it was: nothing twice, nothing left out, nothing counted twice."""
    many(company, 110)
    company.apply(ledger)
    with pytest.raises(Killed):
        run_batch(ledger, order(), Dying(beats))
    with ledger.transaction() as tx:
        view = billing_run_records.run_of(tx, "run")
    assert view.looked_at == view.triggered == beats * SLICE and view.state == "runs"
    done = run_batch(ledger, order())
    assert (done.looked_at, done.triggered, done.finished) == (110, 110, True)
    assert len(keys(ledger)) == len(set(keys(ledger))) == len(items(ledger, "run")) == 110
    assert run_batch(ledger, order()) == done, "a retry of what is finished changes nothing"


def test_batches(ledger: Ledger, company: TestCompany) -> None:
    """A run of more agreements than a batch takes comes to its end batch by batch; progress never goes back."""
    many(company, BATCH + SLICE + 1, end=date(2026, 10, 31))
    company.agreements[-1].pop("end")
    for each in company.agreements:
        each["start"] = date(2026, 10, 1) if "end" in each else date(2026, 11, 1)
        each["trigger"] = "manual" if "end" in each else "time"
    company.apply(ledger)
    first, second = run_batch(ledger, order()), run_batch(ledger, order())
    assert (first.looked_at, first.percent, first.finished) == (BATCH, 100 * BATCH // 276, False)
    assert (second.looked_at, second.percent, second.finished) == (BATCH + SLICE + 1, 100, True)
    assert (first.triggered, second.triggered) == (0, 1)


def test_at_once(ledger: Ledger, company: TestCompany) -> None:
    """Two runs and two attempts at each, all at once: each invoice once, and every run adds up."""
    many(company, 60)
    company.apply(ledger)

    def attempt(number: int) -> BillingRunProgress:
        wanted = order(f"run {number % 2}")
        while not (progress := run_batch(ledger, wanted)).finished:
            pass
        return progress

    done = at_once(4, attempt)
    assert all(isinstance(each, BillingRunProgress) and each.looked_at == 60 for each in done), done
    assert len(keys(ledger)) == len(set(keys(ledger))) == 60
    with ledger.transaction() as tx:
        assert sum(each.triggered for each in billing_run_records.runs(tx, 10)) == 60


class Assembling(Pulse):
    """Has ten invoices assembled at each pause, and remembers how many waited at most."""

    throttled = True

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.most, self.pauses = ledger, 0, 0
        self.told: set[str] = set()

    def beat(self) -> None:
        with self.ledger.transaction() as tx:
            self.most = max(self.most, billing_run_records.not_assembled(tx))

    def pause(self, seconds: float) -> None:
        self.pauses += 1
        with self.ledger.transaction() as tx:
            self.told.add(billing_run_records.run_of(tx, "run").waits_for)
            oldest = (
                select(InvoiceRow.id).where(InvoiceRow.next_at.is_(None)).order_by(InvoiceRow.id).limit(10)
            )
            tx.execute(update(InvoiceRow).where(InvoiceRow.id.in_(oldest)).values(next_at=NOON))


def test_throttled(ledger: Ledger, company: TestCompany) -> None:
    """It asks for no more while as many invoices as the company allows wait to be assembled, and says so."""
    company.company_file = {"billing_runs": {"most_waiting": 30}}
    many(company, 150)
    company.apply(ledger)
    pulse = Assembling(ledger)
    assert run_batch(ledger, order(), pulse).triggered == 150
    assert 30 <= pulse.most < 30 + SLICE
    assert pulse.pauses >= 8 and "50 invoices are still to be assembled" in pulse.told


class Idle(Pulse):
    throttled = True


def test_throttled_for_long(ledger: Ledger, company: TestCompany) -> None:
    """Nobody assembles invoices: the batch does not wait for ever, but ends, says why, and the next waits on."""
    company.company_file = {"billing_runs": {"most_waiting": 1}}
    many(company, 60)
    company.apply(ledger)
    for _ in range(2):
        waiting = run_batch(ledger, order(), Idle())
        assert (waiting.looked_at, waiting.finished) == (SLICE, False)
        assert waiting.waits_for == "25 invoices are still to be assembled"


class Stopping(Pulse):
    """A worker that is told to stop after the first slice."""

    beats = 0

    def beat(self) -> None:
        self.beats += 1

    def stopping(self) -> bool:
        return self.beats > 0


def test_worker_told_to_stop(ledger: Ledger, company: TestCompany) -> None:
    """A worker that stops ends its batch early with what it has; another goes on."""
    many(company, 60)
    company.apply(ledger)
    assert run_batch(ledger, order(), Stopping()).looked_at == SLICE
    assert run_batch(ledger, order()).looked_at == 60


def test_an_event_nobody_can_make_sense_of(ledger: Ledger, company: TestCompany) -> None:
    """An event about an agreement whose dates lead nowhere is held with its reason; the run goes on and bills."""
    company.agreements = [
        retainer("care", "acme", "10.00", start=date(2026, 11, 1)),
        retainer("slip", "acme", "10.00", start=date(9999, 12, 31), deal="D-1"),
    ]
    company.apply(ledger)
    won = BillingEvent.model_validate(
        {
            "specversion": "1.0",
            "id": "e-1",
            "source": "/crm",
            "type": "billow.deal.won",
            "data": {"deal": "D-1"},
        }
    )
    with ledger.transaction() as tx:
        events.receive(tx, won, channel="webhook", at=NOON)
    assert run(ledger, "run", NOON).triggered == 1
    with ledger.transaction() as tx:
        held = events.find(tx, "/crm", "e-1")
        assert (held.status, held.outcome) == ("held", "year 10000 is out of range")
    assert {each.subject for each in exceptions(ledger)} == {"agreement/slip", "event//crm/e-1"}


class Alive(Pulse):
    """Knows whether somebody gives heartbeats."""

    beats = False

    @contextmanager
    def beating(self) -> Iterator[None]:
        self.beats = True
        yield
        self.beats = False


def test_much_to_catch_up(ledger: Ledger, company: TestCompany) -> None:
    """However many periods a few agreements have missed, the run says all the while that it is alive."""
    company.agreements = [retainer("care", "acme", "10.00", start=date(2026, 10, 1), every="1 day")]
    company.apply(ledger)
    pulse, seen = Alive(), set[bool]()
    during(ledger, "INSERT INTO invoices", lambda: seen.add(pulse.beats))
    assert run_batch(ledger, order(), pulse).triggered == 51
    assert seen == {True}


def test_agreements_that_come_and_go_meanwhile(ledger: Ledger, company: TestCompany) -> None:
    """A company applied in the middle of a run: what is ahead counts at once, what is behind is for the next run."""
    many(company, 60)
    company.apply(ledger)
    run_batch(ledger, order(), Stopping())
    company.agreements = [
        *company.agreements[:50],
        retainer("a-before", "acme", "10.00", start=date(2026, 11, 1)),
        retainer("z-after", "acme", "10.00", start=date(2026, 11, 1)),
    ]
    company.apply(ledger)
    assert run_batch(ledger, order()).triggered == 51
    assert run(ledger, "next", NOON).triggered == 1
    assert "a-before/fee/2026-11-01" in keys(ledger)


def test_only_some(ledger: Ledger, company: TestCompany) -> None:
    """A run may be told to look at some agreements or clients only; one that does not exist is refused."""
    company.clients = [client("acme", "C-1"), client("other", "C-1")]
    company.agreements = [
        retainer(name, whose, "10.00", start=date(2026, 11, 1))
        for name, whose in (("a", "acme"), ("b", "acme"), ("c", "other"))
    ]
    company.apply(ledger)
    assert run_batch(ledger, order(agreements=("b",))).agreements == 1
    assert run_batch(ledger, order("other", clients=("other",))).agreements == 1
    assert keys(ledger) == ["b/fee/2026-11-01", "c/fee/2026-11-01"]
    with pytest.raises(NotFound, match="there is no agreement 'x'"):
        run_batch(ledger, order("wrong", agreements=("x",)))


def test_name_of_another_run(ledger: Ledger, company: TestCompany) -> None:
    """A second run under a name that was used is refused with what to do, and does not pass for finished."""
    company.apply(ledger)
    run(ledger, "run", NOON)
    with pytest.raises(Refused, match="start this one under another workflow id"):
        run(ledger, "run", NOON + timedelta(hours=1))


def test_no_company(ledger: Ledger) -> None:
    """Without a company there is nothing to run over, and it says how to make one."""
    with pytest.raises(NotFound, match="billow apply"):
        run(ledger, "run", NOON)


def test_runs_without_work_are_forgotten(ledger: Ledger, company: TestCompany) -> None:
    """After three months a run that asked for nothing is forgotten; one that did is kept."""
    company.agreements = [retainer("care", "acme", "10.00", start=date(2026, 11, 1))]
    company.apply(ledger)
    run(ledger, "worked", NOON)
    run(ledger, "idle", NOON + timedelta(hours=1))
    _inactive(company)
    company.apply(ledger)
    run(ledger, "later", NOON + timedelta(days=92))
    with ledger.transaction() as tx:
        assert [each.run for each in billing_run_records.runs(tx, 10)] == ["later", "worked"]


def test_stands_still(ledger: Ledger, company: TestCompany) -> None:
    """A run nobody has moved for ten minutes is said to stand still; the listing shows it first."""
    many(company, 60)
    company.apply(ledger)
    run_batch(ledger, order(), Stopping())
    with ledger.transaction() as tx:
        tx.execute(update(BillingRunRow).values(moved_at=func.now() - timedelta(minutes=11)))
    with ledger.transaction() as tx:
        (view,) = billing_run_records.runs(tx, 10, with_work=True)
        assert (view.state, view.percent) == ("stands still", 100 * SLICE // 60)


def test_longest_wait_is_longer_than_a_beat() -> None:
    """The pauses of a batch that waits stay within its heartbeat and its time to run."""
    from workflows.activity_options import BILLING_BATCH

    assert BILLING_BATCH["start_to_close_timeout"] > billing_runs.LONGEST_WAIT
    assert BILLING_BATCH["heartbeat_timeout"] > timedelta(seconds=2 * 5)
