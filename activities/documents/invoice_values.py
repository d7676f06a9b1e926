"""What `invoice.html` is filled with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from activities.documents.hours_record import hours_record
from activities.documents.letter import by_country, letter
from activities.documents.look import PLAIN, LookFiles
from activities.documents.payment_code import payment_code
from activities.documents.swiss_bill import swiss_bill
from activities.documents.terms_words import terms_in_words
from activities.documents.typography import Typography, in_fours, typography
from activities.documents.words import words_in
from billing.allowances import Adjustment
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.draft import Draft, InvoiceLine, TaxBreakdown
from billing.early_payment import offer
from billing.money import Money, total
from billing.taxes.notes import note_in

Words = dict[str, Any]

_NEVER_PAID = frozenset({DocumentKind.CREDIT_NOTE, DocumentKind.PRO_FORMA})
"""Kinds that ask for no money."""


@dataclass(frozen=True)
class Row:
    """A line as the table shows it; `brought` and `carried` are the sums before and after it, where a page breaks."""

    position: int
    line: InvoiceLine
    rate: str
    brought: str
    carried: str
    opens_deductions: bool


def values(document: InvoiceDocument, look: LookFiles = PLAIN) -> dict[str, Any]:
    """The values of the template for one document in one look."""
    draft = document.draft
    writes = typography(draft.language, draft.buyer.address.country)
    words = words_in(writes.language)
    pay = draft.kind not in _NEVER_PAID and draft.due > 0
    bill = swiss_bill(document, writes.language, words["headings"][draft.kind]) if pay else None
    return {
        **letter(draft.issuer, draft.buyer, writes, words, at=document.issued_at, look=look),
        "document": document,
        "draft": draft,
        "heading": words["headings"][draft.kind],
        "name": "" if draft.kind is DocumentKind.PRO_FORMA else document.number,
        "subject": draft.title,
        "meta": _meta(document, writes, words),
        "introduction": [*_introduction(draft, writes, words)],
        "remark": "" if draft.note in {each.note for each in draft.taxes} else draft.note,
        "rows": [*_rows(draft, writes, words)],
        "taxed_apart": _taxed_apart(draft),
        "sums": [*_sums(draft, writes, words)],
        "due_label": words[_due_label(draft.kind)],
        "home_tax": _home_tax(draft, writes, words),
        "tax_notes": _tax_notes(draft.taxes, writes.language),
        "nothing_due": words["settled"] if draft.kind not in _NEVER_PAID and not pay else "",
        "pay": pay,
        "bill": bill,
        "qr": payment_code(document) if pay and bill is None else None,
        "hours": hours_record(draft, writes, words),
        "instalments": [
            (writes.money(Money.of(part.amount, draft.currency)), writes.day(part.due_date))
            for part in document.instalments
        ],
        "early": _early_payment(document, writes, words),
        "reference": in_fours(document.payment_reference) or document.number,
    }


def _meta(document: InvoiceDocument, writes: Typography, words: Words) -> list[tuple[str, str]]:
    draft, numbers, dates = document.draft, words["numbers"], words["dates"]
    client_vat_label = f"{words['client_vat_id']} {by_country(words['vat_id'], draft.buyer.address.country)}"
    asks = draft.kind not in _NEVER_PAID
    rows = [
        (numbers.get(draft.kind, numbers["invoice"]), document.number),
        (dates.get(draft.kind, dates["invoice"]), writes.day(document.issue_date)),
        (words["supply"], writes.period(draft.supply) if draft.supply else ""),
        (words["due_date"], writes.day(document.due_date) if asks else ""),
        (words["terms"], terms_in_words(draft.terms, words) if asks else ""),
        (client_vat_label, draft.buyer.vat_id),
        (words["buyer_reference"], draft.buyer_reference),
        (words["order_reference"], draft.order_reference),
        (words["contract_reference"], draft.contract_reference),
        (words["credits" if draft.kind.is_credit else "preceding"], _preceding(draft, writes, words)),
    ]
    return [(label, value) for label, value in rows if value]


def _preceding(draft: Draft, writes: Typography, words: Words) -> str:
    """The document this one corrects, with its date where that is known (BT-25, BT-26)."""
    if not (draft.preceding and draft.preceding_date):
        return draft.preceding
    dated: str = words["preceding_dated"]
    return dated.format(number=draft.preceding, day=writes.day(draft.preceding_date))


def _introduction(draft: Draft, writes: Typography, words: Words) -> Iterator[str]:
    """What the kind of document says of itself."""
    says, preceding = words["introduction"], _preceding(draft, writes, words)
    match draft.kind:
        case DocumentKind.CREDIT_NOTE:
            yield says["credit"].format(preceding=preceding) if preceding else says["credit_bare"]
        case DocumentKind.CORRECTED if preceding:
            yield says["corrected"].format(preceding=preceding)
        case DocumentKind.PREPAYMENT:
            yield says["prepayment"]
        case DocumentKind.FINAL:
            yield says["final"]
        case DocumentKind.PRO_FORMA:
            yield says["pro_forma"]


def _taxed_apart(draft: Draft) -> bool:
    """Whether lines bear different taxes, so that each must say which."""
    return len({each.taxes for each in draft.lines}) > 1


def _rows(draft: Draft, writes: Typography, words: Words) -> Iterator[Row]:
    sum_before, deducting = Decimal(0), _deductions(draft)
    for position, line in enumerate(draft.lines, start=1):
        sum_after, last = sum_before + line.net, position == len(draft.lines)
        yield Row(
            position=position,
            line=line,
            rate=" + ".join(writes.rate(each.rate) for each in line.taxes),
            brought=_running(words["brought"], sum_before, draft, writes) if position > 1 else "",
            carried="" if last else _running(words["carried"], sum_after, draft, writes),
            opens_deductions=position == len(draft.lines) - len(deducting) + 1,
        )
        sum_before = sum_after


def _running(words: str, amount: Decimal, draft: Draft, writes: Typography) -> str:
    return words.format(amount=writes.amount(amount, draft.currency))


def _deductions(draft: Draft) -> tuple[InvoiceLine, ...]:
    """The lines at the end of a final invoice that take off what was invoiced in advance."""
    if draft.kind is not DocumentKind.FINAL:
        return ()
    start = len(draft.lines)
    while start and draft.lines[start - 1].net < 0:
        start -= 1
    return draft.lines[start:]


def _sums(draft: Draft, writes: Typography, words: Words) -> Iterator[tuple[str, str, str]]:
    """From the lines to the amount due: label, what it is on, amount."""

    def written(amount: Decimal) -> str:
        return writes.amount(amount, draft.currency)

    if deducted := _deductions(draft):
        off = total(each.net for each in deducted)
        yield words["services"], "", written(draft.lines_net - off)
        yield words["deducted"], "", written(off)
    elif draft.allowances or draft.charges:
        yield words["lines_net"], "", written(draft.lines_net)
    for label, base, amount in _adjustments(draft, writes, words):
        yield label, base, written(amount)
    yield words["net"], "", written(draft.net)
    for tax in draft.taxes:
        yield *_tax_label(tax, draft.currency, writes, words), written(tax.tax)
    if draft.rounding:
        yield words["with_tax"], "", written(draft.gross)
        yield words["rounding"], "", written(draft.rounding)


def _due_label(kind: DocumentKind) -> str:
    return {DocumentKind.CREDIT_NOTE: "credited", DocumentKind.PRO_FORMA: "total"}.get(kind, "gross")


def _tax_label(tax: TaxBreakdown, currency: str, writes: Typography, words: Words) -> tuple[str, str]:
    """What the tax is called and what it is on; a tax that is no VAT by its own name and registration."""
    base = words["tax_base"].format(amount=writes.amount(tax.taxable, currency))
    if tax.name != "VAT":
        label = words["other_tax"].format(name=tax.name, rate=writes.rate(tax.rate))
        return (f"{label} ({tax.number})" if tax.number else label), base
    label = words["tax"].get(tax.category, words["tax"]["default"])
    return label.format(rate=writes.rate(tax.rate)), base


def _adjustments(draft: Draft, writes: Typography, words: Words) -> Iterator[tuple[str, str, Decimal]]:
    """Allowances and charges of the whole document: what for, on what, and by how much the net changes."""
    signed: list[tuple[Adjustment, str, Decimal]] = [
        *((each, words["allowance"], -each.amount) for each in draft.allowances),
        *((each, words["charge"], each.amount) for each in draft.charges),
    ]
    for each, otherwise, amount in signed:
        base = each.base is not None and words["tax_base"].format(
            amount=writes.amount(each.base, draft.currency)
        )
        yield each.reason or otherwise, base or "", amount


def _tax_notes(taxes: tuple[TaxBreakdown, ...], language: str) -> list[str]:
    """The notes the law wants, each once: in the document's language where it has words for them, else as drafted."""
    return list(dict.fromkeys(note_in(language, each.note) for each in taxes if each.note))


def _home_tax(draft: Draft, writes: Typography, words: Words) -> str:
    """The tax in the currency of the country that receives it, and how it was converted (BT-111)."""
    home = draft.home_tax
    if home is None:
        return ""
    line: str = words["home_tax"].format(
        currency=home.currency,
        amount=writes.money(Money.of(home.amount, home.currency)),
        base=home.base,
        rate=writes.number(home.rate),
        other=draft.currency if home.base == home.currency else home.currency,
        source=home.source,
        day=writes.day(home.rate_date),
    )
    return line


def _early_payment(document: InvoiceDocument, writes: Typography, words: Words) -> str:
    """What paying early costs instead: the reduction agreed on beforehand (DE: § 14(4) no. 7 UStG)."""
    offered = offer(document.draft, document.issue_date)
    if offered is None:
        return ""
    currency = document.draft.currency
    line: str = words["early_payment"].format(
        day=writes.day(offered.last_day),
        percent=writes.rate(offered.percent),
        discount=writes.money(Money.of(offered.discount, currency)),
        payable=writes.money(Money.of(offered.payable, currency)),
    )
    return line
