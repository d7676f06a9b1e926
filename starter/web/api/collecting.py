"""Commands about an issued invoice and the client's word: hold, promise, dispute, due date, payment plan, sending."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Request
from pydantic import AwareDatetime, Field

from activities.ledger import commands, company_records, dispute_commands, portal_link_commands, portal_links
from activities.ledger import invoices as ledger_invoices
from activities.ledger.read_models import ReadModel
from billing.dispute import DisputeCode
from billing.parties import Strict
from starter.web.api.routes import operations
from starter.web.api.shapes import Amount, Changed, Order, Ordered, Reason, Text, answers
from starter.web.desk import desk_of

router = operations("Collection")

_ABOUT = answers(404, 409, 412)


class Hold(Strict):
    """Nobody is reminded before `until`."""

    until: AwareDatetime
    reason: Reason


class Promise(Strict):
    """The client promised to pay by a day of its zone."""

    on: date
    note: Text = ""


class Why(Strict):
    """Why it is done."""

    reason: Reason


class Dispute(Strict):
    """What the client says is wrong; `lines` are positions from 1, none for the whole invoice."""

    reason: Reason
    code: DisputeCode = DisputeCode.OTHER
    lines: tuple[Annotated[int, Field(ge=1, le=100_000)], ...] = Field(default=(), max_length=1000)
    tell_client: bool = Field(default=False, description="that it was noted")


class Decided(Strict):
    """How the dispute was decided, in the client's language: the client is told."""

    answer: Reason


class Withdrawn(Strict):
    """What was said about it."""

    answer: Text = ""


class DueDate(Strict):
    """Another due date that was agreed on."""

    to: date
    reason: Reason


class Instalment(Strict):
    """A part of what is open, and by when it is to be paid."""

    due_date: date
    amount: Amount


class Plan(Strict):
    """Instalments that come to what is open, their days rising."""

    parts: tuple[Instalment, ...] = Field(min_length=1, max_length=60)
    reason: Reason
    tell_client: bool = True


class PlanEnded(Strict):
    """Why the plan holds no longer; all is due at once, or on a day."""

    reason: Reason
    due: date | None = None


class Copy(Strict):
    """To whom the invoice, or that credit note of it, is sent once more; to its billing contact without `to`."""

    to: Annotated[str, Field(max_length=254, pattern=r"^[^\x00]*$")] | None = None
    credit_note: Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")] | None = None


class Link(ReadModel):
    """The address at which the client sees the invoice; `viewed_at` is when a person last did."""

    url: str
    expires_at: AwareDatetime
    viewed_at: AwareDatetime | None


class Revoked(ReadModel):
    """How many links lead nowhere from now on."""

    revoked: int


@router.post("/invoices/{invoice:path}/hold", operation_id="holdInvoice", responses=_ABOUT)
def hold(order: Ordered, body: Hold) -> Changed:
    """Stops reminders until an instant; the level is kept."""
    commands.hold(order.ledger, order.reference, until=body.until, reason=body.reason, **order.said)
    return order.done()


@router.post("/invoices/{invoice:path}/release", operation_id="releaseInvoice", responses=_ABOUT)
def release(order: Ordered) -> Changed:
    """Ends a hold; reminders go on."""
    commands.release(order.ledger, order.reference, **order.said)
    return order.done()


@router.post("/invoices/{invoice:path}/promise", operation_id="notePromise", responses=_ABOUT)
def promise(order: Ordered, body: Promise) -> Changed:
    """Notes that the client promised to pay by a day; reminders rest until then."""
    dispute_commands.promise(order.ledger, order.reference, on=body.on, note=body.note, **order.said)
    return order.done()


@router.post("/invoices/{invoice:path}/withdraw-promise", operation_id="withdrawPromise", responses=_ABOUT)
def withdraw_promise(order: Ordered, body: Why) -> Changed:
    """The promise holds no longer."""
    dispute_commands.withdraw_promise(order.ledger, order.reference, reason=body.reason, **order.said)
    return order.done()


