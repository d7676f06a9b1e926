"""Exceptions in the ledger: raised, escalated, decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from activities.ledger import audit_trail, invoices, notices, resending
from activities.ledger.tables import ExceptionRow, GivingUpRow, InvoiceRow, UnmatchedPaymentRow
from billing.approval_policy import escalate_to
from billing.company import Company
from billing.errors import NotAllowed, NotFound, Refused, WrongState
from billing.exceptions import ACCEPTABLE, Finding, ReasonCode
from billing.overrides import OVERRIDABLE, check_override, check_together
from billing.roles import Role, below
from billing.status import DocumentStatus

NOTHING: Mapping[str, str] = {}


class Resolution(StrEnum):
    """What a person may decide."""

    RETRY = "retry"
    ACCEPT = "accept"
    OVERRIDE = "override"
    VOID = "void"


def reconcile(
    tx: Session, row: InvoiceRow, findings: Sequence[Finding], company: Company, *, at: datetime
) -> None:
    """Makes the open exceptions of the invoice exactly these findings: new ones raised, vanished ones closed."""
    current = {(*finding.identity, finding.message) for finding in findings}
    for exception in invoices.open_exceptions(tx, row):
        finding = Finding.model_validate(exception.finding)
        if (*finding.identity, finding.message) not in current:
            _close(tx, row, exception, at=at)
    for finding in findings:
        raise_one(tx, row, finding, company, at=at)


def raise_one(tx: Session, row: InvoiceRow, finding: Finding, company: Company, *, at: datetime) -> None:
    """Raises an exception and tells its owner; one that is open already is not raised again.

    A source that cannot be read is one exception, whatever it answers from one look to the next.
    """
    for open_one in invoices.open_exceptions(tx, row):
        if Finding.model_validate(open_one.finding) == finding:
            return
        if open_one.code == finding.code == ReasonCode.SOURCE_UNREADABLE:
            open_one.finding = finding.model_dump(mode="json")
            return
    exception = ExceptionRow(
        invoice=row.id,
        code=finding.code,
        finding=finding.model_dump(mode="json"),
        owner=company.exceptions.owner(finding.code, row.client),
        raised_at=at,
        deadline=at + timedelta(hours=company.exceptions.decide_within_hours),
    )
    tx.add(exception)
    tx.flush()
    audit_trail.record(
        tx, row, "exception raised", at=at, code=finding.code, exception=exception.id, message=finding.message
    )
    notices.exception_raised(tx, row, exception, company, at=at)


def _close(tx: Session, row: InvoiceRow, exception: ExceptionRow, *, at: datetime) -> None:
    exception.resolved_at, exception.resolved_by, exception.resolution = at, "billow", "repaired"
    audit_trail.record(tx, row, "exception repaired", at=at, code=exception.code, exception=exception.id)


LOOK_AGAIN_AFTER = timedelta(minutes=5)
LOOK_AGAIN_EVERY = timedelta(hours=2)
"""What may pass is looked at again after as long as it has lasted, within these two."""


def looked_at_again(exceptions: Sequence[ExceptionRow], as_of: datetime) -> datetime | None:
    """When a draft is made again although nobody has decided: what holds it may pass. None if nothing of it may."""
    since = [each.raised_at for each in exceptions if each.finding.get("may_pass")]
    if not since:
        return None
    return as_of + min(max(as_of - min(since), LOOK_AGAIN_AFTER), LOOK_AGAIN_EVERY)


def attention_at(exception: ExceptionRow | UnmatchedPaymentRow | GivingUpRow) -> datetime:
    """When somebody must be told again: half-way to the deadline, then at the deadline."""
    if exception.reminded_at is not None:
        return exception.deadline
    return exception.raised_at + (exception.deadline - exception.raised_at) / 2


def remind_or_escalate(
    exception: ExceptionRow | UnmatchedPaymentRow | GivingUpRow, company: Company, *, at: datetime
) -> None:
    """Notes the reminder half-way to the deadline; past it, who up the line owns it now and until when."""
    if exception.deadline > at:
        exception.reminded_at = at
        return
    people = company.people_by_id
    exception.owner = escalate_to(
        [exception.owner], people, company.exceptions.default_owner, below(Role.OPERATOR, people)
    )
    exception.raised_at, exception.reminded_at = at, None
    exception.deadline = at + timedelta(hours=company.exceptions.decide_within_hours)
    exception.escalations += 1


def attend(tx: Session, row: InvoiceRow, company: Company, *, at: datetime) -> None:
    """Reminds owners half-way to the deadline, and past it goes up the line; it never ends with nobody."""
    for exception in invoices.open_exceptions(tx, row):
        if attention_at(exception) > at:
            continue
        before, escalates = exception.owner, exception.deadline <= at
        remind_or_escalate(exception, company, at=at)
        was = {"was": before} if escalates else {}
        event = "exception escalated" if escalates else "exception reminded"
        audit_trail.record(tx, row, event, at=at, exception=exception.id, owner=exception.owner, **was)
        notices.exception_raised(tx, row, exception, company, at=at)


def find(tx: Session, exception: int) -> ExceptionRow:
    """The exception with that id; `NotFound` otherwise."""
    row = tx.get(ExceptionRow, exception) if 0 < exception < 2**63 else None
    if row is None:
        raise NotFound(f"there is no exception {exception}; `billow inbox` lists those that are open")
    return row


def _open_exception(tx: Session, exception_id: int) -> tuple[ExceptionRow, InvoiceRow]:
    """The exception and its invoice, locked: first the invoice, as every step does, so that nobody deadlocks."""
    exception = find(tx, exception_id)
    if exception.invoice is None:
        raise WrongState(f"exception {exception.id} is not about an invoice")
    row = invoices.locked(tx, exception.invoice)
    tx.refresh(exception, with_for_update=True)
    if exception.resolved_at is not None:
        raise WrongState(
            f"exception {exception.id} is decided already: {exception.resolution}, by {exception.resolved_by}"
        )
    return exception, row


def resolve(
    tx: Session,
    exception_id: int,
    resolution: Resolution,
    company: Company,
    *,
    by: str,
    channel: str,
    reason: str,
    rebill: bool = False,
    overrides: Mapping[str, str] = NOTHING,
    at: datetime,
) -> InvoiceRow:
    """Carries out what a person decided about an exception, and wakes the invoice.

    `Refused` with the reason when it is decided already, cannot be accepted, or the person is nobody here.
    """
    if by not in company.people_by_id:
        raise NotAllowed(f"{by!r} is not a person of this company; `--as` takes an id from people.yaml")
    exception, row = _open_exception(tx, exception_id)
    if resolution is not Resolution.RETRY and not reason.strip():
        raise Refused(f"say why: `{resolution}` needs a reason")
    if resolution is Resolution.VOID:
        invoices.void(tx, row, rebill=rebill, by=by, channel=channel, reason=reason, at=at)
    elif resolution is Resolution.ACCEPT:
        _accept(row, exception, by=by, reason=reason, at=at)
    elif resolution is Resolution.OVERRIDE:
        _override(row, overrides)
    elif exception.code == ReasonCode.BOUNCED:  # no step would send it again by itself
        resending.resend(tx, row, company, to=None, by=by, channel=channel, at=at)
        exception.resolved_at, exception.resolved_by, exception.resolution = at, by, "sent again"
    _takes_part(row, by, resolution)
    if resolution is not Resolution.VOID:
        said = {
            "exception": exception.id,
            "code": exception.code,
            "reason": reason,
            "overrides": dict(overrides),
        }
        audit_trail.record(tx, row, f"exception: {resolution}", at=at, actor=by, channel=channel, **said)
    invoices.wake(tx, row, at)
    return row


def _takes_part(row: InvoiceRow, by: str, resolution: Resolution) -> None:
    """Whoever accepts, overrides or voids has a hand in the draft; a retry only if the draft comes out different."""
    if row.number is not None:
        return
    if resolution in (Resolution.RETRY, Resolution.OVERRIDE) and row.document_status != DocumentStatus.VOIDED:
        row.document_status, row.fetch_again_for = DocumentStatus.DRAFT, by
    if resolution is not Resolution.RETRY and by not in row.took_part:
        row.took_part = [*row.took_part, by]


def _accept(row: InvoiceRow, exception: ExceptionRow, *, by: str, reason: str, at: datetime) -> None:
    """The difference stands: the same finding does not hold this invoice again."""
    finding = Finding.model_validate(exception.finding)
    if finding.code not in ACCEPTABLE:
        raise Refused(f"{finding.code} cannot be accepted as it is; repair it and retry, or void the draft")
    row.accepted = [*row.accepted, {**exception.finding, "by": by, "reason": reason}]
    exception.resolved_at, exception.resolved_by, exception.resolution = at, by, f"accepted: {reason}"


def _override(row: InvoiceRow, overrides: Mapping[str, str]) -> None:
    """Facts of the client set by hand, for this invoice only."""
    if row.number is not None:
        raise WrongState(f"{row.number} is issued and never changes; correct the CRM, then retry")
    if not overrides:
        raise Refused(f"say what to set; these can be set by hand: {', '.join(OVERRIDABLE)}")
    for field, value in overrides.items():
        check_override(field, value)
    check_together(overrides)
    row.overrides = {**row.overrides, **overrides}


def unaccepted(row: InvoiceRow, findings: Sequence[Finding]) -> list[Finding]:
    """The findings nobody has accepted for this invoice."""
    accepted = {Finding.model_validate(each).identity for each in row.accepted}
    return [finding for finding in findings if finding.identity not in accepted]


REPAIRED_BY_STEP = frozenset(
    {ReasonCode.STEP_FAILED, ReasonCode.DOCUMENT_PENDING, ReasonCode.NOT_DELIVERED, ReasonCode.NO_CONTACT}
)
"""Exceptions that end by themselves once the step that raised them has worked."""


def close_repaired(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """Closes the exceptions of a step that has worked now."""
    for exception in invoices.open_exceptions(tx, row):
        if exception.code in REPAIRED_BY_STEP:
            _close(tx, row, exception, at=at)


def close_code(tx: Session, row: InvoiceRow, code: ReasonCode, *, at: datetime) -> None:
    """Closes the exceptions with that code: what they asked for was done in another way."""
    for exception in invoices.open_exceptions(tx, row):
        if exception.code == code:
            _close(tx, row, exception, at=at)


def close_failed(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """Closes the exceptions of steps that could not be taken: one has been taken now."""
    for exception in invoices.open_exceptions(tx, row):
        if exception.code == ReasonCode.STEP_FAILED:
            _close(tx, row, exception, at=at)
