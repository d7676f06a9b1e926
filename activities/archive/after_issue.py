"""What is kept of an invoice's life after issue: files of its disputes, who paid it from where, what people wrote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, not_, or_, select
from sqlalchemy.orm import Session

from activities.archive.retention import SETTLED
from activities.documents.store import DocumentStore
from activities.ledger import disputes
from activities.ledger.tables import (
    BankEntryRow,
    DisputeFileRow,
    DisputeRow,
    DocumentRow,
    GivingUpRow,
    InvoiceRow,
    PaymentPlanRow,
    PaymentRow,
    PromiseRow,
    UnmatchedPaymentRow,
)
from billing.erased import ERASED

PayerRow = BankEntryRow | UnmatchedPaymentRow
"""Where it stands from whom money came: the bank's entry, and what a person had to decide."""

_FOUND_BY = ("payment", "taken_back_by")
"""What of a bank entry's details says no word of the payer, and is needed to tell what it was booked as."""


def files(tx: Session, row: InvoiceRow) -> Sequence[DisputeFileRow]:
    """The files of the invoice's disputes that are still there, oldest first."""
    query = select(DisputeFileRow).join(DisputeRow, DisputeRow.id == DisputeFileRow.dispute)
    return tx.scalars(
        query.where(DisputeRow.invoice == row.id, DisputeFileRow.erased_at.is_(None)).order_by(
            DisputeFileRow.sent_at, DisputeFileRow.sha256
        )
    ).all()


def remove_file(tx: Session, documents: DocumentStore, file: DisputeFileRow, at: datetime) -> None:
    """Destroys the file, unless the same bytes are kept as something else: a client may send our own PDF back."""
    file.erased_at = at
    tx.flush()
    if not _is_kept(tx, file.sha256):
        documents.remove(file.sha256)
    file.name = ERASED


def remove_document(tx: Session, documents: DocumentStore, document: DocumentRow, at: datetime) -> None:
    """Destroys the document, unless a client sent the same bytes with a dispute that still needs them."""
    document.erased_at, document.made_from = at, None
    tx.flush()
    if not _is_kept(tx, document.sha256):
        documents.remove(document.sha256)


def _is_kept(tx: Session, sha256: str) -> bool:
    document = select(DocumentRow.sha256).where(DocumentRow.sha256 == sha256, DocumentRow.erased_at.is_(None))
    file = select(DisputeFileRow.sha256).where(
        DisputeFileRow.sha256 == sha256, DisputeFileRow.erased_at.is_(None)
    )
    return tx.scalar(document.limit(1)) is not None or tx.scalar(file.limit(1)) is not None


def empty_words(tx: Session, row: InvoiceRow) -> None:
    """Empties what people wrote about the invoice; days, amounts and outcomes stay."""
    for dispute in disputes.of_invoice(tx, row):
        dispute.reason = ERASED
        dispute.answer = ERASED if dispute.answer else ""
    for promise in tx.scalars(select(PromiseRow).where(PromiseRow.invoice == row.id)):
        promise.note = ""
    for plan in tx.scalars(select(PaymentPlanRow).where(PaymentPlanRow.invoice == row.id)):
        plan.reason = ERASED
    for given_up in tx.scalars(select(GivingUpRow).where(GivingUpRow.invoice == row.id)):
        given_up.reason, given_up.comment, given_up.last_error = ERASED, "", None


def payers(tx: Session, row: InvoiceRow) -> Sequence[PayerRow]:
    """The records that still say who paid the invoice, where all that they paid is settled."""
    payments = select(PaymentRow).where(PaymentRow.invoice == row.id)
    entries, unmatched, by_hand = set[str](), set[int](), set[int]()
    for payment in tx.scalars(payments):
        by_hand.add(payment.id)
        if payment.key.startswith("bank/"):
            entries.add(payment.key.split("/")[1])
        if payment.received_as is not None:
            unmatched.add(payment.received_as)
    decided = tx.scalars(
        select(UnmatchedPaymentRow)
        .where(UnmatchedPaymentRow.id.in_(unmatched), UnmatchedPaymentRow.resolved_at.is_not(None))
        .order_by(UnmatchedPaymentRow.id)
    ).all()
    booked = tx.scalars(
        select(BankEntryRow)
        .where(
            or_(
                BankEntryRow.key.in_(entries),
                BankEntryRow.unmatched.in_([each.id for each in decided]),
                BankEntryRow.details["payment"].as_integer().in_(by_hand),
            )
        )
        .order_by(BankEntryRow.id)
    ).all()
    found: list[PayerRow] = [*booked, *decided]
    return [each for each in found if says_who(each) and not _pays_what_is_open(tx, each)]


def received_on(payer: PayerRow) -> date:
    """The day of the money, by which its record is kept."""
    return payer.booked_on if isinstance(payer, BankEntryRow) else payer.received_on


def empty_payer(payer: PayerRow) -> None:
    """Empties who paid and what they wrote; day, amount and what became of it stay."""
    if isinstance(payer, BankEntryRow):
        payer.counterparty = payer.counterparty_account = payer.remittance = ""
        payer.structured_reference = payer.end_to_end_id = ""
        payer.details = {key: payer.details[key] for key in _FOUND_BY if key in payer.details}
    else:
        payer.payer = payer.payer_account = payer.reference = ""
        payer.suggestions = []


def says_who(payer: PayerRow) -> bool:
    """Whether anything in it still tells a person."""
    if isinstance(payer, BankEntryRow):
        return any((payer.counterparty, payer.counterparty_account, payer.remittance))
    return any((payer.payer, payer.payer_account, payer.reference))


def _pays_what_is_open(tx: Session, payer: PayerRow) -> bool:
    if isinstance(payer, BankEntryRow):
        mine = func.split_part(PaymentRow.key, "/", 2) == payer.key
    else:
        mine = PaymentRow.received_as == payer.id
    query = select(PaymentRow.id).join(InvoiceRow, InvoiceRow.id == PaymentRow.invoice)
    return tx.scalar(query.where(mine, not_(SETTLED)).limit(1)) is not None
