"""The receipt as PDF: what came for an invoice, and what is left of it."""

from __future__ import annotations

from collections.abc import Iterator

from activities.documents.account_letter import account_letter
from activities.documents.look import PLAIN, LookFiles
from activities.documents.press import page as page_of
from activities.documents.press import typeset
from activities.documents.statement_of_account import KINDS
from activities.documents.typography import Typography
from activities.languages.catalogue import Catalogue
from billing.money import Money
from billing.receipt import Receipt

_TEMPLATE = "receipt.html"


def render_receipt(receipt: Receipt, look: LookFiles = PLAIN) -> bytes:
    """The receipt as PDF/A-3b in the client's language; the same receipt and look give the same bytes.

    `RenderingFailed` if a character has no glyph in any font, or the look is faulty.
    """
    return typeset(page(receipt, look), f"the receipt for {receipt.number}", look)


def page(receipt: Receipt, look: LookFiles = PLAIN) -> str:
    """The page before it is set. `RenderingFailed` says what the template cannot write."""
    writes, words, values = account_letter(receipt, receipt.as_of, look)
    values |= {
        "receipt": receipt,
        "heading": words.gettext("Receipt"),
        "name": words.gettext("for invoice %(number)s", number=receipt.number),
        "subject": receipt.title,
        "meta": [*_meta(receipt, writes, words)],
        "sentence": _sentence(receipt, writes, words),
        "rows": [
            (
                writes.day(each.on),
                words.gettext(KINDS[each.kind]),
                writes.amount(each.amount, receipt.due.currency),
            )
            for each in receipt.movements
        ],
        "sums": [*_sums(receipt, writes, words)],
    }
    return page_of(_TEMPLATE, values, f"the receipt for {receipt.number}", look)


def _meta(receipt: Receipt, writes: Typography, words: Catalogue) -> Iterator[tuple[str, str]]:
    yield words.gettext("Invoice"), receipt.number
    if receipt.issue_date:
        yield words.gettext("Invoice date"), writes.day(receipt.issue_date)
    yield words.gettext("Amount"), writes.money(receipt.due)
    yield words.gettext("Date"), writes.day(receipt.as_of)


def _sentence(receipt: Receipt, writes: Typography, words: Catalogue) -> str:
    if receipt.open.amount > 0:
        return words.gettext(
            "Thank you for your payment. Of invoice %(number)s, %(open)s is still open.",
            number=receipt.number,
            open=writes.money(receipt.open),
        )
    if receipt.open.amount < 0:
        return words.gettext(
            "Thank you for your payment. It is %(amount)s more than invoice %(number)s asks for; we will get in touch"
            " with you about it.",
            number=receipt.number,
            amount=writes.money(-receipt.open),
        )
    return words.gettext("Thank you for your payment. Invoice %(number)s is settled.", number=receipt.number)


def _sums(receipt: Receipt, writes: Typography, words: Catalogue) -> Iterator[tuple[str, str]]:
    yield words.gettext("Received"), writes.money(receipt.received)
    if receipt.waived:
        waived = Money.of(receipt.waived, receipt.due.currency)
        yield words.gettext("Early payment discount"), writes.money(waived)
    if receipt.open.amount < 0:
        yield words.gettext("Paid too much"), writes.money(-receipt.open)
    else:
        yield words.gettext("Still open"), writes.money(receipt.open)
