"""Billing runs in the ledger: how far each is, and what it did about every occasion it met."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, computed_field
from sqlalchemy import ColumnElement, and_, case, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from activities.ledger.tables import BillingRunItemRow, BillingRunRow, InvoiceRow
from billing.errors import NotFound, Refused

STANDS_STILL_AFTER = timedelta(minutes=10)
"""A run that has not moved for that long has nobody who works on it, or waits for servers that are away."""

KEPT = timedelta(days=90)
"""How long a run that asked for no invoice is kept; what one triggered is told by it for good."""


class Outcome(StrEnum):
    """What a run did about an occasion."""

    TRIGGERED = "triggered"
    HELD = "held"


class RunItem(BaseModel):
    """An occasion a run met: its invoice asked for, or held, by which reason code and why.

    `due_since` is a day of the client's zone; what a meter made due has none.
    """

    model_config = ConfigDict(frozen=True)

    billing_key: str
    agreement: str
    outcome: Outcome
    code: str = ""
    because: str = ""
    due_since: date | None = None
    caught_up: bool = False


class RunView(BaseModel):
    """A billing run as people see it; instants are UTC."""

    model_config = ConfigDict(frozen=True)

    run: str
    as_of: datetime
    requested_by: str
    started_at: datetime | None
    moved_at: datetime | None
    finished_at: datetime | None
    agreements: int
    looked_at: int
    triggered: int
    caught_up: int
    held: int
    waits_for: str
    state: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def percent(self) -> int:
        """Of the agreements, how many have been looked at, rounded down; 100 only once it is finished."""
        if self.finished_at:
            return 100
        return min(100 * self.looked_at // self.agreements, 99) if self.agreements else 0


def begin(tx: Session, run: str, as_of: datetime, requested_by: str) -> BillingRunRow:
    """The run of that name, locked; begun now if it is new. `Refused` if the name was another run's."""
    values = {"run": run, "as_of": as_of, "requested_by": requested_by, "started_at": func.now()}
    tx.execute(
        insert(BillingRunRow)
        .values(**values, moved_at=func.now(), looked_at=0, triggered=0)
        .on_conflict_do_nothing()
    )
    row = locked(tx, run)
    if row.as_of != as_of:
        raise Refused(
            f"there was a billing run {run!r} already, as of {row.as_of:%Y-%m-%d %H:%M} UTC; "
            "start this one under another workflow id, or with `billow run`"
        )
    return row


def locked(tx: Session, run: str) -> BillingRunRow:
    """The run of that name, locked: whoever holds it alone moves it on."""
    return tx.get_one(BillingRunRow, run, with_for_update=True)


def move(
    tx: Session, row: BillingRunRow, *, looked_at: int, last: str, agreements: int, items: Iterable[RunItem]
) -> None:
    """Notes that the run has come to the agreement `last`, and what it did on the way."""
    note(tx, row, items)
    row.looked_at += looked_at
    row.agreements, row.last_agreement, row.waits_for = agreements, last, ""


def note(tx: Session, row: BillingRunRow, items: Iterable[RunItem]) -> None:
    """Notes what the run did without going on: of the run, locked."""
    found = list(items)
    if found:
        tx.execute(
            insert(BillingRunItemRow)
            .values(
                [
                    {"run": row.run, **each.model_dump(exclude={"caught_up"}), "outcome": str(each.outcome)}
                    for each in found
                ]
            )
            .on_conflict_do_nothing()
        )
    row.triggered += sum(each.outcome is Outcome.TRIGGERED for each in found)
    row.caught_up += sum(each.outcome is Outcome.TRIGGERED and each.caught_up for each in found)
    row.held += sum(each.outcome is Outcome.HELD for each in found)
    row.moved_at = func.now()


def wait(tx: Session, run: str, for_what: str) -> None:
    """Notes what the run waits for."""
    row = locked(tx, run)
    row.waits_for, row.moved_at = for_what, func.now()


def not_assembled(tx: Session) -> int:
    """How many invoices have been asked for and nobody has looked at yet, whether their workflows run or not."""
    fresh = (InvoiceRow.draft.is_(None), InvoiceRow.next_at.is_(None), InvoiceRow.closed_at.is_(None))
    return tx.scalar(select(func.count()).select_from(InvoiceRow).where(*fresh)) or 0


def finish(tx: Session, row: BillingRunRow) -> None:
    """Notes that the run has looked at everything."""
    row.finished_at = row.moved_at = func.now()
    row.waits_for = ""
    tx.flush()
    tx.refresh(row)


