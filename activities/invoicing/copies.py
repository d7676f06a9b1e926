"""An issued invoice mailed once more, and answers to the client about it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from activities.delivery.smtp import MailRefused
from activities.invoicing import speaking
from activities.invoicing.addressees import addressees
from activities.invoicing.effects import Effects
from activities.ledger import audit_trail, company_records, invoices, payments
from activities.ledger.tables import MessageRow


def send(tx: Session, message: MessageRow, effects: Effects) -> None:
    """Sends a prepared and locked copy or answer, once. `MailDeferred` or `MailRefused` when the server refuses it."""
    if message.handed_over_at is not None or message.invoice is None:
        return
    row = invoices.locked(tx, message.invoice)
    if payments.open_amount(row) <= 0:
        message.last_error = "not sent: the invoice was paid meanwhile"
        audit_trail.record(tx, row, "not sent again", at=datetime.now(UTC), because="paid meanwhile")
        return
    to = addressees(row, company_records.current(tx))
    if not message.recipient:
        if to is None:
            raise MailRefused(550, "there is no billing contact in the CRM")
        message.recipient, message.copies_to = to.contact.email, list(to.copies)
    message.facts = {**message.facts, "contact": to.contact.name if to else message.recipient}
    now = datetime.now(UTC)
    speaking.write(tx, [row], message, now, effects.portal_url)
    returns = speaking.return_path(company_records.current(tx).company, message)
    handed = effects.mail.send(speaking.mail(effects, tx, row, message, now), returns=returns)
    speaking.handed_over(tx, [row], message, handed, now)
