"""The form and check digits of electronic addresses and registrations, by scheme (Peppol common rules R040 to R056).

SOURCE: OpenPEPPOL, BIS Billing 3.0.21 (May 2026); R046 and R057 are of schemes no longer in the network. A scheme
without a rule there is checked by nobody here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial

from stdnum import ean
from stdnum.au import abn
from stdnum.no import orgnr

from billing.einvoice.breach import Severity
from billing.einvoice.model import EInvoice
from billing.einvoice.rules.rule import Rule

Check = Callable[[str], bool]

_CODICE_FISCALE = re.compile(r"[A-Za-z]{6}[0-9]{2}[A-Za-z][0-9]{2}.{3}[0-9][A-Za-z]|[0-9]{11}")


def digits(count: int, prefix: str = "") -> Check:
    """Exactly so many digits, after the prefix."""
    form = re.compile(rf"{prefix}[0-9]{{{count}}}")
    return lambda text: form.fullmatch(text) is not None


def gln(text: str) -> bool:
    """A GS1 number with its check digit (0088). GS1: 13 digits; Peppol looks at the check digit alone."""
    return text.isascii() and text.isdigit() and len(text) > 1 and ean.calc_check_digit(text[:-1]) == text[-1]


def norwegian(text: str) -> bool:
    """An organisation number: nine digits, the last by modulus 11 (0192)."""
    return digits(9)(text) and bool(orgnr.is_valid(text))


def danish(text: str) -> bool:
    """A CVR number: eight digits, with or without DK in front; its check digit is not asked for (0184)."""
    return digits(8)(text) or digits(8, "DK")(text)


def belgian(text: str) -> bool:
    """An enterprise number: ten digits, the last two 97 less the first eight modulo 97 (0208)."""
    return digits(10)(text) and int(text[8:]) == 97 - int(text[:8]) % 97


def swedish(text: str) -> bool:
    """An organisation number: ten digits, the last by the Luhn algorithm (0007)."""
    if not digits(10)(text):
        return False
    doubled = [int(digit) * (2 - n % 2) for n, digit in enumerate(text[:9])]
    return (10 - sum(each // 10 + each % 10 for each in doubled) % 10) % 10 == int(text[9])


def italian_vat(text: str) -> bool:
    """A partita IVA: eleven digits after IT, by their check digit; of other countries nothing is said (0211)."""
    if text[:2].upper() != "IT":
        return True
    number = text[2:]
    if not digits(11)(number):
        return False
    doubled = ("0246813579"[int(digit)] if n % 2 else digit for n, digit in enumerate(number))
    return sum(map(int, doubled)) % 10 == 0


def italian_tax_code(text: str) -> bool:
    """A codice fiscale by its form: 16 characters of a person, 11 digits of a company (0210)."""
    return _CODICE_FISCALE.fullmatch(text) is not None


def italian_office(text: str) -> bool:
    """A codice univoco ufficio: six letters or digits (0201)."""
    return re.fullmatch(r"[A-Za-z0-9]{6}", text) is not None


def australian(text: str) -> bool:
    """An ABN: eleven digits with their check digits (0151)."""
    return digits(11)(text) and bool(abn.is_valid(text))


def greek(text: str) -> bool:
    """A tax number (AFM): nine digits, the last a weighted sum of powers of two, modulo 11 and 10 (9933)."""
    if not digits(9)(text):
        return False
    weighted = sum(int(digit) << (8 - n) for n, digit in enumerate(text[:8]))
    return weighted % 11 % 10 == int(text[8])


def dutch_vat(text: str) -> bool:
    """A btw number by its form: NL123456789B12 (9944)."""
    return re.fullmatch(r"NL[0-9]{9}B[0-9]{2}", text) is not None


_SCHEMES: tuple[tuple[str, str, Severity, str, Check], ...] = (
    ("R040", "0088", Severity.FATAL, "GLN", gln),
    ("R041", "0192", Severity.FATAL, "Norwegian organisation number", norwegian),
    ("R042", "0184", Severity.FATAL, "Danish CVR number", danish),
    ("R052", "0096", Severity.FATAL, "Danish P number", digits(10)),
    ("R053", "0198", Severity.FATAL, "Danish SE number", digits(8, "DK")),
    ("R043", "0208", Severity.FATAL, "Belgian enterprise number", belgian),
    ("R044", "0201", Severity.WARNING, "Italian office code", italian_office),
    ("R045", "0210", Severity.WARNING, "Italian tax code", italian_tax_code),
    ("R047", "0211", Severity.WARNING, "Italian VAT number", italian_vat),
    ("R049", "0007", Severity.FATAL, "Swedish organisation number", swedish),
    ("R050", "0151", Severity.FATAL, "Australian business number", australian),
    ("R054", "0106", Severity.WARNING, "Dutch KVK number (eight digits)", digits(8)),
    ("R055", "0190", Severity.WARNING, "Dutch OIN (twenty digits)", digits(20)),
    ("R056-1", "9944", Severity.WARNING, "Dutch VAT number (NL123456789B12)", dutch_vat),
)


def _numbers(invoice: EInvoice) -> Iterable[tuple[str, str, str]]:
    if invoice.seller.registration_scheme:
        yield "BT-30", invoice.seller.registration_scheme, invoice.seller.registration
    for place, party in (("BT-34", invoice.seller), ("BT-49", invoice.buyer)):
        if party.electronic_address:
            yield place, party.electronic_address.scheme, party.electronic_address.id


def _wrong(scheme: str, check: Check, invoice: EInvoice) -> Iterable[str]:
    return (place for place, found, text in _numbers(invoice) if found == scheme and not check(text))


def _dutch_ids(invoice: EInvoice) -> Iterable[str]:
    parties = (("BT-31", invoice.seller), ("BT-48", invoice.buyer))
    return (
        place for place, party in parties if party.vat_id.startswith("NL") and not dutch_vat(party.vat_id)
    )


RULES = (
    *(
        Rule(
            f"PEPPOL-COMMON-{number}",
            severity,
            partial(_wrong, scheme, check),
            f"a number of scheme {scheme} is no {name}; correct electronic_address or registration in issuers.yaml "
            "(BT-34) or clients.yaml (BT-49)",
        )
        for number, scheme, severity, name, check in _SCHEMES
    ),
    Rule(
        "PEPPOL-COMMON-R056-2",
        Severity.WARNING,
        _dutch_ids,
        "a Dutch VAT id has not the form NL123456789B12; correct vat_id in issuers.yaml (BT-31) or the CRM (BT-48)",
    ),
)
