"""Events in the ledger: stored as they come, then acted on, in whatever order and however often they arrive.

To store and to act are two transactions. What was stored and not acted on, for a crash came between, is found by the
outbox within seconds; what is held (its agreement is not there yet) by each billing run, and when a company is applied.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError
from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import company_exceptions, company_records, outbox, triggers
from activities.ledger.database import ITS_OWN_FAULT, Ledger
from activities.ledger.event_occasions import due
from activities.ledger.invoices import Requested
from activities.ledger.tables import EventRow, InvoiceRow
from billing.company import Company
from billing.errors import BillowError, Conflicting, NotFound, WrongState
from billing.events import BillingEvent
from billing.exceptions import Finding, ReasonCode


class EventStatus(StrEnum):
    """What came of an event."""

    WAITING = "waiting"
    ACTED_ON = "acted on"
    NOTHING_DUE = "nothing due"
    HELD = "held"
    SET_ASIDE = "set aside"


UNDONE = (EventStatus.WAITING, EventStatus.HELD)
"""An event like this is looked at again."""


@dataclass(frozen=True)
class Acted:
    """What came of an event, in a word and in a line, and its invoices."""

    status: EventStatus
    outcome: str
    invoices: list[Requested]


def receive(
    tx: Session, event: BillingEvent, *, channel: str, brought_by: str | None = None, at: datetime
) -> bool:
    """Stores an event, to be acted on once this is committed; False if it was received before.

    A person who brings it in has asked for what it bills; else its source has.
    `Conflicting` if an event of that source and id was received that said something else.
    """
    new = tx.scalar(
        insert(EventRow)
        .values(
            source=event.source,
            event=event.id,
            type=event.type,
            received_at=at,
            channel=channel,
            brought_by=brought_by,
            content=event.model_dump(mode="json", exclude_none=True),
            status=EventStatus.WAITING,
            billing_keys=[],
        )
        .on_conflict_do_nothing()
        .returning(EventRow.event)
    )
    if new is not None:
        outbox.write(tx, outbox.EVENT, json.dumps([event.source, event.id]), invoice=None, at=at)
        return True
    earlier = find(tx, event.source, event.id)
    if not BillingEvent.model_validate(earlier.content).says_the_same(event):
        raise Conflicting(
            f"event {event.id!r} of {event.source} was received already and said something else: {earlier.type} "
            f"for {_about(earlier)}; send what is new under an id of its own"
        )
    return False


def _about(row: EventRow) -> str:
    return ", ".join(f"{kind} {name}" for kind, name in row.content["data"].items())


def act(tx: Session, source: str, event_id: str, *, at: datetime) -> Acted:
    """Bills what a stored event makes due, all of it or nothing; one that was acted on changes nothing.

    What cannot be billed is held: the event waits, and an exception says why.
    """
    row = find(tx, source, event_id, lock=True)
    if row.status not in UNDONE:
        return Acted(EventStatus(row.status), row.outcome, _invoices_of(tx, row))
    row.attempts += 1
    company = company_records.current(tx).company
    try:
        with tx.begin_nested():
            event = BillingEvent.model_validate(row.content)
            occasions, nothing = due(tx, event, company, at)
            asked = [
                triggers.by_occasion(
                    tx,
                    each,
                    f"event {event.type}",
                    by=row.brought_by or event.source,
                    channel=row.channel,
                    at=at,
                )
                for each in occasions
            ]
    except (BillowError, ValidationError) as refusal:
        return _hold(tx, row, str(refusal), company, at=at)
    except ITS_OWN_FAULT as error:
        return _hold(tx, row, str(error).partition("\n")[0][:500], company, at=at)
    row.status = EventStatus.ACTED_ON if asked else EventStatus.NOTHING_DUE
    row.billing_keys = [each.billing_key for each in occasions]
    row.outcome, row.acted_at = ", ".join(row.billing_keys) or nothing, at
    company_exceptions.close_repaired(tx, [subject(row)], at=at)
    return Acted(EventStatus(row.status), row.outcome, asked)


def _hold(tx: Session, row: EventRow, why: str, company: Company, *, at: datetime) -> Acted:
    data = row.content.get("data", {})
    agreement = company.agreement(data.get("agreement", ""))
    client = agreement.client if agreement else data.get("client")
    raised = company_exceptions.raise_one(
        tx,
        subject(row),
        Finding(
            code=ReasonCode.EVENT_HELD,
            message=f"{row.type} {row.event} of {row.source} cannot be acted on: {why}",
            field="event",
            left=f"{row.source} {row.event}",
            right=why,
        ),
        company,
        client=client if client and company.client(client) else None,
        at=at,
    )
    status = EventStatus.HELD if raised else EventStatus.SET_ASIDE  # a person has accepted this very reason
    row.status, row.outcome = status, why
    return Acted(status, why, [])


def take_in(
    ledger: Ledger, event: BillingEvent, *, channel: str, brought_by: str | None = None, at: datetime
) -> Acted:
    """Stores an event and acts on it at once. The same event again changes nothing; its invoices are answered."""
    with ledger.transaction() as tx:
        receive(tx, event, channel=channel, brought_by=brought_by, at=at)
    with ledger.transaction() as tx:
        return act(tx, event.source, event.id, at=at)


def act_on_waiting(ledger: Ledger, as_of: datetime) -> int:
    """Acts on every event that was stored and not acted on, or is held; returns how many are so no more."""
    with ledger.transaction() as tx:
        undone = tx.execute(
            select(EventRow.source, EventRow.event)
            .where(EventRow.status.in_(UNDONE))
            .order_by(EventRow.received_at, EventRow.source, EventRow.event)
        ).all()
    done = 0
    for source, event_id in undone:
        with ledger.transaction() as tx:
            done += act(tx, source, event_id, at=as_of).status not in UNDONE
    return done


def retry(tx: Session, source: str, event_id: str, *, at: datetime) -> Acted:
    """Looks again at an event that made nothing due, is held or was set aside. `WrongState` once it was acted on."""
    row = find(tx, source, event_id, lock=True)
    if row.status == EventStatus.ACTED_ON:
        raise WrongState(
            f"event {event_id!r} of {source} was acted on: {row.outcome}; "
            "a person bills once more with `billow trigger`"
        )
    row.status = EventStatus.WAITING
    tx.flush()
    return act(tx, source, event_id, at=at)


def set_aside(row: EventRow, *, reason: str, at: datetime) -> None:
    """The event, locked, needs nothing, a person has decided: it is not looked at again by itself."""
    if row.status in UNDONE:
        row.status, row.outcome, row.acted_at = EventStatus.SET_ASIDE, reason, at


def find(tx: Session, source: str, event_id: str, *, lock: bool = False) -> EventRow:
    """The event of that source and id; `NotFound` otherwise."""
    row = tx.get(EventRow, (source, event_id), with_for_update=lock, populate_existing=lock)
    if row is None:
        raise NotFound(f"there is no event {event_id!r} of {source!r}; `billow events` lists those there are")
    return row


def of_subject(tx: Session, wanted: str) -> EventRow:
    """The event an exception is about, locked."""
    event = func.replace(func.replace(EventRow.event, "%", "%25"), "/", "%2F")
    named = company_exceptions.EVENT + EventRow.source + "/" + event
    return tx.scalars(select(EventRow).where(named == wanted).with_for_update()).one()


def subject(row: EventRow) -> str:
    """What an exception about the event is about; a slash of its id is written `%2F`, so that it is of no other."""
    event = row.event.replace("%", "%25").replace("/", "%2F")
    return f"{company_exceptions.EVENT}{row.source}/{event}"


def listed(
    tx: Session, status: EventStatus | None, limit: int, after: tuple[datetime, str, str] | None = None
) -> Sequence[EventRow]:
    """Events, the newest first, all or those of a status; behind `after`: when one came, its source and id."""
    query = select(EventRow).order_by(
        EventRow.received_at.desc(), EventRow.source.desc(), EventRow.event.desc()
    )
    if status:
        query = query.where(EventRow.status == status)
    if after is not None:
        query = query.where(tuple_(EventRow.received_at, EventRow.source, EventRow.event) < tuple_(*after))
    return tx.scalars(query.limit(limit)).all()


def _invoices_of(tx: Session, row: EventRow) -> list[Requested]:
    """The invoices of an event that comes again; nothing is made, even if one of them was voided meanwhile."""
    query = select(InvoiceRow).where(InvoiceRow.billing_key.in_(row.billing_keys))
    newest = {each.billing_key: each for each in tx.scalars(query.order_by(InvoiceRow.generation))}
    return [Requested(newest[key], new=False) for key in row.billing_keys if key in newest]
