"""Invoices in the ledger: asked for, found, locked, drafted, voided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, and_, cast, delete, exists, func, literal, not_, null, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, insert
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, company_records, outbox
from activities.ledger.tables import BilledItemRow, CreditNoteRow, ExceptionRow, InvoiceRow
from billing.assembly import client_of
from billing.draft import Draft
from billing.errors import Conflicting, NotFound, Refused, WrongState
from billing.exceptions import Finding, ReasonCode
from billing.request import BillingRequest
from billing.status import CollectionStatus, DocumentStatus, PaymentStatus


@dataclass(frozen=True)
class Requested:
    """The invoice of a billing key, and whether this request made it."""

    invoice: InvoiceRow
    new: bool


def request(tx: Session, asked: BillingRequest, *, at: datetime, channel: str) -> Requested:
    """The living invoice of the billing key; made now if there is none. Any number of callers get the same one.

    `Conflicting` if it bills other days than those asked for, or another invoice bills part of them.
    """
    company = company_records.current(tx)
    client = client_of(asked, company.company)
    if client is None:
        what = asked.occasion.agreement if asked.occasion else asked.billing_key
        raise NotFound(f"there is no agreement {what!r}; `billow check` lists those there are")
    known = company.company.client(client)
    if known is None:
        raise NotFound(f"there is no client {client!r} in the company folder")
    values = {
        "billing_key": asked.billing_key,
        "rebill": False,
        "request": asked.model_dump(mode="json"),
        "trigger": asked.trigger,
        "requested_by": asked.requested_by,
        "requested_at": at,
        "took_part": [asked.requested_by],
        "company_version": company.version,
        **_billed(asked),
        "document_status": DocumentStatus.DRAFT,
        "payment_status": PaymentStatus.UNPAID,
        "collection_status": CollectionStatus.NOT_DUE,
        "client": client,
        "issuer": known.issuer,
        "title": "",
        "paid": Decimal(0),
        "accepted": [],
        "overrides": {},
        "waits_for": "",
        "then": "",
    }
    while (living := _living(tx, asked.billing_key)) is None:
        # nothing is made if somebody else made one meanwhile; were it voided by now, too, the next turn makes another
        generation = _generations(tx, asked.billing_key) + 1
        made = tx.execute(
            insert(InvoiceRow)
            .values(**values, generation=generation)
            .on_conflict_do_nothing()
            .returning(InvoiceRow.id)
        ).scalar()
        if made is not None:
            return Requested(_triggered(tx, made, asked, at=at, channel=channel), new=True)
        _overlap(tx, asked)
    _same_days(living, asked)
    return Requested(living, new=False)


def _reason(asked: BillingRequest) -> dict[str, str]:
    return {"reason": asked.reason} if asked.reason else {}


def _billed(asked: BillingRequest) -> dict[str, object]:
    """Agreement, item and period, by which the ledger guards that no day is billed twice."""
    occasion = asked.occasion
    if occasion is None:
        return {}
    period = occasion.period
    return {
        "agreement": occasion.agreement,
        "item": occasion.item,
        "period_start": period.start if period else None,
        "period_end": period.end if period else None,
    }


def _overlap(tx: Session, asked: BillingRequest) -> None:
    """`Conflicting` if another living invoice covers part of the period."""
    occasion = asked.occasion
    if occasion is None or occasion.period is None:
        return
    other = tx.scalars(
        select(InvoiceRow.billing_key).where(
            InvoiceRow.agreement == occasion.agreement,
            InvoiceRow.item == occasion.item,
            InvoiceRow.billing_key != asked.billing_key,
            InvoiceRow.period_start <= occasion.period.end,
            InvoiceRow.period_end >= occasion.period.start,
            not_(and_(InvoiceRow.document_status == DocumentStatus.VOIDED, InvoiceRow.rebill)),
        )
    ).first()
    if other is not None:
        raise Conflicting(
            f"part of {occasion.period} is on {other} already; `billow why {occasion.agreement}` shows what is left"
        )


def _same_days(living: InvoiceRow, asked: BillingRequest) -> None:
    """`Conflicting` if the invoice of the key ends on another day: what is asked for is not what was billed."""
    wanted = asked.occasion.period if asked.occasion else None
    if wanted is not None and living.period_end not in (None, wanted.end):
        raise Conflicting(
            f"{living.billing_key} bills {living.period_start} to {living.period_end} already, not up to {wanted.end}; "
            f"`billow why {living.agreement}` shows what is left"
        )


def _triggered(tx: Session, made: int, asked: BillingRequest, *, at: datetime, channel: str) -> InvoiceRow:
    row = locked(tx, made)
    audit_trail.record(
        tx,
        row,
        "triggered",
        at=at,
        actor=asked.requested_by,
        channel=channel,
        trigger=asked.trigger,
        **_reason(asked),
    )
    wake(tx, row, at)
    return row


def _living(tx: Session, billing_key: str) -> InvoiceRow | None:
    to_be_billed_again = and_(InvoiceRow.document_status == DocumentStatus.VOIDED, InvoiceRow.rebill)
    return tx.scalars(
        select(InvoiceRow).where(InvoiceRow.billing_key == billing_key, not_(to_be_billed_again))
    ).one_or_none()


def _generations(tx: Session, billing_key: str) -> int:
    query = select(func.count()).select_from(InvoiceRow).where(InvoiceRow.billing_key == billing_key)
    return tx.scalar(query) or 0


def covering(tx: Session, agreement: str, item: str | None, day: date) -> InvoiceRow | None:
    """The living invoice of the agreement whose period holds the day, of that item if one is named."""
    query = select(InvoiceRow).where(
        InvoiceRow.agreement == agreement,
        InvoiceRow.period_start <= day,
        InvoiceRow.period_end >= day,
        not_(and_(InvoiceRow.document_status == DocumentStatus.VOIDED, InvoiceRow.rebill)),
    )
    wanted = query.where(InvoiceRow.item == item) if item else query
    return tx.scalars(wanted.order_by(InvoiceRow.id).limit(1)).first()


def with_prefix(tx: Session, prefix: str) -> Sequence[InvoiceRow]:
    """The invoices whose billing key begins like this, every generation, oldest first."""
    query = select(InvoiceRow).where(InvoiceRow.billing_key.startswith(prefix, autoescape=True))
    return tx.scalars(query.order_by(InvoiceRow.id)).all()


def issued_on(tx: Session, number: str) -> date | None:
    """The issue date of the invoice of that number, if there is one."""
    return tx.scalar(select(InvoiceRow.issue_date).where(InvoiceRow.number == number))


def find(tx: Session, reference: str, *, lock: bool = False) -> InvoiceRow:
    """The invoice with that number or billing key (newest generation); `NotFound` with near misses."""
    wanted = reference.strip().removeprefix("invoice/")
    query = (
        select(InvoiceRow)
        .where(or_(InvoiceRow.number == wanted, InvoiceRow.billing_key == wanted))
        .order_by((InvoiceRow.number == wanted).desc().nulls_last(), InvoiceRow.generation.desc())
        .limit(1)
    )
    row = tx.scalars(query.with_for_update(of=InvoiceRow) if lock else query).first()
    if row is None:
        credited = select(InvoiceRow.number).join(CreditNoteRow, CreditNoteRow.invoice == InvoiceRow.id)
        if (of := tx.scalar(credited.where(CreditNoteRow.number == wanted))) is not None:
            raise NotFound(f"{wanted} is a credit note; the invoice it corrects is {of}")
        part = wanted.replace("\\", "").replace("%", "").replace("_", r"\_")
        near = tx.scalars(
            select(InvoiceRow.billing_key)
            .where(or_(InvoiceRow.billing_key.ilike(f"%{part}%"), InvoiceRow.number.ilike(f"%{part}%")))
            .limit(4)
        ).all()
        hint = f"; similar: {', '.join(near)}" if near and part else "; `billow invoices` lists all"
        raise NotFound(f"no invoice has the number or billing key {wanted[:80]!r}{hint}")
    return row


def locked(tx: Session, invoice: int) -> InvoiceRow:
    """The invoice, locked until the transaction ends and read afresh."""
    return tx.scalars(
        select(InvoiceRow)
        .where(InvoiceRow.id == invoice)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def wake(tx: Session, row: InvoiceRow, at: datetime) -> None:
    """Has the invoice's workflow look at the ledger again, once this transaction is committed."""
    outbox.write(tx, outbox.WAKE, row.billing_key, invoice=row.id, at=at)


