"""Words that must stand on a document where no tax is charged: a stable code for translators, and the English text."""

from __future__ import annotations

from enum import StrEnum


class NoteCode(StrEnum):
    """Names a note in every language. A code never changes its meaning; documents translate by it."""

    NONE = ""
    REVERSE_CHARGE = "reverse-charge"
    SUPPLIED_ABROAD = "supplied-abroad"
    SMALL_BUSINESS = "small-business"
    EXEMPT = "exempt"
    EXPORT = "export"
    EXPORT_UNDER_UNDERTAKING = "export-under-undertaking"
    ZONE_UNDER_UNDERTAKING = "zone-under-undertaking"
    CERTIFICATE = "certificate"


ENGLISH: dict[NoteCode, str] = {
    NoteCode.NONE: "",
    # Art. 226(11a) of the Directive prescribes the words "Reverse charge".
    NoteCode.REVERSE_CHARGE: "Reverse charge: the recipient is liable for VAT ({article})",
    NoteCode.SUPPLIED_ABROAD: "Not taxable in {home}: place of supply is the recipient's country ({article})",
    NoteCode.SMALL_BUSINESS: "No {tax} is charged: small business ({article})",
    NoteCode.EXEMPT: "Exempt from {tax} ({article})",
    NoteCode.EXPORT: "{tax} 0 %: export of services ({article})",
    # Both texts: rule 46, CGST Rules 2017.
    NoteCode.EXPORT_UNDER_UNDERTAKING: (
        "Supply meant for export under bond or letter of undertaking without payment of integrated tax"
        " (undertaking {number})"
    ),
    NoteCode.ZONE_UNDER_UNDERTAKING: (
        "Supply meant for supply to special economic zone unit or special economic zone developer for authorised"
        " operations under bond or letter of undertaking without payment of integrated tax (undertaking {number})"
    ),
    NoteCode.CERTIFICATE: "Exempt from {tax}: certificate {number}",
}
"""By code. The places in braces are: article, home (the issuer's country), tax (its name), number."""


def english(code: NoteCode, *, article: str = "", home: str = "", tax: str = "VAT", number: str = "") -> str:
    """The note in English, its places filled."""
    return ENGLISH[code].format(article=article, home=home, tax=tax, number=number)
