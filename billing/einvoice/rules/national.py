"""What Peppol BIS Billing 3 asks of sellers in Denmark, Greece, Iceland, Italy, the Netherlands, Norway and Sweden.

SOURCE: OpenPEPPOL, BIS Billing 3.0.21 (May 2026), national rules; Germany's are in `germany`. Which country a seller is
of, Norway, Italy and Greece read from its VAT id, the others from its address. Left out is what no invoice in our terms
can break: national giro payments, direct debits, parties' ids, representatives, order lines, classifications.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from billing.einvoice.breach import Severity
from billing.einvoice.model import NOT_DEFINED, EInvoice, Party
from billing.einvoice.rules import identifiers
from billing.einvoice.rules.rule import Places, Rule, both_in, unless
from billing.taxes.categories import TaxCategory

FATAL, WARNING = Severity.FATAL, Severity.WARNING

Holds = Callable[[EInvoice], object]

_GREEK_TYPES = frozenset({"1.1", "1.6", "2.1", "2.4", "5.1", "5.2"})
_SWEDISH_RATES = frozenset({Decimal(25), Decimal(12), Decimal(6)})
_DUTCH_MEANS = frozenset({"30", "48", "49", "57", "58", "59"})
_DANISH_MEANS = frozenset({"1", "10", "31", "42", "48", "49", "50", "58", "59", "93", "97"})
_NO_SCHEME = (
    "the seller's registration is no number of {}; write the bare number as registration in issuers.yaml"
)
_F_TAX = "GODKÄND FÖR F-SKATT"


def _country(party: Party) -> str:
    """By the VAT id, else by the address; Greece is EL or GR."""
    found = party.vat_id[:2].upper() or party.address.country
    return "GR" if found == "EL" else found


def _sold_from(country: str, place: str, holds: Holds) -> Places:
    return unless(place, lambda invoice: invoice.seller.address.country != country or holds(invoice))


def _taxed_in(country: str, place: str, holds: Holds) -> Places:
    return unless(place, lambda invoice: _country(invoice.seller) != country or holds(invoice))


def _within(country: str, place: str, holds: Holds) -> Places:
    return unless(place, lambda invoice: not both_in(invoice, country) or holds(invoice))


def _registered_under(party: Party, *schemes: str) -> bool:
    return not party.registration or party.registration_scheme in schemes


def _has_full_address(party: Party) -> bool:
    address = party.address
    return bool(address.line_1 and address.city and address.postcode)


_DENMARK = (
    Rule(
        "DK-R-002",
        FATAL,
        _sold_from("DK", "BT-30", lambda invoice: invoice.seller.registration),
        "a Danish seller names its CVR number; write registration in issuers.yaml",
    ),
    Rule(
        "DK-R-005",
        FATAL,
        _within(
            "DK",
            "BT-81",
            lambda invoice: invoice.is_credit_note or invoice.payment.means_code in _DANISH_MEANS,
        ),
        "within Denmark this means of payment is not taken; that is a fault of Billow",
    ),
    Rule(
        "DK-R-014",
        FATAL,
        _sold_from("DK", "BT-30", lambda invoice: _registered_under(invoice.seller, "0184")),
        _NO_SCHEME.format("eight digits (CVR)"),
    ),
    Rule(
        "DK-R-016",
        FATAL,
        _within("DK", "BT-115", lambda invoice: not invoice.is_credit_note or invoice.due >= 0),
        "a Danish credit note cannot be for less than nothing; send an invoice",
    ),
)


def _has_norwegian_vat_id(invoice: EInvoice) -> bool:
    number = invoice.seller.vat_id
    return not number.startswith("NO") or (
        number.endswith("MVA") and len(number) == 14 and identifiers.norwegian(number[2:11])
    )


_NORWAY = (
    Rule(
        "NO-R-001",
        FATAL,
        _taxed_in("NO", "BT-31", _has_norwegian_vat_id),
        "a Norwegian VAT id is NO, nine digits with their check digit, and MVA; correct vat_id in issuers.yaml",
    ),
    Rule(
        "NO-R-002",
        WARNING,
        _taxed_in("NO", "BT-32", lambda _: False),
        "most Norwegian sellers must write Foretaksregisteret; write it in registration in issuers.yaml",
    ),
)


def _is_swedish(invoice: EInvoice) -> bool:
    return invoice.seller.address.country == "SE" and invoice.seller.vat_id.startswith("SE")


def _has_swedish_rates(invoice: EInvoice) -> bool:
    standard = (each for each in invoice.breakdown if each.category is TaxCategory.STANDARD)
    return not _is_swedish(invoice) or all(each.rate in _SWEDISH_RATES for each in standard)


def _swedish_registration(check: Callable[[str], bool]) -> Places:
    return _sold_from(
        "SE", "BT-30", lambda invoice: not invoice.seller.registration or check(invoice.seller.registration)
    )


_SWEDEN = (
    Rule(
        "SE-R-001",
        FATAL,
        unless("BT-31", lambda invoice: not _is_swedish(invoice) or len(invoice.seller.vat_id) == 14),
        "a Swedish VAT id has 14 characters; correct vat_id in issuers.yaml",
    ),
    Rule(
        "SE-R-002",
        FATAL,
        unless("BT-31", lambda invoice: not _is_swedish(invoice) or invoice.seller.vat_id[2:].isdigit()),
        "a Swedish VAT id is SE and twelve digits; correct vat_id in issuers.yaml",
    ),
    Rule(
        "SE-R-003",
        FATAL,
        _swedish_registration(str.isdigit),
        "a Swedish organisation number is digits only; correct registration in issuers.yaml",
    ),
    Rule(
        "SE-R-004",
        FATAL,
        _swedish_registration(lambda text: len(text) == 10),
        "a Swedish organisation number has ten digits; correct registration in issuers.yaml",
    ),
    Rule(
        "SE-R-005",
        FATAL,
        _sold_from(
            "SE",
            "BT-32",
            lambda invoice: (
                not (invoice.seller.registration and invoice.seller.tax_number)
                or invoice.seller.tax_number.upper() == _F_TAX
            ),
        ),
        "a Swedish seller says Godkänd för F-skatt there and nothing else; write that as tax_number in issuers.yaml",
    ),
    Rule(
        "SE-R-006",
        FATAL,
        unless("BT-119", _has_swedish_rates),
        "Swedish VAT is 25, 12 or 6 %; correct tax/rules.yaml",
    ),
    Rule(
        "SE-R-012",
        WARNING,
        _within("SE", "BT-81", lambda invoice: invoice.payment.means_code != "31"),
        "within Sweden a credit transfer has code 30; that is a fault of Billow",
    ),
    Rule(
        "SE-R-013",
        FATAL,
        _swedish_registration(identifiers.swedish),
        "the check digit of the Swedish organisation number does not fit; correct registration in issuers.yaml",
    ),
)

_ITALY = (
    Rule(
        "IT-R-001",
        FATAL,
        _taxed_in(
            "IT",
            "BT-32",
            lambda invoice: (
                not invoice.seller.tax_number
                or (
                    11 <= len(invoice.seller.tax_number) <= 16
                    and all(
                        each in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" for each in invoice.seller.tax_number
                    )
                )
            ),
        ),
        "an Italian tax number has 11 to 16 capitals or digits; correct tax_number in issuers.yaml",
    ),
    Rule(
        "IT-R-002",
        FATAL,
        _taxed_in("IT", "BT-35", lambda invoice: invoice.seller.address.line_1),
        "the Italian seller's address has no street; write it in issuers.yaml",
    ),
    Rule(
        "IT-R-003",
        FATAL,
        _taxed_in("IT", "BT-37", lambda invoice: invoice.seller.address.city),
        "the Italian seller's address has no city; write it in issuers.yaml",
    ),
    Rule(
        "IT-R-004",
        FATAL,
        _taxed_in("IT", "BT-38", lambda invoice: invoice.seller.address.postcode),
        "the Italian seller's address has no postcode; write it in issuers.yaml",
    ),
)

_ICELAND = (
    Rule(
        "IS-R-001",
        WARNING,
        _sold_from("IS", "BT-3", lambda invoice: invoice.type_code in {"380", "381"}),
        "Icelandic sellers send invoices (380) and credit notes (381)",
    ),
    Rule(
        "IS-R-002",
        FATAL,
        _sold_from(
            "IS",
            "BT-30",
            lambda invoice: invoice.seller.registration and _registered_under(invoice.seller, "0196"),
        ),
        _NO_SCHEME.format("ten digits (kennitala)"),
    ),
    Rule(
        "IS-R-003",
        FATAL,
        _sold_from(
            "IS", "BG-5", lambda invoice: invoice.seller.address.line_1 and invoice.seller.address.postcode
        ),
        "the Icelandic seller's address has no street or no postcode; write them in issuers.yaml",
    ),
    Rule(
        "IS-R-004",
        FATAL,
        _within("IS", "BT-47", lambda invoice: invoice.buyer.registration),
        "within Iceland the buyer's kennitala is named, and Billow knows no buyers' registrations; send a PDF alone",
    ),
    Rule(
        "IS-R-005",
        FATAL,
        _within(
            "IS", "BG-8", lambda invoice: invoice.buyer.address.line_1 and invoice.buyer.address.postcode
        ),
        "the Icelandic buyer's address has no street or no postcode; write them in the CRM",
    ),
)

_NETHERLANDS = (
    Rule(
        "NL-R-001",
        FATAL,
        _sold_from("NL", "BG-3", lambda invoice: not invoice.is_credit_note or invoice.preceding),
        "a Dutch credit note names the invoice it credits; credit an issued invoice, by its number",
    ),
    Rule(
        "NL-R-002",
        FATAL,
        _sold_from("NL", "BG-5", lambda invoice: _has_full_address(invoice.seller)),
        "the Dutch seller's address lacks street, postcode or city; write them in issuers.yaml",
    ),
    Rule(
        "NL-R-003",
        FATAL,
        _sold_from("NL", "BT-30", lambda invoice: _registered_under(invoice.seller, "0106", "0190")),
        _NO_SCHEME.format("eight digits (KvK) or twenty (OIN)"),
    ),
    Rule(
        "NL-R-004",
        FATAL,
        _within("NL", "BG-8", lambda invoice: _has_full_address(invoice.buyer)),
        "the Dutch buyer's address lacks street, postcode or city; write them in the CRM",
    ),
    Rule(
        "NL-R-008",
        FATAL,
        _within("NL", "BT-81", lambda invoice: invoice.payment.means_code in _DUTCH_MEANS | {NOT_DEFINED}),
        "within the Netherlands this means of payment is not taken; that is a fault of Billow",
    ),
)


def _has_greek_vat_id(party: Party) -> bool:
    return party.vat_id.startswith("EL") and identifiers.greek(party.vat_id[2:])


def _has_greek_address(party: Party) -> bool:
    reached = party.electronic_address
    return reached is not None and reached.scheme == "9933" and identifiers.greek(reached.id)


def _segments(invoice: EInvoice) -> list[str]:
    return invoice.number.split("|")


def _greek_number(n: int, holds: Callable[[EInvoice, str], object]) -> Places:
    """One segment of the number, counted from 1."""

    def found(invoice: EInvoice) -> object:
        parts = _segments(invoice)
        return len(parts) >= n and holds(invoice, parts[n - 1])

    return _taxed_in("GR", "BT-1", found)


_TRADING_NAME = (
    "Greek sellers name both sides by a trading name, and Billow writes the registered one; send a PDF alone"
)
_NUMBER = "Greek numbers are TAX NUMBER|DAY/MONTH/YEAR|BRANCH|KIND|SERIES|NUMBER, and Billow gives none such"

_GREECE = (
    Rule("GR-R-001-1", FATAL, _taxed_in("GR", "BT-1", lambda invoice: len(_segments(invoice)) == 6), _NUMBER),
    Rule(
        "GR-R-001-2",
        FATAL,
        _greek_number(
            1, lambda invoice, text: identifiers.greek(text) and text == invoice.seller.vat_id[2:11]
        ),
        f"the first part of the number is not the seller's tax number: {_NUMBER}",
    ),
    Rule(
        "GR-R-001-3",
        FATAL,
        _greek_number(2, lambda invoice, text: text == f"{invoice.issue_date:%d/%m/%Y}"),
        f"the second part of the number is not the issue date: {_NUMBER}",
    ),
    Rule(
        "GR-R-001-4",
        FATAL,
        _greek_number(3, lambda _, text: text.isdigit()),
        f"the third part of the number is no branch: {_NUMBER}",
    ),
    Rule(
        "GR-R-001-5",
        FATAL,
        _greek_number(4, lambda _, text: text in _GREEK_TYPES),
        f"the fourth part of the number is no Greek kind of document: {_NUMBER}",
    ),
    Rule("GR-R-001-6", FATAL, _greek_number(5, lambda _, text: text), f"the fifth part is empty: {_NUMBER}"),
    Rule("GR-R-001-7", FATAL, _greek_number(6, lambda _, text: text), f"the sixth part is empty: {_NUMBER}"),
    Rule("GR-R-002", FATAL, _taxed_in("GR", "BT-28", lambda _: False), _TRADING_NAME),
    Rule(
        "GR-R-003",
        FATAL,
        _taxed_in(
            "GR",
            "BT-31",
            lambda invoice: (
                not invoice.seller.vat_id
                or (invoice.seller.vat_id.startswith("EL") and identifiers.greek(invoice.seller.vat_id[2:]))
            ),
        ),
        "a Greek VAT id is EL and nine digits with their check digit; correct vat_id in issuers.yaml",
    ),
    Rule(
        "GR-R-004-1",
        FATAL,
        _sold_from("GR", "BG-24", lambda invoice: _country(invoice.seller) != "GR"),
        "a Greek e-invoice bears the number (MARK) the tax office gives it, and Billow asks for none; send a PDF alone",
    ),
    Rule(
        "GR-S-008-1",
        WARNING,
        _sold_from("GR", "BG-24", lambda invoice: _country(invoice.seller) != "GR"),
        "a Greek e-invoice names the page of the tax office on which it stands, and Billow knows none",
    ),
    Rule("GR-R-005", FATAL, _taxed_in("GR", "BT-45", lambda _: False), _TRADING_NAME),
    Rule(
        "GR-R-006",
        FATAL,
        _taxed_in(
            "GR",
            "BT-48",
            lambda invoice: (
                _country(invoice.buyer) != "GR"
                or (invoice.buyer.vat_id.startswith("EL") and identifiers.greek(invoice.buyer.vat_id[2:]))
            ),
        ),
        "within Greece the buyer's VAT id is named: EL and nine digits; write it in the CRM",
    ),
    Rule(
        "GR-R-009",
        FATAL,
        _taxed_in("GR", "BT-34", lambda invoice: _has_greek_address(invoice.seller)),
        "a Greek seller is reached by its tax number, as 9933:NUMBER; correct electronic_address in issuers.yaml",
    ),
    Rule(
        "GR-R-010",
        FATAL,
        _taxed_in(
            "GR",
            "BT-49",
            lambda invoice: _country(invoice.buyer) != "GR" or _has_greek_address(invoice.buyer),
        ),
        "a Greek buyer is reached by its tax number, as 9933:NUMBER; correct electronic_address in clients.yaml",
    ),
    Rule(
        "GR-S-011",
        WARNING,
        _taxed_in("GR", "BT-31", lambda invoice: _has_greek_vat_id(invoice.seller)),
        "a Greek seller names its VAT id: EL and nine digits; write vat_id in issuers.yaml",
    ),
)

RULES = (*_DENMARK, *_GREECE, *_ICELAND, *_ITALY, *_NETHERLANDS, *_NORWAY, *_SWEDEN)
