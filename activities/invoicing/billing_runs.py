"""Billing runs: over all agreements in batches, resumed where they were, no faster than invoices are assembled."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session
from temporalio import activity

from activities.invoicing import calendar_billing, metering
from activities.invoicing.live_source import noted
from activities.ledger import (
    billing_run_records,
    client_credit,
    company_exceptions,
    company_records,
    deliveries,
    events,
    giving_up,
    outbox,
    taken,
    triggers,
    unmatched_payments,
)
from activities.ledger.billing_run_records import Outcome, RunItem
from activities.ledger.company_records import CompanyVersion
from activities.ledger.database import Ledger
from activities.ledger.tables import BillingRunRow
from billing.agreements import Agreement
from billing.errors import BillowError
from billing.exceptions import Finding, ReasonCode
from billing.taken import NOTHING
from workflows.activity_interfaces import BillingRuns
from workflows.identifiers import BILLING_RUN_SCHEDULE
from workflows.messages import BillingRunOrder, BillingRunProgress

_log = logging.getLogger("billow.billing_run")

BATCH = 250
"""Agreements one activity looks at: each activity is an Action, and what a worker's death can cost."""

SLICE = 25
"""Agreements of one transaction: what they ask for and how far the run is stand in the ledger together."""

LONGEST_WAIT = timedelta(minutes=10)
"""How long a batch waits for invoices to be assembled before it says so and the next one waits on."""

BEAT_EVERY = 4.0
"""Seconds between two heartbeats of what cannot give them itself."""

OUTBOX_KEPT = timedelta(days=14)
"""How long what was carried stays in the outbox, for whoever looks for a lost message."""

METER_UNREAD = "meter-unread"
"""Code of what a run says of a meter whose PSA cannot be read; one exception tells of all of them."""

STOPPED = f"schedule/{BILLING_RUN_SCHEDULE}"
"""Subject of the exception about billing runs that are not started any more; a run that finishes ends it."""


class Pulse:
    """What a run has to do with who runs it; this one runs on its own, waits for nobody and is never stopped."""

    throttled = False

    def beat(self) -> None:
        """Says that the run is alive."""

    def pause(self, seconds: float) -> None:
        """Lets time pass."""

    def stopping(self) -> bool:
        """Whether it should come to an end soon."""
        return False

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Says by itself that the run is alive, while something lasts that cannot say so."""
        yield


class ActivityPulse(Pulse):
    """A run in an activity: Temporal hears its heartbeats, and a worker that stops ends the batch early."""

    throttled = True

    def beat(self) -> None:
        activity.heartbeat()

    def pause(self, seconds: float) -> None:
        activity.wait_for_worker_shutdown_sync(seconds)
        activity.heartbeat()

    def stopping(self) -> bool:
        return activity.is_worker_shutdown()

    @contextmanager
    def beating(self) -> Iterator[None]:
        done, context = threading.Event(), copy_context()

        def beat() -> None:
            while not done.wait(BEAT_EVERY):
                context.run(activity.heartbeat)

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


class LedgerBillingRuns(BillingRuns):
    """Billing runs over the agreements that are applied now."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name="bill-batch")
    def bill_batch(self, order: BillingRunOrder) -> BillingRunProgress:
        return run_batch(self._ledger, order, ActivityPulse())

    @activity.defn(name="bill-due-periods")
    def bill_due_periods(self, order: BillingRunOrder) -> BillingRunProgress:
        pulse = ActivityPulse()
        while not (progress := run_batch(self._ledger, order, pulse)).finished:
            pulse.beat()
        return progress


def run(ledger: Ledger, name: str, as_of: datetime) -> BillingRunProgress:
    """A whole billing run, outside Temporal and as fast as it goes."""
    order = BillingRunOrder(run=name, as_of=as_of)
    while not (progress := run_batch(ledger, order)).finished:
        pass
    return progress


