"""Decisions: about drafts, and about what holds an invoice."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import Field, StringConstraints

from activities.ledger import (
    approving_together,
    commands,
    deciding,
    draft_commands,
    views,
)
from activities.ledger.deciding import Compared, Problem
from activities.ledger.exceptions import Resolution
from activities.ledger.inbox import reached
from activities.ledger.read_models import Counts, ExceptionView, InboxItem, ReadModel
from billing.approval_policy import Verdict
from billing.difference import Difference
from billing.errors import Refused
from billing.parties import Contact, Strict
from starter.web.api.routes import OTHER_ANSWER, Called, operations
from starter.web.api.shapes import (
    Changed,
    Cursor,
    Id,
    IfMatch,
    Ordered,
    Reason,
    Text,
    after,
    answers,
    paged,
    tagged,
    unchanged,
)
from starter.web.draft_pdf import draft_pdf

router = operations("Decisions")

_ABOUT = answers(404, 409, 412)


class Decision(Strict):
    """Yes or no to one draft, named by its digest; a rejection says why, and what becomes of what it billed."""

    verdict: Verdict
    digest: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")] = Field(
        description="of the draft as it was read (`digest` of the invoice)"
    )
    comment: Text = ""
    rebill: bool = Field(default=False, description="rejected: billed again, else waived")


class Shown(Strict):
    """A question of the inbox by its id, and the digest of the draft that was read."""

    approval: int = Field(ge=1, lt=2**63)
    digest: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class Together(Strict):
    """The drafts that are approved together, each as it was read."""

    approvals: tuple[Shown, ...] = Field(min_length=1, max_length=200)
    comment: Text = ""


class TogetherOutcome(ReadModel):
    """Of one of them: why it is not approved, null where it is."""

    billing_key: str
    refused: str | None


class TogetherAnswer(ReadModel):
    """What became of each."""

    items: tuple[TogetherOutcome, ...]


class Void(Strict):
    """Why the draft ends, and what becomes of what it billed."""

    rebill: bool = Field(description="billed again, else waived")
    reason: Reason


class Because(Strict):
    """Why."""

    reason: Reason


class Repair(Strict):
    """What is done about an exception; `overrides` are facts of the sources by name, for the resolution override."""

    resolution: Resolution
    reason: Text = ""
    rebill: bool = Field(default=False, description="void: billed again, else waived")
    overrides: dict[
        Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]+$")],
        Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")],
    ] = Field(default={}, max_length=50)


class Resolved(ReadModel):
    """What the exception was about: a billing key, or the subject of one without an invoice."""

    subject: str


class AskedTier(ReadModel):
    """A tier in its turn: `state` is agreed, waiting, or later for one that is asked once those before it agreed."""

    tier: str
    state: str
    agreed: tuple[str, ...]


class ComparedView(ReadModel):
    """The client's last invoice beside the draft, and what differs; `agreement`: it is of the same agreement."""

    number: str
    issued_at: datetime
    agreement: bool
    differences: tuple[Difference, ...]


class ApprovalView(ReadModel):
    """A question to approvers as it stands; `over` says why nothing waits any more, and is empty while it does.

    The draft itself is the invoice's; it is decided by its `digest`.
    """

    id: int
    invoice: str
    digest: str
    tier: str
    asked: tuple[str, ...]
    approved_by: tuple[str, ...]
    missing: int
    asked_at: datetime
    deadline: datetime
    escalations: int
    together: bool
    over: str
    tiers: tuple[AskedTier, ...]
    compared: ComparedView | None
    overrides: dict[str, str]
    checked_against: tuple[str, ...]


class ExceptionRecord(ExceptionView):
    """An exception as it stands; about an invoice, or about the `subject`. `contacts` may be written to instead."""

    subject: str | None
    invoice: str | None
    client: str | None
    amount: Decimal | None
    currency: str | None
    contacts: tuple[Contact, ...]


class Inbox(ReadModel):
    """What waits for somebody, oldest deadline first."""

    items: tuple[InboxItem, ...]
    next: str | None


