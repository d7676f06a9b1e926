"""What is open of an issuer's invoices, as payments are matched with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import TEXT, ColumnElement, Row, Select, func, literal_column, select
from sqlalchemy.orm import Session

from activities.ledger.summaries import BUYER, is_open
from activities.ledger.tables import BankEntryRow, InvoiceRow
from billing.draft import Draft
from billing.early_payment import offer, payable_after
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
_AT_A_TIME = 10_000
"""Numbers that are looked up together: a statement of PostgreSQL takes 65,535 parameters."""

_EARLY = InvoiceRow.draft["terms"]["early_payment"].astext


def of_issuer(tx: Session, issuer: str) -> OpenItems:
    """Everything that is owed to an issuer."""
    found = tx.execute(_items().where(is_open(), InvoiceRow.issuer == issuer)).all()
    return OpenItems.of(_item(tx, row) for row in found)


def refresh(tx: Session, items: OpenItems, invoices: Iterable[int]) -> None:
    """Brings what is known of these invoices up to date."""
    for row in tx.execute(_items().where(InvoiceRow.id.in_(list(invoices)))):
        items.put(_item(tx, row))


def numbered(tx: Session, lines: Sequence[str], among: frozenset[str] | None = None) -> Sequence[InvoiceRow]:
    """The issued invoices, paid ones too, and of every issuer, whose number stands in a text word for word.

    `among` are the numbers that come into question, where they are known.
    """
    wanted = _possible_numbers(lines)
    if among is not None:
        wanted &= among
    if not wanted:
        return []
    query = select(InvoiceRow).where(_BARE_NUMBER.in_(wanted), InvoiceRow.number.is_not(None))
    return tx.scalars(query.order_by(InvoiceRow.id).limit(20)).all()


def known_numbers(tx: Session, texts: Iterable[Sequence[str]]) -> frozenset[str]:
    """Those of the numbers that may stand in any of the texts that an invoice has; letters and digits only."""
    wanted = sorted({number for lines in texts for number in _possible_numbers(lines)})
    found: set[str] = set()
    for begin in range(0, len(wanted), _AT_A_TIME):
        found.update(tx.scalars(with_numbers(wanted[begin : begin + _AT_A_TIME])))
    return frozenset(found)


def with_numbers(numbers: Iterable[str]) -> Select[str]:
    """Those of the numbers, letters and digits only, that an invoice has."""
    query = select(_BARE_NUMBER).select_from(InvoiceRow)
    return query.where(_BARE_NUMBER.in_(list(numbers)), InvoiceRow.number.is_not(None))


def payers(tx: Session, accounts: Collection[str]) -> dict[str, str]:
    """For each account the one client for which money came from it; empty if there is none, or more than one."""
    known = select(BankEntryRow.counterparty_account, BankEntryRow.client).where(
        BankEntryRow.counterparty_account.in_(list(accounts)),
        BankEntryRow.counterparty_account != "",
    )
    clients: dict[str, set[str]] = {account: set() for account in accounts}
    for account, client in tx.execute(known.where(BankEntryRow.client.is_not(None)).distinct()):
        clients[account].add(client or "")
    return {account: next(iter(found)) if len(found) == 1 else "" for account, found in clients.items()}


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
        InvoiceRow.credited,
        func.coalesce(InvoiceRow.agreed_due_date, InvoiceRow.due_date).label("due_date"),
        InvoiceRow.issue_date,
        _EARLY.label("early"),
    )


def _item(tx: Session, row: Row[Any]) -> OpenItem:
    early, until = None, None
    if row.early is not None and row.issue_date is not None and row.open + row.credited == row.gross:
        draft = Draft.model_validate(tx.scalar(select(InvoiceRow.draft).where(InvoiceRow.id == row.id)))
        offered = offer(draft, row.issue_date)
        if offered:
            early, until = payable_after(draft, offered, row.credited), offered.last_day
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
