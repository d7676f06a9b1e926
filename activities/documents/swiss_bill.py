"""The Swiss QR-bill: receipt and payment part, to be cut off or read by a bank's app.

SOURCE: SIX, Swiss Implementation Guidelines for the QR-bill, version 2.3: 210 × 105 mm at the foot of a page; CHF or
EUR to an IBAN of Switzerland or Liechtenstein; structured addresses; a QR-IBAN goes with a QR reference, any other IBAN
with a creditor reference (ISO 11649) or none.
"""

from __future__ import annotations

import io
import logging
import re
from decimal import Decimal
from typing import Any

import segno
from markupsafe import Markup
from qrbill import QRBill  # type: ignore[import-untyped]

from activities.documents.payment_code import first_amount
from billing.document import InvoiceDocument
from billing.money import rounded
from billing.parties import Address
from billing.qr_reference import qr_reference

_log = logging.getLogger(__name__)

_COUNTRIES = ("CH", "LI")
_LANGUAGES = ("de", "fr", "it", "en")
_MOST = Decimal("999999999.99")
_NAME, _STREET, _NUMBER, _POSTCODE, _TOWN = 70, 70, 16, 16, 35
"""Characters the fields of an address hold."""

_HOUSE_NUMBER = re.compile(r"^(?P<street>.*\D)\s(?P<number>\d+\s?[A-Za-z]?([-/]\d+\s?[A-Za-z]?)?)$")
_UNCODED = re.compile("[^\x20-\x7e\xa0-\u017f\u0218-\u021b\u20ac]")
"""What the code cannot say: it has Latin, its supplement and extension A, four Romanian letters and the euro."""

_HEADER = re.compile(r"^.*?(?=<svg)", re.DOTALL)


def swiss_bill(document: InvoiceDocument, language: str, word: str) -> Markup | None:
    """The bill as SVG of 210 × 106 mm (1 mm for the scissors) in a language of Switzerland, else in English.

    None where no such bill can be paid or asked for: not francs or euro, no Swiss account, or euro from a buyer
    elsewhere. `word` is what the document is called: with its number, it tells the payer what is paid. Of an invoice in
    instalments, the first of them.
    """
    bill = _bill(document, language, word)
    if bill is None:
        return None
    drawn = io.StringIO()
    bill.as_svg(drawn)
    return Markup(_HEADER.sub("", drawn.getvalue(), count=1))  # noqa: S704  # drawn by qrbill, which escapes


def swiss_code(document: InvoiceDocument, amount: Decimal, word: str) -> Markup | None:
    """The code of the bill alone, for another amount than the document's, as SVG with the Swiss cross in its middle.

    None where there is no bill.
    """
    said = payload(document, word, amount)
    if not said:
        return None
    code = segno.make_qr(said, error="m", boost_error=False, encoding="utf-8")
    drawn = code.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)
    return Markup(drawn.replace("</svg>", f"{_cross(code.symbol_size(border=0)[0])}</svg>"))  # noqa: S704  # segno's own


def payload(document: InvoiceDocument, word: str, amount: Decimal | None = None) -> str:
    """What the bill's QR code says, line by line; empty where there is no bill. The amount is its own unless told."""
    bill = _bill(document, "en", word, amount)
    return str(bill.qr_data()) if bill else ""


def _cross(modules: float) -> str:
    """The cross over a code of so many modules a side: 7 of its 46 mm, black in a white frame."""
    side = modules * 7 / 46
    shapes = ((1, 1, "#fff"), (0.92, 0.92, "#000"), (0.165, 0.55, "#fff"), (0.55, 0.165, "#fff"))
    return "".join(
        f'<rect x="{(modules - side * wide) / 2:.3f}" y="{(modules - side * high) / 2:.3f}" '
        f'width="{side * wide:.3f}" height="{side * high:.3f}" fill="{colour}"/>'
        for wide, high, colour in shapes
    )


def _bill(document: InvoiceDocument, language: str, word: str, asked: Decimal | None = None) -> QRBill | None:
    draft, account = document.draft, document.draft.issuer.bank_account
    iban = "".join(account.iban.split())
    amount = rounded(first_amount(document) if asked is None else asked, draft.currency)
    swiss = iban[:2] in _COUNTRIES and Decimal("0.01") <= amount <= _MOST
    paid_there = draft.buyer.address.country in _COUNTRIES
    if not swiss or not (draft.currency == "CHF" or (draft.currency == "EUR" and paid_there)):
        return None
    numeric = qr_reference(document.payment_reference) if account.qr_iban else ""
    try:
        return QRBill(
            account="".join(account.qr_iban.split()) if numeric else iban,
            creditor=_party(account.holder or draft.issuer.name, draft.issuer.address),
            debtor=_debtor(document),
            amount=f"{amount:.2f}",
            currency=draft.currency,
            reference_number=numeric or document.payment_reference or None,
            additional_information=_UNCODED.sub("", f"{word} {document.number}")[:140],
            language=language if language in _LANGUAGES else "en",
        )
    except ValueError as error:
        _log.warning("%s is printed without a QR-bill: %s", document.number, error)
        return None


def _debtor(document: InvoiceDocument) -> dict[str, Any] | None:
    """Who pays; None, and an empty field on the bill, where the code could not hold it."""
    buyer = document.draft.buyer
    party = _party(buyer.name, buyer.address)
    complete = party["name"] and party["pcode"] and party["city"]
    return None if not complete or _UNCODED.search("".join(party.values())) else party


def _party(name: str, address: Address) -> dict[str, Any]:
    street = " ".join(address.street.split())
    split = _HOUSE_NUMBER.match(street)
    return {
        "name": " ".join(name.split())[:_NAME].strip(),
        "street": (split["street"] if split else street)[:_STREET].strip(),
        "house_num": split["number"][:_NUMBER] if split else "",
        "pcode": address.postcode[:_POSTCODE],
        "city": address.city[:_TOWN],
        "country": address.country,
    }
