"""Why something was not billed: not due, held, waiting for what triggers it, part of another invoice."""

from __future__ import annotations

from collections import deque
from datetime import date, datetime
from itertools import takewhile

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from activities.ledger import billing_run_records, meters, taken, triggers
from activities.ledger.agreement_models import Why
from activities.ledger.agreement_views import invoices_of
from activities.ledger.tables import BillingRunItemRow, BillingRunRow, EventRow, ExceptionRow, InvoiceRow
from billing.agreements import Agreement, Occasion, PrepaidBlock, Trigger
from billing.company import Company
from billing.due import Item, items_of, lifetime, unbilled
from billing.errors import NotFound
from billing.exceptions import Finding
from billing.metering import measures
from billing.outlook import ToBill, outlook, waits_for
from billing.status import DocumentStatus


def explain(tx: Session, company: Company, agreement: Agreement, found: ToBill, as_of: datetime) -> Why:
    """Why an occasion is not billed."""
    today = triggers.company_today(company, agreement, as_of)
    if found.since is None:
        found_out = _leaks(tx, company, found.occasion)
        reasons = [
            *found_out,
            *_events(tx, agreement),
            *_meters(tx, company, agreement, found.occasion.item, as_of),
        ]
        return _why(agreement, found.occasion, f"Not billed: it waits for {found.waits_for}.", reasons)
    period = found.occasion.period
    if found.since > today:
        return _why(agreement, found.occasion, f"Not due until {found.since}.", [f"The period is {period}."])
    return _why(
        agreement, found.occasion, f"Due since {found.since}, and not billed.", _held(tx, company, found)
    )


def explain_key(tx: Session, company: Company, agreement: Agreement, rest: str, as_of: datetime) -> Why:
    """Why nothing was billed under a key of the agreement, of which this is the item and the first day."""
    name, _, begins = rest.partition("/")
    today = triggers.company_today(company, agreement, as_of)
    item = next((each for each in items_of(agreement) if each.name == name), None)
    if item is None or not begins:
        return _of_item(tx, company, agreement, name, as_of, today)
    try:
        day = date.fromisoformat(begins)
    except ValueError as error:
        raise NotFound(
            f"{agreement.id}/{rest} is no billing key: after the item comes the first day of a period, "
            f"such as {agreement.id}/{name}/{agreement.start}"
        ) from error
    return _of_day(tx, company, agreement, item, day, as_of)


def _of_day(
    tx: Session, company: Company, agreement: Agreement, item: Item, day: date, as_of: datetime
) -> Why:
    today = triggers.company_today(company, agreement, as_of)
    asked = f"{agreement.id}/{item.name}/{day}"
    lasts = lifetime(agreement)
    if lasts is None or day < lasts.start:
        return _none(asked, f"Never billed: the agreement starts on {agreement.start}.")
    if day > lasts.end:
        return _none(asked, f"Never billed: the agreement ends on {lasts.end}.")
    covering = _covering(tx, agreement, item, day)
    if covering is not None:
        waived = covering.document_status == DocumentStatus.VOIDED
        said = "is waived" if waived else f"is on {covering.number or 'a draft'}"
        covers = f"It covers {covering.period_start} to {covering.period_end}."
        return _none(asked, f"Part of {covering.billing_key}, which {said}.", [covers], covering.billing_key)
    calendar = triggers.calendar_of_agreement(company, agreement, today)
    left = unbilled(agreement, item, calendar, taken.of_agreement(tx, agreement.id))
    known = takewhile(
        lambda each: each.occasion.period is not None and each.occasion.period.start <= day, left
    )
    due = deque(known, maxlen=1)
    if not due:
        return _none(asked, "Nothing is billed under this key.")
    by_calendar = agreement.trigger is Trigger.TIME or isinstance(agreement, PrepaidBlock)
    waits = "" if by_calendar else waits_for(agreement, item.name, today)
    found = ToBill(due[0].occasion, None if waits else due[0].since, waits)
    why = explain(tx, company, agreement, found, as_of)
    if due[0].occasion.billing_key == asked:
        return why
    return why.model_copy(
        update={"reasons": (f"It is part of the period {due[0].occasion.period}.", *why.reasons)}
    )


def _covering(tx: Session, agreement: Agreement, item: Item, day: date) -> InvoiceRow | None:
    """The invoice that bills or waives the day."""
    return tx.scalars(
        select(InvoiceRow).where(
            InvoiceRow.agreement == agreement.id,
            InvoiceRow.item == item.name,
            InvoiceRow.period_start <= day,
            InvoiceRow.period_end >= day,
            or_(InvoiceRow.document_status != DocumentStatus.VOIDED, InvoiceRow.rebill.is_(False)),
        )
    ).first()


