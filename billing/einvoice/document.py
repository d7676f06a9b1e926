"""An issued invoice as an e-invoice: what of it says which term of EN 16931, or why it has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from billing.allowances import Adjustment
from billing.currencies import MINOR_UNITS
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.draft import Draft, InvoiceLine
from billing.einvoice.leitweg_id import is_leitweg_id
from billing.einvoice.model import (
    NOT_DEFINED,
    AllowanceOrCharge,
    EInvoice,
    Line,
    PaymentInstructions,
    Preceding,
    Profile,
)
from billing.einvoice.parties import buyer_of, seller_of
from billing.einvoice.terms import terms_of
from billing.einvoice.text import one_line, paragraphs
from billing.einvoice.vat import breakdown_of, is_vat, rate_of
from billing.taxes.categories import TaxCategory
from billing.taxes.notes import note_in
from billing.taxes.outcome import TaxComponent
from billing.totals import component

_MOST_DECIMALS = 2
"""Of any amount in an e-invoice, whatever the currency (BR-DEC-1 to BR-DEC-28)."""

_SEPA_CREDIT_TRANSFER, _CREDIT_TRANSFER = "58", "30"
"""UNTDID 4461."""


def why_none(document: InvoiceDocument) -> str:
    """Why there is no e-invoice of it; empty where there is one."""
    draft = document.draft
    if draft.kind.type_code is None:
        return f"a {draft.kind} is no invoice"
    if others := dict.fromkeys(each.name for each in draft.taxes if not is_vat(each.name)):
        return f"EN 16931 knows VAT only, and this bears {' and '.join(others)}"
    if not draft.taxes:
        return "nothing says how it is taxed"
    if any(len(taxes) > 1 for taxes in _all_taxes(draft)) or any(each.share != 100 for each in draft.taxes):
        return "EN 16931 knows one VAT on the whole of each line, and here are several or a share of it"
    if MINOR_UNITS[draft.currency] > _MOST_DECIMALS:
        return (
            f"EN 16931 knows amounts of two decimals, and {draft.currency} has {MINOR_UNITS[draft.currency]}"
        )
    return ""


def einvoice_of(document: InvoiceDocument) -> EInvoice | None:
    """The invoice in the terms of EN 16931, its amounts as they are; None where `why_none` says why.

    It says what the invoice says, right or wrong: whether the rules hold is for validation.
    """
    if why_none(document):
        return None
    draft = document.draft
    kind, supply = draft.kind, draft.supply
    seller, buyer = seller_of(draft), buyer_of(draft)
    xrechnung = buyer.address.country == "DE" and is_leitweg_id(draft.buyer_reference)
    home = draft.home_tax if draft.home_tax and draft.home_tax.currency != draft.currency else None
    spans = supply is not None and supply.start != supply.end
    made = EInvoice(
        profile=Profile.XRECHNUNG if xrechnung else Profile.EN_16931,
        number=document.number,
        issue_date=document.issue_date,
        type_code=_type_code(draft, xrechnung=xrechnung),
        currency=draft.currency,
        tax_currency=home.currency if home else "",
        due_date=None if kind.is_credit else document.due_date,
        buyer_reference=one_line(draft.buyer_reference),
        contract_reference=one_line(draft.contract_reference),
        order_reference=one_line(draft.order_reference),
        terms=terms_of(document, xrechnung=xrechnung),
        notes=_notes(draft),
        preceding=(Preceding(one_line(draft.preceding), draft.preceding_date),) if draft.preceding else (),
        seller=seller,
        buyer=buyer,
        delivery_date=supply.end if supply else document.issue_date,
        period_start=supply.start if supply and spans else None,
        period_end=supply.end if supply and spans else None,
        payment=_payment(document),
        allowances=tuple(_of_document(each, draft) for each in draft.allowances),
        charges=tuple(_of_document(each, draft) for each in draft.charges),
        net=draft.net,
        tax=draft.tax,
        home_tax=home.amount if home else None,
        gross=draft.gross,
        rounding=draft.rounding,
        due=draft.due,
        breakdown=breakdown_of(draft, always_rated=buyer.address.country == "DE"),
        lines=tuple(_line(n, each, draft) for n, each in enumerate(draft.lines, start=1)),
    )
    return _in_peppol(made) if made.for_peppol else made


def _in_peppol(invoice: EInvoice) -> EInvoice:
    """As Peppol asks, which wants a reference of the buyer and takes the name of whom the invoice goes to
    (PEPPOL-EN16931-R003, DE-R-015), and within Germany no 386 (DE-R-017)."""
    at_home = invoice.seller.address.country == invoice.buyer.address.country == "DE"
    return replace(
        invoice,
        buyer_reference=invoice.buyer_reference or invoice.buyer.contact.name,
        type_code="380" if at_home and invoice.type_code == "386" else invoice.type_code,
    )


def _all_taxes(draft: Draft) -> Iterator[tuple[TaxComponent, ...]]:
    """The taxes that each part of the invoice bears."""
    default = tuple(component(each) for each in draft.taxes)
    adjustments: tuple[Adjustment, ...] = (*draft.allowances, *draft.charges)
    yield from (each.taxes or default for each in draft.lines)
    yield from (each.taxes or default for each in adjustments)


def _type_code(draft: Draft, *, xrechnung: bool) -> str:
    """Peppol takes 384 between parties in Germany only (PEPPOL-EN16931-P0112), XRechnung no 386 (BR-DE-17)."""
    countries = {draft.issuer.address.country, draft.buyer.address.country}
    if draft.kind is DocumentKind.CORRECTED and countries != {"DE"}:
        return "380"
    if draft.kind is DocumentKind.PREPAYMENT and xrechnung:
        return "380"
    return draft.kind.type_code or ""


def _notes(draft: Draft) -> tuple[str, ...]:
    """What the invoice is about, and words the law wants that no other term holds; one note, as Peppol asks (R002)."""
    explained = [each for each in draft.taxes if each.category not in _UNEXPLAINED]
    unexplained = [each.note for each in draft.taxes if each.category in _UNEXPLAINED]
    remarks = [draft.note] if draft.note not in {each.note for each in explained} else []
    words = [draft.title, *(note_in(draft.language, each) for each in (*unexplained, *remarks) if each)]
    if home := draft.home_tax:
        other = draft.currency if home.base == home.currency else home.currency
        words.append(f"1 {home.base} = {home.rate} {other} ({home.source}, {home.rate_date})")
    note = "\n".join(dict.fromkeys(each for each in map(paragraphs, words) if each))
    return (note,) if note else ()


_UNEXPLAINED = frozenset({TaxCategory.STANDARD, TaxCategory.ZERO_RATED})
"""Categories whose breakdown may give no reason (BR-S-10, BR-Z-10)."""


def _payment(document: InvoiceDocument) -> PaymentInstructions:
    """A transfer to the issuer's account; of a credit note nobody knows the account yet, so it names no means."""
    account = document.draft.issuer.bank_account
    if document.draft.kind.is_credit:
        return PaymentInstructions(means_code=NOT_DEFINED)
    return PaymentInstructions(
        means_code=_SEPA_CREDIT_TRANSFER if document.draft.currency == "EUR" else _CREDIT_TRANSFER,
        reference=one_line(document.payment_reference or document.number),
        iban="".join(account.iban.split()),
        account_name=one_line(account.holder or document.draft.issuer.name),
        bic="".join(account.bic.split()),
    )


