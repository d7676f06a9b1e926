"""Seller and buyer of an e-invoice, from the draft's issuer and buyer."""

from __future__ import annotations

from billing.draft import Draft
from billing.einvoice.electronic_addresses import electronic_address
from billing.einvoice.legal_registration import with_scheme
from billing.einvoice.model import ContactPoint, Party, PostalAddress
from billing.einvoice.text import one_line
from billing.parties import EU_MEMBERS, Address
from billing.taxes.categories import TaxCategory

_PREFIXES = {"GR": "EL"}
"""VAT ids begin with the country code, those of Greece with EL (BR-CO-9)."""

_COMPACT = EU_MEMBERS | {"GB", "NO"}
"""Where VAT ids are written without blanks, points and dashes; Switzerland's have them by law."""


def seller_of(draft: Draft) -> Party:
    """The issuer (BG-4), under the VAT id it taxes this invoice by."""
    issuer = draft.issuer
    registered = next((each.number for each in draft.taxes if each.number), "")
    vat_id = _vat_id(registered or issuer.vat_id, issuer.address.country)
    hidden = _outside_scope(draft)
    registration, scheme = with_scheme(one_line(issuer.registration), issuer.address.country)
    return Party(
        name=one_line(issuer.name),
        # without VAT id and registration, this is all that tells the seller (BR-CO-26)
        identifier=(one_line(issuer.tax_number) or vat_id) if hidden and not registration else "",
        registration=registration,
        registration_scheme=scheme,
        vat_id="" if hidden else vat_id,
        tax_number=one_line(issuer.tax_number),
        electronic_address=electronic_address(issuer.electronic_address, issuer.email),
        address=_address(issuer.address),
        contact=ContactPoint(name=one_line(issuer.name), phone=one_line(issuer.phone), email=issuer.email),
    )


def buyer_of(draft: Draft) -> Party:
    """The client (BG-7)."""
    buyer = draft.buyer
    return Party(
        name=one_line(buyer.name),
        vat_id="" if _outside_scope(draft) else _vat_id(buyer.vat_id, buyer.address.country),
        electronic_address=electronic_address(buyer.electronic_address, buyer.contact.email),
        address=_address(buyer.address),
        contact=ContactPoint(name=one_line(buyer.contact.name), email=buyer.contact.email),
    )


def _outside_scope(draft: Draft) -> bool:
    """Whether VAT ids must not stand there, for the sale is outside the scope of VAT (BR-O-2 to BR-O-4)."""
    return any(each.category is TaxCategory.OUTSIDE_SCOPE for each in draft.taxes)


def _vat_id(number: str, country: str) -> str:
    written = one_line(number).upper()
    if not written:
        return ""
    if country in _COMPACT:
        written = "".join(each for each in written if each.isalnum())
    return written if written[:2].isalpha() else f"{_PREFIXES.get(country, country)}{written}"


def _address(address: Address) -> PostalAddress:
    """What is more than three lines goes on in the third."""
    first, second, *more = [*(one_line(each) for each in address.street.splitlines() if each.strip()), "", ""]
    return PostalAddress(
        line_1=first,
        line_2=second,
        line_3=", ".join(each for each in more if each),
        city=one_line(address.city),
        postcode=one_line(address.postcode),
        region=one_line(address.region),
        country=address.country,
    )
