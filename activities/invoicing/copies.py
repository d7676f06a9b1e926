"""An issued invoice mailed once more, and answers to the client about it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from activities.delivery.smtp import MailRefused
from activities.invoicing import speaking
from activities.invoicing.addressees import addressees
from activities.invoicing.effects import Effects
from activities.ledger import answers, audit_trail, company_records, invoices
from activities.ledger.tables import MessageRow


def send(tx: Session, message: MessageRow, effects: Effects) -> None:
    """Sends a prepared and locked copy or answer, once. `MailDeferred` or `MailRefused` when the server refuses it."""
    if message.handed_over_at is not None or message.invoice is None:
        return
    row = invoices.locked(tx, message.invoice)
    if (because := answers.needless(tx, row, message)) is not None:
        message.last_error = f"not sent: {because}"
        audit_trail.record(tx, row, "not sent again", at=datetime.now(UTC), because=because)
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
