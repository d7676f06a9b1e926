"""What only registers know: check digits of IBANs and tax ids, countries, calendars of holidays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import holidays
from babel import Locale
from stdnum import bic, iban

from billing.company import Client
from billing.complaints import CompanyRecords, Complaint
from billing.parties import EU_MEMBERS, Issuer
from billing.taxes.decision import vat_id_country
from billing.taxes.tax_ids import wrong_by_form


def check_references(records: CompanyRecords) -> list[Complaint]:
    """Everything in a company that a register contradicts."""
    return [
        *(each for position, issuer in records.issuers.read.items() for each in _issuer(position, issuer)),
        *(each for position, client in records.clients.read.items() for each in _client(position, client)),
    ]


def _issuer(position: int, issuer: Issuer) -> Iterator[Complaint]:
    at = ("issuers", position)
    account, country = issuer.bank_account, issuer.address.country
    if not iban.is_valid(account.iban):
        yield Complaint(
            (*at, "bank_account", "iban"),
            f"{account.iban!r} is not an IBAN: its check digits do not fit; copy it again from the bank",
        )
    if account.bic and not bic.is_valid(account.bic):
        yield Complaint(
            (*at, "bank_account", "bic"), f"{account.bic!r} is not a BIC; write 8 or 11 characters"
        )
    if country not in _countries():
        yield Complaint(
            (*at, "address", "country"), f"there is no country {country!r}; write a code such as DE"
        )
    yield from _vat_id((*at, "vat_id"), issuer)


def _vat_id(at: tuple[str | int, ...], issuer: Issuer) -> Iterator[Complaint]:
    """Check digits that do not fit are refused; one of elsewhere, or none at all, may be meant."""
    country, number = issuer.address.country, issuer.vat_id.strip()
    if number and (problem := wrong_by_form(number, country)):
        yield Complaint(at, f"{problem}; copy it from the certificate")
    elif country in EU_MEMBERS and vat_id_country(number) != country:
        yield Complaint(
            at,
            f"{issuer.vat_id!r} is not a VAT id of {country}; copy it from the certificate",
            warning=True,
        )


def _client(position: int, client: Client) -> Iterator[Complaint]:
    country, _, region = client.calendar.partition("-")
    at = ("clients", position, "calendar")
    regions = _calendars().get(country)
    if regions is None:
        yield Complaint(
            at,
            f"no public holidays are known for {country!r}; write the client's country, such as DE or GB",
        )
    elif region and region not in regions:
        known = (
            f"one of: {', '.join(f'{country}-{each}' for each in regions)}; or {country}"
            if regions
            else country
        )
        yield Complaint(at, f"no public holidays are known for {client.calendar!r}; write {known}")


@cache
def _calendars() -> dict[str, list[str]]:
    """Country → regions with holidays of their own, by their ISO 3166-2 codes."""
    short = {
        country: [each for each in regions if len(each) <= 3 and each.isalnum()]
        for country, regions in holidays.list_supported_countries(include_aliases=False).items()
    }
    return {country: regions for country, regions in short.items() if len(country) == 2}


@cache
def _countries() -> frozenset[str]:
    codes = map(str, Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - {"EU", "EZ", "UN", "ZZ"}
