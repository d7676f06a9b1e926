"""Places whose tax law is not that of the country in their address, for services."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

COUNTS_AS: dict[str, tuple[str, str]] = {
    "MC": ("FR", "Art. 7(1) Directive 2006/112/EC"),
    "IM": ("GB", "Isle of Man Act 1979"),
    "LI": ("CH", "Art. 3(a) MWSTG; treaty of 28 October 1994"),
    "XI": ("GB", "Northern Ireland is the United Kingdom for services: Art. 8, Annex 3 Windsor Framework"),
    "EL": ("GR", "the prefix of Greek VAT ids"),
    "UK": ("GB", "ISO 3166-1 writes GB"),
}
"""Codes that are taxed as another country's, and by which text."""

PART_OF: dict[str, tuple[str, str]] = {
    **{code: ("FR", code) for code in ("GF", "GP", "MQ", "RE", "YT")},
    "AX": ("FI", "01"),
    "EA": ("ES", "CE"),
    "IC": ("ES", "CN"),
    "SJ": ("NO", "21"),
}
"""Codes of their own for a part of a country: the country and the region (ISO 3166-2)."""


class Standing(StrEnum):
    """How an address stands to the VAT of the country in it."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    OWN_RATES = "rates of its own"


_POSTCODES: dict[str, dict[Standing, tuple[str, ...]]] = {
    "AT": {Standing.OWN_RATES: ("6691", "6991", "6992", "6993")},  # Jungholz, Mittelberg: § 10(4) UStG 1994
    "DE": {
        Standing.OUTSIDE: ("27498", "78266"),  # Heligoland, Büsingen
        Standing.OWN_RATES: ("87491", "87567", "87568", "87569"),  # Jungholz, Mittelberg by German post
    },
    "ES": {Standing.OUTSIDE: ("35", "38", "51", "52")},  # Canary Islands, Ceuta, Melilla
    "FI": {Standing.OUTSIDE: ("22",)},  # Åland Islands
    "GR": {
        Standing.OUTSIDE: ("63086", "63087"),  # Mount Athos
        # North Aegean, Dodecanese, Samothraki: Art. 26(4) VAT Code (Law 5144/2024)
        Standing.OWN_RATES: ("81", "82", "83", "85", "68002"),
    },
    "IT": {Standing.OUTSIDE: ("23041", "22061")},  # Livigno, Campione d'Italia
    "NO": {Standing.OUTSIDE: ("917", "8099")},  # Svalbard, Jan Mayen: § 1-2 merverdiavgiftsloven
    "PT": {  # Madeira, Azores: Art. 18(3) CIVA
        Standing.OWN_RATES: ("90", "91", "92", "93", "94", "95", "96", "97", "98", "99"),
    },
}

_REGIONS: dict[str, dict[Standing, frozenset[str]]] = {
    "ES": {Standing.OUTSIDE: frozenset({"CN", "CE", "ML", "TF", "GC"})},
    "FI": {Standing.OUTSIDE: frozenset({"01"})},
    "FR": {
        Standing.OUTSIDE: frozenset({"GP", "MQ", "RE", "GF", "YT", "971", "972", "973", "974", "976"}),
    },
    "GR": {Standing.OUTSIDE: frozenset({"69"})},
    "NO": {Standing.OUTSIDE: frozenset({"21", "22"})},
    "PT": {Standing.OWN_RATES: frozenset({"20", "30"})},
}


@lru_cache(maxsize=4096)
def standing(country: str, postcode: str = "", region: str = "") -> Standing:
    """By postcode or ISO 3166-2 region (Art. 6 Directive 2006/112/EC, and national law where noted)."""
    begins = bare(postcode)
    prefixes = _POSTCODES.get(country, {})
    if country == "FR" and begins.startswith(("97", "98")) and not begins.startswith("980"):  # 980: Monaco
        return Standing.OUTSIDE
    for each in (Standing.OUTSIDE, Standing.OWN_RATES):
        if region.upper() in _REGIONS.get(country, {}).get(each, frozenset()):
            return each
        if begins.startswith(prefixes.get(each, ("\0",))):
            return each
    return Standing.INSIDE


def bare(postcode: str) -> str:
    """A postcode without blanks and without the country in front of it, as Europeans write it: D-78266, ES-35001."""
    return _COUNTRY_IN_FRONT.sub("", postcode.replace(" ", "").upper())


_COUNTRY_IN_FRONT = re.compile(r"^[A-Z]{1,3}-(?=\d)")


def outside_vat_territory(country: str, postcode: str = "", region: str = "") -> bool:
    """Whether an address in a country lies outside the territory of that country's VAT."""
    return standing(country, postcode, region) is Standing.OUTSIDE


def settled(country: str, region: str = "") -> tuple[str, str, str]:
    """The country and region whose tax law counts, and a remark that says so where it is another."""
    if country in PART_OF:
        whole, part = PART_OF[country]
        return whole, part, f"{country} is part of {whole}"
    if country in COUNTS_AS:
        other, text = COUNTS_AS[country]
        return other, region, f"{country} counts as {other} ({text})"
    return country, region, ""


def is_country(code: str) -> bool:
    """Whether a code names a country at all: a slip of the pen must not become a sale abroad, free of tax."""
    return code in _ISO_3166


_ISO_3166 = frozenset({
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ",
    "BA", "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS",
    "BT", "BV", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN",
    "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE",
    "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF",
    "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM",
    "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM",
    "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC",
    "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK",
    "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA",
    "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG",
    "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW",
    "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS",
    "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO",
    "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI",
    "VN", "VU", "WF", "WS", "XK", "YE", "YT", "ZA", "ZM", "ZW",
})  # fmt: skip
"""Officially assigned alpha-2 codes of ISO 3166-1, and XK for Kosovo."""
