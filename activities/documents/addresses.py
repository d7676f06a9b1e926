"""In which order a country writes its postal addresses.

Source: Universal Postal Union, Postal addressing systems (the sheet of each country), for addresses in Latin script;
compared with the formats google/libaddressinput keeps (testdata/countryinfo.txt, June 2025).
"""

from __future__ import annotations

import re

from billing.parties import Address

USUAL = "{street}/{postcode} {city}/{region}"
"""Where a country is not listed: the postcode before the town, as in most of the world."""

LINES = {
    "AE": "{street}/{city}/{region}/{postcode}",
    "AU": "{street}/{city} {region} {postcode}",
    "BR": "{street}/{city} - {region}/{postcode}",
    "CA": "{street}/{city} {region}  {postcode}",
    "GB": "{street}/{city}/{region}/{postcode}",
    "HU": "{city}/{street}/{region}/{postcode}",
    "IE": "{street}/{city}/{region}/{postcode}",
    "IN": "{street}/{city} {postcode}/{region}",
    "IT": "{street}/{postcode} {city} {region}",
    "JP": "{street}/{city}, {region} {postcode}",
    "LV": "{street}/{region}/{city}, {postcode}",
    "MT": "{street}/{city} {postcode}/{region}",
    "NL": "{street}/{postcode}  {city}/{region}",
    "NZ": "{street}/{region}/{city} {postcode}",
    "SG": "{street}/{city} {postcode}/{region}",
    "US": "{street}/{city}, {region} {postcode}",
}
"""By country (ISO 3166-1 alpha-2), lines divided by `/`. What is empty is left out, with the mark that joins it."""

_AS_USUAL = (
    *("AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR"),
    *("LT", "LU", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
)
LISTED = frozenset([*LINES, *_AS_USUAL])
"""Countries whose order was looked up; those not in `LINES` write theirs as usual."""

_PLACE_WITH_MARK = re.compile(r"(?P<mark>[ ,-]*)\{(?P<name>\w+)\}")


def lines(address: Address) -> list[str]:
    """The lines of an address below the name and above the country. A street of several lines keeps them."""
    written: list[str] = []
    for pattern in LINES.get(address.country, USUAL).split("/"):
        written += _line(pattern, address).splitlines()
    return [each.strip() for each in written if each.strip()]


def _line(pattern: str, address: Address) -> str:
    line = ""
    for mark, name in _PLACE_WITH_MARK.findall(pattern):
        if value := str(getattr(address, name)).strip():
            line += (mark if line else "") + value
    return line
