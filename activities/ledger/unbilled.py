"""What the ledger knows of things that are not billed: open drafts, waived and voided keys, lines crossed, holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, not_, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from activities.ledger import company_records, giving_up, outbox
from activities.ledger.tables import (
    AuditEventRow,
    BilledItemRow,
    CompanyVersionRow,
    ExceptionRow,
    GivingUpRow,
    InvoiceRow,
    MeterCrossingRow,
    OutboxRow,
    UnmatchedPaymentRow,
)
from billing.agreements import Occasion
from billing.company import Company
from billing.exceptions import ReasonCode
from billing.leakage.leak import Crossing, Retired, VoidedDraft, Waived
from billing.money import Money, rounded
from billing.periods import Period
from billing.status import DocumentStatus
from billing.taken import Taken

_BATCH = 10_000
"""Items asked about at a time: what one statement takes without strain."""

_LIVING = not_(and_(InvoiceRow.document_status == DocumentStatus.VOIDED, InvoiceRow.rebill))
_WAIVED = and_(InvoiceRow.document_status == DocumentStatus.VOIDED, not_(InvoiceRow.rebill))
_TO_BE_BILLED_AGAIN = and_(InvoiceRow.document_status == DocumentStatus.VOIDED, InvoiceRow.rebill)


def open_drafts(tx: Session) -> Mapping[str, Taken]:
    """What stands on drafts that are neither issued nor voided, by agreement."""
    return _taken(
        tx, InvoiceRow.document_status.in_([DocumentStatus.DRAFT, DocumentStatus.AWAITING_APPROVAL])
    )


def waived_unseen(tx: Session) -> Mapping[str, Taken]:
    """What a person waived before there was a draft of it, unless it was waived because there was nothing to bill."""
    by_a_person = exists().where(
        AuditEventRow.invoice == InvoiceRow.id,
        AuditEventRow.facts["billing_key"].astext == "waived",
        AuditEventRow.actor != "billow",
    )
    was_empty = exists().where(ExceptionRow.invoice == InvoiceRow.id, ExceptionRow.code == ReasonCode.EMPTY)
    return _taken(tx, and_(_WAIVED, InvoiceRow.draft.is_(None), by_a_person, not_(was_empty)))


def _taken(tx: Session, which: ColumnElement[bool]) -> Mapping[str, Taken]:
    keys: dict[str, set[str]] = defaultdict(set)
    periods: dict[str, dict[str, list[Period]]] = defaultdict(lambda: defaultdict(list))
    for row in tx.execute(_occasions().where(which, InvoiceRow.agreement.is_not(None))):
        keys[row.agreement].add(row.billing_key)
        if row.period_start is not None:
            period = Period(start=row.period_start, end=row.period_end)
            periods[row.agreement][row.item].append(period)
    return {
        agreement: Taken(
            keys=frozenset(found),
            periods={item: tuple(each) for item, each in periods[agreement].items()},
        )
        for agreement, found in keys.items()
    }


def _occasions() -> Select[Any]:
    columns: list[Any] = [
        InvoiceRow.billing_key,
        InvoiceRow.client,
        InvoiceRow.agreement,
        InvoiceRow.item,
        InvoiceRow.period_start,
        InvoiceRow.period_end,
        InvoiceRow.net,
        InvoiceRow.currency,
        InvoiceRow.closed_at,
    ]
    return select(*columns)


def voided_drafts(tx: Session, zone: ZoneInfo) -> tuple[VoidedDraft, ...]:
    """Drafts voided to be billed again whose key no living invoice bears; days are those of the zone."""
    other = aliased(InvoiceRow)
    borne = exists().where(
        other.billing_key == InvoiceRow.billing_key,
        not_(and_(other.document_status == DocumentStatus.VOIDED, other.rebill)),
    )
    query = (
        _decided("to be billed again")
        .where(_TO_BE_BILLED_AGAIN, not_(borne))
        .ext(distinct_on(InvoiceRow.billing_key))
        .order_by(InvoiceRow.billing_key, InvoiceRow.generation.desc())
    )
    return tuple(
        VoidedDraft(
            billing_key=row.billing_key,
            client=row.client,
            voided_on=row.closed_at.astimezone(zone).date(),
            reason=row.reason or "",
            net=_net(row),
            occasion=_occasion(row),
        )
        for row in tx.execute(query)
    )


def waived(tx: Session, zone: ZoneInfo, limit: int = 1000) -> list[Waived]:
    """What people decided not to bill, newest first; days are those of the zone."""
    query = _decided("waived").where(_WAIVED).order_by(InvoiceRow.closed_at.desc(), InvoiceRow.id.desc())
    return [
        Waived(
            billing_key=row.billing_key,
            client=row.client,
            net=_net(row),
            waived_on=row.closed_at.astimezone(zone).date(),
            by=row.actor or "",
            reason=row.reason or "",
        )
        for row in tx.execute(query.limit(limit))
    ]


def _decided(about_the_key: str) -> Select[Any]:
    """Voided drafts with what the audit trail says about it."""
    voiding = and_(
        AuditEventRow.invoice == InvoiceRow.id,
        AuditEventRow.facts["billing_key"].astext == about_the_key,
    )
    return (
        _occasions()
        .add_columns(AuditEventRow.actor, AuditEventRow.facts["reason"].astext.label("reason"))
        .outerjoin(AuditEventRow, voiding)
        .where(InvoiceRow.closed_at.is_not(None))
    )


def _net(row: Row[Any]) -> Money | None:
    if row.net is None or row.currency is None:
        return None
    return Money.of(rounded(Decimal(row.net), row.currency), row.currency)


def _occasion(row: Row[Any]) -> Occasion | None:
    if row.agreement is None or row.item is None:
        return None
    period = Period(start=row.period_start, end=row.period_end) if row.period_start else None
    return Occasion(agreement=row.agreement, item=row.item, period=period)


def unbilled_crossings(tx: Session, zone: ZoneInfo) -> tuple[Crossing, ...]:
    """Lines that were crossed and whose invoice does not live; days are those of the zone."""
    lives = exists().where(InvoiceRow.billing_key == MeterCrossingRow.billing_key, _LIVING)
    query = select(MeterCrossingRow).where(MeterCrossingRow.billing_key.is_not(None), not_(lives))
    return tuple(
        Crossing(row.agreement, row.line, row.crossed_at.astimezone(zone).date(), row.billing_key)
        for row in tx.scalars(query)
    )


def retired(tx: Session, company: Company, zone: ZoneInfo) -> tuple[Retired, ...]:
    """Agreements with invoices that the company does not have any more, as they were last; days are of the zone."""
    known = [each.id for each in company.agreements]
    gone = select(InvoiceRow.agreement).where(InvoiceRow.agreement.is_not(None)).distinct()
    found = []
    for agreement in tx.scalars(gone.where(InvoiceRow.agreement.not_in(known))):
        had_it = CompanyVersionRow.company.contains({"agreements": [{"id": agreement}]})
        version = tx.scalar(select(func.max(CompanyVersionRow.version)).where(had_it))
        after = select(func.min(CompanyVersionRow.applied_at)).where(
            CompanyVersionRow.version > (version or 0)
        )
        retired_at = tx.scalar(after)
        was = company_records.at_version(tx, version).company.agreement(agreement or "") if version else None
        if was is not None and retired_at is not None:
            found.append(Retired(was, retired_at.astimezone(zone).date()))
    return tuple(found)


def held_by(tx: Session, prefix: str) -> frozenset[str]:
    """What comes after the prefix in subjects that wait for a person, or that one has taken as they are."""
    newest = (
        select(ExceptionRow.subject, ExceptionRow.resolved_at, ExceptionRow.resolution)
        .where(ExceptionRow.subject.startswith(prefix, autoescape=True))
        .ext(distinct_on(ExceptionRow.subject))
        .order_by(ExceptionRow.subject, ExceptionRow.id.desc())
    )
    return frozenset(
        (subject or "").removeprefix(prefix)
        for subject, resolved_at, resolution in tx.execute(newest)
        if resolved_at is None or (resolution or "").startswith("accepted")
    )


def on_invoices(tx: Session, source: str, items: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Those of the items that stand on a living or waived invoice."""
    wanted = list(items)
    for start in range(0, len(wanted), _BATCH):
        query = select(BilledItemRow.item).where(
            BilledItemRow.source == source, BilledItemRow.item.in_(wanted[start : start + _BATCH])
        )
        yield from ((source, item) for item in tx.scalars(query))


