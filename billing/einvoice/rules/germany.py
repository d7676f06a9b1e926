"""What XRechnung 3.0 asks for, and Peppol BIS Billing 3 alike where seller and buyer are in Germany.

SOURCE: KoSIT, XRechnung 3.0.2, rules BR-DE-1 to BR-DE-31; OpenPEPPOL, BIS Billing 3.0.21, rules DE-R-001 to DE-R-031.
Left out is what no invoice in our terms can break: it says how to pay (1) and which specification it follows (21), and
has no place of delivery (10, 11), no attachments (22), no cards and no direct debits (24, 25, 30, 31).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stdnum import iban

from billing.einvoice.breach import Severity
from billing.einvoice.model import EInvoice
from billing.einvoice.rules import codes, peppol
from billing.einvoice.rules.rule import Places, Rule, both_in, unless
from billing.taxes.categories import TaxCategory

_DISCOUNT = re.compile(r"#SKONTO#TAGE=[0-9]+#PROZENT=[0-9]+\.[0-9]{2}(#BASISBETRAG=-?[0-9]+\.[0-9]{2})?#")
_EMAIL = re.compile(r"[^@\s]+@([^@.\s]+\.)+[^@.\s]+")
_CREDIT_TRANSFERS = frozenset({"30", "58"})
_SEPA = "58"


@dataclass(frozen=True)
class _Asked:
    """One requirement, numbered in both rule sets."""

    number: str
    severity: Severity
    broken_at: Places
    words: str

    def of_xrechnung(self) -> Rule:
        return Rule(f"BR-DE-{self.number}", self.severity, self.broken_at, self.words)

    def of_peppol(self) -> Rule:
        digits, dash, part = self.number.partition("-")
        part = {"a": "1", "b": "2"}.get(part, part)
        return Rule(f"DE-R-{digits:0>3}{dash}{part}", self.severity, self._in_germany, self.words)

    def _in_germany(self, invoice: EInvoice) -> tuple[str, ...]:
        return tuple(self.broken_at(invoice)) if both_in(invoice, "DE") else ()


def _seller_is_known(invoice: EInvoice) -> bool:
    """By VAT id or tax number, wherever VAT is in play at all (16)."""
    in_play = any(each.category is not TaxCategory.OUTSIDE_SCOPE for each in invoice.breakdown)
    return not in_play or bool(invoice.seller.vat_id.strip() or invoice.seller.tax_number.strip())


def _discounts_are_written_so(invoice: EInvoice) -> bool:
    """Lines that begin with # are discounts for early payment, and the last of them ends in a line break (18)."""
    lines = invoice.terms.replace("\r\n", "\n").split("\n")
    offers = [line for line in lines if line.strip().startswith("#")]
    if not offers:
        return True
    after = invoice.terms.rpartition("#")[2].replace("\r\n", "\n")
    return all(_DISCOUNT.fullmatch(line.strip()) for line in offers) and re.match(r"\s*\n", after) is not None


def _has_account(invoice: EInvoice) -> bool:
    return invoice.payment.means_code not in _CREDIT_TRANSFERS or bool(invoice.payment.iban)


def _has_true_iban(invoice: EInvoice) -> bool:
    return invoice.payment.means_code != _SEPA or bool(iban.is_valid(invoice.payment.iban))


def _has_contact(invoice: EInvoice) -> bool:
    contact = invoice.seller.contact
    return bool(contact.name or contact.phone or contact.email)


_FATAL, _WARNING = Severity.FATAL, Severity.WARNING