def _of_item(
    tx: Session, company: Company, agreement: Agreement, name: str, as_of: datetime, today: date
) -> Why:
    calendar = triggers.calendar_of_agreement(company, agreement, today)
    coming = outlook(agreement, today, calendar, taken.of_agreement(tx, agreement.id), 1)
    found = next((each for each in coming if each.occasion.item == name), None)
    if found is not None:
        return explain(tx, company, agreement, found, as_of)
    known = dict.fromkeys([*(each.item or "" for each in invoices_of(tx, agreement.id))])
    known |= dict.fromkeys(each.occasion.item for each in coming)
    raise NotFound(f"agreement {agreement.id!r} has no item {name!r}; it has: {', '.join(known) or 'none'}")


def _why(agreement: Agreement, occasion: Occasion, answer: str, reasons: list[str]) -> Why:
    return _none(occasion.billing_key, answer, reasons, agreement.id)


def _none(key: str, answer: str, reasons: list[str] | None = None, look_at: str = "") -> Why:
    commands: tuple[str, ...] = ()
    if look_at:
        commands = (f"billow show {look_at}",) if "/" in look_at else (f"billow agreement {look_at}",)
    return Why(billing_key=key, billed=False, answer=answer, reasons=tuple(reasons or ()), commands=commands)


def _held(tx: Session, company: Company, found: ToBill) -> list[str]:
    """What keeps something that is due from being billed."""
    reasons = []
    for row in tx.scalars(
        select(ExceptionRow)
        .where(
            ExceptionRow.resolved_at.is_(None),
            ExceptionRow.subject.in_([f"agreement/{found.occasion.agreement}", "billing-run/sources"]),
        )
        .order_by(ExceptionRow.id)
    ):
        owner = company.person_name(row.owner)
        reasons.append(f"Held, to be decided by {owner}: {Finding.model_validate(row.finding).message}.")
    if reasons:
        return reasons
    held = tx.scalars(
        select(BillingRunItemRow)
        .join(BillingRunRow, BillingRunRow.run == BillingRunItemRow.run)
        .where(
            BillingRunItemRow.billing_key == found.occasion.billing_key, BillingRunItemRow.outcome == "held"
        )
        .order_by(BillingRunRow.as_of.desc())
        .limit(1)
    ).first()
    if held is not None:
        return [f"Billing run {held.run} held it: {held.because}.", "The next billing run looks again."]
    moved = billing_run_records.last_moved(tx)
    if moved is None:
        return ["No billing run has been made yet: billow run, or billow sync-schedules for every hour."]
    return [f"The last billing run was at {moved:%Y-%m-%d %H:%M} UTC; the next one asks for it."]


def _leaks(tx: Session, company: Company, occasion: Occasion) -> list[str]:
    """What reconciliation has found out about it."""
    leaks = select(ExceptionRow).where(
        ExceptionRow.resolved_at.is_(None), ExceptionRow.subject == f"leak/invoice/{occasion.billing_key}"
    )
    return [
        f"Reconciliation found, for {company.person_name(row.owner)} to decide: "
        f"{Finding.model_validate(row.finding).message}."
        for row in tx.scalars(leaks)
    ]


def _events(tx: Session, agreement: Agreement) -> list[str]:
    """Events about the agreement that wait themselves."""
    data = EventRow.content["data"]
    names = {
        "agreement": agreement.id,
        "contract": agreement.contract,
        "deal": agreement.deal,
        "project": agreement.project,
    }
    ours = [data[kind].astext == name for kind, name in names.items() if name]
    waiting = select(EventRow).where(EventRow.status.in_(["held", "waiting"]), or_(*ours))
    return [
        f"Event {row.type} {row.event} of {row.source} is {row.status}"
        + (f": {row.outcome}." if row.outcome else ".")
        for row in tx.scalars(waiting.order_by(EventRow.received_at).limit(5))
    ]


def _meters(tx: Session, company: Company, agreement: Agreement, item: str, as_of: datetime) -> list[str]:
    """How far the meter that bills the item has come."""
    today = triggers.company_today(company, agreement, as_of)
    if not measures(agreement, today):
        return []
    lines = [each.next for each in meters.standings(tx, agreement, company, as_of)]
    return [
        f"The meter stands at {line.value.normalize():f} of {line.threshold.normalize():f}."
        for line in lines
        if line and line.item == item
    ]