def stalled(tx: Session, before: datetime, limit: int = 1000) -> list[InvoiceRow]:
    """Open invoices that should have been looked at before an instant and have no wake-up on its way."""
    woken = exists().where(
        OutboxRow.invoice == InvoiceRow.id, OutboxRow.kind == outbox.WAKE, OutboxRow.done_at.is_(None)
    )
    looked_at = func.coalesce(InvoiceRow.next_at, InvoiceRow.requested_at)
    query = (
        select(InvoiceRow)
        .where(InvoiceRow.closed_at.is_(None), looked_at < before, not_(woken))
        .order_by(InvoiceRow.id)
        .limit(limit)
    )
    return list(tx.scalars(query))


def overdue(tx: Session, as_of: datetime) -> tuple[int, int]:
    """How many exceptions, and how many payments, write-offs and refunds nobody has decided by their deadline."""

    def late(table: type[ExceptionRow] | type[UnmatchedPaymentRow]) -> int:
        past = or_(table.deadline <= as_of, table.escalations > 0)
        return (
            tx.scalar(select(func.count()).select_from(table).where(table.resolved_at.is_(None), past)) or 0
        )

    waiting = select(func.count()).select_from(GivingUpRow).where(giving_up.is_open())
    given_up = tx.scalar(waiting.where(GivingUpRow.deadline <= as_of)) or 0
    return late(ExceptionRow), late(UnmatchedPaymentRow) + given_up
