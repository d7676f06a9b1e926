"""The letter paper every document is written on: who writes, to whom, in which look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from activities.documents.colour import readable_on, readable_on_white, tint
from activities.documents.look import PLAIN, LookFiles
from activities.documents.typography import Typography, in_fours
from activities.languages.catalogue import Catalogue, message
from billing.parties import Buyer, Issuer

_TAX_IDS = {
    "CA": message("GST/HST no."),
    "CH": message("VAT no."),
    "IN": "GSTIN",
    "US": message("Tax ID"),
    "EU": message("VAT ID"),
}


def letter(
    issuer: Issuer,
    buyer: Buyer | None,
    writes: Typography,
    *,
    at: datetime,
    look: LookFiles = PLAIN,
) -> dict[str, Any]:
    """The values of `base.html` but for `heading`, `name`, `subject` and `meta`, which each document gives itself.

    `at` is the instant the file says it was made.
    """
    from_country = buyer.address.country if buyer else issuer.address.country
    accent = (look.look and look.look.accent) or issuer.accent
    return {
        "issuer": issuer,
        "account": issuer.bank_account,
        "iban": in_fours(issuer.bank_account.iban),
        "type": writes,
        "catalogue": writes.words,
        "accent": accent,
        "ink": readable_on_white(accent),
        "tint": tint(accent),
        "on_accent": readable_on(accent),
        "logo": (look.look and look.look.logo) or "",
        "footer_line": _in(look.look.footer, writes.language) if look.look else "",
        "terms_text": _in(look.look.terms, writes.language) if look.look else "",
        "stamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "own_vat_label": vat_id_label(writes.words, issuer.address.country),
        "issuer_lines": writes.address(issuer.address, from_country=from_country),
        "addressee": buyer.name if buyer else "",
        "attention": buyer.contact.name if buyer and buyer.contact.name != buyer.name else "",
        "buyer_lines": writes.address(buyer.address, from_country=issuer.address.country) if buyer else [],
    }


def vat_id_label(words: Catalogue, country: str) -> str:
    """What a country calls the number under which its tax authority knows a company."""
    if country == "AT":
        return words.pgettext("Austria", "VAT ID")
    return words.gettext(_TAX_IDS.get(country, _TAX_IDS["EU"]))


def _in(texts: Mapping[str, str], language: str) -> str:
    """The text in the language, else in English, else the first there is."""
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")
