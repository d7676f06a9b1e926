"""Mail that came back, told to the ledger: what arrived, what is late, what never will; each report once.

Nobody is believed who cannot know what we sent: a report names the token of the message (in the address it came to, or
as envelope id) and a recipient of that message. Without such addresses (`delivery.bounces_to`), its Message-ID.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.delivery.returned_mail import reports
from activities.delivery.returned_mail.imap import Folder, ImapMailbox, Mail
from activities.delivery.returned_mail.reports import Fate, Kind, Outcome, Returned
from activities.ledger import (
    audit_trail,
    bounces,
    company_exceptions,
    company_records,
    integrations,
    invoices,
    notices,
)
from activities.ledger.database import ITS_OWN_FAULT, Ledger
from activities.ledger.tables import AuditEventRow, MessageRow
from activities.providers.registry import adapter
from billing.company import Company
from billing.connections import Connection
from billing.exceptions import Finding, ReasonCode

_log = logging.getLogger("billow.returned_mail")

AT_A_TIME = 50
MOST_AT_ONCE = 500
"""Mails of one poll at most; what is more waits for the next."""

ACTOR, CHANNEL = "mail system", "returned mail"
STAFF = "mail/"
"""How the subject of an exception begins about a person whose notices come back: `mail/<address>`."""

_EVENTS = {
    Outcome.DELIVERED: "delivered",
    Outcome.DELAYED: "delivery delayed",
    Outcome.RELAYED: "delivery handed on",
    Outcome.EXPANDED: "delivery handed on",
}
_SEEN, _IMPORTANT = "\\Seen", "\\Flagged"


def read(ledger: Ledger, connection: Connection, at: datetime) -> tuple[int, str]:
    """Reads what is new in the mailbox; returns how many mails told something new, and what is left to do.

    What is told and where reading goes on are kept together, so that a crash reads the same again and tells it once.
    `SourceUnavailable` if the mailbox cannot be read.
    """
    mailbox: ImapMailbox = adapter(connection)
    told = 0
    with mailbox.open() as folder:
        for _ in range(MOST_AT_ONCE // AT_A_TIME):
            more, new = _batch(ledger, connection, folder, at)
            told += new
            if not more:
                return told, ""
    return told, "there is more; it is read at the next poll"


def _batch(ledger: Ledger, connection: Connection, folder: Folder, at: datetime) -> tuple[bool, int]:
    with ledger.transaction() as tx:
        before = integrations.of(tx, connection.id).cursor
    batch = folder.after(before, AT_A_TIME)
    found = [(each, reports.read(each.content)) for each in batch.mails]
    with ledger.transaction() as tx:
        state = integrations.of(tx, connection.id, lock=True)
        if state.cursor != before:
            return False, 0
        company = company_records.current(tx).company
        outcomes = [(mail, _noted(tx, mail, returned, company, at)) for mail, returned in found]
        state.cursor, state.polled_at = batch.cursor, at
        integrations.reached(tx, connection.id, at=at)
    folder.flag([mail.uid for mail, understood in outcomes if understood is not None], _SEEN)
    folder.flag([mail.uid for mail, understood in outcomes if understood is None], _IMPORTANT)
    return batch.more, sum(bool(understood) for _, understood in outcomes)


def _noted(tx: Session, mail: Mail, returned: Returned, company: Company, at: datetime) -> int | None:
    """How many new things the mail says; None where a person should look at it. One bad mail keeps no other back."""
    if returned.kind is Kind.AUTOMATIC:
        return 0
    try:
        with tx.begin_nested():
            return note(tx, returned, company, at)
    except ITS_OWN_FAULT as error:
        _log.warning("mail %d of the mailbox: %s", mail.uid, str(error).splitlines()[:1])
        return None


def note(tx: Session, returned: Returned, company: Company, at: datetime) -> int | None:
    """Notes what a mail says of a message of ours, each thing once; None if it is about none that we know of."""
    message = _message(tx, returned, company)
    if message is None:
        return None
    fates = [(to, fate) for fate in returned.fates for to in _recipients(message, returned, fate)]
    if not fates:
        return None
    return sum(_note(tx, message, to, fate, returned.id, company, at) for to, fate in fates)


def _message(tx: Session, returned: Returned, company: Company) -> MessageRow | None:
    by_token = select(MessageRow).where(MessageRow.return_token.in_(returned.tokens))
    found = tx.scalars(by_token).all() if returned.tokens else []
    if not found and returned.kind is Kind.REPORT and returned.message_ids:
        # Message-IDs can be guessed: enough only for messages that had no token in their return path
        by_id = tx.scalars(select(MessageRow).where(MessageRow.message_id.in_(returned.message_ids)))
        found = [each for each in by_id if company.delivery.bounces_to is None or each.return_token is None]
        found = [each for each in found if each.handed_over_at is not None]
    return found[0] if len(found) == 1 else None


def _recipients(message: MessageRow, returned: Returned, fate: Fate) -> Sequence[str]:
    """The message's recipients the fate is of: named, or, by a bounce without report, mentioned or the only one."""
    ours = [message.recipient, *message.copies_to]
    if fate.addresses:
        return [each for each in ours if each.lower() in fate.addresses]
    text = returned.text.lower()
    return [each for each in ours if each.lower() in text] or (ours if len(ours) == 1 else [])


