"""Records of money that stands on no invoice: who sent or got it goes with the client or the account it is of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, exists, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from activities.archive.after_issue import PayerRow, empty_payer, received_on, says_who
from activities.ledger import unmatched_payments
from activities.ledger.tables import (
    BankEntryRow,
    BankStatementRow,
    GivingUpRow,
    PaymentRow,
    UnmatchedPaymentRow,
)
from billing.company import Company
from billing.erased import ERASED
from billing.retention import Kept, invoice_kept


def of_subject(tx: Session, subject: str) -> Sequence[PayerRow]:
    """The bank's entries and the payments that still say who it was, of a client (by its id) or an account (IBAN)."""
    account = "".join(subject.split()).upper()
    theirs = or_(UnmatchedPaymentRow.client == subject, _bare(UnmatchedPaymentRow.payer_account) == account)
    entries = (
        select(BankEntryRow)
        .where(
            or_(
                BankEntryRow.client == subject,
                _bare(BankEntryRow.counterparty_account) == account,
                BankEntryRow.unmatched.in_(select(UnmatchedPaymentRow.id).where(theirs)),
            ),
            not_(_pays_an_invoice()),
        )
        .order_by(BankEntryRow.id)
    )
    kept = (
        select(UnmatchedPaymentRow)
        .where(
            theirs,
            ~exists().where(PaymentRow.received_as == UnmatchedPaymentRow.id),
        )
        .order_by(UnmatchedPaymentRow.id)
    )
    found: list[PayerRow] = [*tx.scalars(entries), *tx.scalars(kept)]
    return [each for each in found if says_who(each)]


def empty(tx: Session, payer: PayerRow) -> None:
    """Empties who it was, and what was written about a refund; day, amount and what became of it stay."""
    empty_payer(payer)
    if isinstance(payer, UnmatchedPaymentRow):
        for refund in tx.scalars(select(GivingUpRow).where(GivingUpRow.unmatched == payer.id)):
            refund.reason, refund.comment, refund.last_error = ERASED, "", None


def fate(tx: Session, payer: PayerRow, company: Company, today: date) -> tuple[bool, str, date | None]:
    """Whether it may go, why or why not, and until when it stays: as long as a voucher of its day is kept."""
    waits = _undecided(tx, payer)
    if waits is not None:
        return False, waits, None
    issuer = company.issuer(_issuer(tx, payer, company)) or company.issuers[0]
    kept: Kept = invoice_kept(issuer.address.country, received_on(payer), issuer.fiscal_year_starts)
    return (
        kept.past(today),
        kept.law if kept.until else f"{kept.law}: kept until somebody decides",
        kept.until,
    )


def _undecided(tx: Session, payer: PayerRow) -> str | None:
    """Why somebody still needs to know whose money it is."""
    payment = payer if isinstance(payer, UnmatchedPaymentRow) else _kept_as(tx, payer)
    if payment is None:
        return None
    if payment.resolved_at is None:
        return "nobody has decided yet what it is for"
    if payment.kept_as_credit and unmatched_payments.left(tx, payment).amount > 0:
        return "it is credit of the client: needed to use it, or to pay it back"
    return None


def _kept_as(tx: Session, entry: BankEntryRow) -> UnmatchedPaymentRow | None:
    return tx.get(UnmatchedPaymentRow, entry.unmatched) if entry.unmatched is not None else None


def _issuer(tx: Session, payer: PayerRow, company: Company) -> str:
    """On whose account it moved, as far as that is known."""
    if isinstance(payer, BankEntryRow):
        return tx.get_one(BankStatementRow, payer.statement).issuer or ""
    client = company.client(payer.client or "")
    return client.issuer if client else ""


def _bare(account: InstrumentedAttribute[str]) -> ColumnElement[str]:
    return func.upper(func.replace(account, " ", ""))


def _pays_an_invoice() -> ColumnElement[bool]:
    """Whether anything was booked for an invoice because of the entry: then it is kept and goes with that one."""
    booked = exists().where(
        PaymentRow.key.startswith("bank/"), func.split_part(PaymentRow.key, "/", 2) == BankEntryRow.key
    )
    by_hand = exists().where(PaymentRow.id == BankEntryRow.details["payment"].as_integer())
    allocated = exists().where(PaymentRow.received_as == BankEntryRow.unmatched)
    return or_(booked, by_hand, allocated)
