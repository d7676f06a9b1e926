"""VAT category codes and exemption reasons of EN 16931."""

from __future__ import annotations

from enum import StrEnum


class TaxCategory(StrEnum):
    """VAT category codes of EN 16931 (UNTDID 5305) that services need."""

    STANDARD = "S"
    ZERO_RATED = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    EXPORT = "G"
    OUTSIDE_SCOPE = "O"


NO_TAX = frozenset(TaxCategory) - {TaxCategory.STANDARD}
"""Categories whose rate is zero."""
