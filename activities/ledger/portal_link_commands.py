"""Commands about the links by which a client looks at its invoice, each one transaction."""

from __future__ import annotations

from datetime import datetime

from activities.ledger import portal_links
from activities.ledger.about_invoice import about_invoice
from activities.ledger.actors import check_person
from activities.ledger.database import Ledger


def renew(ledger: Ledger, reference: str, *, by: str, channel: str, at: datetime) -> tuple[str, int]:
    """A new link in place of those handed out so far; the invoice's number, and how many lead nowhere now.

    `WrongState` before the invoice is issued, and once its document is erased.
    """
    with about_invoice(ledger, reference) as (tx, row, company):
        check_person(company, by)
        ended = portal_links.revoke(tx, row, company, by=by, channel=channel, at=at)
        portal_links.current(tx, row, company, at=at)
        return row.name, ended


def revoke(ledger: Ledger, reference: str, *, by: str, channel: str, at: datetime) -> tuple[str, int]:
    """Every link leads nowhere from now on; the invoice's number, and how many there were."""
    with about_invoice(ledger, reference) as (tx, row, company):
        ended = portal_links.revoke(tx, row, company, by=by, channel=channel, at=at)
        return row.name, ended