def _line(position: int, line: InvoiceLine, draft: Draft) -> Line:
    """A price below zero gives its sign to the quantity (BR-27)."""
    tax = _tax_of(line.taxes, draft)
    below = line.unit_price < 0
    return Line(
        id=str(position),
        quantity=-line.quantity if below else line.quantity,
        unit=line.unit,
        net=line.net,
        price=abs(line.unit_price),
        category=tax.category,
        rate=rate_of(tax.category, tax.rate),
        name=one_line(line.description),
        description=paragraphs(line.detail),
        allowances=tuple(map(_adjustment, line.allowances)),
        charges=tuple(map(_adjustment, line.charges)),
    )


def _tax_of(own: tuple[TaxComponent, ...], draft: Draft) -> TaxComponent:
    return own[0] if own else component(draft.taxes[0])


def _of_document(adjustment: Adjustment, draft: Draft) -> AllowanceOrCharge:
    tax = _tax_of(adjustment.taxes, draft)
    return replace(_adjustment(adjustment), category=tax.category, rate=rate_of(tax.category, tax.rate))


def _adjustment(adjustment: Adjustment) -> AllowanceOrCharge:
    return AllowanceOrCharge(
        amount=adjustment.amount,
        base=adjustment.base,
        percent=adjustment.percent,
        reason=one_line(adjustment.reason),
        reason_code=adjustment.reason_code or "",
    )
