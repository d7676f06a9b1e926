"""Where an invoice stands in the ledger, and the plan that follows from it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from activities.invoicing.calendars import calendar_of
from activities.ledger import (
    approvals,
    bank_data,
    collection,
    company_records,
    credit_notes,
    exceptions,
    instalments,
    invoices,
    payments,
)
from activities.ledger.tables import InvoiceRow
from billing.company import Company
from billing.dunning_policy import CREDITED_AND_OWED, NO_POLICY, Act, NextStep, next_step, promise_given_until
from billing.errors import NotFound, WrongState
from billing.money import Money, rounded
from billing.status import CollectionStatus, DocumentStatus
from workflows.messages import Plan, Step

NOTHING_PLANNED = timedelta(days=30)
"""How often an invoice is looked at for which the dunning policy has no further step."""


def plan(tx: Session, row: InvoiceRow, company: Company, as_of: datetime) -> Plan:
    """What comes next for the invoice as it stands; also noted on the row, for lists and the inbox."""
    found = _plan(tx, row, company, as_of)
    row.waits_for, row.then, row.next_at = found.waits_for, found.then, found.at
    return found


def after_step(tx: Session, row: InvoiceRow, as_of: datetime) -> Plan:
    """What comes next after a step that has worked; whoever has an exception to decide is told again in time."""
    company = pinned(tx, row)
    exceptions.close_failed(tx, row, at=as_of)
    exceptions.attend(tx, row, company, at=as_of)
    return plan(tx, row, company, as_of)


def _plan(tx: Session, row: InvoiceRow, company: Company, as_of: datetime) -> Plan:
    match row.document_status:
        case DocumentStatus.VOIDED:
            return Plan(step=None, state=f"voided draft, {'to be billed again' if row.rebill else 'waived'}")
        case DocumentStatus.DRAFT:
            held = _held_draft(tx, row, as_of)
            if row.draft is None or row.fetch_again_for:
                return held or Plan(step=Step.ASSEMBLE, name="assemble", state="draft")
            return held or _approval(tx, row) or _issue(row)
        case DocumentStatus.AWAITING_APPROVAL:
            waiting = [each for each in (_approval(tx, row), _held(tx, row, Step.APPROVE)) if each]
            return min(waiting, key=lambda each: each.at or as_of) if waiting else _issue(row)
        case DocumentStatus.DOCUMENT_PENDING:
            ready = Plan(
                step=Step.RENDER, name="render", state="issued, document pending", number=row.number or ""
            )
            return _held(tx, row, Step.RENDER) or ready
        case status if row.delivered_at is None and status != DocumentStatus.CREDITED:
            ready = Plan(step=Step.DELIVER, name="deliver", state="issued", number=row.number or "")
            return _held(tx, row, Step.DELIVER) or ready
        case _:
            return _credit_note(tx, row) or _collection(tx, row, company, as_of)


def _credit_note(tx: Session, row: InvoiceRow) -> Plan | None:
    """A credit note is made and sent before anything else; also on an invoice that is closed."""
    note = credit_notes.unfinished(tx, row)
    if note is None:
        return None
    step = Step.RENDER if note.document is None else Step.DELIVER
    # the number in it: another one of the same invoice is another step, not the same one again
    ready = Plan(
        step=step, name=f"{step}-credit-note", state=f"credited by {note.number}", number=row.number or ""
    )
    return _held(tx, row, step) or ready


def _held(tx: Session, row: InvoiceRow, step: Step) -> Plan | None:
    """Waiting for a person to decide the invoice's exceptions; None if there are none."""
    open_ones = invoices.open_exceptions(tx, row)
    if not open_ones:
        return None
    first = min(open_ones, key=exceptions.attention_at)
    codes = ", ".join(sorted({exception.code for exception in open_ones}))
    return Plan(
        step=step,
        at=exceptions.attention_at(first),
        name="exception-reminder"
        if exceptions.attention_at(first) < first.deadline
        else "exception-deadline",
        state="exception",
        waits_for=f"decision on: {codes}"[:120],
        owner=first.owner,
        then=f"decided or repaired: {step} again; undecided: goes up the line",
        number=row.number or "",
    )


def _held_draft(tx: Session, row: InvoiceRow, as_of: datetime) -> Plan | None:
    """The same for a draft; what may pass is looked at again before anybody must decide."""
    held = _held(tx, row, Step.ASSEMBLE)
    again = exceptions.looked_at_again(invoices.open_exceptions(tx, row), as_of) if held else None
    if held is None or again is None or (held.at is not None and held.at <= again):
        return held
    then = "made again by itself; decided or repaired: at once"
    return held.model_copy(update={"at": again, "name": "assemble-again", "then": then})


