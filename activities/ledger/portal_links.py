"""Links by which a client looks at one of its invoices: made, found, revoked; and when a person looked."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import audit_trail
from activities.ledger.actors import PORTAL, check_person, client_actor
from activities.ledger.collection import client_today
from activities.ledger.tables import InvoiceRow, PortalLinkRow
from billing.company import Company
from billing.erased import is_erased
from billing.errors import WrongState

TOKEN_BYTES = 32
"""256 bits of chance: nobody finds a link by trying."""

RENEWED_BEFORE = timedelta(days=60)
"""A link that ends sooner is not handed out again: whoever gets it today has it for a while."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def current(tx: Session, row: InvoiceRow, company: Company, *, at: datetime) -> PortalLinkRow:
    """The link that is handed out now: the newest one that still lasts, else a new one. The caller locks the invoice.

    `WrongState` before the invoice is issued, and once its document is erased.
    """
    if row.number is None or row.draft is None:
        raise WrongState(f"{row.billing_key} is {row.document_status}: a client sees issued invoices only")
    if is_erased(row.draft):
        raise WrongState(
            f"the document of {row.number} was erased, its retention over: there is nothing to see"
        )
    lasts = timedelta(days=company.payments.portal_days)
    enough = at + min(RENEWED_BEFORE, lasts / 2)
    for link in reversed(of_invoice(tx, row)):
        if link.revoked_at is None and link.expires_at >= enough:
            return link
    made = PortalLinkRow(
        token=secrets.token_urlsafe(TOKEN_BYTES), invoice=row.id, made_at=at, expires_at=at + lasts
    )
    tx.add(made)
    tx.flush()
    return made


def of_invoice(tx: Session, row: InvoiceRow) -> Sequence[PortalLinkRow]:
    """Every link to the invoice, oldest first; those that ended too."""
    links = select(PortalLinkRow).where(PortalLinkRow.invoice == row.id)
    return tx.scalars(links.order_by(PortalLinkRow.made_at, PortalLinkRow.token)).all()


def find(tx: Session, token: str, *, at: datetime) -> tuple[PortalLinkRow, InvoiceRow] | None:
    """The link and its invoice; None for a token nobody was given, that expired or was revoked: all the same."""
    if not _TOKEN.fullmatch(token):
        return None
    link = tx.get(PortalLinkRow, token)
    if link is None or link.revoked_at is not None or link.expires_at <= at:
        return None
    row = tx.get_one(InvoiceRow, link.invoice)
    return (link, row) if row.number is not None and row.draft and not is_erased(row.draft) else None


def revoke(tx: Session, row: InvoiceRow, company: Company, *, by: str, channel: str, at: datetime) -> int:
    """Every link handed out so far leads nowhere from now on; how many there were. The caller locks the invoice."""
    check_person(company, by)
    living = [each for each in of_invoice(tx, row) if each.revoked_at is None and each.expires_at > at]
    for link in living:
        link.revoked_at, link.revoked_by = at, by
    if living:
        audit_trail.record(
            tx, row, "portal link revoked", at=at, actor=by, channel=channel, links=len(living)
        )
    return len(living)


def looked(tx: Session, row: InvoiceRow, link: PortalLinkRow, company: Company, *, at: datetime) -> None:
    """A person looked at the invoice: noted with link and invoice, in the audit trail once a day of the client's.

    The caller locks the invoice.
    """
    earlier = row.viewed_at
    link.seen_at = row.viewed_at = at
    today = client_today(row, company, at)
    if earlier is None or client_today(row, company, earlier) != today:
        audit_trail.record(tx, row, "viewed", at=at, actor=client_actor(row.client), channel=PORTAL)
