"""The statement of interest as PDF: in the look of the issuer's invoices, and plainly no invoice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from activities.documents.account_letter import account_letter
from activities.documents.look import PLAIN, LookFiles
from activities.documents.press import page as page_of
from activities.documents.press import typeset
from activities.documents.typography import Typography
from activities.languages.catalogue import Catalogue, message
from billing.interest.accrual import Interest
from billing.interest.statement import InterestStatement
from billing.money import Money

_TEMPLATE = "interest.html"

REFERENCES = {
    "EU": message("ECB main refinancing rate"),
    "DE": message("German base rate"),
    "AT": message("Austrian base rate"),
    "GB": message("Bank of England base rate"),
    "DK": message("Danish reference rate"),
    "SE": message("Swedish reference rate"),
    "PL": message("NBP reference rate"),
    "CZ": message("CNB repo rate"),
}
"""What reference rates are called, by their id."""


def render_statement(statement: InterestStatement, look: LookFiles = PLAIN) -> bytes:
    """The statement as PDF/A-3b in the client's language; the same statement and look give the same bytes.

    `RenderingFailed` if a character has no glyph in any font, or the look is faulty.
    """
    return typeset(page(statement, look), f"interest statement for {statement.number}", look)


def page(statement: InterestStatement, look: LookFiles = PLAIN) -> str:
    """The page before it is set. `RenderingFailed` says what the template cannot write."""
    interest = statement.interest
    writes, words, values = account_letter(statement, interest.as_of, look)
    values |= {
        "statement": statement,
        "interest": interest,
        "heading": words.gettext("Interest statement"),
        "name": words.gettext("for invoice %(number)s", number=statement.number),
        "subject": "",
        "meta": _meta(statement, writes, words),
        "rates": [*_rates(statement, writes, words)],
        "sum": _sum(interest),
        "counted_in_days": any(each.divisor for each in interest.segments),
    }
    return page_of(_TEMPLATE, values, f"interest statement for {statement.number}", look)


def _meta(statement: InterestStatement, writes: Typography, words: Catalogue) -> list[tuple[str, str]]:
    rows = [
        (words.gettext("Invoice"), statement.number),
        (words.gettext("Invoice date"), writes.day(statement.issue_date) if statement.issue_date else ""),
        (words.gettext("Due date"), writes.day(statement.due_date)),
        (words.gettext("Amount"), writes.money(statement.due)),
        (words.gettext("Still open"), writes.money(statement.open)),
        (words.gettext("Up to"), writes.day(statement.interest.as_of)),
    ]
    return [(label, value) for label, value in rows if value]


def _rates(statement: InterestStatement, writes: Typography, words: Catalogue) -> Iterator[str]:
    """Where each rate comes from, once."""
    told: set[tuple[str, date]] = set()
    for each in statement.interest.segments:
        if each.reference_rate is None or each.read_on is None or (each.reference, each.read_on) in told:
            continue
        told.add((each.reference, each.read_on))
        yield words.gettext(
            "%(rate)s: %(reference)s of %(reference_rate)s on %(day)s, and what the law adds.",
            rate=writes.rate(each.rate),
            reference=words.gettext(REFERENCES[each.reference]),
            reference_rate=writes.rate(each.reference_rate),
            day=writes.day(each.read_on),
        )


def _sum(interest: Interest) -> Money | None:
    """Interest and compensation together, where both are there in one currency."""
    fixed = interest.compensation
    if fixed is None or not interest.segments or fixed.currency != interest.currency:
        return None
    return interest.total + fixed
