"""The form and check digits of tax ids, as far as an id shows by itself; no register is asked."""

from __future__ import annotations

from collections.abc import Callable

from stdnum.au import abn
from stdnum.ca import bn
from stdnum.ch import uid
from stdnum.ch import vat as swiss
from stdnum.eu import vat as european
from stdnum.gb import vat as british
from stdnum.in_ import gstin
from stdnum.jp import cn
from stdnum.no import mva, orgnr
from stdnum.nz import ird

from billing.parties import EU_MEMBERS

Check = Callable[[str], bool]


def _swiss(number: str) -> bool:
    return bool(swiss.is_valid(number) or uid.is_valid(number))


def _norwegian(number: str) -> bool:
    return bool(mva.is_valid(number) or orgnr.is_valid(number))


def _japanese(number: str) -> bool:
    return number.upper().startswith("T") and bool(cn.is_valid(number[1:]))


_CHECKS: dict[str, tuple[Check, str]] = {
    "GB": (british.is_valid, "VAT number (GB and 9 or 12 digits)"),
    "CH": (_swiss, "UID or VAT number (CHE-123.456.788 MWST)"),
    "LI": (_swiss, "UID or VAT number (CHE-123.456.788 MWST)"),
    "NO": (_norwegian, "organisation number (9 digits and MVA)"),
    "IN": (gstin.is_valid, "GSTIN (15 characters)"),
    "AU": (abn.is_valid, "ABN (11 digits)"),
    "NZ": (ird.is_valid, "IRD number (8 or 9 digits)"),
    "CA": (bn.is_valid, "business number (9 digits, for GST with RT0001)"),
    "JP": (_japanese, "registration number of a qualified invoice issuer (T and 13 digits)"),
}
"""By country, the number that stands on invoices, and its check as python-stdnum documents it with its source."""

_NORTHERN_IRELAND = "XI"


def wrong_by_form(number: str, country: str) -> str:
    """Why the text cannot be a tax id of a party in that country; empty if it can, or nobody here knows its form.

    An id that names another member state or Northern Ireland by its prefix is checked as one of there: whether it
    may stand for this party, the tax rules say.
    """
    prefix = number.strip()[:2].upper()
    home = "GR" if prefix == "EL" else prefix
    if home in EU_MEMBERS or prefix == _NORTHERN_IRELAND:
        if european.is_valid(number):
            return ""
        return f"{number!r} has not the form of a VAT id of {home}, or its check digits do not fit"
    if country in EU_MEMBERS:
        wanted = "EL" if country == "GR" else country
        return f"{number!r} is no VAT id: one of {country} begins with {wanted}"
    if country not in _CHECKS:
        return ""
    check, name = _CHECKS[country]
    return "" if check(number) else f"{number!r} is no {name} of {country}, or its check digits do not fit"
