"""Agreements as people see them: what each is billed for next, what was billed, where its meter stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from activities.ledger import company_records, meters, taken, triggers
from activities.ledger.agreement_models import (
    AgreementSummary,
    AgreementView,
    BillingView,
    ChangeOrderView,
    MeterView,
    OpenExceptionView,
)
from activities.ledger.summaries import exact
from activities.ledger.tables import ExceptionRow, InvoiceRow
from billing.agreement_terms import in_words, terms
from billing.agreements import Agreement
from billing.change_orders import ChangeOrder, last_day
from billing.company import Company
from billing.exceptions import Finding
from billing.meter_entries import Measure
from billing.metering import MeterStanding, measures
from billing.money import rounded
from billing.outlook import ToBill, next_to_bill, outlook
from billing.status import DocumentStatus
from billing.taken import NOTHING, Taken

COMING = 3
"""Periods to come that the view of an agreement shows, of each item."""

_AGREEMENT, _METER, _LEAK = "agreement/", "meter/", "leak/"
"""How subjects of exceptions begin; the id of the agreement follows, or, of a leak, comes after a word."""


def agreements(
    tx: Session, as_of: datetime, client: str | None = None, only: Collection[str] | None = None
) -> list[AgreementSummary]:
    """The agreements of the company that runs, of one client or with those ids only, by client and id."""
    company = company_records.current(tx).company
    wanted = sorted(
        (
            each
            for each in company.agreements
            if client in (None, each.client) and (only is None or each.id in only)
        ),
        key=lambda each: (each.client, each.id),
    )
    ids = [each.id for each in wanted]
    billed, last, held = taken.of_agreements(tx, ids), _last_billed(tx, ids), _on_hold(tx)
    return [
        AgreementSummary.model_validate(
            _summary(
                tx, company, each, as_of, billed.get(each.id, NOTHING), last.get(each.id), each.id in held
            )
        )
        for each in wanted
    ]


def agreement(tx: Session, key: str, as_of: datetime) -> AgreementView:
    """All about one agreement. `NotFound` if the company has none of that id."""
    company = company_records.current(tx).company
    found = triggers.agreement_of(company, key)
    today = triggers.company_today(company, found, as_of)
    billed, invoices = taken.of_agreement(tx, key), invoices_of(tx, key)
    coming = _outlook(company, found, today, billed, COMING)
    exceptions = _exceptions(tx, found, invoices)
    on_hold = any(each.subject == f"{_AGREEMENT}{key}" for each in exceptions)
    last = _last_billed(tx, [key]).get(key)
    keys = {row.id: row.billing_key for row in invoices}
    return AgreementView.model_validate(
        _summary(tx, company, found, as_of, billed, last, on_hold)
        | {
            "start": found.start,
            "end": last_day(found),
            "terms": terms(found, today),
            "change_orders": [_change_order(found, each, today) for each in found.change_orders],
            "calendar": [*(_billed(each) for each in invoices), *(_to_bill(each, today) for each in coming)],
            "exceptions": [_exception(each, keys) for each in exceptions],
            "as_written": found.model_dump(mode="json", exclude_defaults=True),
        }
    )


def invoices_of(tx: Session, agreement: str) -> Sequence[InvoiceRow]:
    """Its invoices, every generation, in the order of what they bill."""
    return tx.scalars(
        select(InvoiceRow)
        .where(InvoiceRow.agreement == agreement)
        .order_by(InvoiceRow.period_start.nulls_last(), InvoiceRow.requested_at, InvoiceRow.id)
    ).all()


def _summary(
    tx: Session,
    company: Company,
    found: Agreement,
    as_of: datetime,
    billed: Taken,
    last: InvoiceRow | None,
    on_hold: bool,
) -> dict[str, Any]:
    today = triggers.company_today(company, found, as_of)
    coming = next_to_bill(found, today, triggers.calendar_of_agreement(company, found, today), billed)
    metered = meters.standings(tx, found, company, as_of) if measures(found, today) else []
    return {
        "id": found.id,
        "client": found.client,
        "title": found.title,
        "model": found.model,
        "trigger": found.trigger,
        "currency": found.currency,
        "state": _state(found, today, coming, on_hold),
        "next": _to_bill(coming, today) if coming else None,
        "last": _billed(last) if last else None,
        "meters": [_meter(each, found.currency) for each in metered],
    }


def _state(found: Agreement, today: date, coming: ToBill | None, on_hold: bool) -> str:
    ends = last_day(found)
    if on_hold:
        return "on hold"
    if coming is None:
        return "billed in full"
    if ends and ends < today:
        return "ended"
    return "to begin" if found.start > today else "active"


def _outlook(company: Company, found: Agreement, today: date, billed: Taken, ahead: int) -> list[ToBill]:
    return outlook(found, today, triggers.calendar_of_agreement(company, found, today), billed, ahead)


def _to_bill(each: ToBill, today: date) -> BillingView:
    period = each.occasion.period
    state = "waiting" if each.since is None else "due" if each.since <= today else "to come"
    return BillingView(
        billing_key=each.occasion.billing_key,
        item=each.occasion.item,
        period_start=period.start if period else None,
        period_end=period.end if period else None,
        state=state,
        since=each.since,
        waits_for=each.waits_for,
        net=each.amount,
    )


def _billed(row: InvoiceRow) -> BillingView:
    zone = ZoneInfo(row.draft["zone"]) if row.draft else ZoneInfo("UTC")
    return BillingView(
        billing_key=row.billing_key,
        item=row.item or "",
        period_start=row.period_start,
        period_end=row.period_end,
        state=_state_of(row),
        number=row.number,
        document_status=row.document_status,
        on=row.issue_date or row.requested_at.astimezone(zone).date(),
        net=exact(row.net, row.currency),
    )


def _state_of(row: InvoiceRow) -> str:
    if row.document_status == DocumentStatus.VOIDED:
        return "to be billed again" if row.rebill else "waived"
    return "billed" if row.number else "draft"


def _last_billed(tx: Session, agreements: Collection[str]) -> Mapping[str, InvoiceRow]:
    """The newest invoice of each that was not voided."""
    newest = (
        select(InvoiceRow)
        .where(InvoiceRow.agreement.in_(agreements), InvoiceRow.document_status != DocumentStatus.VOIDED)
        .ext(distinct_on(InvoiceRow.agreement))
        .order_by(InvoiceRow.agreement, InvoiceRow.requested_at.desc(), InvoiceRow.period_start.desc())
    )
    return {row.agreement or "": row for row in tx.scalars(newest)}


def _on_hold(tx: Session) -> frozenset[str]:
    """Agreements whose billing waits for a person."""
    subjects = select(ExceptionRow.subject).where(
        ExceptionRow.resolved_at.is_(None), ExceptionRow.subject.startswith(_AGREEMENT)
    )
    return frozenset(each.removeprefix(_AGREEMENT) for each in tx.scalars(subjects) if each)


def _exceptions(tx: Session, found: Agreement, invoices: Sequence[InvoiceRow]) -> Sequence[ExceptionRow]:
    """What waits for a person about the agreement itself, its meters and its invoices."""
    ours: list[ColumnElement[bool]] = [ExceptionRow.invoice.in_([row.id for row in invoices])]
    subject = ExceptionRow.subject
    ours += [
        subject == f"{_AGREEMENT}{found.id}",
        subject.startswith(f"{_METER}{found.id}/", autoescape=True),
    ]
    ours.append(subject.startswith(_LEAK) & subject.contains(f"/{found.id}/", autoescape=True))
    return tx.scalars(
        select(ExceptionRow).where(ExceptionRow.resolved_at.is_(None), or_(*ours)).order_by(ExceptionRow.id)
    ).all()


def _exception(row: ExceptionRow, keys: Mapping[int, str]) -> OpenExceptionView:
    return OpenExceptionView(
        id=row.id,
        code=row.code,
        message=Finding.model_validate(row.finding).message,
        owner=row.owner,
        deadline=row.deadline,
        billing_key=keys.get(row.invoice) if row.invoice else None,
    )


def _change_order(found: Agreement, order: ChangeOrder, today: date) -> ChangeOrderView:
    agreed = "in force" if order.in_force(today) else "agreed"
    return ChangeOrderView(
        id=order.id,
        effective=order.effective,
        reason=order.reason,
        document=order.document,
        changes=in_words(order, found.currency),
        state=agreed if order.approved_by else "not approved",
        approved_by=order.approved_by,
    )


def _meter(standing: MeterStanding, currency: str) -> MeterView:
    blocks, line = standing.blocks, standing.next

    def exact(figure: Decimal) -> Decimal:
        return rounded(figure, currency) if standing.measure is Measure.SPEND else figure

    return MeterView(
        measure=standing.measure,
        used=exact(standing.used),
        bought=blocks.bought if blocks else None,
        left=blocks.left if blocks else None,
        expires=blocks.expires if blocks else None,
        next_line=line.name if line else None,
        next_at=line.threshold if line else None,
        next_value=exact(line.value) if line else None,
        held=len(standing.held),
    )
