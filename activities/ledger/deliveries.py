"""Deliveries of vendors' webhooks: stored as they came, answered, then acted on, once each.

Acting turns a message into events (`activities.ledger.events`), which bill what they make due. Between the two, what
was stored and not acted on is found by the outbox.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import company_records, events, integrations, outbox, provider_payments
from activities.ledger.database import ITS_OWN_FAULT
from activities.ledger.tables import DeliveryRow
from activities.providers.http import at_most
from activities.providers.provider import Delivery, Meaning, Received
from activities.providers.registry import adapter, provider_of, providers
from billing.company import Company
from billing.connections import Connection, Port
from billing.errors import BillowError, NotFound, SourceFaulty, SourceUnavailable, WrongState
from billing.events import BillingEvent

CHANNEL = "webhook"

ONE_MESSAGE = 30.0
"""Seconds a vendor may take in all to be asked about one message."""

AT_A_TIME = 50
"""Held messages of one connection that are tried again together."""

MAKES_NO_SENSE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an adapter raises that meets something its vendor has never sent before."""

KEPT_HEADERS = ("content-type", "user-agent", "date")
"""What is kept of a delivery's headers, besides ids and times: never a signature, a token or a cookie."""

_MEANING = ("-id", "-timestamp", "-event", "-delivery", "-version", "-identifier", "-retry", "-flow")
_SECRET = ("signature", "token", "secret", "auth", "cookie", "session", "key", "digest")


class DeliveryStatus(StrEnum):
    """What came of a delivery."""

    WAITING = "waiting"
    ACTED_ON = "acted on"
    NOTHING_DUE = "nothing due"
    HELD = "held"
    SET_ASIDE = "set aside"


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
            body=received.body if len(messages) == 1 and received.body else text.encode(),
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


def store_missed(
    tx: Session, connection: Connection, messages: Sequence[Delivery], *, verified_by: str, at: datetime
) -> int:
    """Stores messages that were asked for, and of those only the ones that were never delivered; how many."""
    ids = [_key(each.id) for each in messages]
    known = set(
        tx.scalars(
            select(DeliveryRow.delivery).where(
                DeliveryRow.connection == connection.id, DeliveryRow.delivery.in_(ids)
            )
        )
    )
    missed = [each for each in messages if _key(each.id) not in known]
    return store(tx, connection, Received("GET", "", {}, b""), missed, verified_by=verified_by, at=at)


def _storable(text: str) -> str:
    """Without what the ledger cannot keep: a vendor would send it again and again."""
    return text.replace("\\u0000", "\\ufffd").replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _key(id_: str) -> str:
    return _storable(id_)[:400]


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value[:200]
        for name, value in headers.items()
        if name in KEPT_HEADERS or (name.endswith(_MEANING) and not any(each in name for each in _SECRET))
    }


def act(
    tx: Session, connection_id: str, delivery_id: str, *, at: datetime, again: bool = False
) -> DeliveryRow:
    """Turns a stored message into events, once. `SourceUnavailable` if the vendor must be asked and cannot be now.

    What only a person can mend holds it: the connection's exception says what; it is tried again once that is mended.
    The vendor is asked before the message is locked, so that one who repeats it meanwhile is answered at once.
    """
    row = find(tx, connection_id, delivery_id)
    if not _is_open(row, again):
        return row
    company = company_records.current(tx).company
    connection = next((each for each in company.connections if each.id == row.connection), None)
    if connection is not None and connection.port is Port.PAYMENTS:
        provider_payments.alone(tx, connection.id)
    found = _meaning(row, connection)
    row = find(tx, connection_id, delivery_id, lock=True)
    if not _is_open(row, again):
        return row
    row.attempts += 1
    if isinstance(found, BillowError):
        return _hold(tx, row, found, company, at=at)
    was_held = row.status == DeliveryStatus.HELD
    try:
        with tx.begin_nested():
            told = [_take_in(tx, row, connection, each, company, at=at) for each in found]
    except ITS_OWN_FAULT as refusal:
        return _hold(tx, row, refusal, company, at=at)
    row.events = [f"{each.source} {each.id}" for each in found if isinstance(each, BillingEvent)]
    row.status = DeliveryStatus.ACTED_ON if found else DeliveryStatus.NOTHING_DUE
    row.outcome = ", ".join(told)[:1000] or "it says nothing that bills anything"
    row.acted_at = at
    integrations.reached(tx, row.connection, at=at, settled=was_held)
    return row


def _take_in(
    tx: Session,
    row: DeliveryRow,
    connection: Connection | None,
    meaning: Meaning,
    company: Company,
    *,
    at: datetime,
) -> str:
    """An event to be acted on, or money that moved; what came of it, in a word or a line."""
    if isinstance(meaning, BillingEvent):
        events.receive(tx, meaning, channel=CHANNEL, at=at)
        return str(meaning.type)
    if connection is None or connection.port is not Port.PAYMENTS:
        raise SourceFaulty(f"connection {row.connection!r} takes no payments; give it the port payments")
    return provider_payments.take_in(tx, connection, _title(row), meaning, company, at=at)


def _is_open(row: DeliveryRow, again: bool) -> bool:
    if again and row.status != DeliveryStatus.ACTED_ON:
        return True
    return row.status in UNDONE


