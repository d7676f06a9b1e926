"""One thing to decide, with all that is needed for it: an approval and its draft, or an exception and its repairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from activities.ledger import approvals, company_records, details, exceptions, invoices
from activities.ledger.read_models import ExceptionView, InvoiceView, TimelineEntry
from activities.ledger.resolutions import resolutions_without_invoice
from activities.ledger.summaries import exact
from activities.ledger.tables import ApprovalRow, ExceptionRow, InvoiceRow
from billing import approval_round
from billing.approval_policy import ApprovalTier
from billing.company import Company
from billing.connections import Port
from billing.difference import Difference, differences
from billing.draft import Draft
from billing.errors import NotFound
from billing.exceptions import Finding
from billing.parties import Contact
from billing.status import DocumentStatus


@dataclass(frozen=True)
class Asked:
    """A tier in its turn: `state` is agreed, waiting, or later for one that is asked once those before it agreed."""

    tier: ApprovalTier
    state: str
    agreed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Accepted:
    """What a check found and a person let stand."""

    finding: Finding
    by: str
    reason: str


@dataclass(frozen=True)
class Compared:
    """The client's last invoice beside the draft; `agreement`: it is of the same agreement."""

    number: str
    billing_key: str
    issued_at: datetime
    agreement: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Checked:
    """What a draft was checked against before anybody was asked, and when.

    `systems` are connected systems, `records` how many entries of work it bills; without an `agreement` it is billed by
    hand, and without a `contract` the agreement names none.
    """

    at: datetime | None
    agreement: str
    contract: str
    records: int
    systems: tuple[str, ...]


@dataclass(frozen=True)
class Approval:
    """A question to approvers as it stands; `missing` approvals of its tier, `over` says why nothing waits any more."""

    id: int
    digest: str
    tier: str
    asked: tuple[str, ...]
    approved_by: tuple[str, ...]
    asked_at: datetime
    deadline: datetime
    escalations: int
    missing: int
    together: bool
    over: str
    rounds: tuple[Asked, ...]
    invoice: InvoiceView
    timeline: tuple[TimelineEntry, ...]
    compared: Compared | None
    accepted: tuple[Accepted, ...]
    overrides: Mapping[str, str]
    checked: Checked

    def waits_for(self, person: str) -> bool:
        """Whether it is this person's turn to decide."""
        return not self.over and person in self.asked and person not in self.approved_by


def approval(tx: Session, approval_id: int, as_of: datetime) -> Approval:
    """The question with that id; `NotFound` otherwise. A fixed number of queries."""
    asked = tx.get(ApprovalRow, approval_id) if 0 < approval_id < 2**63 else None
    if asked is None:
        raise NotFound(f"there is no approval {approval_id}; the inbox lists those that wait")
    row = tx.get_one(InvoiceRow, asked.invoice)
    company = company_records.at_version(tx, row.company_version).company
    tier = next((each for each in company.approvals.tiers if each.id == asked.tier), None)
    draft = invoices.draft_of(row) if row.draft else None
    shown = details.invoice(tx, row.billing_key, as_of, row.generation)
    given = {each.tier: each.approved_by for each in shown.approvals if each.digest == row.draft_digest}
    rounds = approval_round.tiers_for(company.approvals, draft, row.trigger) if draft else []
    agreed = approvals.agreed(tx, row)
    timeline = tuple(details.timeline_of(tx, row))
    return Approval(
        id=asked.id,
        digest=asked.digest,
        tier=asked.tier,
        asked=tuple(asked.asked),
        approved_by=tuple(asked.approved_by),
        asked_at=asked.asked_at,
        deadline=asked.deadline,
        escalations=asked.escalations,
        missing=max(tier.quorum - len(asked.approved_by), 0) if tier else 1,
        together=tier is not None and tier.together,
        over=_over(asked, row),
        rounds=tuple(_turn(each, asked, agreed, given.get(each.id, ())) for each in rounds),
        invoice=shown,
        timeline=timeline,
        compared=_compared(tx, row, draft) if draft else None,
        accepted=tuple(
            Accepted(Finding.model_validate(each), str(each.get("by", "")), str(each.get("reason", "")))
            for each in row.accepted
        ),
        overrides=dict(row.overrides),
        checked=_checked(company, draft, timeline),
    )