def run_batch(ledger: Ledger, order: BillingRunOrder, pulse: Pulse | None = None) -> BillingRunProgress:
    """Goes on with a run for at most `BATCH` agreements, in the order of their ids; finishes it after the last.

    Where the run is stands in the ledger, with what was asked for on the way: a batch that is killed goes on where it
    was, and of two that run at once one gives way. Raises `Refused` if the name was another run's, `NotFound` if
    there is no company yet, or no agreement of a name that was given.
    """
    pulse = pulse or Pulse()
    with ledger.transaction() as tx:
        version = company_records.current(tx)
        row = billing_run_records.begin(tx, order.run, order.as_of, order.requested_by)
        agreements = _agreements(version, order, fresh=row.last_agreement is None)
        row.agreements = len(agreements)
    if row.finished_at is not None:
        return _progress(row)
    if row.last_agreement is None:
        _prepare(ledger, version, order, pulse)
    if not _Batch(ledger, order, version, pulse).bill(agreements, row.last_agreement):
        with ledger.transaction() as tx:
            return _progress(billing_run_records.locked(tx, order.run))
    return _finish(ledger, order, version)


def _agreements(version: CompanyVersion, order: BillingRunOrder, *, fresh: bool) -> list[Agreement]:
    """Those to look at, by id, so that a position is one whatever is applied meanwhile."""
    if fresh:
        for name in order.agreements:
            triggers.agreement_of(version.company, name)
    everything = not order.agreements and not order.clients
    wanted, clients = frozenset(order.agreements), frozenset(order.clients)
    return sorted(
        (
            each
            for each in version.company.agreements
            if everything or each.id in wanted or each.client in clients
        ),
        key=lambda each: each.id,
    )


def _by_meters(ledger: Ledger, as_of: datetime) -> list[RunItem]:
    """Takes in hours and progress: the invoices of lines that were crossed, and meters that could not be read."""
    taken_in = metering.take_in(ledger, as_of)
    asked = [
        RunItem(
            billing_key=each.billing_key,
            agreement=each.agreement,
            outcome=Outcome.TRIGGERED,
            because=f"{each.line.name} reached",
        )
        for each in taken_in.crossings
        if each.new and each.billing_key
    ]
    unread = [
        RunItem(
            billing_key=agreement,
            agreement=agreement,
            outcome=Outcome.HELD,
            code=METER_UNREAD,
            because=f"its meter stands where it stood before: {why}",
        )
        for agreement, why in taken_in.unread.items()
    ]
    return [*asked, *unread]


def _by_events(ledger: Ledger, as_of: datetime) -> list[RunItem]:
    """Acts on the events that wait; they say themselves what came of them."""
    events.act_on_waiting(ledger, as_of)
    return []


def _prepare(ledger: Ledger, version: CompanyVersion, order: BillingRunOrder, pulse: Pulse) -> None:
    """Takes in what makes more things due, before anything is looked at."""
    as_of = order.as_of
    preparations: tuple[tuple[str, Callable[[Ledger, datetime], list[RunItem]]], ...] = (
        ("hours and progress", _by_meters),
        ("events", _by_events),
    )
    for what, prepare in preparations:
        finding, items = None, list[RunItem]()
        try:
            with pulse.beating():
                items = prepare(ledger, as_of)
        except BillowError as error:
            _log.warning("billing run: %s not taken in: %s", what, error)
            finding = Finding(code=ReasonCode.STEP_FAILED, message=f"{what} cannot be taken in: {error}")
        with ledger.transaction() as tx:
            if items:
                billing_run_records.note(tx, billing_run_records.locked(tx, order.run), items)
            if finding is None:
                company_exceptions.close_repaired(tx, [f"billing-run/{what}"], at=as_of)
            else:
                company_exceptions.raise_one(tx, f"billing-run/{what}", finding, version.company, at=as_of)


