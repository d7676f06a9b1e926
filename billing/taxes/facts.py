"""What a tax decision is taken from: who sells where under which registrations, who buys, what, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from billing.registrations import LIABILITIES as LIABILITIES
from billing.registrations import Registration as Registration
from billing.registrations import Scheme as Scheme


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

ONLINE = "online"
"""In `performed_in`: streamed or otherwise made virtually available (Art. 53, 54 with Directive (EU) 2022/542)."""


PerformedIn = Annotated[
    str,
    Field(
        pattern=r"^([A-Z]{2}|online)?$",
        description="country where an event, a training or a repair takes place, or `online`",
    ),
]
SuppliedFrom = Annotated[
    str,
    Field(
        pattern=r"^([A-Z]{2})?$",
        description="country of the establishment that supplies, where the issuer has several",
    ),
]
ReducedRate = Annotated[str, Field(description="name of the reduced rate that applies, if one does")]


class IdEvidence(BaseModel):
    """What an authority said about a tax id: whether it is valid, when it was asked, its receipt."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: str
    valid: bool
    checked_on: date
    source: str = "VIES"
    receipt: str = ""
    name: str = ""


Stripped = Annotated[str, StringConstraints(strip_whitespace=True)]


class TaxFacts(BaseModel):
    """Countries are ISO 3166-1, regions ISO 3166-2 without the country; numbers as given by the parties."""

    model_config = ConfigDict(frozen=True)

    issuer_country: str
    issuer_vat_id: Stripped
    client_country: str
    client_vat_id: Stripped
    client_is_business: bool
    client_is_public_body: bool = Field(
        default=False, description="authority or other body of public law; decides over `client_is_business`"
    )
    client_in_special_zone: bool = Field(
        default=False,
        description="India: unit or developer of a special economic zone, authorised operations",
    )
    issuer_region: str = ""
    issuer_postcode: str = ""
    client_region: str = ""
    client_postcode: str = ""
    registrations: tuple[Registration, ...] = ()
    client_evidence: IdEvidence | None = None
    exemption_certificate: str = Field(
        default="", description="number of the client's certificate, where one is kept"
    )
    service: ServiceKind = ServiceKind.CONSULTING
    performed_in: str = ""
    supplied_from: str = ""
    reduced_rate: str = ""
    tax_point: date = Field(description="day on which the tax becomes chargeable")

    @property
    def to_business(self) -> bool:
        """Whether the client counts as a taxable person: a public body only where it is identified (Art. 43(2))."""
        identified = any(each.isdigit() for each in self.client_vat_id)
        return identified if self.client_is_public_body else self.client_is_business

    def held(self, country: str, region: str = "", tax: str = "") -> Iterator[Registration]:
        """The issuer's registrations in a country (and region) that hold on the tax point."""
        for each in self.registrations:
            here = (each.country, each.region) == (country, region) and (not tax or each.tax in ("", tax))
            if here and each.holds(self.tax_point):
                yield each

    def liable(self, country: str, region: str = "", tax: str = "") -> Registration | None:
        """The registration that says how the issuer is taxed in a place; None without one."""
        return next((each for each in self.held(country, region, tax) if each.scheme in LIABILITIES), None)

    def under(self, scheme: Scheme) -> Registration | None:
        """A registration under a scheme that holds on the tax point, wherever it is."""
        return next(
            (each for each in self.registrations if each.scheme is scheme and each.holds(self.tax_point)),
            None,
        )
