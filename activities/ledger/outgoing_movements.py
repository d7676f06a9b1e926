"""Money that went out of a bank account: refunds that were agreed to, charges, and what is no business of ours."""

from __future__ import annotations

from sqlalchemy.orm import Session

from activities.bank.movements import Movement
from activities.ledger import invoices, refunds
from activities.ledger.bank_entries import Decided, Outcome, Reading, is_charge, told
from activities.ledger.tables import GivingUpRow, InvoiceRow, UnmatchedPaymentRow
from billing.payment_text import bare

_NOT_OURS = Decided(Outcome.OUTGOING, "no refund that is agreed to")


def look(reading: Reading, movement: Movement) -> Decided | None:
    """What became of money that went out, without a look at the ledger; None if it may be a refund."""
    if is_charge(movement):
        return Decided(Outcome.CHARGE, "the bank's own")
    if movement.amount == 0:
        return Decided(Outcome.OUTGOING, "no money moved")
    return None if (-movement.amount, movement.currency) in reading.refunds else _NOT_OURS


def pay_back(tx: Session, reading: Reading, movement: Movement) -> Decided:
    """Books a refund if it is one to the cent and says of which invoice or payment; else it is nothing of ours."""
    found = [each for each in refunds.to_pay(tx, refunds.BANK_TRANSFER) if _is_it(tx, each, movement)]
    # two of one invoice, or to one payer, are the same to everybody: the older one is paid first
    if found and len({each.invoice for each in found}) == 1:
        return _refunded(tx, reading, movement, found[0].id)
    return _NOT_OURS


def _is_it(tx: Session, refund: GivingUpRow, movement: Movement) -> bool:
    if (refund.amount, refund.currency) != (-movement.amount, movement.currency):
        return False
    said = bare(" ".join((*movement.references, *movement.text, movement.end_to_end_id)))
    if refund.invoice is not None:
        row = tx.get_one(InvoiceRow, refund.invoice)
        return bool(row.number) and bare(row.number or "") in said
    if refund.unmatched is None or not movement.counterparty_account:
        return False
    return tx.get_one(UnmatchedPaymentRow, refund.unmatched).payer_account == movement.counterparty_account


def _refunded(tx: Session, reading: Reading, movement: Movement, refund_id: int) -> Decided:
    refund = tx.get_one(GivingUpRow, refund_id)
    row = invoices.locked(tx, refund.invoice) if refund.invoice is not None else None
    tx.refresh(refund, with_for_update=True)
    refunds.done(
        tx,
        refund,
        row,
        on=movement.booked_on,
        by=reading.by,
        channel=reading.channel,
        reference=told(movement),
        at=reading.at,
    )
    of = row.number if row is not None else f"payment {refund.unmatched}"
    return Decided(
        Outcome.REFUND,
        f"refund {refund.id} of {of}",
        client=refund.client or "",
        invoices=(row.id,) if row is not None else (),
    )
