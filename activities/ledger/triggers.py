"""Triggers in the ledger: what fires becomes an invoice by its billing key, once."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from activities.invoicing.calendars import business_days
from activities.ledger import audit_trail, company_records, invoices, taken
from activities.ledger.invoices import Requested
from activities.ledger.tables import InvoiceRow
from billing.agreements import Agreement, Occasion
from billing.calendars import Calendar
from billing.company import Company
from billing.due import due
from billing.errors import Conflicting, NotFound, Refused, WrongState
from billing.occasions import occasion_for
from billing.one_off import OneOff
from billing.request import BillingRequest
from billing.status import DocumentStatus


def agreement_of(company: Company, agreement: str) -> Agreement:
    """The agreement with that id; `NotFound` naming those there are."""
    found = company.agreement(agreement)
    if found is None:
        known = ", ".join(each.id for each in company.agreements[:8]) or "none"
        more = " …; `billow agreements` lists all" if len(company.agreements) > 8 else ""
        raise NotFound(f"there is no agreement {agreement!r}; there are: {known}{more}")
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

    Of the running period, a fee whole or up to `until`, work up to today; the rest stays for its own day. What the
    calendar does not bill yet needs a reason: `Refused` without one.
    """
    company = company_records.current(tx).company
    found = agreement_of(company, agreement)
    today = company_today(company, found, at)
    calendar = calendar_of_agreement(company, found, today)
    billed = taken.of_agreement(tx, agreement)
    try:
        occasion = occasion_for(found, item, billed, today, calendar, until)
    except Refused:
        standing = invoices.covering(tx, agreement, item, today) if until in (None, today) else None
        if standing is None or until not in (None, standing.period_end):
            raise
        return Requested(standing, new=False)  # asked for a second time
    if until is not None and occasion.period is None:
        raise Refused(f"{occasion.item} of {agreement!r} is billed as a whole, not up to a day")
    early = occasion.period is not None and occasion not in (
        each.occasion for each in due(found, today, calendar, billed)
    )
    if early and occasion.billing_key not in billed.keys and not reason.strip():
        raise Refused(
            f"{occasion.period} of {agreement!r} is not due yet like this; say why it is billed early, "
            "for those who approve it"
        )
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
    tx: Session,
    one_off: OneOff,
    key: str | None,
    *,
    by: str,
    channel: str,
    reason: str = "",
    at: datetime,
) -> Requested:
    """Bills what a person wrote down. Without a key, the same content is the same invoice.

    One that says which invoice it corrects is `corrected`. `Conflicting` if the key is another one-off's.
    """
    if one_off.corrects is not None:
        return corrected(tx, one_off, one_off.corrects, by=by, channel=channel, reason=reason, at=at)
    key = key or hashlib.sha256(one_off.model_dump_json(exclude_defaults=True).encode()).hexdigest()[:12]
    if not key.replace("-", "").replace("_", "").replace(".", "").isalnum() or len(key) > 64:
        raise Refused("a key is up to 64 letters, digits, '.', '_' and '-'")
    return _by_hand(tx, one_off, f"manual/{key}", by=by, channel=channel, reason=reason, at=at)


def corrected(
    tx: Session, one_off: OneOff, number: str, *, by: str, channel: str, reason: str, at: datetime
) -> Requested:
    """Bills anew what a disputed or credited invoice billed wrongly; the same content again is the same invoice.

    A disputed invoice stays as it is until it is credited. `WrongState` unless it is disputed or credited, in whole or
    in part, `Conflicting` if it is corrected by another draft or invoice, `Refused` for another client or currency, and
    without a reason.
    """
    if one_off.corrects not in (None, number):
        raise Refused(f"what was written says it corrects {one_off.corrects}, not {number}")
    wrong = _to_correct(tx, number)
    for what, said, was in (
        ("client", one_off.client, wrong.client),
        ("currency", one_off.currency, wrong.currency),
    ):
        if said != was:
            raise Refused(
                f"{wrong.number} has the {what} {was}, its correction {said}; they must be the same"
            )
    if not reason.strip():
        raise Refused("say why it is corrected, for those who approve it")
    one_off = one_off.model_copy(update={"corrects": wrong.number})
    name = (wrong.number or "").replace("/", "-")
    prefix = f"manual/{name}-corrected-"
    waived = 0
    for earlier in invoices.with_prefix(tx, prefix):
        if earlier.document_status == DocumentStatus.VOIDED:
            waived += not earlier.rebill
        elif OneOff.model_validate(earlier.request["one_off"]) == one_off:
            return Requested(earlier, new=False)
        else:
            raise Conflicting(
                f"{wrong.number} is corrected by {earlier.name} already, and by other lines; "
                + ("dispute that one to correct it" if earlier.number else "void that draft first")
            )
    asked = _by_hand(tx, one_off, f"{prefix}{waived + 1}", by=by, channel=channel, reason=reason, at=at)
    asked.invoice.corrects = wrong.id
    if asked.new:
        audit_trail.record(
            tx,
            wrong,
            "correction asked for",
            at=at,
            actor=by,
            channel=channel,
            billing_key=asked.invoice.billing_key,
            reason=reason,
        )
    return asked


def _to_correct(tx: Session, number: str) -> InvoiceRow:
    """The invoice that was wrong, locked."""
    wrong = invoices.find(tx, number, lock=True)
    if wrong.number is None:
        raise WrongState(
            f"{wrong.billing_key} is {wrong.document_status} and has no number: nobody has it yet. "
            "Repair what it is made of and fetch it again, or void it"
        )
    if wrong.disputed is None and not wrong.credited:
        raise WrongState(
            f"{wrong.number} is not disputed or credited ({wrong.payment_status}, {wrong.collection_status}): "
            "note the dispute first, so that nobody is reminded of the wrong amount, or credit it"
        )
    return wrong


def _by_hand(
    tx: Session, one_off: OneOff, key: str, *, by: str, channel: str, reason: str, at: datetime
) -> Requested:
    request = BillingRequest(
        billing_key=key, trigger="manual", requested_by=by, reason=reason, one_off=one_off
    )
    asked = invoices.request(tx, request, at=at, channel=channel)
    if not asked.new and OneOff.model_validate(asked.invoice.request["one_off"]) != one_off:
        raise Conflicting(
            f"{key} is taken by an invoice of other content, {asked.invoice.title or asked.invoice.document_status}; "
            "give another key to what is another invoice"
        )
    return asked


def company_today(company: Company, agreement: Agreement, at: datetime) -> date:
    """The day it is for the agreement's client."""
    client = company.client(agreement.client)
    return at.astimezone(ZoneInfo(client.zone if client else "UTC")).date()


def calendar_of_agreement(company: Company, agreement: Agreement, today: date) -> Calendar:
    """The business days of the agreement's client."""
    client = company.client(agreement.client)
    return business_days(client, today) if client else Calendar(zone="UTC")
