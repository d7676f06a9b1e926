"""What a tax decision is taken from: who sells where under which registrations, who buys, what, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from billing.parties import CountryCode, Strict


class ServiceKind(StrEnum):
    """What is sold, as far as tax laws tell services apart."""

    CONSULTING = "consulting"
    DEVELOPMENT = "software development"
    SUPPORT = "support"
    HOSTING = "hosting"
    SAAS = "software as a service"
    LICENCE = "software licence"
    DATA_PROCESSING = "data processing"
    TRAINING = "training"
    EVENT = "admission to an event"
    HARDWARE = "hardware repair"


ELECTRONIC = frozenset({ServiceKind.HOSTING, ServiceKind.SAAS, ServiceKind.LICENCE})
"""Electronically supplied services (Art. 7 and Annex I, Implementing Regulation (EU) No 282/2011)."""


class Scheme(StrEnum):
    """Under which rules an issuer is registered."""

    STANDARD = "standard"
    SMALL_BUSINESS = "small business"
    EXEMPT = "exempt"
    OSS = "one-stop shop"


class Registration(Strict):
    """A registration of the issuer with a tax authority, from a day and up to a day."""

    country: CountryCode
    region: str = Field(default="", description="state or province, where it registers by itself: TX, QC, 27")
    scheme: Scheme = Scheme.STANDARD
    tax: str = Field(default="", description="which tax, where a country has several: GST, QST, PST")
    number: str = Field(default="", description="as it stands on invoices")
    since: date | None = None
    until: date | None = None
    established: bool = Field(
        default=False, description="the issuer has an establishment there, not only a number"
    )
    article: str = Field(default="", description="why it is exempt or small, by which article")

    def holds(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


class IdEvidence(BaseModel):
    """What an authority said about a tax id: whether it is valid, when it was asked, its receipt."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: str
    valid: bool
    checked_on: date
    source: str = "VIES"
    receipt: str = ""
    name: str = ""


class TaxFacts(BaseModel):
    """Countries are ISO 3166-1, regions ISO 3166-2 without the country; numbers as given by the parties."""

    model_config = ConfigDict(frozen=True)

    issuer_country: str
    issuer_vat_id: str
    client_country: str
    client_vat_id: str
    client_is_business: bool
    issuer_region: str = ""
    client_region: str = ""
    client_postcode: str = ""
    registrations: tuple[Registration, ...] = ()
    client_evidence: IdEvidence | None = None
    exemption_certificate: str = Field(
        default="", description="number of the client's certificate, where one is kept"
    )
    service: ServiceKind = ServiceKind.CONSULTING
    reduced_rate: str = Field(default="", description="name of the reduced rate that applies, if one does")
    tax_point: date = Field(default=date(2026, 1, 1), description="day on which the tax becomes chargeable")

    def held(self, country: str, region: str = "", tax: str = "") -> Iterator[Registration]:
        """The issuer's registrations in a country (and region) that hold on the tax point."""
        for each in self.registrations:
            if (each.country, each.region) == (country, region) and each.holds(self.tax_point):
                if not tax or each.tax in ("", tax):
                    yield each