def _approval(tx: Session, row: InvoiceRow) -> Plan | None:
    """Waiting for a tier to decide; None when everybody has agreed."""
    pending = approvals.waiting(tx, row)
    if pending is None:
        return None
    return Plan(
        step=Step.APPROVE,
        at=approvals.attention_at(pending),
        name="approval-reminder"
        if approvals.attention_at(pending) < pending.deadline
        else "approval-deadline",
        state="awaiting approval",
        waits_for=f"approval of {money_of(row)}, tier {pending.tier}"[:120],
        owner=", ".join(pending.asked)[:120],
        then="approved: numbered and sent; silence: goes up the line",
    )


def _issue(row: InvoiceRow) -> Plan:
    return Plan(step=Step.ISSUE, name="issue", state="approved" if row.draft else "draft")


def upcoming(tx: Session, row: InvoiceRow, company: Company, as_of: datetime) -> NextStep:
    """The next act of collection, by the rule, from what the ledger knows now."""
    client = company.client(row.client)
    if client is None:
        raise NotFound(
            f"client {row.client!r} is not in company version {row.company_version}; apply one that has it"
        )
    policy = company.dunning_policy(client.dunning) or NO_POLICY
    today = as_of.astimezone(ZoneInfo(client.zone)).date()
    facts = collection.facts(tx, row).model_copy(update={"bank_data_old": bank_data.too_old(tx, row, as_of)})
    return next_step(facts, policy, calendar_of(client, policy, today), as_of)


def promise_is_over(tx: Session, row: InvoiceRow, as_of: datetime) -> bool:
    """Whether the day a client promised to pay by is past, so that nobody waits for it any more."""
    company = pinned(tx, row)
    client = company.client(row.client)
    if row.promised_for is None or client is None:
        return True
    today = as_of.astimezone(ZoneInfo(client.zone)).date()
    calendar = calendar_of(client, company.dunning_policy(client.dunning) or NO_POLICY, today)
    return promise_given_until(row.promised_for, calendar) <= as_of


def _collection(tx: Session, row: InvoiceRow, company: Company, as_of: datetime) -> Plan:
    coming = upcoming(tx, row, company, as_of)
    due = due_date(row).isoformat()
    numbered = Plan(step=None, number=row.number or "", due=due)
    if coming.act is Act.SETTLE and row.collection_status != CollectionStatus.CLOSED:
        return numbered.model_copy(update={"step": Step.COLLECT, "name": "settle", "state": "settled"})
    held = _held(tx, row, Step.COLLECT)
    if held is not None:
        return held.model_copy(update={"due": due})
    if coming.act is Act.SETTLE:
        return numbered.model_copy(update={"state": f"settled: {coming.why}"})
    if coming.act is Act.REST and row.handed_over_at is not None:
        return numbered.model_copy(update={"state": "handed over to collection"})
    if coming.act is Act.REST:
        why = coming.why if coming.why == CREDITED_AND_OWED else "the dunning policy plans nothing more"
        coming = NextStep(act=Act.WAIT, at=as_of + NOTHING_PLANNED, why=why)
    if coming.at <= as_of:
        return numbered.model_copy(update={"step": Step.COLLECT, "name": coming.name, "state": "collecting"})
    waiting = coming.act is Act.WAIT
    asked = asked_money(tx, row, collection.client_today(row, company, as_of))
    return Plan(
        step=Step.COLLECT,
        at=coming.at,
        name=coming.name,
        state=coming.why.split(" for ")[0] if waiting else "awaiting payment",
        waits_for=f"payment of {asked}" + (f"; {coming.why}" if waiting else ""),
        owner=company_owner(company, row) if waiting else "",
        then="look again" if waiting else coming.name,
        number=row.number or "",
        due=due,
    )


def company_owner(company: Company, row: InvoiceRow) -> str:
    """The account manager of the invoice's client."""
    client = company.client(row.client)
    return client.account_manager if client else company.exceptions.default_owner


def due_date(row: InvoiceRow) -> date:
    """The day the client must have paid by: as agreed since, of the instalment that is open, or as on the document."""
    found = row.agreed_due_date or row.due_date
    if found is None:
        raise WrongState(f"{row.billing_key} is {row.document_status}: it has no due date yet")
    return found


def money_of(row: InvoiceRow) -> Money:
    """The gross amount of a drafted invoice."""
    return _money(row, row.gross)


def open_money(row: InvoiceRow) -> Money:
    """What is still owed."""
    return _money(row, payments.open_amount(row))


def asked_money(tx: Session, row: InvoiceRow, today: date) -> Money:
    """What may be asked for by `today`: what is still owed, or, in instalments, what of it is due."""
    return _money(row, instalments.asked_amount(tx, row, today))


def _money(row: InvoiceRow, amount: Decimal | None) -> Money:
    if amount is None or row.currency is None:
        raise WrongState(f"{row.billing_key} has no draft yet, so it has no amount")
    return Money.of(rounded(amount, row.currency), row.currency)


def pinned(tx: Session, row: InvoiceRow) -> Company:
    """The company whose policies the invoice was triggered under."""
    return company_records.at_version(tx, row.company_version).company
