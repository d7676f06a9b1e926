"""The whole document, checked before a number is taken: with a placeholder number of full length."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.allowances import problems, sum_of
from billing.calendars import Calendar
from billing.document import InvoiceDocument
from billing.draft import Draft
from billing.errors import NumberingError
from billing.exceptions import Finding, ReasonCode
from billing.instalments import schedule
from billing.money import rounded, smallest_unit, total
from billing.number_pattern import pattern_of
from billing.numbering import SeriesState, payment_reference, take_number
from billing.taxes.outcome import TaxComponent
from billing.totals import component, due_of, taxable_by_tax

LONGEST_REFERENCE = 25
"""Characters of a structured creditor reference (ISO 11649)."""


def placeholder(draft: Draft, at: datetime, calendar: Calendar | None = None) -> InvoiceDocument:
    """The draft as it would be issued at that instant, under a number of full length that nobody has.

    `calendar` holds the client's business days, for terms that ask for them. `NumberingError` if the series could not
    give such a number.
    """
    today = at.astimezone(ZoneInfo(draft.issuer.zone)).date()
    pattern = pattern_of(draft.issuer, draft.kind)
    nearly_full = SeriesState(year=pattern.year_of(today), last=pattern.highest - 1, last_date=today)
    taken = take_number(pattern, nearly_full, today)
    parts = schedule(draft, taken.issue_date, at, calendar)
    return InvoiceDocument(
        draft=draft,
        number=taken.number,
        issue_date=taken.issue_date,
        due_date=parts[0].due_date,
        issued_at=at,
        payment_reference=payment_reference(taken.number),
        instalments=parts if draft.terms.instalments else (),
    )


def check_document(draft: Draft, at: datetime, calendar: Calendar | None = None) -> list[Finding]:
    """What would make the issued document wrong; each needs a repair in Billow or the company folder, not in data."""
    found = [*sums(draft)]
    try:
        document = placeholder(draft, at, calendar)
    except NumberingError as error:
        found.append(str(error))
    else:
        if len(document.payment_reference) > LONGEST_REFERENCE:
            found.append(
                f"payment reference {document.payment_reference} is longer than {LONGEST_REFERENCE} characters"
            )
        if document.due_date < document.issue_date:
            found.append(f"due date {document.due_date} is before issue date {document.issue_date}")
    return [Finding(code=ReasonCode.INVALID_DOCUMENT, message=problem, field="document") for problem in found]


def sums(draft: Draft) -> Iterator[str]:
    """What does not add up, to the cent: EN 16931 BR-CO-10 to BR-CO-18, Peppol BIS Billing 3 R120 and R040."""
    yield from _lines(draft)
    for adjustments, name in ((draft.allowances, "allowance"), (draft.charges, "charge")):
        for number, each in enumerate(adjustments, start=1):
            yield from problems(each, f"{name} {number}", draft.currency)
    expected = draft.lines_net - sum_of(draft.allowances) + sum_of(draft.charges)
    if draft.net != expected:
        yield f"net {draft.net} is not the sum of the lines, less allowances, plus charges (BR-CO-10 to BR-CO-13)"
    yield from _taxes(draft)
    if draft.tax != total(tax.tax for tax in draft.taxes):
        yield f"tax {draft.tax} is not the sum of its breakdown (BR-CO-14)"
    if draft.gross != draft.net + draft.tax:
        yield f"gross {draft.gross} is not net and tax together (BR-CO-15)"
    yield from _rounding(draft)
    home = draft.home_tax
    if home and abs(home.amount - home.of(draft.tax, draft.currency)) > _remainder(draft, home.currency):
        yield f"tax {draft.tax} at {home.rate} is not {home.amount} {home.currency} (BT-111)"
    for name, amount in (("net", draft.net), ("tax", draft.tax), ("gross", draft.gross)):
        if amount != rounded(amount, draft.currency):
            yield f"{name} {amount} has more decimals than {draft.currency} knows (BR-DEC)"


def _lines(draft: Draft) -> Iterator[str]:
    for number, line in enumerate(draft.lines, start=1):
        place = f"line {number}"
        for each in (*line.allowances, *line.charges):
            yield from problems(each, place, draft.currency)
        off, on = sum_of(line.allowances), sum_of(line.charges)
        if line.net != rounded(line.quantity * line.unit_price, draft.currency) - off + on:
            less = f", less {off}" if line.allowances else ""
            plus = f", plus {on}" if line.charges else ""
            yield f"{place}: {line.quantity} × {line.unit_price}{less}{plus} is not {line.net} (Peppol R120)"


def _taxes(draft: Draft) -> Iterator[str]:
    """Each tax on all that bears it: named by every part of the invoice, or by none, and then all bear every tax."""
    if not draft.taxes:
        yield "there is no tax breakdown (BR-CO-18)"
        return
    named = [each.taxes for each in draft.lines]
    named += [each.taxes for each in (*draft.allowances, *draft.charges)]
    if len(set(map(bool, named))) > 1:
        yield "some lines, allowances or charges name their taxes and some do not (BR-CO-4, BR-32, BR-37)"
        return
    stated = {component(tax): tax for tax in draft.taxes}
    if len(stated) < len(draft.taxes):
        yield "a tax of one name, category and rate stands in the breakdown twice"
    found = taxable_by_tax(draft.lines, draft.allowances, draft.charges, tuple(stated), draft.currency)
    for bearing, taxable in found.items():
        tax = stated.get(bearing)
        if tax is None:
            yield f"{_told(bearing)} on {taxable} is missing from the breakdown (BR-CO-18)"
        elif tax.taxable != taxable:
            yield f"{_told(bearing)} is on {tax.taxable}, but {taxable} bear it (BR-S-08)"
    for bearing, tax in stated.items():
        if bearing not in found:
            yield f"{_told(bearing)} stands in the breakdown, but nothing bears it (BR-S-08)"
        exact = rounded(tax.taxable * tax.rate / 100, draft.currency)
        if abs(tax.tax - exact) > _remainder(draft, draft.currency):
            yield f"tax {tax.tax} is not {tax.rate} % of {tax.taxable} (BR-CO-17)"


def _told(tax: TaxComponent) -> str:
    return f"{tax.name} {tax.category} {tax.rate.normalize():f} %"


def _remainder(draft: Draft, currency: str) -> Decimal:
    """How far a tax may be off: parts of an invoice that are credited come to its taxes together, not each alone."""
    return smallest_unit(currency) if draft.kind.is_credit else Decimal(0)


def _a_cent_a_tax(draft: Draft) -> Decimal:
    return smallest_unit(draft.currency) * len(draft.taxes)


def _rounding(draft: Draft) -> Iterator[str]:
    """The amount due is the gross, or the agreed one next to it, as the issuer rounds it (BR-CO-16).

    That of a credit note takes the remainder of the invoice, so it is only near its gross.
    """
    if draft.agreed_gross is not None and abs(draft.agreed_gross - draft.gross) > _a_cent_a_tax(draft):
        yield f"gross {draft.gross} is not the agreed {draft.agreed_gross}, and that is no matter of rounding"
    step = draft.issuer.round_due_to.get(draft.currency)
    if draft.kind.is_credit:
        if abs(draft.rounding) > (step or 0) + 2 * _a_cent_a_tax(draft):
            yield f"amount due {draft.due} is not near the gross {draft.gross} (BR-CO-16)"
        return
    due = due_of(draft.gross, draft.agreed_gross, step)
    if draft.due != due:
        yield f"amount due {draft.due} is not {due}: gross {draft.gross}, rounding {draft.rounding} (BR-CO-16)"