def _note(
    tx: Session, message: MessageRow, to: str, fate: Fate, report: str, company: Company, at: datetime
) -> int:
    if message.invoice is None or message.audience == notices.STAFF:
        return _of_staff(tx, message, to, fate, company, at)
    spoken_of = sorted(message.facts.get("invoices") or [message.invoice])
    rows = [invoices.locked(tx, each) for each in spoken_of]
    tx.refresh(message, with_for_update=True)
    if _known(tx, message.invoice, report, to):
        return 0
    if fate.outcome is Outcome.FAILED and to == message.recipient:
        why = fate.why or "the mail system says no more"
        bounces.bounced(
            tx, message.message_id, company, reason=why, by=ACTOR, channel=CHANNEL, at=at, report=report
        )
        return 1
    if fate.outcome is Outcome.DELIVERED and to == message.recipient:
        message.delivered_at = message.delivered_at or at
    event = _EVENTS.get(fate.outcome, "copy came back")
    said = {"message": message.event, "to": to, "said": fate.why, "report": report}
    for row in rows:
        audit_trail.record(tx, row, event, at=at, actor=ACTOR, channel=CHANNEL, **said)
    return 1


def _known(tx: Session, invoice: int, report: str, to: str) -> bool:
    """Whether that report about that recipient was noted before: the mailbox was numbered anew, say."""
    facts = AuditEventRow.facts
    query = select(AuditEventRow.position).where(
        AuditEventRow.invoice == invoice, facts["report"].astext == report, facts["to"].astext == to
    )
    return tx.scalar(query.limit(1)) is not None


def _of_staff(tx: Session, message: MessageRow, to: str, fate: Fate, company: Company, at: datetime) -> int:
    """One of our own people cannot be reached: somebody must hear of it, once, be it by a page."""
    if fate.outcome is Outcome.DELIVERED and message.delivered_at is None:
        message.delivered_at = at
        company_exceptions.close_repaired(tx, [STAFF + to.lower()], at=at)
        return 1
    if fate.outcome is not Outcome.FAILED:
        return 0
    finding = Finding(
        code=ReasonCode.BOUNCED,
        message=f"notices to {to} come back: {fate.why or 'no reason given'}; correct the address in people.yaml",
        field="email",
        left=f"mail {to}",
        right=message.key,
    )
    return int(company_exceptions.raise_one(tx, STAFF + to.lower(), finding, company, at=at) is not None)
