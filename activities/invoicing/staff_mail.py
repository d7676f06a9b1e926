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
from activities.ledger.tables import InvoiceRow, MessageRow, UnmatchedPaymentRow
from billing.company import Company
from billing.money import Money
from billing.numbering import payment_reference
from billing.parties import Contact, Issuer


def send(tx: Session, message: MessageRow, effects: Effects) -> None:
    """Sends a prepared and locked notice, once. `MailDeferred` or `MailRefused` when the server does not take it."""
    if message.handed_over_at is not None:
        return
    company = company_records.current(tx).company
    context = _around(message.facts, company, effects)
    if message.invoice is None:
        context |= _of_payment(tx.get_one(UnmatchedPaymentRow, message.facts["payment"]), company)
    else:
        context |= _of_invoice(tx.get_one(InvoiceRow, message.invoice), company, effects)
    issuer: Issuer = context["issuer"]
    person = company.people_by_id.get(message.facts["person"])
    composed = compose(message.event, "en", context | {"zone": issuer.zone})
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


def _around(facts: dict[str, Any], company: Company, effects: Effects) -> dict[str, Any]:
    return {
        "contact_name": "",
        "person_name": company.person_name(facts["person"]),
        "days_late": 0,
        "level": 0,
        "reason": facts.get("reason", ""),
        "deadline": datetime.fromisoformat(facts["deadline"]),
        "findings": facts.get("findings", []),
        "inbox_url": f"{effects.web_url}/",
    }


def _of_payment(payment: UnmatchedPaymentRow, company: Company) -> dict[str, Any]:
    amount = Money.of(payment.amount, payment.currency)
    said = (("Payer", payment.payer), ("Reference", payment.reference), ("Source", payment.source))
    return {
        "number": "",
        "title": f"payment {payment.id}, received on {payment.received_on.isoformat()}",
        "client_name": "",
        "issuer": company.issuers[0],
        "amount_due": amount,
        "open_amount": amount,
        "issue_date": None,
        "due_date": None,
        "payment_reference": "",
        "findings": [f"{name}: {value or 'none'}" for name, value in said],
        "invoice_url": "",
    }


def _of_invoice(row: InvoiceRow, company: Company, effects: Effects) -> dict[str, Any]:
    nothing_yet = Money.zero(row.currency or "EUR")
    return {
        "number": row.number or row.billing_key,
        "title": row.title,
        "client_name": (row.draft or {}).get("buyer", {}).get("name", row.client),
        "issuer": company.issuer(row.issuer or "") or company.issuers[0],
        "amount_due": standing.money_of(row) if row.gross is not None else nothing_yet,
        "open_amount": standing.open_money(row) if row.gross is not None else nothing_yet,
        "issue_date": row.issue_date,
        "due_date": row.due_date,
        "payment_reference": payment_reference(row.number) if row.number else "",
        "invoice_url": f"{effects.web_url}/invoices/{quote(row.billing_key)}",
    }
