"""The whole document, checked before a number is taken: with a placeholder number of full length."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from billing.document import InvoiceDocument
from billing.draft import Draft
from billing.errors import NumberingError
from billing.exceptions import Finding, ReasonCode
from billing.money import rounded, total
from billing.numbering import SeriesState, payment_reference, take_number

LAST_OF_THE_YEAR = 99998
"""So many numbers given, the next is as long as any of the series can be."""

LONGEST_REFERENCE = 25
"""Characters of a structured creditor reference (ISO 11649)."""


def placeholder(draft: Draft, at: datetime) -> InvoiceDocument:
    """The draft as it would be issued at that instant, under a number of full length that nobody has.

    `NumberingError` if the series could not give such a number.
    """
    today = at.astimezone(ZoneInfo(draft.issuer.zone)).date()
    taken = take_number(
        draft.issuer.number_prefix, SeriesState(year=today.year, last=LAST_OF_THE_YEAR), today
    )
    due_date, _ = draft.terms.due(taken.issue_date, at, draft.zone)
    return InvoiceDocument(
        draft=draft,
        number=taken.number,
        issue_date=taken.issue_date,
        due_date=due_date,
        issued_at=at,
        payment_reference=payment_reference(taken.number),
    )


def check_document(draft: Draft, at: datetime) -> list[Finding]:
    """What would make the issued document wrong; each needs a repair in Billow or the company folder, not in data."""
    problems = [*_sums(draft)]
    try:
        document = placeholder(draft, at)
    except NumberingError as error:
        problems.append(str(error))
    else:
        if len(document.payment_reference) > LONGEST_REFERENCE:
            problems.append(
                f"payment reference {document.payment_reference} is longer than {LONGEST_REFERENCE} characters"
            )
        if document.due_date < document.issue_date:
            problems.append(f"due date {document.due_date} is before issue date {document.issue_date}")
    return [
        Finding(code=ReasonCode.INVALID_DOCUMENT, message=problem, field="document") for problem in problems
    ]


def _sums(draft: Draft) -> Iterator[str]:
    """EN 16931, to the cent: line nets (Peppol R120), BR-CO-10, BR-CO-14, BR-CO-15, BR-CO-17."""
    for number, line in enumerate(draft.lines, start=1):
        if line.net != rounded(line.quantity * line.unit_price, draft.currency):
            yield f"line {number}: {line.quantity} × {line.unit_price} is not {line.net}"
    if draft.net != total(line.net for line in draft.lines):
        yield f"net {draft.net} is not the sum of the lines (BR-CO-10)"
    for tax in draft.taxes:
        if tax.tax != rounded(tax.taxable * tax.rate / 100, draft.currency):
            yield f"tax {tax.tax} is not {tax.rate} % of {tax.taxable} (BR-CO-17)"
    if draft.tax != total(tax.tax for tax in draft.taxes):
        yield f"tax {draft.tax} is not the sum of its breakdown (BR-CO-14)"
    if draft.gross != draft.net + draft.tax:
        yield f"gross {draft.gross} is not net and tax together (BR-CO-15)"