def _checked(company: Company, draft: Draft | None, timeline: Sequence[TimelineEntry]) -> Checked:
    """By the draft itself; a draft billed by hand is checked against the CRM alone."""
    agreement = (draft.agreement if draft else None) or ""
    ports = (Port.CRM, Port.PSA, Port.CONTRACTS) if agreement else (Port.CRM,)
    connections = [company.connection(port) for port in ports]
    return Checked(
        at=max((each.at for each in timeline if each.event == "assembled"), default=None),
        agreement=agreement,
        contract=draft.contract_reference if draft and agreement else "",
        records=sum(len(line.sources) for line in draft.lines) if draft else 0,
        systems=tuple(dict.fromkeys(each.id for each in connections if each is not None)),
    )


def _over(asked: ApprovalRow, row: InvoiceRow) -> str:
    """Why there is nothing to decide, as a word; empty while there is."""
    if asked.status != approvals.WAITING:
        return asked.status
    return "" if row.document_status == DocumentStatus.AWAITING_APPROVAL else approvals.OVERTAKEN


def _turn(tier: ApprovalTier, asked: ApprovalRow, agreed: frozenset[str], by: tuple[str, ...]) -> Asked:
    if tier.id in agreed:
        return Asked(tier, "agreed", by)
    current = tier.id == asked.tier and asked.status == approvals.WAITING
    return Asked(tier, "waiting" if current else "later", by)


def _compared(tx: Session, row: InvoiceRow, draft: Draft) -> Compared | None:
    same = _last(tx, row, InvoiceRow.agreement == row.agreement) if row.agreement else None
    last = same or _last(tx, row, InvoiceRow.client == row.client)
    if last is None or last.number is None or last.issued_at is None:
        return None
    found = differences(draft, invoices.draft_of(last))
    return Compared(last.number, last.billing_key, last.issued_at, same is not None, found)


def _last(tx: Session, row: InvoiceRow, which: ColumnElement[bool]) -> InvoiceRow | None:
    """The newest issued before; its id grows with time, so the index of the client's or agreement's ends there."""
    issued = select(InvoiceRow).where(
        which, InvoiceRow.number.is_not(None), InvoiceRow.draft.is_not(None), InvoiceRow.id != row.id
    )
    return tx.scalars(issued.order_by(InvoiceRow.id.desc()).limit(1)).first()


@dataclass(frozen=True)
class Problem:
    """An exception as it stands; `contacts` are those the client's last invoices were written to.

    Without an invoice `amount` is what is at stake, net, where that is known.
    """

    view: ExceptionView
    subject: str | None
    client: str | None
    amount: Decimal | None
    currency: str | None
    invoice: InvoiceView | None
    timeline: tuple[TimelineEntry, ...]
    contacts: tuple[Contact, ...]


_LOOKED_BACK = 12
"""So many invoices of a client are looked through for whom it was written to."""


def problem(tx: Session, exception_id: int, as_of: datetime, *, lock: bool = False) -> Problem:
    """The exception with that id; `NotFound` otherwise. A fixed number of queries. `lock`: after its invoice."""
    row = exceptions.find(tx, exception_id)
    if lock:
        if row.invoice is not None:
            invoices.locked(tx, row.invoice)
        tx.refresh(row, with_for_update=True)
    if row.invoice is None:
        return _without_invoice(row)
    held = tx.get_one(InvoiceRow, row.invoice)
    shown = details.invoice(tx, held.billing_key, as_of, held.generation)
    return Problem(
        view=next(each for each in shown.exceptions if each.id == row.id),
        subject=None,
        client=held.client,
        amount=shown.gross,
        currency=shown.currency,
        invoice=shown,
        timeline=tuple(details.timeline_of(tx, held)),
        contacts=_contacts(tx, held),
    )


def _without_invoice(row: ExceptionRow) -> Problem:
    return Problem(
        view=details.exception_view(row, resolutions_without_invoice(row.subject or "")),
        subject=row.subject,
        client=row.client,
        amount=exact(row.at_stake, row.currency),
        currency=row.currency,
        invoice=None,
        timeline=(),
        contacts=(),
    )


def _contacts(tx: Session, row: InvoiceRow) -> tuple[Contact, ...]:
    stored: Sequence[Mapping[str, str]] = tx.scalars(
        select(InvoiceRow.draft["buyer"]["contact"])
        .where(InvoiceRow.client == row.client, InvoiceRow.draft.is_not(None))
        .order_by(InvoiceRow.id.desc())
        .limit(_LOOKED_BACK)
    ).all()
    return tuple(dict.fromkeys(Contact.model_validate(each) for each in stored))