_ASKED = (
    _Asked(
        "2",
        _FATAL,
        unless("BG-6", _has_contact),
        "nobody is named whom the buyer can ask; write email and phone in issuers.yaml",
    ),
    _Asked(
        "3",
        _FATAL,
        unless("BT-37", lambda invoice: invoice.seller.address.city.strip()),
        "the seller's address has no city; write it in issuers.yaml",
    ),
    _Asked(
        "4",
        _FATAL,
        unless("BT-38", lambda invoice: invoice.seller.address.postcode.strip()),
        "the seller's address has no postcode; write it in issuers.yaml",
    ),
    _Asked(
        "5",
        _FATAL,
        unless("BT-41", lambda invoice: not _has_contact(invoice) or invoice.seller.contact.name.strip()),
        "the seller's contact has no name; write name in issuers.yaml",
    ),
    _Asked(
        "6",
        _FATAL,
        unless("BT-42", lambda invoice: not _has_contact(invoice) or invoice.seller.contact.phone.strip()),
        "the seller's contact has no telephone number; write phone in issuers.yaml",
    ),
    _Asked(
        "7",
        _FATAL,
        unless("BT-43", lambda invoice: not _has_contact(invoice) or invoice.seller.contact.email.strip()),
        "the seller's contact has no e-mail address; write email in issuers.yaml",
    ),
    _Asked(
        "8",
        _FATAL,
        unless("BT-52", lambda invoice: invoice.buyer.address.city.strip()),
        "the buyer's address has no city; write it in the CRM",
    ),
    _Asked(
        "9",
        _FATAL,
        unless("BT-53", lambda invoice: invoice.buyer.address.postcode.strip()),
        "the buyer's address has no postcode; write it in the CRM",
    ),
    _Asked(
        "14",
        _FATAL,
        lambda invoice: (f"BT-119, {each.category}" for each in invoice.breakdown if each.rate is None),
        "a row of the tax breakdown has no rate, not even zero; that is a fault of Billow: report it with the draft",
    ),
    _Asked(
        "15",
        _FATAL,
        unless("BT-10", lambda invoice: invoice.buyer_reference.strip()),
        "the buyer wants its own reference on the invoice; write buyer_reference in clients.yaml",
    ),
    _Asked(
        "16",
        _FATAL,
        unless("BT-31", _seller_is_known),
        "the seller has neither VAT id nor tax number; write vat_id or tax_number in issuers.yaml",
    ),
    _Asked(
        "17",
        _WARNING,
        unless("BT-3", lambda invoice: invoice.type_code in codes.GERMAN_TYPES),
        "a German receiver does not expect this kind of invoice",
    ),
    _Asked(
        "18",
        _FATAL,
        unless("BT-20", _discounts_are_written_so),
        "the discount for early payment is not written as XRechnung wants it; that is a fault of Billow: report it",
    ),
    _Asked(
        "19",
        _WARNING,
        unless("BT-84", _has_true_iban),
        "the account of a SEPA transfer is no IBAN, or its check digits do not fit; correct bank_account in "
        "issuers.yaml",
    ),
    _Asked(
        "23-a",
        _FATAL,
        unless("BG-17", _has_account),
        "a credit transfer needs an account; write the IBAN in bank_account in issuers.yaml",
    ),
    _Asked(
        "26",
        _WARNING,
        unless("BG-3", lambda invoice: invoice.type_code != "384" or invoice.preceding),
        "a corrected invoice names the one it corrects; correct an issued invoice, by its number",
    ),
    _Asked(
        "27",
        _WARNING,
        unless(
            "BT-42", lambda invoice: not _has_contact(invoice) or _digits(invoice.seller.contact.phone) >= 3
        ),
        "the seller's telephone number has fewer than three digits; correct phone in issuers.yaml",
    ),
    _Asked(
        "28",
        _WARNING,
        unless(
            "BT-43",
            lambda invoice: (
                not _has_contact(invoice) or _EMAIL.fullmatch(invoice.seller.contact.email.strip())
            ),
        ),
        "the seller's e-mail address cannot be one; correct email in issuers.yaml",
    ),
)


def _digits(text: str) -> int:
    return sum(character in "0123456789" for character in text)


XRECHNUNG = (
    *(each.of_xrechnung() for each in _ASKED),
    *peppol.shared(peppol.half_a_forint, Severity.WARNING),
)
"""All that holds for an XRechnung. BR-DE-TMP-32, a date of delivery, no invoice breaks: each has one (BT-72)."""

PEPPOL = tuple(each.of_peppol() for each in _ASKED)
"""All that Peppol adds where both sides are in Germany."""