def asked_because(request: Mapping[str, Any]) -> str:
    """Why a person asked for the invoice of a request, and what it corrects; empty where the automation did."""
    one_off = request.get("one_off") or {}
    corrects = f"corrects {one_off['corrects']}" if one_off.get("corrects") else ""
    why = request.get("reason") or one_off.get("reason") or ""
    return ": ".join(said for said in (corrects, why) if said)


def put_draft(tx: Session, row: InvoiceRow, draft: Draft) -> list[Finding]:
    """Stores the draft and claims what it bills; a finding for each item that stands on another living invoice."""
    row.draft = draft.model_dump(mode="json")
    row.draft_digest = draft.digest
    row.title, row.currency = draft.title, draft.currency
    row.net, row.tax, row.gross = draft.net, draft.tax, draft.due
    wanted = {(ref.source, ref.id) for line in draft.lines for ref in line.sources}
    doubles: dict[str, list[str]] = {}
    for item, other in _claim(tx, row, wanted):
        doubles.setdefault(other, []).append(item)
    return [
        Finding(
            code=ReasonCode.ALREADY_BILLED,
            message=f"{', '.join(items[:5])}{' …' if len(items) > 5 else ''} already on invoice {other}; "
            "void that draft, or leave the work out here",
            field="work",
            left=f"PSA {items[0]}",
            right=other,
        )
        for other, items in doubles.items()
    ]