@router.post("/invoices/{invoice:path}/dispute", operation_id="disputeInvoice", responses=_ABOUT)
def dispute(order: Ordered, body: Dispute) -> Changed:
    """Notes that the client disputes the invoice, or lines of it; reminders rest until it is decided."""
    dispute_commands.dispute(
        order.ledger,
        order.reference,
        reason=body.reason,
        code=body.code,
        lines=body.lines,
        tell_client=body.tell_client,
        **order.said,
    )
    return order.done()


@router.post("/invoices/{invoice:path}/reject-dispute", operation_id="rejectDispute", responses=_ABOUT)
def end_dispute(order: Ordered, body: Decided) -> Changed:
    """The dispute is decided and the claim stands: the client is told. Where the client is right, credit it."""
    dispute_commands.end_dispute(order.ledger, order.reference, answer=body.answer, **order.said)
    return order.done()


@router.post("/invoices/{invoice:path}/withdraw-dispute", operation_id="withdrawDispute", responses=_ABOUT)
def withdraw_dispute(order: Ordered, body: Withdrawn) -> Changed:
    """The client disputes the invoice no longer."""
    dispute_commands.withdraw_dispute(order.ledger, order.reference, answer=body.answer, **order.said)
    return order.done()


@router.post("/invoices/{invoice:path}/change-due-date", operation_id="changeDueDate", responses=_ABOUT)
def due_date(order: Ordered, body: DueDate) -> Changed:
    """Agrees on another due date, later or earlier."""
    commands.change_due_date(order.ledger, order.reference, to=body.to, reason=body.reason, **order.said)
    return order.done()


@router.post("/invoices/{invoice:path}/plan", operation_id="agreePlan", responses=_ABOUT)
def plan(order: Ordered, body: Plan) -> Changed:
    """Agrees that what is open is paid in parts; a plan from before is replaced."""
    dispute_commands.agree_plan(
        order.ledger,
        order.reference,
        parts=[(each.due_date, each.amount) for each in body.parts],
        reason=body.reason,
        tell_client=body.tell_client,
        **order.said,
    )
    return order.done()


@router.post("/invoices/{invoice:path}/end-plan", operation_id="endPlan", responses=_ABOUT)
def end_plan(order: Ordered, body: PlanEnded) -> Changed:
    """The payment plan holds no longer."""
    dispute_commands.end_plan(order.ledger, order.reference, due=body.due, reason=body.reason, **order.said)
    return order.done()


@router.post("/invoices/{invoice:path}/resend", operation_id="resendInvoice", responses=_ABOUT)
def resend(order: Ordered, body: Copy) -> Changed:
    """Has an issued invoice mailed once more; twice within a minute is once."""
    commands.resend(order.ledger, order.reference, to=body.to, credit_note=body.credit_note, **order.said)
    return order.done()


@router.post("/invoices/{invoice:path}/portal-link", operation_id="readPortalLink", responses=_ABOUT)
def portal_link(request: Request, order: Ordered) -> Link:
    """The address at which the client sees the invoice: the one that is handed out now, else a new one."""
    return _link(request, order)


@router.post("/invoices/{invoice:path}/renew-link", operation_id="renewPortalLink", responses=_ABOUT)
def renew_link(request: Request, order: Ordered) -> Link:
    """A new address in place of those handed out so far, which lead nowhere from now on."""
    portal_link_commands.renew(order.ledger, order.reference, **order.said)
    return _link(request, order)


@router.post("/invoices/{invoice:path}/revoke-link", operation_id="revokePortalLink", responses=_ABOUT)
def revoke_link(order: Ordered) -> Revoked:
    """Every link to the invoice that was handed out leads nowhere from now on."""
    _, ended = portal_link_commands.revoke(order.ledger, order.reference, **order.said)
    return Revoked(revoked=ended)


def _link(request: Request, order: Order) -> Link:
    with order.ledger.transaction() as tx:
        row = ledger_invoices.find(tx, order.reference, lock=True)
        found = portal_links.current(tx, row, company_records.current(tx).company, at=order.at)
        url = f"{desk_of(request).settings.web_url}/i/{found.token}"
        return Link(url=url, expires_at=found.expires_at, viewed_at=row.viewed_at)