def prune(tx: Session, before: datetime) -> None:
    """Forgets runs that began before an instant and asked for no invoice."""
    gone = select(BillingRunRow.run).where(BillingRunRow.as_of < before, BillingRunRow.triggered == 0)
    tx.execute(delete(BillingRunItemRow).where(BillingRunItemRow.run.in_(gone)))
    tx.execute(delete(BillingRunRow).where(BillingRunRow.as_of < before, BillingRunRow.triggered == 0))


def was_held_for(tx: Session, run: str, code: str) -> bool:
    """Whether the run held anything for that reason."""
    held = select(BillingRunItemRow.run).where(BillingRunItemRow.run == run, BillingRunItemRow.code == code)
    return tx.scalar(held.limit(1)) is not None


def last_moved(tx: Session) -> datetime | None:
    """When a billing run was last seen to begin, go on or finish."""
    return tx.scalar(select(func.max(BillingRunRow.moved_at)))


def runs(tx: Session, limit: int, *, with_work: bool = False, after: str | None = None) -> list[RunView]:
    """The newest runs first, from the one behind `after` on; `with_work` leaves out those that found nothing to do."""
    query = (
        select(BillingRunRow, _state()).order_by(BillingRunRow.as_of.desc(), BillingRunRow.run).limit(limit)
    )
    if with_work:
        worked = (BillingRunRow.triggered > 0) | (BillingRunRow.held > 0)
        query = query.where(worked | BillingRunRow.finished_at.is_(None))
    if after is not None:
        reached = select(BillingRunRow.as_of).where(BillingRunRow.run == after).scalar_subquery()
        same = (BillingRunRow.as_of == reached) & (BillingRunRow.run > after)
        query = query.where((BillingRunRow.as_of < reached) | same)
    return [_view(row, state) for row, state in tx.execute(query)]


def run_of(tx: Session, run: str) -> RunView:
    """The run of that name. `NotFound` if there is none."""
    found = tx.execute(select(BillingRunRow, _state()).where(BillingRunRow.run == run)).first()
    if found is None:
        raise NotFound(f"there is no billing run {run!r}; `billow runs` lists those there are")
    return _view(*found)


def find_run(tx: Session, run: str) -> RunView | None:
    """The run of that name, None if it has not begun."""
    found = tx.execute(select(BillingRunRow, _state()).where(BillingRunRow.run == run)).first()
    return _view(*found) if found else None


def items(
    tx: Session, run: str, outcome: Outcome | None = None, limit: int = 1000, *, after: str | None = None
) -> list[RunItem]:
    """What the run did, held first, then what is caught up, by billing key; from the one behind `after` on."""
    query = (
        select(BillingRunItemRow, BillingRunRow.as_of)
        .join(BillingRunRow, BillingRunRow.run == BillingRunItemRow.run)
        .where(BillingRunItemRow.run == run)
        .order_by(*_ORDER)
        .limit(limit)
    )
    if after is not None:
        last = aliased(BillingRunItemRow)
        reached = select(last.outcome, last.because == "", last.billing_key).where(
            last.run == run, last.billing_key == after
        )
        query = query.where(tuple_(*_ORDER) > reached.scalar_subquery())
    if outcome is not None:
        query = query.where(BillingRunItemRow.outcome == outcome)
    return [
        RunItem(
            billing_key=row.billing_key,
            agreement=row.agreement,
            outcome=Outcome(row.outcome),
            code=row.code,
            because=row.because,
            due_since=row.due_since,
            caught_up=row.outcome == Outcome.TRIGGERED and bool(row.because and row.due_since),
        )
        for row, _ in tx.execute(query)
    ]


_ORDER = (BillingRunItemRow.outcome, BillingRunItemRow.because == "", BillingRunItemRow.billing_key)


def oldest_caught_up(tx: Session, run: str) -> date | None:
    """Since when the oldest of what the run caught up was due."""
    return tx.scalar(
        select(func.min(BillingRunItemRow.due_since)).where(
            BillingRunItemRow.run == run,
            BillingRunItemRow.outcome == Outcome.TRIGGERED,
            BillingRunItemRow.because != "",
        )
    )


def _state() -> ColumnElement[str]:
    """By the clock of the database, as `moved_at` is."""
    return case(
        (BillingRunRow.finished_at.is_not(None), "finished"),
        (
            and_(
                BillingRunRow.moved_at.is_not(None),
                BillingRunRow.moved_at < func.now() - STANDS_STILL_AFTER,
            ),
            "stands still",
        ),
        (BillingRunRow.waits_for != "", "waits"),
        else_="runs",
    )


def _view(row: BillingRunRow, state: str) -> RunView:
    return RunView.model_validate({**vars(row), "state": state})
