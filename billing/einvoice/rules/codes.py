"""Code lists that Peppol (BIS Billing 3.0.21, May 2026) and XRechnung 3.0 keep shorter than EN 16931 does."""

from __future__ import annotations

_INVOICE_TYPES = (
    "71 80 82 84 102 218 219 326 331 380 382 383 384 386 388 393 395 553 575 623 780 817 870 875 876 877"
)
INVOICE_TYPES = frozenset(_INVOICE_TYPES.split())
"""UNTDID 1001 codes of an invoice in processes 01 and 02 (P0100)."""

GERMAN_TYPES = frozenset(["326", "380", "384", "389", "381", "875", "876", "877"])
"""UNTDID 1001 codes a German receiver expects (BR-DE-17)."""

EXEMPTIONS = {
    "VATEX-EU-G": ("P0104", "G"),
    "VATEX-EU-O": ("P0105", "O"),
    "VATEX-EU-IC": ("P0106", "K"),
    "VATEX-EU-AE": ("P0107", "AE"),
    "VATEX-EU-D": ("P0108", "E"),
    "VATEX-EU-F": ("P0109", "E"),
    "VATEX-EU-I": ("P0110", "E"),
    "VATEX-EU-J": ("P0111", "E"),
}
"""By exemption code (BT-121): the rule that ties it to a VAT category, and that category."""
