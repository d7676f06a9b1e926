"""What was agreed, said and moved about invoices, each kind as a list of its own, the newest first.

Amounts carry the decimals of their currency; instants are UTC. A page of a list is one query, however long the list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import Session

from activities.ledger import client_credit, credit_notes, giving_up, invoices
from activities.ledger import payments as ledger_payments
from activities.ledger.read_models import ReadModel
from activities.ledger.tables import (
    CreditHoldRow,
    CreditNoteRow,
    DisputeFileRow,
    DisputeRow,
    GivingUpRow,
    InvoiceRow,
    PaymentPlanRow,
    PaymentRow,
    PromiseRow,
    UnmatchedPaymentRow,
)
from billing.errors import NotFound
from billing.money import rounded


@dataclass(frozen=True)
class Wanted:
    """Which records: of a client, of an invoice (its id), `open` those that are not over; behind the one of `after`."""

    client: str | None = None
    invoice: int | None = None
    open: bool | None = None
    after: int | None = None
    limit: int = 50


class Record(ReadModel):
    """Something about an invoice, named by its number, or by its billing key while it has none."""

    id: int
    invoice: str
    client: str
    currency: str


class BookingView(Record):
    """Money booked for an invoice; below zero, taken back. `payment` is the one without invoice it was part of.

    `undone`: it was booked wrongly, and another booking has taken it from the invoice again.
    """

    amount: Decimal
    received_on: date
    source: str
    reference: str
    fee: Decimal | None
    payment: int | None
    recorded_at: datetime
    recorded_by: str
    undone: bool


class CreditNoteRecord(Record):
    """A credit note; amounts are positive. `document` is the SHA-256 of its PDF once there is one."""

    number: str
    issue_date: date
    reason: str
    whole: bool
    net: Decimal
    tax: Decimal
    gross: Decimal
    dispute: int | None
    asked_by: str
    document: str | None
    delivered_at: datetime | None


class FileRecord(ReadModel):
    """A file of a dispute; its bytes are at `/disputes/{dispute}/files/{sha256}`, unless they were erased."""

    name: str
    media_type: str
    size: int
    sha256: str
    sent_at: datetime
    erased: bool


class DisputeRecord(Record):
    """A dispute; `amount` is what is disputed, None for the whole invoice. It waits for `owner` until `deadline`."""

    code: str
    reason: str
    lines: tuple[int, ...]
    amount: Decimal | None
    opened_at: datetime
    opened_by: str
    channel: str
    owner: str
    deadline: datetime
    outcome: str | None
    answer: str
    ended_at: datetime | None
    ended_by: str | None
    files: tuple[FileRecord, ...] = ()


class PromiseRecord(Record):
    """A promise to pay by a day; `outcome` is kept, broken, moved or withdrawn, None while the day is to come."""

    promised_for: date
    amount: Decimal
    note: str
    made_at: datetime
    made_by: str
    channel: str
    outcome: str | None
    decided_at: datetime | None


class PartRecord(ReadModel):
    """An instalment as it was agreed."""

    due_date: date
    amount: Decimal


class PlanRecord(Record):
    """A payment plan; over once `ended_at` is there."""

    parts: tuple[PartRecord, ...]
    reason: str
    agreed_at: datetime
    agreed_by: str
    channel: str
    ended_at: datetime | None
    ended_because: str | None


class GivenUpRecord(ReadModel):
    """A write-off, refund or credit note somebody asked for; of an invoice, or of a payment without one."""

    id: int
    kind: str
    invoice: str | None
    payment: int | None
    client: str | None
    amount: Decimal
    currency: str
    reason: str
    method: str
    status: str
    asked_by: str
    asked_at: datetime
    owner: str
    deadline: datetime
    decided_by: str | None
    decided_at: datetime | None
    comment: str
    done_at: datetime | None
    last_error: str | None


class CreditHoldRecord(ReadModel):
    """A credit hold of a client; over once `lifted_at` is there."""

    id: int
    client: str
    reason: str
    since: datetime
    placed_by: str
    lifted_at: datetime | None
    lifted_by: str | None


class PaymentView(ReadModel):
    """Money whose invoice nobody knew: what of it is allocated and left, who decides until when, and how it ended.

    What is refunded, or is to be, is not left.
    """

    id: int
    amount: Decimal
    allocated: Decimal
    left: Decimal
    currency: str
    received_on: date
    payer: str
    reference: str
    source: str
    client: str | None
    kept_as_credit: bool
    suggestions: tuple[dict[str, Any], ...]
    owner: str
    deadline: datetime
    recorded_at: datetime
    recorded_by: str
    resolution: str | None
    resolved_at: datetime | None
    resolved_by: str | None


def bookings(tx: Session, wanted: Wanted) -> list[BookingView]:
    """Money booked for invoices."""
    rows = tx.execute(_about_invoices(PaymentRow, wanted, None)).all()
    gone = _undone(tx, [row[0].id for row in rows])
    return [_booking(row, undone=row[0].id in gone) for row in rows]


def booking(tx: Session, key: int, *, lock: bool = False) -> BookingView:
    """The booking of that id; `NotFound`. `lock`: the invoices that undoing it would change, in their order."""
    row = _one(tx, PaymentRow, key, "booking")
    if lock:
        for each in client_credit.touched_by(tx, row[0]):
            invoices.locked(tx, each)
    return _booking(row, undone=key in _undone(tx, [key]))


def _undone(tx: Session, bookings: Sequence[int]) -> set[int]:
    keys = {_UNDONE.format(each): each for each in bookings}
    return {keys[found] for found in tx.scalars(select(PaymentRow.key).where(PaymentRow.key.in_(keys)))}


_UNDONE = f"{ledger_payments.UNDONE}/{{}}/in"
"""The key of the booking that takes another from its invoice again."""


def credit_notes_of(tx: Session, wanted: Wanted) -> list[CreditNoteRecord]:
    """Credit notes; one is open while it is not delivered."""
    is_open = CreditNoteRow.delivered_at.is_(None)
    return [_credit_note(row) for row in tx.execute(_about_invoices(CreditNoteRow, wanted, is_open))]


def credit_note(tx: Session, number: str) -> CreditNoteRecord:
    """The credit note of that number; `NotFound`."""
    return _credit_note(_one(tx, CreditNoteRow, credit_notes.find(tx, number).id, "credit note"))


def disputes(tx: Session, wanted: Wanted) -> list[DisputeRecord]:
    """Disputes with their files."""
    rows = tx.execute(_about_invoices(DisputeRow, wanted, DisputeRow.ended_at.is_(None))).all()
    return _with_files(tx, rows)


def dispute(tx: Session, key: int) -> DisputeRecord:
    """The dispute of that id; `NotFound`."""
    return _with_files(tx, [_one(tx, DisputeRow, key, "dispute")])[0]


def promises(tx: Session, wanted: Wanted) -> list[PromiseRecord]:
    """Promises to pay."""
    return [
        PromiseRecord(
            **_about(row),
            promised_for=row[0].promised_for,
            amount=rounded(row[0].amount, row.currency),
            note=row[0].note,
            made_at=row[0].made_at,
            made_by=row[0].made_by,
            channel=row[0].channel,
            outcome=row[0].outcome,
            decided_at=row[0].decided_at,
        )
        for row in tx.execute(_about_invoices(PromiseRow, wanted, PromiseRow.outcome.is_(None)))
    ]


def plans(tx: Session, wanted: Wanted) -> list[PlanRecord]:
    """Payment plans that were agreed after issue."""
    return [
        PlanRecord(
            **_about(row),
            parts=tuple(
                PartRecord(due_date=each["due_date"], amount=rounded(Decimal(each["amount"]), row.currency))
                for each in row[0].parts
            ),
            reason=row[0].reason,
            agreed_at=row[0].agreed_at,
            agreed_by=row[0].agreed_by,
            channel=row[0].channel,
            ended_at=row[0].ended_at,
            ended_because=row[0].ended_because,
        )
        for row in tx.execute(_about_invoices(PaymentPlanRow, wanted, PaymentPlanRow.ended_at.is_(None)))
    ]


def given_up(tx: Session, wanted: Wanted) -> list[GivenUpRecord]:
    """Write-offs, refunds and credit notes that were asked for."""
    query: Any = (
        select(GivingUpRow, InvoiceRow.number, InvoiceRow.billing_key)
        .outerjoin(InvoiceRow, InvoiceRow.id == GivingUpRow.invoice)
        .order_by(GivingUpRow.id.desc())
        .limit(wanted.limit)
    )
    if wanted.client is not None:
        query = query.where(GivingUpRow.client == wanted.client)
    if wanted.invoice is not None:
        query = query.where(GivingUpRow.invoice == wanted.invoice)
    query = _narrowed(query, GivingUpRow.id, wanted, giving_up.is_open())
    return [_given_up(*row) for row in tx.execute(query)]


def given_up_one(tx: Session, key: int, *, lock: bool = False) -> GivenUpRecord:
    """What was asked for with that id; `NotFound`. `lock`: it and its invoice, in the order of every step."""
    if lock:
        giving_up.locked(tx, key)
    row = tx.execute(
        select(GivingUpRow, InvoiceRow.number, InvoiceRow.billing_key)
        .outerjoin(InvoiceRow, InvoiceRow.id == GivingUpRow.invoice)
        .where(GivingUpRow.id == key)
    ).first()
    if row is None:
        raise NotFound(f"nobody has asked for a write-off, refund or credit note {key}")
    return _given_up(*row)


def credit_holds(tx: Session, wanted: Wanted) -> list[CreditHoldRecord]:
    """Credit holds of clients."""
    query = select(CreditHoldRow).order_by(CreditHoldRow.id.desc()).limit(wanted.limit)
    if wanted.client is not None:
        query = query.where(CreditHoldRow.client == wanted.client)
    query = _narrowed(query, CreditHoldRow.id, wanted, CreditHoldRow.lifted_at.is_(None))
    return [
        CreditHoldRecord(
            id=row.id,
            client=row.client,
            reason=row.reason,
            since=row.since,
            placed_by=row.by,
            lifted_at=row.lifted_at,
            lifted_by=row.lifted_by,
        )
        for row in tx.scalars(query)
    ]


def payments(tx: Session, wanted: Wanted) -> list[PaymentView]:
    """Payments whose invoice nobody knew; open: of which something is to be decided."""
    row = UnmatchedPaymentRow
    query = select(row).order_by(row.id.desc()).limit(wanted.limit)
    if wanted.client is not None:
        query = query.where(row.client == wanted.client)
    found = tx.scalars(_narrowed(query, row.id, wanted, row.resolved_at.is_(None))).all()
    refunds = giving_up.refunds_of_payments(tx, [each.id for each in found])
    return [_payment(each, refunds.get(each.id, Decimal(0))) for each in found]


def payment(tx: Session, key: int, *, lock: bool = False, with_invoices: Collection[str] = ()) -> PaymentView:
    """The payment of that id; `NotFound`. `lock`: it is locked, after these invoices in the order of their ids."""
    for each in sorted({invoices.find(tx, reference).id for reference in with_invoices}):
        invoices.locked(tx, each)
    row = tx.get(UnmatchedPaymentRow, key, with_for_update=lock)
    if row is None:
        raise NotFound(f"there is no payment {key} whose invoice nobody knew")
    return _payment(row, giving_up.set_apart(tx, payment=row.id))


def _about_invoices(kind: Any, wanted: Wanted, is_open: ColumnElement[bool] | None) -> Select[Any]:
    query = (
        select(
            kind,
            InvoiceRow.number,
            InvoiceRow.billing_key,
            InvoiceRow.client.label("of_client"),
            InvoiceRow.currency,
        )
        .join(InvoiceRow, InvoiceRow.id == kind.invoice)
        .order_by(kind.id.desc())
        .limit(wanted.limit)
    )
    if wanted.client is not None:
        query = query.where(InvoiceRow.client == wanted.client)
    if wanted.invoice is not None:
        query = query.where(kind.invoice == wanted.invoice)
    return _narrowed(query, kind.id, wanted, is_open)


def _narrowed(
    query: Select[Any], key: Any, wanted: Wanted, is_open: ColumnElement[bool] | None
) -> Select[Any]:
    if wanted.open is not None and is_open is not None:
        query = query.where(is_open if wanted.open else ~is_open)
    return query if wanted.after is None else query.where(key < wanted.after)


def _one(tx: Session, kind: Any, key: int, called: str) -> Row[Any]:
    query = _about_invoices(kind, Wanted(limit=1), None).where(kind.id == key)
    row = tx.execute(query).first()
    if row is None:
        raise NotFound(f"there is no {called} {key}")
    return row


def _about(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row[0].id,
        "invoice": row.number or row.billing_key,
        "client": row.of_client,
        "currency": row.currency or "",
    }


def _booking(row: Row[Any], *, undone: bool) -> BookingView:
    found: PaymentRow = row[0]
    return BookingView(
        **_about(row) | {"currency": found.currency},
        amount=rounded(found.amount, found.currency),
        received_on=found.received_on,
        source=found.source,
        reference=found.reference,
        fee=None if found.fee is None else rounded(found.fee, found.currency),
        payment=found.received_as,
        recorded_at=found.recorded_at,
        recorded_by=found.recorded_by,
        undone=undone,
    )


def _credit_note(row: Row[Any]) -> CreditNoteRecord:
    note: CreditNoteRow = row[0]
    return CreditNoteRecord(
        **_about(row) | {"currency": note.currency},
        number=note.number,
        issue_date=note.issue_date,
        reason=note.reason,
        whole=note.whole,
        net=rounded(note.net, note.currency),
        tax=rounded(note.tax, note.currency),
        gross=rounded(note.gross, note.currency),
        dispute=note.dispute,
        asked_by=note.asked_by,
        document=note.document,
        delivered_at=note.delivered_at,
    )


def _with_files(tx: Session, rows: Sequence[Row[Any]]) -> list[DisputeRecord]:
    files: dict[int, list[FileRecord]] = {}
    ids = [row[0].id for row in rows]
    sent = select(DisputeFileRow).where(DisputeFileRow.dispute.in_(ids))
    for each in tx.scalars(sent.order_by(DisputeFileRow.sent_at, DisputeFileRow.sha256)):
        files.setdefault(each.dispute, []).append(
            FileRecord(
                name=each.name,
                media_type=each.media_type,
                size=each.size,
                sha256=each.sha256,
                sent_at=each.sent_at,
                erased=each.erased_at is not None,
            )
        )
    return [_dispute(row, tuple(files.get(row[0].id, ()))) for row in rows]


def _dispute(row: Row[Any], files: tuple[FileRecord, ...]) -> DisputeRecord:
    found: DisputeRow = row[0]
    return DisputeRecord(
        **_about(row),
        code=found.code,
        reason=found.reason,
        lines=tuple(each["line"] for each in found.lines),
        amount=None if found.amount is None else rounded(found.amount, row.currency or ""),
        opened_at=found.opened_at,
        opened_by=found.opened_by,
        channel=found.channel,
        owner=found.owner,
        deadline=found.deadline,
        outcome=found.outcome,
        answer=found.answer,
        ended_at=found.ended_at,
        ended_by=found.ended_by,
        files=files,
    )


def _given_up(found: GivingUpRow, number: str | None, billing_key: str | None) -> GivenUpRecord:
    return GivenUpRecord(
        id=found.id,
        kind=found.kind,
        invoice=number or billing_key,
        payment=found.unmatched,
        client=found.client,
        amount=giving_up.money(found).amount,
        currency=found.currency,
        reason=found.reason,
        method=found.method,
        status=found.status,
        asked_by=found.asked_by,
        asked_at=found.asked_at,
        owner=found.owner,
        deadline=found.deadline,
        decided_by=found.decided_by,
        decided_at=found.decided_at,
        comment=found.comment,
        done_at=found.done_at,
        last_error=found.last_error,
    )


def _payment(row: UnmatchedPaymentRow, refunds: Decimal) -> PaymentView:
    return PaymentView(
        id=row.id,
        amount=rounded(row.amount, row.currency),
        allocated=rounded(row.allocated, row.currency),
        left=rounded(row.amount - row.allocated - refunds, row.currency),
        currency=row.currency,
        received_on=row.received_on,
        payer=row.payer,
        reference=row.reference,
        source=row.source,
        client=row.client,
        kept_as_credit=row.kept_as_credit,
        suggestions=tuple(row.suggestions),
        owner=row.owner,
        deadline=row.deadline,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        resolution=row.resolution,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
    )