def _claim(tx: Session, row: InvoiceRow, wanted: set[tuple[str, str]]) -> Sequence[Row[str, str]]:
    """Makes these the items of the invoice; returns item and billing key of those on another living invoice."""
    # In one order, and given up only after new ones are taken: two drafts that claim at once never wait in a circle.
    sources, items = ([each[part] for each in sorted(wanted)] for part in (0, 1))
    of = (
        func.unnest(cast(sources, ARRAY(TEXT)), cast(items, ARRAY(TEXT)))
        .table_valued("source", "item", with_ordinality="place")
        .render_derived(name="wanted")
    )
    claim = (
        insert(BilledItemRow)
        .from_select(
            ["source", "item", "invoice"],
            select(of.c.source, of.c.item, literal(row.id)).order_by(of.c.place),
        )
        .on_conflict_do_nothing()
    )
    still_wanted = exists().where(of.c.source == BilledItemRow.source, of.c.item == BilledItemRow.item)
    give_up = delete(BilledItemRow).where(BilledItemRow.invoice == row.id, not_(still_wanted))
    on_others = (
        select(BilledItemRow.item, InvoiceRow.billing_key)
        .join(of, and_(of.c.source == BilledItemRow.source, of.c.item == BilledItemRow.item))
        .join(InvoiceRow, InvoiceRow.id == BilledItemRow.invoice)
        .where(BilledItemRow.invoice != row.id)
        .order_by(BilledItemRow.invoice, of.c.place)
    )
    ours = select(func.count()).select_from(BilledItemRow).where(BilledItemRow.invoice == row.id)
    while True:
        tx.execute(claim)
        tx.execute(give_up)
        others = tx.execute(on_others).all()
        if len(others) + (tx.scalar(ours) or 0) == len(wanted):
            return others
        # the other invoice was voided between two of these statements: what it had is free, and must be ours


