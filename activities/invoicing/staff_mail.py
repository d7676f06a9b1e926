"""Mail to our own people: what happened and where to decide, with a link to the page that shows what holds now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.delivery.mail import build, compose
from activities.delivery.signed_links import About, SignedLink, SignedLinks
from activities.invoicing import speaking, standing
from activities.invoicing.effects import Effects
from activities.ledger import company_exceptions, company_records, notices
from activities.ledger.tables import ExceptionRow, InvoiceRow, MessageRow, UnmatchedPaymentRow
from billing.company import Company
from billing.exceptions import Finding
from billing.money import Money
from billing.numbering import payment_reference
from billing.parties import Contact, Issuer

MOST_TOGETHER = 199
"""So many more exceptions stand in a mail about one; what is left makes the next."""


def send(tx: Session, message: MessageRow, effects: Effects) -> None:
    """Sends a prepared and locked notice, once. `MailDeferred` or `MailRefused` when the server does not take it."""
    if message.handed_over_at is not None:
        return
    company = company_records.current(tx).company
    context = _around(message.facts, company, effects)
    together = [message]
    if message.invoice is not None:
        context |= _of_invoice(tx.get_one(InvoiceRow, message.invoice), company, effects)
    elif message.event == notices.COMPANY_EXCEPTION:
        together += _to_the_same_person(tx, message)
        context |= _of_exceptions(tx, together, company)
    elif message.event == notices.CREDIT_HOLD:
        context |= _of_client(message.facts["client"], company)
    elif message.event == notices.PAYMENT_UNMATCHED and (others := _to_the_same_person(tx, message)):
        together += others
        context |= _of_payments(tx, together, company)
    else:
        said = context["findings"]
        context |= _of_payment(tx.get_one(UnmatchedPaymentRow, message.facts["payment"]), company)
        context["findings"] = [*said, *context["findings"]]
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
        ),
        returns=speaking.return_path(company, message),
    )
    for each in together:
        each.handed_over_at, each.server_reply = datetime.now(UTC), handed.reply


def _to_the_same_person(tx: Session, message: MessageRow) -> Sequence[MessageRow]:
    """What else waits to be told to whom the message goes: a night that finds a hundred leaks is one mail."""
    return tx.scalars(
        select(MessageRow)
        .where(
            MessageRow.event == message.event,
            MessageRow.recipient == message.recipient,
            MessageRow.key != message.key,
            MessageRow.handed_over_at.is_(None),
        )
        .order_by(MessageRow.prepared_at, MessageRow.key)
        .limit(MOST_TOGETHER)
        .with_for_update(skip_locked=True)
    ).all()


def _around(facts: dict[str, Any], company: Company, effects: Effects) -> dict[str, Any]:
    return {
        "contact_name": "",
        "person_name": company.person_name(facts["person"]),
        "days_late": 0,
        "level": 0,
        "reason": facts.get("reason", ""),
        "kind": facts.get("kind", ""),
        "deadline": datetime.fromisoformat(facts["deadline"]),
        "findings": facts.get("findings", []),
        "inbox_url": decision_link(facts, effects.links) or f"{effects.web_url}/",
    }


def decision_link(facts: dict[str, Any], links: SignedLinks | None) -> str | None:
    """The signed link to what a notice asks its person to decide; None where it asks about several things, or none."""
    if links is None or "item" not in facts:
        return None
    return links.to(
        SignedLink(About(facts["about"]), facts["item"], facts["person"], facts.get("digest", ""))
    )


def _of_client(client: str, company: Company) -> dict[str, Any]:
    known = company.client(client)
    return {
        "number": "",
        "title": "",
        "client_name": client,
        "issuer": (company.issuer(known.issuer) if known else None) or company.issuers[0],
        "amount_due": None,
        "open_amount": None,
        "issue_date": None,
        "due_date": None,
        "payment_reference": "",
        "invoice_url": "",
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


def _of_payments(tx: Session, together: Sequence[MessageRow], company: Company) -> dict[str, Any]:
    ids = {each.facts["payment"] for each in together}
    query = select(UnmatchedPaymentRow).where(UnmatchedPaymentRow.id.in_(ids))
    found = tx.scalars(query.order_by(UnmatchedPaymentRow.deadline, UnmatchedPaymentRow.id)).all()
    return {
        "number": "",
        "title": f"{len(found)} payments received, for no invoice we know",
        "client_name": "",
        "issuer": company.issuers[0],
        "amount_due": None,
        "open_amount": None,
        "issue_date": None,
        "due_date": None,
        "payment_reference": "",
        "deadline": found[0].deadline,
        "findings": [_payment_line(each) for each in found],
        "invoice_url": "",
    }


def _payment_line(payment: UnmatchedPaymentRow) -> str:
    amount = Money.of(payment.amount, payment.currency)
    said = (
        f"payment {payment.id}",
        str(amount),
        payment.received_on.isoformat(),
        payment.payer,
        payment.reference,
    )
    return " · ".join(filter(None, said))


def _of_exceptions(tx: Session, together: Sequence[MessageRow], company: Company) -> dict[str, Any]:
    ids = [each.facts["exception"] for each in together]
    found = tx.scalars(
        select(ExceptionRow).where(ExceptionRow.id.in_(ids)).order_by(ExceptionRow.deadline, ExceptionRow.id)
    ).all()
    first = found[0]
    client = company.client(first.client or "")
    alone = len(found) == 1
    amount = company_exceptions.at_stake(first) if alone else None
    subject = (first.subject or "").removeprefix(f"{first.code}/")
    return {
        "number": "",
        "title": f"{first.code.replace('-', ' ')}: {subject}" if alone else f"{len(found)} exceptions",
        "client_name": (first.client or "") if alone else "",
        "issuer": (company.issuer(client.issuer) if client else None) or company.issuers[0],
        "amount_due": amount,
        "open_amount": amount,
        "issue_date": None,
        "due_date": None,
        "payment_reference": "",
        "reason": first.code if alone else "",
        "deadline": first.deadline,
        "findings": [_line(each, alone=alone) for each in found],
        "invoice_url": "",
    }


def _line(exception: ExceptionRow, *, alone: bool) -> str:
    message = Finding.model_validate(exception.finding).message
    if alone:
        return message
    at_stake = company_exceptions.at_stake(exception)
    return " · ".join(
        said for said in (exception.client, str(at_stake) if at_stake else None, message) if said is not None
    )


def _of_invoice(row: InvoiceRow, company: Company, effects: Effects) -> dict[str, Any]:
    nothing_yet = Money.zero(row.currency or "EUR")
    return {
        "number": row.name,
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
