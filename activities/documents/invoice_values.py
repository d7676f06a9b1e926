"""What `invoice.html` is filled with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from activities.documents.hours_record import hours_record
from activities.documents.letter import letter, vat_id_label
from activities.documents.look import PLAIN, LookFiles
from activities.documents.payment_code import payment_code
from activities.documents.swiss_bill import swiss_bill
from activities.documents.terms_words import terms_in_words
from activities.documents.typography import Typography, in_fours, typography
from activities.languages.catalogue import Catalogue, message
from billing.allowances import Adjustment
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.draft import Draft, InvoiceLine, TaxBreakdown
from billing.early_payment import offer
from billing.money import Money, total
from billing.taxes.categories import TaxCategory
from billing.taxes.notes import note_in

_NEVER_PAID = frozenset({DocumentKind.CREDIT_NOTE, DocumentKind.PRO_FORMA})
"""Kinds that ask for no money."""

_LONG, _MANY_LINES = 1200, 15
"""Characters and line breaks of a detail: with more, a line may run over pages, so that none is left half empty."""

_HEADINGS = {
    DocumentKind.INVOICE: message("Invoice"),
    DocumentKind.CORRECTED: message("Corrected invoice"),
    DocumentKind.PREPAYMENT: message("Prepayment invoice"),
    DocumentKind.FINAL: message("Final invoice"),
    # not "Gutschrift" in German: by § 14(2) UStG that is an invoice the buyer writes
    DocumentKind.CREDIT_NOTE: message("Credit note"),
    DocumentKind.PRO_FORMA: message("Pro forma invoice"),
}
_NUMBERS = {
    DocumentKind.INVOICE: message("Invoice no."),
    DocumentKind.CREDIT_NOTE: message("Credit note no."),
    DocumentKind.PRO_FORMA: message("Our reference"),
}
_DUE_LABELS = {
    DocumentKind.INVOICE: message("Amount due"),
    DocumentKind.CREDIT_NOTE: message("Amount credited"),
    DocumentKind.PRO_FORMA: message("Total"),
}


@dataclass(frozen=True)
class Row:
    """A line as the table shows it.

    Where a page breaks, `brought` is the sum before it, `carried` that with it, and `next` the same at the head of the
    next page. A `long` one may itself run over pages.
    """

    position: int
    line: InvoiceLine
    rate: str
    brought: str
    carried: str
    next: str
    long: bool
    opens_deductions: bool


def values(document: InvoiceDocument, look: LookFiles = PLAIN) -> dict[str, Any]:
    """The values of the template for one document in one look."""
    draft = document.draft
    own = look.languages.get(draft.language)
    writes = typography(draft.language, draft.buyer.address.country, own)
    words, heading = writes.words, heading_of(draft.kind, writes.words)
    pay = draft.kind not in _NEVER_PAID and draft.due > 0
    bill = swiss_bill(document, writes.language, heading) if pay else None
    return {
        **letter(draft.issuer, draft.buyer, writes, at=document.issued_at, look=look),
        "document": document,
        "draft": draft,
        "heading": heading,
        "name": "" if draft.kind is DocumentKind.PRO_FORMA else document.number,
        "subject": draft.title,
        "meta": _meta(document, writes, words),
        "introduction": [*_introduction(draft, writes, words)],
        "remark": "" if draft.note in {each.note for each in draft.taxes} else draft.note,
        "rows": [*_rows(draft, writes, words)],
        "taxed_apart": _taxed_apart(draft),
        "sums": [*_sums(draft, writes, words)],
        "due_label": words.gettext(_DUE_LABELS.get(draft.kind, _DUE_LABELS[DocumentKind.INVOICE])),
        "home_tax": _home_tax(draft, writes, words),
        "tax_notes": _tax_notes(draft.taxes, words),
        "nothing_due": words.gettext("Nothing is to be paid.")
        if draft.kind not in _NEVER_PAID and not pay
        else "",
        "pay": pay,
        "bill": bill,
        "qr": payment_code(document) if pay and bill is None else None,
        "hours": hours_record(draft, writes),
        "instalments": [
            (writes.money(Money.of(part.amount, draft.currency)), writes.day(part.due_date))
            for part in document.instalments
        ],
        "early": _early_payment(document, writes, words),
        "reference": in_fours(document.payment_reference) or document.number,
    }


def heading_of(kind: DocumentKind, words: Catalogue) -> str:
    """What a document of the kind is called, as the law of the language's countries calls it."""
    return words.gettext(_HEADINGS[kind])