@dataclass(frozen=True)
class _Batch:
    """The next agreements of a run."""

    ledger: Ledger
    order: BillingRunOrder
    version: CompanyVersion
    pulse: Pulse

    def bill(self, agreements: Sequence[Agreement], last: str | None) -> bool:
        """Bills at most `BATCH` of those after the agreement `last`; True if none is left after that."""
        left = [each for each in agreements if last is None or each.id > last]
        for start in range(0, min(BATCH, len(left)), SLICE):
            if self.pulse.stopping() or not self._room():
                return False
            slice_ = left[start : start + SLICE]
            with self.pulse.beating():  # years may be due of each
                moved = self._slice(slice_, last, len(agreements))
            if not moved:
                return False
            last = slice_[-1].id
            self.pulse.beat()
        return len(left) <= BATCH

    def _room(self) -> bool:
        """Waits until fewer invoices wait to be assembled than the company lets wait; False if it takes too long.

        So what people and payments wake meanwhile is not kept waiting by thousands of new invoices.
        """
        most, waited, pause = self.version.company.billing_runs.most_waiting, 0.0, 0.1
        while self.pulse.throttled:
            with self.ledger.transaction() as tx:
                waiting = billing_run_records.not_assembled(tx)
                if waiting < most:
                    break
                are = "invoice is" if waiting == 1 else "invoices are"
                billing_run_records.wait(tx, self.order.run, f"{waiting:,} {are} still to be assembled")
            if self.pulse.stopping() or waited >= LONGEST_WAIT.total_seconds():
                return False
            self.pulse.pause(pause)
            waited, pause = waited + pause, min(pause * 1.5, 5.0)
        return True

    def _slice(self, agreements: Sequence[Agreement], last: str | None, total: int) -> bool:
        """Looks at a few agreements in one transaction; False if the run is not where it was: another is at it."""
        with self.ledger.transaction() as tx:
            row = billing_run_records.locked(tx, self.order.run)
            if row.finished_at is not None or row.last_agreement != last:
                return False
            billed = taken.of_agreements(tx, [each.id for each in agreements])
            items, passed = [], []
            for agreement in agreements:
                found = calendar_billing.bill(
                    *(tx, self.version, agreement, billed.get(agreement.id, NOTHING), self.order.as_of),
                    note=noted(self.ledger, self.version.company, self.order.as_of),
                )
                items += found
                if all(each.outcome == Outcome.TRIGGERED for each in found):
                    passed.append(calendar_billing.subject(agreement.id))
            company_exceptions.close_repaired(tx, passed, at=self.order.as_of)
            billing_run_records.move(
                tx, row, looked_at=len(agreements), last=agreements[-1].id, agreements=total, items=items
            )
        return True


def _finish(ledger: Ledger, order: BillingRunOrder, version: CompanyVersion) -> BillingRunProgress:
    """Ends the run, and looks after what has no workflow that would: payments and exceptions without an invoice."""
    with ledger.transaction() as tx:
        row = billing_run_records.locked(tx, order.run)
        if row.finished_at is None:
            _attend(tx, row, version, order.as_of)
            billing_run_records.finish(tx, row)
    _log.info(
        "billing run %s: %d of %d agreements, %d invoices asked for, %d of them caught up, %d held",
        *(row.run, row.looked_at, row.agreements, row.triggered, row.caught_up, row.held),
    )
    return _progress(row)


def _attend(tx: Session, row: BillingRunRow, version: CompanyVersion, as_of: datetime) -> None:
    gone = [STOPPED]
    if not billing_run_records.was_held_for(tx, row.run, ReasonCode.SOURCE_UNREADABLE):
        gone.append(calendar_billing.SOURCES)
    company_exceptions.close_repaired(tx, gone, at=as_of)
    unmatched_payments.attend(tx, version.company, at=as_of)
    giving_up.attend(tx, version.company, at=as_of)
    client_credit.attend(tx, at=as_of)
    company_exceptions.attend(tx, version.company, at=as_of)
    outbox.prune(tx, as_of - OUTBOX_KEPT)
    deliveries.forget(tx, as_of - timedelta(days=version.company.deliveries.keep_days))
    billing_run_records.prune(tx, as_of - billing_run_records.KEPT)


def _progress(row: BillingRunRow) -> BillingRunProgress:
    return BillingRunProgress(
        agreements=row.agreements,
        looked_at=row.looked_at,
        triggered=row.triggered,
        caught_up=row.caught_up,
        held=row.held,
        waits_for=row.waits_for,
        finished=row.finished_at is not None,
    )
