"""Deliveries of vendors' webhooks: stored as they came, answered, then acted on, once each.

Acting turns a message into events (`activities.ledger.events`), which bill what they make due. Between the two, what
was stored and not acted on is found by the outbox.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import company_records, events, integrations, outbox
from activities.ledger.tables import DeliveryRow
from activities.providers.provider import Delivery, Received
from activities.providers.registry import adapter, provider_of
from billing.connections import Connection
from billing.errors import Conflicting, NotFound, SourceFaulty, SourceUnavailable, WrongState

CHANNEL = "webhook"

KEPT_HEADERS = ("content-type", "user-agent", "date")
"""What is kept of a delivery's headers, besides ids and times: never a signature, a token or a cookie."""

_MEANING = ("-id", "-timestamp", "-event", "-delivery", "-version", "-identifier", "-retry", "-flow")


class DeliveryStatus(StrEnum):
    """What came of a delivery."""

    WAITING = "waiting"
    ACTED_ON = "acted on"
    NOTHING_DUE = "nothing due"
    HELD = "held"


UNDONE = (DeliveryStatus.WAITING, DeliveryStatus.HELD)


def store(
    tx: Session,
    connection: Connection,
    received: Received,
    messages: Sequence[Delivery],
    *,
    verified_by: str,
    at: datetime,
) -> int:
    """Stores the messages of a genuine delivery, to be acted on once this is committed; returns how many are new.

    One that came before is counted, whatever it says now: a vendor's id stands for one message.
    """
    new = 0
    for each in sorted(messages, key=lambda each: each.id):
        text, id_ = _storable(json.dumps(each.content, default=str, ensure_ascii=False)), _key(each.id)
        made = insert(DeliveryRow).values(
            connection=connection.id,
            delivery=id_,
            provider=connection.provider,
            received_at=at,
            verified_by=verified_by,
            headers=_kept(received.headers),
            body=received.body if len(messages) == 1 else text.encode(),
            content=json.loads(text),
            status=DeliveryStatus.WAITING,
            outcome="",
            events=[],
            repeats=0,
            attempts=0,
        )
        repeated = made.on_conflict_do_update(
            index_elements=["connection", "delivery"], set_={"repeats": DeliveryRow.repeats + 1}
        )
        if tx.scalar(repeated.returning(DeliveryRow.repeats)) == 0:
            new += 1
            subject = json.dumps([connection.id, id_])
            outbox.write(tx, outbox.DELIVERY, subject, invoice=None, at=at)
    return new


def _storable(text: str) -> str:
    """Without what the ledger cannot keep: a vendor would send it again and again."""
    return text.replace("\\u0000", "\\ufffd").replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _key(id_: str) -> str:
    return _storable(id_)[:400]


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value[:200]
        for name, value in headers.items()
        if name in KEPT_HEADERS or (name.endswith(_MEANING) and "signature" not in name)
    }


def act(tx: Session, connection_id: str, delivery_id: str, *, at: datetime) -> DeliveryRow:
    """Turns a stored message into events, once. `SourceUnavailable` if the vendor must be asked and cannot be now.

    What only a person can mend holds it: the connection's exception says what; it is tried again once that is mended.
    """
    row = find(tx, connection_id, delivery_id, lock=True)
    if row.status not in UNDONE:
        return row
    company = company_records.current(tx).company
    connection = next((each for each in company.connections if each.id == row.connection), None)
    row.attempts += 1
    if connection is None:
        return _hold(row, f"connection {row.connection!r} is in integrations.yaml no more")
    try:
        with tx.begin_nested():
            _read(tx, row, connection, at)
    except SourceFaulty as error:
        integrations.failed(tx, row.connection, provider_of(connection).title, error, company, at=at)
        return _hold(row, str(error))
    except Conflicting as refusal:
        return _hold(row, str(refusal))
    integrations.reached(tx, row.connection, at=at)
    return row


def _read(tx: Session, row: DeliveryRow, connection: Connection, at: datetime) -> None:
    webhook = provider_of(connection).webhook
    if webhook is None:
        raise SourceFaulty(
            f"{connection.provider} sends no webhooks in this version; take the connection out"
        )
    found = webhook.events(Delivery(row.delivery, dict(row.content)), adapter(connection))
    for each in found:
        events.receive(tx, each, channel=CHANNEL, at=at)
    row.events = [f"{each.source} {each.id}" for each in found]
    row.status = DeliveryStatus.ACTED_ON if found else DeliveryStatus.NOTHING_DUE
    row.outcome = ", ".join(each.type for each in found) or "it says nothing that bills anything"
    row.acted_at = at


def _hold(row: DeliveryRow, why: str) -> DeliveryRow:
    row.status, row.outcome = DeliveryStatus.HELD, why[:1000]
    return row


def put_off(
    tx: Session, connection_id: str, delivery_id: str, error: SourceUnavailable, *, at: datetime
) -> None:
    """Notes that the vendor could not be asked about a message: it waits, and is tried again by the outbox."""
    row = find(tx, connection_id, delivery_id, lock=True)
    row.attempts += 1
    row.outcome = str(error)[:1000]
    company = company_records.current(tx).company
    integrations.failed(tx, row.connection, row.provider, error, company, at=at)


def run_again(tx: Session, connection_id: str, delivery_id: str, *, at: datetime) -> DeliveryRow:
    """Acts again on a message that was held or made nothing due. `WrongState` once it made events: they stand."""
    row = find(tx, connection_id, delivery_id, lock=True)
    if row.status == DeliveryStatus.ACTED_ON:
        raise WrongState(
            f"delivery {delivery_id!r} of {connection_id} was acted on: {row.outcome}; see `billow events` for what "
            "came of that"
        )
    row.status = DeliveryStatus.WAITING
    tx.flush()
    return act(tx, connection_id, delivery_id, at=at)


def held_of(tx: Session, connection_id: str) -> Sequence[DeliveryRow]:
    """The messages of a connection that are held, oldest first."""
    return tx.scalars(
        select(DeliveryRow)
        .where(DeliveryRow.connection == connection_id, DeliveryRow.status == DeliveryStatus.HELD)
        .order_by(DeliveryRow.received_at)
    ).all()


def find(tx: Session, connection_id: str, delivery_id: str, *, lock: bool = False) -> DeliveryRow:
    """The message of that connection and id; `NotFound` otherwise."""
    key = (connection_id, delivery_id)
    row = tx.get(DeliveryRow, key, with_for_update=lock, populate_existing=lock)
    if row is None:
        raise NotFound(
            f"there is no delivery {delivery_id!r} of {connection_id!r}; `billow deliveries` lists those there are"
        )
    return row


def listed(
    tx: Session, *, connection: str | None = None, status: DeliveryStatus | None = None, limit: int
) -> Sequence[DeliveryRow]:
    """Deliveries, the newest first, all or those of a connection or status."""
    query = select(DeliveryRow).order_by(DeliveryRow.received_at.desc(), DeliveryRow.delivery)
    if connection is not None:
        query = query.where(DeliveryRow.connection == connection)
    if status is not None:
        query = query.where(DeliveryRow.status == status)
    return tx.scalars(query.limit(limit)).all()


def counts(tx: Session) -> dict[str, dict[str, int]]:
    """By connection and status, how many deliveries there are."""
    found: dict[str, dict[str, int]] = {}
    query = select(DeliveryRow.connection, DeliveryRow.status, func.count()).group_by(
        DeliveryRow.connection, DeliveryRow.status
    )
    for connection, status, number in tx.execute(query):
        found.setdefault(connection, {})[status] = number
    return found