@router.get("/inbox", operation_id="readInbox", responses=answers(400))
def inbox(
    caller: Called,
    who: Annotated[
        Literal["me", "all"], Query(alias="for", description="whom it waits for: me or all")
    ] = "me",
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> Inbox:
    """Approvals, exceptions, unmatched payments and money to be given up that wait for a person."""
    person = caller.person if who == "me" else None
    with caller.ledger.transaction() as tx:
        found = views.inbox(tx, person, caller.at, limit + 1, after(cursor, datetime, str, int))
    return Inbox(**paged(found, limit, reached))


@router.get("/approvals/{approval}", operation_id="readApproval", responses=answers(404))
def approval(caller: Called, approval: Id) -> ApprovalView:
    """One question of the inbox with all that is needed to decide, also once it is over."""
    with caller.ledger.transaction() as tx:
        found = deciding.approval(tx, approval, caller.at)
    return ApprovalView(
        id=found.id,
        invoice=found.invoice.billing_key,
        digest=found.digest,
        tier=found.tier,
        asked=found.asked,
        approved_by=found.approved_by,
        missing=found.missing,
        asked_at=found.asked_at,
        deadline=found.deadline,
        escalations=found.escalations,
        together=found.together,
        over=found.over,
        tiers=tuple(
            AskedTier(tier=each.tier.id, state=each.state, agreed=each.agreed) for each in found.rounds
        ),
        compared=_compared(found.compared) if found.compared else None,
        overrides=dict(found.overrides),
        checked_against=found.checked.systems,
    )


def _compared(found: Compared) -> ComparedView:
    return ComparedView(
        number=found.number,
        issued_at=found.issued_at,
        agreement=found.agreement,
        differences=found.differences,
    )


@router.get(
    "/approvals/{id:int}/draft.pdf",
    operation_id="readDraft",
    response_class=Response,
    responses={
        200: {
            "description": "The draft as PDF, without a number",
            "content": {"application/pdf": {"schema": {}}},
        },
        **answers(404, 409),
    },
    openapi_extra={OTHER_ANSWER: True},
)
def draft(request: Request, id: Id) -> Response:  # noqa: A002, ARG001  the page reads it from the address
    """The draft as the client would get it, marked as a preview."""
    return draft_pdf(request)


@router.get("/exceptions/{exception}", operation_id="readException", responses=answers(404))
def exception(caller: Called, response: Response, exception: Id) -> ExceptionRecord:
    """One exception with the repairs that fit it, also once it is decided."""
    with caller.ledger.transaction() as tx:
        return tagged(response, _exception(deciding.problem(tx, exception, caller.at)))


def _exception(found: Problem) -> ExceptionRecord:
    return ExceptionRecord(
        **dict(found.view),
        subject=found.subject,
        invoice=(found.invoice.number or found.invoice.billing_key) if found.invoice else None,
        client=found.client,
        amount=found.amount,
        currency=found.currency,
        contacts=found.contacts,
    )


@router.get("/counts", operation_id="readCounts")
def counts(caller: Called) -> Counts:
    """How much waits, is open and is late, by currency."""
    with caller.ledger.transaction() as tx:
        return views.counts(tx, caller.at, caller.person)


@router.post("/invoices/{invoice:path}/decide", operation_id="decideDraft", responses=answers(404, 409, 412))
def decide(order: Ordered, body: Decision) -> Changed:
    """Approves or rejects a draft, as one of those its tier asks."""
    if body.verdict is Verdict.REJECT and not body.comment:
        raise Refused("say why you reject it: whoever repairs the draft needs to know")
    commands.decide(
        order.ledger,
        order.reference,
        body.verdict,
        comment=body.comment,
        draft_digest=body.digest,
        rebill=body.rebill,
        **order.said,
    )
    return order.done()


@router.post(
    "/invoices/{invoice:path}/fetch-again", operation_id="fetchAgain", responses=answers(404, 409, 412)
)
def fetch_again(order: Ordered) -> Changed:
    """Has a draft made anew from what the sources say now."""
    commands.fetch_again(order.ledger, order.reference, **order.said)
    return order.done()


@router.post("/approvals/approve-together", operation_id="approveTogether", responses=answers(404, 409))
def approve(caller: Called, body: Together) -> TogetherAnswer:
    """Approves several drafts, each as far as it may be: one that is refused keeps no other from being approved."""
    done = approving_together.approve_together(
        caller.ledger,
        {each.approval: each.digest for each in body.approvals},
        comment=body.comment,
        **caller.said,
    )
    return TogetherAnswer(
        items=tuple(TogetherOutcome(billing_key=each.billing_key, refused=each.refused) for each in done)
    )


@router.post("/invoices/{invoice:path}/void", operation_id="voidDraft", responses=answers(404, 409, 412))
def void(order: Ordered, body: Void) -> Changed:
    """Ends a draft that is not issued, to be billed again or waived."""
    draft_commands.void(order.ledger, order.reference, rebill=body.rebill, reason=body.reason, **order.said)
    return order.done()


@router.post(
    "/invoices/{invoice:path}/bill-again", operation_id="billAgain", responses=answers(404, 409, 412)
)
def bill_again(order: Ordered, body: Because) -> Changed:
    """Takes back that what a voided draft would have billed was waived."""
    draft_commands.bill_again(order.ledger, order.reference, reason=body.reason, **order.said)
    return order.done()


@router.post("/exceptions/{exception}/resolve", operation_id="resolveException", responses=_ABOUT)
def resolve(caller: Called, exception: Id, body: Repair, if_match: IfMatch = None) -> Resolved:
    """Retries, accepts, overrides or voids what an exception holds."""
    ledger = unchanged(
        caller,
        if_match,
        f"exception {exception}",
        lambda tx: _exception(deciding.problem(tx, exception, caller.at, lock=True)),
    )
    subject = commands.resolve(
        ledger,
        exception,
        body.resolution,
        reason=body.reason,
        rebill=body.rebill,
        overrides=body.overrides,
        **caller.said,
    )
    return Resolved(subject=subject)
