"""Credit holds: a flag on a client, so that its account manager thinks before more is done on account.

A hold stops no invoice: what was agreed is billed. One placed by the dunning policy is lifted by itself once nothing of
the client is late; one placed by a person, by a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, notices
from activities.ledger.actors import check_person
from activities.ledger.tables import CreditHoldRow, InvoiceRow
from billing.company import Company
from billing.dunning_policy import NO_POLICY, NextStep
from billing.errors import NotFound, Refused, WrongState
from billing.status import ISSUED

BY_POLICY = "billow"
"""Who places and lifts holds by the dunning policy."""


def current(tx: Session, client: str) -> CreditHoldRow | None:
    """The credit hold the client is on."""
    query = select(CreditHoldRow).where(CreditHoldRow.client == client, CreditHoldRow.lifted_at.is_(None))
    return tx.scalars(query).first()


def all_current(tx: Session) -> Sequence[CreditHoldRow]:
    """All credit holds there are now, the oldest first."""
    query = select(CreditHoldRow).where(CreditHoldRow.lifted_at.is_(None))
    return tx.scalars(query.order_by(CreditHoldRow.since, CreditHoldRow.id)).all()


def place(
    tx: Session,
    client: str,
    company: Company,
    *,
    reason: str,
    invoice: InvoiceRow | None = None,
    by: str,
    at: datetime,
) -> CreditHoldRow | None:
    """Puts a client on credit hold and tells its account manager; None where it is on one already.

    `by` is a person, or `BY_POLICY` because of an invoice, which is locked. `NotFound` for nobody's id, `Refused`
    without a reason.
    """
    known = company.client(client)
    if known is None:
        raise NotFound(f"there is no client {client!r} in the company that runs; see clients.yaml for ids")
    if by != BY_POLICY or invoice is None:
        check_person(company, by)
    if not reason.strip():
        raise Refused("say why: a credit hold needs a reason")
    made = tx.scalars(
        insert(CreditHoldRow)
        .values(
            client=client,
            invoice=invoice.id if invoice else None,
            reason=reason.strip(),
            since=at,
            by=by,
        )
        .on_conflict_do_nothing()
        .returning(CreditHoldRow)
    ).first()
    if made is None:
        return None
    if invoice is not None:
        audit_trail.record(tx, invoice, "credit hold", at=at, actor=by, client=client, reason=made.reason)
    if known.account_manager != by:
        notices.on_credit_hold(tx, made, known.account_manager, company, at=at)
    return made


def lift(tx: Session, client: str, company: Company, *, by: str, at: datetime) -> CreditHoldRow:
    """Ends the hold of a client. `WrongState` if it is on none."""
    check_person(company, by)
    found = current(tx, client)
    if found is None:
        raise WrongState(f"{client} is not on credit hold")
    found.lifted_at, found.lifted_by = at, by
    return found


def follow(tx: Session, row: InvoiceRow, company: Company, done: NextStep, *, at: datetime) -> None:
    """After an act of collection: places a hold where the dunning policy of the client says so."""
    client = company.client(row.client)
    policy = (company.dunning_policy(client.dunning) if client else None) or NO_POLICY
    if policy.credit_hold_at == done.name and client is not None:
        reason = (
            f"{row.number}: {done.name.replace('-', ' ')}, unpaid since {row.agreed_due_date or row.due_date}"
        )
        place(tx, row.client, company, reason=reason, invoice=row, by=BY_POLICY, at=at)


def lift_if_nothing_is_late(tx: Session, row: InvoiceRow, *, at: datetime) -> None:
    """Lifts a hold the policy has placed, unless an invoice of the client is still late; `row` is one of them."""
    found = current(tx, row.client)
    if found is None or found.by != BY_POLICY:
        return
    late = select(InvoiceRow.id).where(
        InvoiceRow.client == row.client,
        InvoiceRow.document_status.in_(ISSUED),
        InvoiceRow.open_amount > 0,
        InvoiceRow.late_from <= at,
    )
    if tx.scalar(late.limit(1)) is None:
        found.lifted_at, found.lifted_by = at, BY_POLICY
        audit_trail.record(tx, row, "credit hold lifted", at=at, client=row.client)
