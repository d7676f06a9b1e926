"""The statement of account as PDF: movements between two days, open items, and how late they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from activities.documents.account_letter import account_letter, pay_to
from activities.documents.look import PLAIN, LookFiles
from activities.documents.press import page as page_of
from activities.documents.press import typeset
from activities.documents.typography import Typography
from activities.languages.catalogue import Catalogue, message
from billing.money import Money
from billing.periods import Period
from billing.statement_of_account import BUCKETS, Account, Entry, EntryKind, OpenItem, StatementOfAccount

_TEMPLATE = "statement.html"

KINDS = {
    EntryKind.INVOICE: message("Invoice"),
    EntryKind.CREDIT_NOTE: message("Credit note"),
    EntryKind.PAYMENT: message("Payment"),
    EntryKind.REPAYMENT: message("Repayment"),
    EntryKind.DISCOUNT: message("Early payment discount"),
    EntryKind.CREDIT: message("Credit"),
    EntryKind.WRITE_OFF: message("Write-off"),
}
"""What an entry is called."""

_IN_FAVOUR, _DUE = message("Balance in your favour"), message("Balance due")


def render_statement_of_account(statement: StatementOfAccount, look: LookFiles = PLAIN) -> bytes:
    """The statement as PDF/A-3b in the client's language; the same statement and look give the same bytes.

    `RenderingFailed` if a character has no glyph in any font, or the look is faulty.
    """
    return typeset(page(statement, look), _name(statement), look)


def page(statement: StatementOfAccount, look: LookFiles = PLAIN) -> str:
    """The page before it is set. `RenderingFailed` says what the template cannot write."""
    writes, words, values = account_letter(statement, statement.until, look)
    owed = [each for each in statement.accounts if each.balance > 0]
    values |= {
        "statement": statement,
        "heading": words.gettext("Statement of account"),
        "name": "",
        "subject": writes.period(Period(start=statement.since, end=statement.until)),
        "meta": [*_meta(statement, writes, words)],
        "accounts": [_account(each, statement, writes, words) for each in statement.accounts],
        "pay_to": pay_to(statement.issuer, values["iban"], words) if owed else [],
    }
    return page_of(_TEMPLATE, values, _name(statement), look)


def _name(statement: StatementOfAccount) -> str:
    return f"the statement of account of {statement.client_name}"


def _meta(statement: StatementOfAccount, writes: Typography, words: Catalogue) -> Iterator[tuple[str, str]]:
    yield words.gettext("Date"), writes.day(statement.until)
    for each in statement.accounts:
        yield words.gettext("Balance"), _money(each, each.balance, writes)
        if each.late:
            yield words.gettext("Of it overdue"), _money(each, each.late, writes)


def _account(
    account: Account, statement: StatementOfAccount, writes: Typography, words: Catalogue
) -> dict[str, Any]:
    ageing = account.ageing
    return {
        "currency": account.currency,
        "brought": words.gettext("Balance brought forward"),
        "since": writes.day(statement.since),
        "brought_forward": writes.amount(account.brought_forward, account.currency),
        "entries": [_entry(each, account, writes, words) for each in account.entries],
        "items": [_item(each, account, writes) for each in account.items],
        "ageing": [writes.amount(ageing[bucket], account.currency) for bucket in BUCKETS],
        "balance": _money(account, account.balance, writes),
        "label": words.gettext(_IN_FAVOUR if account.balance < 0 else _DUE),
    }


def _entry(entry: Entry, account: Account, writes: Typography, words: Catalogue) -> dict[str, str]:
    document = entry.kind in (EntryKind.INVOICE, EntryKind.CREDIT_NOTE)
    return {
        "day": writes.day(entry.on),
        "what": f"{words.gettext(KINDS[entry.kind])} {entry.number}",
        "text": entry.text if document else "",
        "amount": writes.amount(entry.amount, account.currency),
        "balance": writes.amount(entry.balance, account.currency),
    }


def _item(item: OpenItem, account: Account, writes: Typography) -> dict[str, str]:
    return {
        "number": item.number,
        "issued": writes.day(item.issue_date),
        "due": writes.day(item.due_date) if item.amount > 0 else "",
        "late": str(item.days_late) if item.days_late else "–",
        "amount": writes.amount(item.amount, account.currency),
        "open": writes.amount(item.open, account.currency),
    }


def _money(account: Account, amount: Any, writes: Typography) -> str:
    return writes.money(Money.of(amount, account.currency))
