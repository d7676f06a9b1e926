"""What was agreed, said and given up about one invoice since it was issued: read models for its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from activities.ledger import giving_up, instalments, portal_links, promises
from activities.ledger.read_models import ReadModel
from activities.ledger.tables import GivingUpRow, InvoiceRow, MessageRow, PaymentPlanRow
from billing.company import Company
from billing.errors import NotFound
from billing.money import rounded, total


class PromiseView(ReadModel):
    """A promise to pay; `outcome` is None while its day is to come."""

    promised_for: date
    amount: Decimal
    made_at: datetime
    made_by: str
    note: str
    outcome: str | None


class PartView(ReadModel):
    """An instalment that holds now, and what of it is not covered."""

    due_date: date
    amount: Decimal
    open: Decimal


class GivenUpView(ReadModel):
    """A write-off, refund or credit note that was asked for; `waits_for` are those whose move it is."""

    id: int
    kind: str
    amount: Decimal
    reason: str
    method: str
    status: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    comment: str
    deadline: datetime | None
    waits_for: tuple[str, ...]
    last_error: str | None


class LinkView(ReadModel):
    """A link by which the client looks at the invoice; `seen_at` is when a person last did."""

    token: str
    made_at: datetime
    expires_at: datetime
    seen_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


class SentMessage(ReadModel):
    """A message as it was sent, or stands to be sent."""

    key: str
    message_id: str
    event: str
    audience: str
    to: str
    copies_to: tuple[str, ...]
    subject: str
    text: str
    html: str
    document: str | None
    prepared_at: datetime
    handed_over_at: datetime | None
    delivered_at: datetime | None
    server_reply: str | None
    last_error: str | None
    attempts: int
    invoice: str | None


@dataclass(frozen=True)
class Dealings:
    """All of it, oldest first; `parts` are the instalments that hold, `plan_reason` why a plan was agreed."""

    promises: tuple[PromiseView, ...]
    parts: tuple[PartView, ...]
    has_plan: bool
    plan_reason: str
    given_up: tuple[GivenUpView, ...]
    links: tuple[LinkView, ...]
    viewed_at: datetime | None

    def links_at(self, at: datetime) -> list[LinkView]:
        """The links that lead somewhere."""
        return [each for each in self.links if each.revoked_at is None and each.expires_at > at]

    def link_at(self, at: datetime) -> LinkView | None:
        """The newest link that leads somewhere."""
        living = self.links_at(at)
        return living[-1] if living else None


def of(tx: Session, row: InvoiceRow, company: Company) -> Dealings:
    """What there is about the invoice; eight queries at most."""
    plan = instalments.plan(tx, row)
    return Dealings(
        promises=tuple(
            PromiseView(
                promised_for=each.promised_for,
                amount=rounded(each.amount, row.currency or ""),
                made_at=each.made_at,
                made_by=each.made_by,
                note=each.note,
                outcome=each.outcome,
            )
            for each in promises.of_invoice(tx, row)
        ),
        parts=_parts(tx, row, plan),
        has_plan=plan is not None,
        plan_reason=plan.reason if plan else "",
        given_up=tuple(_given_up(each, company) for each in giving_up.of_invoice(tx, row)),
        links=tuple(
            LinkView(
                token=each.token,
                made_at=each.made_at,
                expires_at=each.expires_at,
                seen_at=each.seen_at,
                revoked_at=each.revoked_at,
                revoked_by=each.revoked_by,
            )
            for each in portal_links.of_invoice(tx, row)
        ),
        viewed_at=row.viewed_at,
    )


def message(tx: Session, key: str) -> SentMessage:
    """The message with that key; `NotFound`."""
    row = tx.get(MessageRow, key[:400])
    if row is None:
        raise NotFound("the ledger knows no such message")
    invoice = tx.get(InvoiceRow, row.invoice) if row.invoice is not None else None
    return SentMessage(
        key=row.key,
        message_id=row.message_id,
        event=row.event,
        audience=row.audience,
        to=row.recipient,
        copies_to=tuple(row.copies_to),
        subject=row.subject,
        text=row.body,
        html=row.html,
        document=row.document,
        prepared_at=row.prepared_at,
        handed_over_at=row.handed_over_at,
        delivered_at=row.delivered_at,
        server_reply=row.server_reply,
        last_error=row.last_error,
        attempts=row.attempts,
        invoice=invoice.name if invoice else None,
    )


def _parts(tx: Session, row: InvoiceRow, plan: PaymentPlanRow | None) -> tuple[PartView, ...]:
    """The instalments that hold, the earliest covered first by what was paid, credited or given up."""
    parts = instalments.standing_beside(tx, row, plan)
    covered = max(total(part.amount for part in parts) - row.open_amount, Decimal(0))
    shown = []
    for part in parts:
        taken = min(covered, part.amount)
        covered -= taken
        amount, left = (rounded(each, row.currency or "") for each in (part.amount, part.amount - taken))
        shown.append(PartView(due_date=part.due_date, amount=amount, open=left))
    return tuple(shown)


def _given_up(found: GivingUpRow, company: Company) -> GivenUpView:
    is_open = found.status in giving_up.OPEN
    return GivenUpView(
        id=found.id,
        kind=found.kind,
        amount=giving_up.money(found).amount,
        reason=found.reason,
        method=found.method,
        status=found.status,
        asked_by=found.asked_by,
        asked_at=found.asked_at,
        decided_by=found.decided_by,
        comment=found.comment,
        deadline=found.deadline if is_open else None,
        waits_for=giving_up.waiting_for(found, company) if is_open else (),
        last_error=found.last_error,
    )