def _meta(document: InvoiceDocument, writes: Typography, words: Catalogue) -> list[tuple[str, str]]:
    draft = document.draft
    vat_id = vat_id_label(words, draft.buyer.address.country)
    preceding = (
        words.gettext("Credits invoice") if draft.kind.is_credit else words.gettext("Corrects invoice")
    )
    asks = draft.kind not in _NEVER_PAID
    rows = [
        (words.gettext(_NUMBERS.get(draft.kind, _NUMBERS[DocumentKind.INVOICE])), document.number),
        (
            words.gettext("Date") if draft.kind in _NEVER_PAID else words.gettext("Invoice date"),
            writes.day(document.issue_date),
        ),
        (words.gettext("Service period"), writes.period(draft.supply) if draft.supply else ""),
        (words.gettext("Due"), writes.day(document.due_date) if asks else ""),
        (words.pgettext("payment", "Terms"), terms_in_words(draft.terms, words) if asks else ""),
        (words.gettext("Your %(vat_id)s", vat_id=vat_id), draft.buyer.vat_id),
        (words.gettext("Your reference"), draft.buyer_reference),
        (words.gettext("Your order"), draft.order_reference),
        (words.gettext("Contract"), draft.contract_reference),
        (preceding, _preceding(draft, writes, words)),
    ]
    return [(label, value) for label, value in rows if value]


def _preceding(draft: Draft, writes: Typography, words: Catalogue) -> str:
    """The document this one corrects, with its date where that is known (BT-25, BT-26)."""
    if not (draft.preceding and draft.preceding_date):
        return draft.preceding
    return words.gettext(
        "%(number)s of %(day)s", number=draft.preceding, day=writes.day(draft.preceding_date)
    )


def _introduction(draft: Draft, writes: Typography, words: Catalogue) -> Iterator[str]:
    """What the kind of document says of itself."""
    preceding = _preceding(draft, writes, words)
    match draft.kind:
        case DocumentKind.CREDIT_NOTE if preceding:
            yield words.gettext(
                "This credit note corrects invoice %(preceding)s. We credit you the amounts below, tax included.",
                preceding=preceding,
            )
        case DocumentKind.CREDIT_NOTE:
            yield words.gettext("We credit you the amounts below, tax included.")
        case DocumentKind.CORRECTED if preceding:
            yield words.gettext("This invoice corrects invoice %(preceding)s.", preceding=preceding)
        case DocumentKind.PREPAYMENT:
            yield words.gettext(
                "This is an invoice in advance of the service."
                " The final invoice deducts what it asks for, with its tax."
            )
        case DocumentKind.FINAL:
            yield words.gettext("What was invoiced in advance is deducted, with its tax.")
        case DocumentKind.PRO_FORMA:
            yield words.gettext(
                "This is no invoice. It asks for no payment, and no tax can be deducted on it; the invoice follows."
            )


def _taxed_apart(draft: Draft) -> bool:
    """Whether lines bear different taxes, so that each must say which."""
    return len({each.taxes for each in draft.lines}) > 1


def _rows(draft: Draft, writes: Typography, words: Catalogue) -> Iterator[Row]:
    def written(amount: Decimal) -> str:
        return writes.amount(amount, draft.currency)

    so_far, brought, deducting = Decimal(0), "", _deductions(draft)
    for position, line in enumerate(draft.lines, start=1):
        so_far += line.net
        after = words.gettext("Brought forward %(amount)s", amount=written(so_far))
        yield Row(
            position=position,
            line=line,
            rate=" + ".join(writes.rate(each.rate) for each in line.taxes),
            brought=brought,
            carried=words.gettext("Carried forward %(amount)s", amount=written(so_far)),
            next=after,
            long=len(line.detail) > _LONG or line.detail.count("\n") > _MANY_LINES,
            opens_deductions=position == len(draft.lines) - len(deducting) + 1,
        )
        brought = after


def _deductions(draft: Draft) -> tuple[InvoiceLine, ...]:
    """The lines at the end of a final invoice that take off what was invoiced in advance."""
    if draft.kind is not DocumentKind.FINAL:
        return ()
    start = len(draft.lines)
    while start and draft.lines[start - 1].net < 0:
        start -= 1
    return draft.lines[start:]


