"""What is open of an issuer's invoices, as payments are matched with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import TEXT, ColumnElement, Row, Select, literal_column, select
from sqlalchemy.orm import Session

from activities.ledger.summaries import BUYER, is_open
from activities.ledger.tables import BankEntryRow, InvoiceRow
from billing.draft import Draft
from billing.early_payment import offer
from billing.matching import OpenItem, OpenItems
from billing.money import rounded
from billing.payment_text import bare

# written as a literal so that the planner can use the index whatever the driver prepares
_BARE_NUMBER: ColumnElement[str] = literal_column(
    "regexp_replace(upper(invoices.number), '[^A-Z0-9]', '', 'g')", TEXT
)

_MOST_WORDS = 6
"""Words a number may have been torn into: `ELB 2026 00012` has three."""

_LONGEST_NUMBER = 40
_EARLY = InvoiceRow.draft["terms"]["early_payment"].astext


def of_issuer(tx: Session, issuer: str) -> OpenItems:
    """Everything that is owed to an issuer."""
    found = tx.execute(_items().where(is_open(), InvoiceRow.issuer == issuer)).all()
    return OpenItems.of(_item(tx, row) for row in found)


def refresh(tx: Session, items: OpenItems, invoices: Iterable[int]) -> None:
    """Brings what is known of these invoices up to date."""
    for row in tx.execute(_items().where(InvoiceRow.id.in_(list(invoices)))):
        items.put(_item(tx, row))


def numbered(tx: Session, lines: Sequence[str]) -> Sequence[InvoiceRow]:
    """The issued invoices, paid ones too, and of every issuer, whose number stands in a text word for word."""
    wanted = _possible_numbers(lines)
    if not wanted:
        return []
    query = select(InvoiceRow).where(_BARE_NUMBER.in_(wanted), InvoiceRow.number.is_not(None))
    return tx.scalars(query.order_by(InvoiceRow.id).limit(20)).all()


def payer(tx: Session, account: str) -> str:
    """The one client for which money came from that account; empty if there is none, or more than one."""
    if not account:
        return ""
    known = select(BankEntryRow.client).where(
        BankEntryRow.counterparty_account == account, BankEntryRow.client.is_not(None)
    )
    clients = tx.scalars(known.distinct().limit(2)).all()
    return clients[0] or "" if len(clients) == 1 else ""


def _items() -> Select[Any]:
    return select(
        InvoiceRow.id,
        InvoiceRow.number,
        InvoiceRow.client,
        BUYER.label("buyer"),
        InvoiceRow.currency,
        InvoiceRow.open_amount.label("open"),
        InvoiceRow.paid,
        InvoiceRow.gross,
        InvoiceRow.due_date,
        InvoiceRow.issue_date,
        _EARLY.label("early"),
    )


def _item(tx: Session, row: Row[Any]) -> OpenItem:
    early, until = None, None
    if row.early is not None and row.issue_date is not None and row.open == row.gross:
        draft = Draft.model_validate(tx.scalar(select(InvoiceRow.draft).where(InvoiceRow.id == row.id)))
        offered = offer(draft, row.issue_date)
        early, until = (offered.payable, offered.last_day) if offered else (None, None)
    return OpenItem(
        invoice=row.id,
        number=row.number or "",
        client=row.client,
        name=row.buyer or row.client,
        currency=row.currency,
        amount=rounded(row.open, row.currency),
        due=row.due_date,
        early=early,
        early_until=until,
    )


def _possible_numbers(lines: Sequence[str]) -> set[str]:
    """What neighbouring words of the text make together, if it has a digit and a number's length."""
    words = [bare(word) for word in re.split(r"[^A-Za-z0-9]+", " ".join(lines)) if word][:200]
    made = {
        "".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(start + _MOST_WORDS, len(words)) + 1)
    }
    return {each for each in made if 4 < len(each) <= _LONGEST_NUMBER and any(map(str.isdigit, each))}