def drop_draft(tx: Session, row: InvoiceRow) -> None:
    """Forgets a draft of which nothing is left to bill: what stood on it is free for another invoice."""
    # None given to the row would be kept as JSON's null, which is something
    nothing = dict.fromkeys(("draft", "draft_digest", "net", "tax", "gross"), null())
    tx.flush()
    tx.execute(update(InvoiceRow).where(InvoiceRow.id == row.id).values(**nothing))
    tx.refresh(row)
    tx.execute(delete(BilledItemRow).where(BilledItemRow.invoice == row.id))


def draft_of(row: InvoiceRow) -> Draft:
    """The stored draft; `WrongState` if the invoice has none yet."""
    if row.draft is None:
        raise WrongState(f"{row.billing_key} has no draft yet")
    return Draft.model_validate(row.draft)


def fetch_again(tx: Session, row: InvoiceRow, *, by: str, channel: str, at: datetime) -> None:
    """Has the draft made anew from what the sources say now; until then nobody can approve it.

    If it comes out different, those who agreed are asked again, and `by` counts as having changed it.
    """
    if row.document_status not in (DocumentStatus.DRAFT, DocumentStatus.AWAITING_APPROVAL):
        raise WrongState(f"{row.name} is {row.document_status}; only a draft can be made anew")
    if row.document_status == DocumentStatus.DRAFT and row.fetch_again_for == by:
        return
    row.document_status = DocumentStatus.DRAFT
    row.fetch_again_for = by
    audit_trail.record(tx, row, "fetch again", at=at, actor=by, channel=channel)
    wake(tx, row, at)


def void(
    tx: Session,
    row: InvoiceRow,
    *,
    rebill: bool,
    by: str,
    channel: str,
    reason: str,
    at: datetime,
    event: str = "voided",
) -> None:
    """Ends a draft that was never issued: to be billed again (its key is free), or waived (its key stays taken)."""
    if row.number is not None:
        raise WrongState(f"{row.number} is issued and never changes; correct it with a credit note")
    if row.document_status == DocumentStatus.VOIDED:
        raise WrongState(f"{row.billing_key} is voided already")
    if not reason.strip():
        raise Refused("say why: a voided draft needs a reason")
    row.document_status = DocumentStatus.VOIDED
    row.collection_status = CollectionStatus.CLOSED
    row.rebill = rebill
    row.closed_at = at
    row.waits_for, row.next_at = "", None
    if rebill:
        tx.execute(delete(BilledItemRow).where(BilledItemRow.invoice == row.id))
    for exception in open_exceptions(tx, row):
        exception.resolved_at, exception.resolved_by, exception.resolution = at, by, "voided"
    audit_trail.record(
        tx,
        row,
        event,
        at=at,
        actor=by,
        channel=channel,
        reason=reason,
        billing_key="to be billed again" if rebill else "waived",
    )


def bill_again(tx: Session, row: InvoiceRow, *, by: str, channel: str, reason: str, at: datetime) -> None:
    """What was waived with a voided draft (locked before) may be billed after all: its key and its items are free.

    `WrongState` unless it is waived, `Refused` without a reason.
    """
    if row.document_status != DocumentStatus.VOIDED:
        raise WrongState(f"{row.name} is {row.document_status}: nothing of it is waived")
    if row.rebill:
        raise WrongState(f"{row.billing_key} may be billed again already")
    if not reason.strip():
        raise Refused("say why: somebody had decided not to bill it")
    row.rebill = True
    tx.execute(delete(BilledItemRow).where(BilledItemRow.invoice == row.id))
    audit_trail.record(tx, row, "to be billed again", at=at, actor=by, channel=channel, reason=reason.strip())


def open_exceptions(tx: Session, row: InvoiceRow) -> Sequence[ExceptionRow]:
    """The invoice's exceptions nobody has decided yet, oldest first."""
    return tx.scalars(
        select(ExceptionRow)
        .where(ExceptionRow.invoice == row.id, ExceptionRow.resolved_at.is_(None))
        .order_by(ExceptionRow.id)
    ).all()