def _meaning(row: DeliveryRow, connection: Connection | None) -> tuple[Meaning, ...] | BillowError:
    """The events of a message, or why a person must look at it; asks the vendor, for `ONE_MESSAGE` at most."""
    if connection is None:
        return SourceFaulty(f"connection {row.connection!r} is in integrations.yaml no more")
    try:
        webhook = provider_of(connection).webhook
        if webhook is None:
            return SourceFaulty(
                f"{connection.provider} sends no webhooks in this version; take the connection out"
            )
        with at_most(ONE_MESSAGE):
            return webhook.events(Delivery(row.delivery, dict(row.content)), adapter(connection))
    except SourceFaulty as error:
        return error
    except MAKES_NO_SENSE as error:
        why = f"{type(error).__name__}: {error}"[:300]
        return SourceFaulty(f"what it says in delivery {row.delivery!r} cannot be understood ({why})")


def _hold(tx: Session, row: DeliveryRow, why: Exception, company: Company, *, at: datetime) -> DeliveryRow:
    said = _storable(str(why).partition("\n")[0])[:1000]
    row.status, row.outcome = DeliveryStatus.HELD, said
    integrations.held(tx, row.connection, _title(row), row.delivery, said, company, at=at)
    return row


def _title(row: DeliveryRow) -> str:
    found = providers().get(row.provider)
    return found.title if found else row.provider


def put_off(
    tx: Session, connection_id: str, delivery_id: str, error: SourceUnavailable, *, at: datetime
) -> bool:
    """Notes that the vendor could not be asked about a message: it waits, and is tried again by the outbox.

    True once that has lasted for `integrations.PATIENCE`: it is held then, and tried again seldom.
    """
    row = find(tx, connection_id, delivery_id, lock=True)
    if row.status not in UNDONE:
        return True
    row.attempts += 1
    row.outcome = str(error)[:1000]
    company = company_records.current(tx).company
    integrations.failed(tx, row.connection, _title(row), error, company, at=at)
    if at - row.received_at < integrations.PATIENCE:
        return False
    _hold(tx, row, error, company, at=at)
    return True


def run_again(
    tx: Session, connection_id: str, delivery_id: str, *, by: str = "", at: datetime
) -> DeliveryRow:
    """Acts again on a message that was held, set aside or made nothing due, or acts on one that waits, now.

    `WrongState` once it made events, which stand, or its content was erased. `by` is noted, where it is known.
    """
    row = find(tx, connection_id, delivery_id)
    if row.status == DeliveryStatus.ACTED_ON:
        raise WrongState(
            f"delivery {delivery_id!r} of {connection_id} was acted on: {row.outcome}; see `billow events` for what "
            "came of that"
        )
    if not row.body:
        raise WrongState(f"the content of delivery {delivery_id!r} was erased: it is older than what is kept")
    row = act(tx, connection_id, delivery_id, at=at, again=True)
    if by:
        row.outcome = f"{row.outcome} (run again by {by})"
    return row


def queue_held(tx: Session, connection: str | None = None, *, at: datetime) -> int:
    """Has held messages, of a connection or of all, tried again at once; returns how many.

    Of each connection `AT_A_TIME`, those that were tried least first.
    """
    queued = set(tx.scalars(outbox.subjects_waiting(outbox.DELIVERY)))
    rank = func.row_number().over(
        partition_by=DeliveryRow.connection, order_by=(DeliveryRow.attempts, DeliveryRow.received_at)
    )
    ranked = select(DeliveryRow.connection, DeliveryRow.delivery, rank.label("rank")).where(
        DeliveryRow.status == DeliveryStatus.HELD
    )
    if connection is not None:
        ranked = ranked.where(DeliveryRow.connection == connection)
    least_tried = ranked.subquery()
    found = tx.execute(
        select(least_tried.c.connection, least_tried.c.delivery).where(least_tried.c.rank <= AT_A_TIME)
    )
    subjects = [subject for each in found if (subject := json.dumps(list(each))) not in queued]
    for subject in subjects:
        outbox.write(tx, outbox.DELIVERY, subject, invoice=None, at=at)
    return len(subjects)


def set_aside_held(tx: Session, connection: str, *, reason: str, at: datetime) -> int:
    """The held messages of a connection need nothing, a person has decided; returns how many there were."""
    held = tx.scalars(
        select(DeliveryRow)
        .where(DeliveryRow.connection == connection, DeliveryRow.status == DeliveryStatus.HELD)
        .with_for_update()
    ).all()
    for row in held:
        row.status, row.outcome, row.acted_at = DeliveryStatus.SET_ASIDE, f"accepted: {reason}"[:1000], at
    return len(held)


def forget(tx: Session, before: datetime) -> int:
    """Erases what was said in messages received before an instant and done with; returns of how many.

    Row and id stay: one that comes again is known. What still waits for somebody keeps its content.
    """
    old = (
        update(DeliveryRow)
        .where(
            DeliveryRow.received_at < before,
            DeliveryRow.status.not_in(UNDONE),
            func.length(DeliveryRow.body) > 0,
        )
        .values(body=b"", content={}, headers={})
        .returning(DeliveryRow.delivery)
    )
    return len(tx.scalars(old).all())


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
    tx: Session,
    *,
    connection: str | None = None,
    status: DeliveryStatus | None = None,
    limit: int,
    after: tuple[datetime, str] | None = None,
) -> Sequence[DeliveryRow]:
    """Deliveries, the newest first, all or those of a connection or status; behind `after`, an instant and id."""
    query = select(DeliveryRow).order_by(DeliveryRow.received_at.desc(), DeliveryRow.delivery.desc())
    if after is not None:
        query = query.where(tuple_(DeliveryRow.received_at, DeliveryRow.delivery) < tuple_(*after))
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
