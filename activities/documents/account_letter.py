"""Letters about money that are no invoices: reminder, statement of account, receipt, interest statement."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Protocol

from activities.documents.letter import letter
from activities.documents.look import LookFiles
from activities.documents.typography import Typography, typography
from activities.languages.catalogue import Catalogue
from billing.money import Money
from billing.parties import Buyer, Issuer


class Addressed(Protocol):
    """A document with its two parties; `buyer` is None where only a system before Billow knows the address."""

    @property
    def issuer(self) -> Issuer: ...
    @property
    def buyer(self) -> Buyer | None: ...
    @property
    def client_name(self) -> str: ...
    @property
    def language(self) -> str: ...


def account_letter(
    document: Addressed, day: date, look: LookFiles
) -> tuple[Typography, Catalogue, dict[str, Any]]:
    """How the document is written, its words, and the values of `base.html` but for those each document gives itself.

    The file says that it was made on the day, so that the same document gives the same bytes.
    """
    issuer, buyer = document.issuer, document.buyer
    country = buyer.address.country if buyer else issuer.address.country
    writes = typography(document.language, country, look.languages.get(document.language))
    values = letter(issuer, buyer, writes, at=datetime.combine(day, time(), UTC), look=look)
    return writes, writes.words, {**values, "addressee": document.client_name, "bill": None}


def pay_to(issuer: Issuer, iban: str, words: Catalogue) -> list[tuple[str, str]]:
    """Where money goes: label and value."""
    account = issuer.bank_account
    bank = " · ".join(each for each in (account.bic, account.bank) if each)
    rows = [(words.gettext("Account holder"), account.holder or issuer.name), ("IBAN", iban), ("BIC", bank)]
    return [(label, value) for label, value in rows if value]


def sums(amounts: tuple[Money, ...], writes: Typography) -> str:
    """Amounts in several currencies, one beside the other."""
    return " + ".join(writes.money(each) for each in amounts)
