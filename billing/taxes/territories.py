"""Places that belong to a member state but not to the VAT territory of the EU (Art. 6 Directive 2006/112/EC)."""

from __future__ import annotations

_POSTCODES: dict[str, tuple[str, ...]] = {
    "DE": ("27498", "78266"),  # Heligoland, Büsingen
    "ES": ("35", "38", "51", "52"),  # Canary Islands, Ceuta, Melilla
    "FI": ("22",),  # Åland Islands
    "GR": ("63086", "63087"),  # Mount Athos
    "IT": ("23041",),  # Livigno
}

_REGIONS: dict[str, frozenset[str]] = {
    "ES": frozenset({"CN", "CE", "ML", "TF", "GC"}),
    "FI": frozenset({"01"}),
    "FR": frozenset({"GP", "MQ", "RE", "GF", "YT", "971", "972", "973", "974", "976"}),
}


def outside_vat_territory(country: str, postcode: str = "", region: str = "") -> bool:
    """Whether an address in a member state lies outside the EU's VAT territory; by its postcode or ISO 3166-2 region."""
    begins = postcode.replace(" ", "")
    return region.upper() in _REGIONS.get(country, ()) or begins.startswith(_POSTCODES.get(country, ("\0",)))
