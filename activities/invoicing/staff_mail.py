"""Mail to our own people: what happened and where to decide, with a link to the page that shows what holds now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from activities.delivery.mail import build, compose
from activities.invoicing import standing
from activities.invoicing.effects import Effects
from activities.ledger import company_records
from activities.ledger.tables import InvoiceRow, MessageRow
from billing.company import Company
from billing.money import Money
from billing.numbering import payment_reference
from billing.parties import Contact


def send(tx: Session, message: MessageRow, effects: Effects) -> None:
    """Sends a prepared and locked notice, once. `MailDeferred` or `MailRefused` when the server does not take it."""
    if message.handed_over_at is not None or message.invoice is None:
        return
    row = tx.get_one(InvoiceRow, message.invoice)
    company = company_records.current(tx).company
    issuer = company.issuer(row.issuer or "") or company.issuers[0]
    person = company.people_by_id.get(message.facts["person"])
    composed = compose(message.event, "en", _context(row, message.facts, company, effects))
    message.subject, message.body, message.html = composed.subject, composed.text, composed.html
    message.attempts += 1
    handed = effects.mail.send(
        build(
            message_id=message.message_id,
            sender=Contact(name=f"Billow at {issuer.name}", email=issuer.email),
            to=Contact(name=person.name if person else message.recipient, email=message.recipient),
            cc=[],
            reply_to=issuer.email,
            composed=composed,
            date=message.prepared_at,
        )
    )
    message.handed_over_at, message.server_reply = datetime.now(UTC), handed.reply


def _context(row: InvoiceRow, facts: dict[str, Any], company: Company, effects: Effects) -> dict[str, Any]:
    issuer = company.issuer(row.issuer or "") or company.issuers[0]
    nothing_yet = Money.zero(row.currency or "EUR")
    return {
        "number": row.number or row.billing_key,
        "title": row.title,
        "client_name": (row.draft or {}).get("buyer", {}).get("name", row.client),
        "contact_name": "",
        "person_name": company.person_name(facts["person"]),
        "issuer": issuer,
        "amount_due": standing.money_of(row) if row.gross is not None else nothing_yet,
        "open_amount": standing.open_money(row) if row.gross is not None else nothing_yet,
        "issue_date": row.issue_date,
        "due_date": row.due_date,
        "days_late": 0,
        "payment_reference": payment_reference(row.number) if row.number else "",
        "level": 0,
        "reason": facts.get("reason", ""),
        "deadline": datetime.fromisoformat(facts["deadline"]),
        "zone": issuer.zone,
        "findings": facts.get("findings", []),
        "invoice_url": f"{effects.web_url}/invoices/{quote(row.billing_key)}",
        "inbox_url": f"{effects.web_url}/",
    }
