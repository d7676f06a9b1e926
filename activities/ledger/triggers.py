"""Triggers in the ledger: what fires becomes an invoice by its billing key, once."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.invoicing.calendars import business_days
from activities.ledger import company_records, invoices, taken
from activities.ledger.invoices import Requested
from activities.ledger.tables import EventRow, InvoiceRow
from billing.agreements import Agreement, Occasion
from billing.calendars import Calendar
from billing.company import Company
from billing.errors import Conflicting, NotFound, Refused
from billing.events import BillingEvent
from billing.occasions import event_occasions, occasion_for
from billing.one_off import OneOff
from billing.request import BillingRequest


def agreement_of(company: Company, agreement: str) -> Agreement:
    """The agreement with that id; `NotFound` naming those there are."""
    found = company.agreement(agreement)
    if found is None:
        known = ", ".join(each.id for each in company.agreements[:8]) or "none"
        raise NotFound(f"there is no agreement {agreement!r}; there are: {known}")
    return found


def by_agreement(
    tx: Session,
    agreement: str,
    item: str | None,
    *,
    until: date | None = None,
    by: str,
    channel: str,
    reason: str = "",
    at: datetime,
) -> Requested:
    """Bills an agreement now because a person asks: the oldest unbilled period, the milestone named, the next block.

    Of the running period, a fee whole or up to `until`, work up to today; the rest stays for its own day.
    """
    company = company_records.current(tx).company
    found = agreement_of(company, agreement)
    today = company_today(company, found, at)
    calendar = calendar_of_agreement(company, found, today)
    occasion = occasion_for(found, item, taken.of_agreement(tx, agreement), today, calendar, until)
    return by_occasion(tx, occasion, "manual", by=by, channel=channel, reason=reason, at=at)


def by_occasion(
    tx: Session, occasion: Occasion, trigger: str, *, by: str, channel: str, reason: str = "", at: datetime
) -> Requested:
    """The invoice of the occasion, made now if there is none; `Conflicting` if part of its period is billed."""
    request = BillingRequest(
        billing_key=occasion.billing_key, trigger=trigger, requested_by=by, reason=reason, occasion=occasion
    )
    return invoices.request(tx, request, at=at, channel=channel)


def one_off(
    tx: Session, one_off: OneOff, key: str | None, *, by: str, channel: str, at: datetime
) -> Requested:
    """Bills what a person wrote down. Without a key, the same content is the same invoice."""
    key = key or hashlib.sha256(one_off.model_dump_json(exclude_defaults=True).encode()).hexdigest()[:12]
    if not key.replace("-", "").replace("_", "").replace(".", "").isalnum() or len(key) > 64:
        raise Refused("a key is up to 64 letters, digits, '.', '_' and '-'")
    request = BillingRequest(billing_key=f"manual/{key}", trigger="manual", requested_by=by, one_off=one_off)
    return invoices.request(tx, request, at=at, channel=channel)


def by_event(
    tx: Session, event: BillingEvent, content: dict[str, Any], *, channel: str, at: datetime
) -> list[Requested]:
    """Stores an event and bills what it makes due; the same event again (by source and id) changes nothing.

    `Conflicting` if an event of that source and id was received that said something else.
    """
    company = company_records.current(tx).company
    agreement = agreement_of(company, event.data.agreement)
    today = company_today(company, agreement, at)
    calendar = calendar_of_agreement(company, agreement, today)
    occasions = event_occasions(event, agreement, today, calendar, taken.of_agreement(tx, agreement.id))
    new = tx.execute(
        insert(EventRow)
        .values(
            source=event.source,
            event=event.id,
            type=event.type,
            received_at=at,
            content=content,
            billing_key=occasions[0].billing_key if occasions else None,
        )
        .on_conflict_do_nothing()
        .returning(EventRow.event)
    ).scalar()
    if new is None:
        return _received_before(tx, event, [each.billing_key for each in occasions])
    return [
        by_occasion(tx, each, f"event {event.type}", by=event.source, channel=channel, at=at)
        for each in occasions
    ]


def _received_before(tx: Session, event: BillingEvent, keys: list[str]) -> list[Requested]:
    """The invoices of an event that comes again; nothing is made, even if one of them was voided meanwhile."""
    earlier = tx.get_one(EventRow, (event.source, event.id))
    if earlier.type != event.type or (earlier.billing_key and earlier.billing_key not in keys):
        raise Conflicting(
            f"event {event.id!r} of {event.source} was received already and said something else: {earlier.type} "
            f"for {earlier.billing_key}; send what is new under an id of its own"
        )
    query = select(InvoiceRow).where(InvoiceRow.billing_key.in_(keys)).order_by(InvoiceRow.generation)
    newest = {row.billing_key: row for row in tx.scalars(query)}
    return [Requested(newest[key], new=False) for key in keys if key in newest]


def company_today(company: Company, agreement: Agreement, at: datetime) -> date:
    """The day it is for the agreement's client."""
    client = company.client(agreement.client)
    return at.astimezone(ZoneInfo(client.zone if client else "UTC")).date()


def calendar_of_agreement(company: Company, agreement: Agreement, today: date) -> Calendar:
    """The business days of the agreement's client."""
    client = company.client(agreement.client)
    return business_days(client, today) if client else Calendar(zone="UTC")
