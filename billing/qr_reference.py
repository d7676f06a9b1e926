"""The QR reference of Swiss payments: what a transfer to a QR-IBAN carries in the place of ISO 11649.

SOURCE: SIX, Swiss Implementation Guidelines for the QR-bill, version 2.3, annex B: 26 digits and a check digit by
modulo 10, recursive.
"""

from __future__ import annotations

from stdnum.ch import esr

_DIGITS = 26
_HEAD = 4
"""`RF` and the two check digits, before the reference itself."""


def qr_reference(payment_reference: str) -> str:
    """The QR reference (27 digits) of a creditor reference by ISO 11649; empty for one that makes none.

    Letters count as in an IBAN, A = 10 to Z = 35, so that references of several series into one account stay apart;
    with those, more than 26 digits make none. What comes in on a QR-IBAN is compared with this.
    """
    bare = payment_reference[_HEAD:].upper()
    if not bare or not (bare.isascii() and bare.isalnum()):
        return ""
    digits = "".join(str(int(character, 36)) for character in bare)
    if len(digits) > _DIGITS:
        return ""
    padded = digits.zfill(_DIGITS)
    return padded + str(esr.calc_check_digit(padded))