def _sums(draft: Draft, writes: Typography, words: Catalogue) -> Iterator[tuple[str, str, str]]:
    """From the lines to the amount due: label, what it is on, amount."""

    def written(amount: Decimal) -> str:
        return writes.amount(amount, draft.currency)

    if deducted := _deductions(draft):
        off = total(each.net for each in deducted)
        yield words.gettext("Services"), "", written(draft.lines_net - off)
        yield words.gettext("Prepayments deducted"), "", written(off)
    elif draft.allowances or draft.charges:
        yield words.gettext("Sum of lines"), "", written(draft.lines_net)
    for label, base, amount in _adjustments(draft, writes, words):
        yield label, base, written(amount)
    yield words.gettext("Net"), "", written(draft.net)
    for tax in draft.taxes:
        yield *_tax_label(tax, draft.currency, writes, words), written(tax.tax)
    if draft.rounding:
        yield words.gettext("Gross"), "", written(draft.gross)
        yield words.gettext("Rounding"), "", written(draft.rounding)


def _tax_label(tax: TaxBreakdown, currency: str, writes: Typography, words: Catalogue) -> tuple[str, str]:
    """What the tax is called and what it is on; a tax that is no VAT by its own name and registration."""
    base = words.gettext("on %(amount)s", amount=writes.amount(tax.taxable, currency))
    if tax.name != "VAT":
        label = f"{tax.name} {writes.rate(tax.rate)}"
        return (f"{label} ({tax.number})" if tax.number else label), base
    rate = writes.rate(tax.rate)
    match tax.category:
        case TaxCategory.REVERSE_CHARGE:
            return words.gettext("VAT %(rate)s (reverse charge)", rate=rate), base
        case TaxCategory.OUTSIDE_SCOPE:
            return words.gettext("Not subject to VAT"), base
        case _:
            return words.gettext("VAT %(rate)s", rate=rate), base


def _adjustments(draft: Draft, writes: Typography, words: Catalogue) -> Iterator[tuple[str, str, Decimal]]:
    """Allowances and charges of the whole document: what for, on what, and by how much the net changes."""
    signed: list[tuple[Adjustment, str, Decimal]] = [
        *((each, words.gettext("Discount"), -each.amount) for each in draft.allowances),
        *((each, words.gettext("Surcharge"), each.amount) for each in draft.charges),
    ]
    for each, otherwise, amount in signed:
        base = each.base is not None and words.gettext(
            "on %(amount)s", amount=writes.amount(each.base, draft.currency)
        )
        yield each.reason or otherwise, base or "", amount


def _tax_notes(taxes: tuple[TaxBreakdown, ...], words: Catalogue) -> list[str]:
    """The notes the law wants, each once: in the document's language where it has words for them, else as drafted."""
    return list(
        dict.fromkeys(note_in(words.language, each.note, words.pattern) for each in taxes if each.note)
    )


def _home_tax(draft: Draft, writes: Typography, words: Catalogue) -> str:
    """The tax in the currency of the country that receives it, and how it was converted (BT-111)."""
    home = draft.home_tax
    if home is None:
        return ""
    return words.gettext(
        "VAT in %(currency)s: %(amount)s (1 %(base)s = %(rate)s %(other)s, %(source)s, %(day)s)",
        currency=home.currency,
        amount=writes.money(Money.of(home.amount, home.currency)),
        base=home.base,
        rate=writes.number(home.rate),
        other=draft.currency if home.base == home.currency else home.currency,
        source=home.source,
        day=writes.day(home.rate_date),
    )


def _early_payment(document: InvoiceDocument, writes: Typography, words: Catalogue) -> str:
    """What paying early costs instead: the reduction agreed on beforehand (DE: § 14(4) no. 7 UStG)."""
    offered = offer(document.draft, document.issue_date)
    if offered is None:
        return ""
    currency = document.draft.currency
    return words.gettext(
        "If you pay by %(day)s, you may deduct %(percent)s (%(discount)s) and pay %(payable)s.",
        day=writes.day(offered.last_day),
        percent=writes.rate(offered.percent),
        discount=writes.money(Money.of(offered.discount, currency)),
        payable=writes.money(Money.of(offered.payable, currency)),
    )
