"""What no official rule asks and an invoice should still keep: dates, accounts and references that can be true.

An invoice without due date (CEN took BR-CO-25 back in 1.3.16), or an IBAN with a wrong digit, passes every official
set.
SOURCE: ISO 13616 (IBAN), ISO 11649 (creditor reference), ISO 9362 (BIC), all by python-stdnum; Peppol R120 for lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass

from stdnum import bic, iban, iso11649

from billing.einvoice.breach import Severity
from billing.einvoice.leitweg_id import is_leitweg_id, looks_like_leitweg_id
from billing.einvoice.model import EInvoice, Line, Party
from billing.einvoice.rules.rule import Rule, each_line, unless
from billing.money import rounded, total
from billing.taxes.tax_ids import wrong_by_form

_SEPA = "58"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+")
_CREDITOR_REFERENCE = re.compile(r"RF[0-9]{2}")


def _has_due_date(invoice: EInvoice) -> bool:
    return invoice.due_date is not None or bool(invoice.terms.strip()) or invoice.due <= 0


def _is_due_in_time(invoice: EInvoice) -> bool:
    return invoice.due_date is None or invoice.due_date >= invoice.issue_date


def _has_true_iban(invoice: EInvoice) -> bool:
    """Accounts outside the IBAN countries have numbers of their own, which nobody here can check."""
    account, means = invoice.payment.iban, invoice.payment.means_code
    return not (means == _SEPA or _IBAN.fullmatch(account)) or bool(iban.is_valid(account))


def _has_true_reference(invoice: EInvoice) -> bool:
    reference = invoice.payment.reference.replace(" ", "")
    return not _CREDITOR_REFERENCE.match(reference) or bool(iso11649.is_valid(reference))


def _adds_up(invoice: EInvoice, line: Line) -> bool:
    less, plus = total(each.amount for each in line.allowances), total(each.amount for each in line.charges)
    return line.net == rounded(line.quantity * line.price, invoice.currency) - less + plus


def _has_true_vat_id(party: Party) -> bool:
    return not party.vat_id or not wrong_by_form(party.vat_id, party.address.country)


def _misshapen_leitweg_id(invoice: EInvoice, parts: int) -> bool:
    """Two parts may be some other reference of the buyer; three parts of that shape hardly are."""
    reference = invoice.buyer_reference
    looks = invoice.buyer.address.country == "DE" and looks_like_leitweg_id(reference)
    return looks and reference.count("-") == parts - 1 and not is_leitweg_id(reference)


def _unwritable(invoice: EInvoice) -> Iterable[str]:
    return dict.fromkeys(place for place, text in _texts(invoice, "") if _NOT_IN_XML.search(text))


def _texts(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, tuple):
        for n, each in enumerate(value, start=1):
            yield from _texts(each, f"{place} {n}")
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name), f"{place} {field.name}".strip())


RULES = (
    Rule(
        "OWN-DUE-DATE",
        Severity.FATAL,
        unless("BT-9", _has_due_date),
        "an amount is due, but neither a date nor terms of payment say when; write terms in clients.yaml",
    ),
    Rule(
        "OWN-DUE-IN-TIME",
        Severity.FATAL,
        unless("BT-9", _is_due_in_time),
        "the invoice is due before it is issued; correct terms in clients.yaml",
    ),
    Rule(
        "OWN-IBAN",
        Severity.FATAL,
        unless("BT-84", _has_true_iban),
        "the account is no IBAN, or its check digits do not fit: nobody could pay; correct bank_account in "
        "issuers.yaml",
    ),
    Rule(
        "OWN-BIC",
        Severity.FATAL,
        unless("BT-86", lambda invoice: not invoice.payment.bic or bic.is_valid(invoice.payment.bic)),
        "the BIC has not the form of one (8 or 11 characters); correct bank_account in issuers.yaml",
    ),
    Rule(
        "OWN-REFERENCE",
        Severity.FATAL,
        unless("BT-83", _has_true_reference),
        "the check digits of the payment reference do not fit, so a bank would refuse it; report it with the draft",
    ),
    Rule(
        "OWN-LINE",
        Severity.FATAL,
        each_line("BT-131", _adds_up),
        "the net amount of a line is not quantity times price, rounded, less allowances, plus charges; that is a fault "
        "of Billow: report it with the draft",
    ),
    Rule(
        "OWN-CHARACTERS",
        Severity.FATAL,
        _unwritable,
        "a text has a character that XML cannot hold; correct it where it comes from",
    ),
    Rule(
        "OWN-SELLER-VAT-ID",
        Severity.FATAL,
        unless("BT-31", lambda invoice: _has_true_vat_id(invoice.seller)),
        "the seller's VAT id has not the form of its country, or its check digits do not fit; correct vat_id in "
        "issuers.yaml",
    ),
    Rule(
        "OWN-BUYER-VAT-ID",
        Severity.WARNING,
        unless("BT-48", lambda invoice: _has_true_vat_id(invoice.buyer)),
        "the buyer's VAT id has not the form of its country, or its check digits do not fit; correct it in the CRM",
    ),
    Rule(
        "OWN-LEITWEG-ID",
        Severity.FATAL,
        unless("BT-10", lambda invoice: not _misshapen_leitweg_id(invoice, 3)),
        "the check digits of the Leitweg-ID do not fit, so the authority would not get the invoice; correct "
        "buyer_reference in clients.yaml",
    ),
    Rule(
        "OWN-LEITWEG-ID-PERHAPS",
        Severity.WARNING,
        unless("BT-10", lambda invoice: not _misshapen_leitweg_id(invoice, 2)),
        "the buyer's reference looks like a Leitweg-ID whose check digits do not fit; if it is one, correct "
        "buyer_reference in clients.yaml",
    ),
)
