"""Notices in the company's chat, beside those by mail: that something waits, for whom, until when, and where.

A notice names the invoice and the client's alias, never amounts, names of clients or addresses: those are on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.delivery.chat import Chat, ChatNotice
from activities.delivery.signed_links import SignedLinks
from activities.invoicing.staff_mail import decision_link
from activities.ledger import company_records, integrations, notices, outbox
from activities.ledger.tables import InvoiceRow, MessageRow, OutboxRow
from activities.providers.registry import adapter, provider_of
from billing.company import Company
from billing.connections import Connection, Port
from billing.errors import SourceFaulty, SourceUnavailable

STALE = timedelta(hours=24)
"""How long a notice may wait for a chat that is away: after that, mail and reminders have told of it."""

_MOST_TOGETHER = 199
TITLES = {
    "approval-request": "Approval wanted",
    "approval-reminder": "Approval still wanted",
    "exception": "Decision wanted",
    notices.COMPANY_EXCEPTION: "Decision wanted",
    "unmatched-payment": "Payment without an invoice",
    "dispute": "Dispute to decide",
    "credit-hold": "Credit hold",
    "agreement-wanted": "Money to be given up: agree or refuse",
    "refund-to-pay": "Refund to pay",
    "escalation": "Reminders had no answer",
    "hand-over": "Handed over to collection",
}


def post(tx: Session, row: OutboxRow, web_url: str, at: datetime, links: SignedLinks | None = None) -> None:
    """Posts a notice; those about exceptions and payments without invoice that wait for one person go together.

    `SourceUnavailable` if the chat does not take it now. A crash after Slack took it and before that is noted repeats
    it: Slack knows no Message-ID.
    """
    message, company = tx.get(MessageRow, row.subject), company_records.current(tx).company
    connection = company.connection(Port.CHAT)
    if message is None or connection is None or at - row.written_at > STALE:
        return
    together = _to_the_same_person(tx, row, message)
    try:
        chat: Chat = adapter(connection)
        chat.post(_notice(tx, message, len(together) + 1, company, web_url, links))
    except SourceUnavailable as error:
        integrations.failed(tx, connection.id, _title(connection), error, company, at=at)
        raise
    for each in together:
        outbox.done(each)
    integrations.reached(tx, connection.id, at=at)


def _to_the_same_person(tx: Session, row: OutboxRow, message: MessageRow) -> Sequence[OutboxRow]:
    """What else waits: a night that finds a hundred leaks is one notice."""
    if message.event not in notices.TOGETHER:
        return []
    return tx.scalars(
        select(OutboxRow)
        .join(MessageRow, MessageRow.key == OutboxRow.subject)
        .where(
            OutboxRow.kind == outbox.CHAT,
            OutboxRow.done_at.is_(None),
            OutboxRow.not_before <= func.now(),
            OutboxRow.id != row.id,
            MessageRow.event == message.event,
            MessageRow.recipient == message.recipient,
        )
        .order_by(OutboxRow.id)
        .limit(_MOST_TOGETHER)
        .with_for_update(skip_locked=True, of=OutboxRow)
    ).all()


def _notice(
    tx: Session,
    message: MessageRow,
    number: int,
    company: Company,
    web_url: str,
    links: SignedLinks | None,
) -> ChatNotice:
    facts, person = message.facts, message.facts["person"]
    invoice = tx.get(InvoiceRow, message.invoice) if message.invoice else None
    issuer = (company.issuer(invoice.issuer or "") if invoice else None) or company.issuers[0]
    title = TITLES.get(message.event, message.event.replace("-", " "))
    code = str(facts.get("reason", "")) if message.event in ("exception", notices.COMPANY_EXCEPTION) else ""
    deadline = datetime.fromisoformat(facts["deadline"]).astimezone(ZoneInfo(issuer.zone))
    details = [
        f"{invoice.name}, client {invoice.client}" if invoice else "",
        f"{number} of them" if number > 1 else "",
        f"until {deadline:%Y-%m-%d %H:%M %Z}" if message.event not in ("escalation", "hand-over") else "",
    ]
    return ChatNotice(
        event=message.event,
        title=f"{title}: {code.replace('-', ' ')}" if code and number == 1 else title,
        link=decision_link(facts, links)
        or (f"{web_url}/invoices/{quote(invoice.billing_key)}" if invoice else f"{web_url}/"),
        person=person,
        name=company.person_name(person),
        details=tuple(filter(None, details)),
    )


def _title(connection: Connection) -> str:
    try:
        return provider_of(connection).title
    except SourceFaulty:
        return connection.provider
