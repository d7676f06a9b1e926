"""The fields between HubSpot and Billow, the settings of a connection, and how a property is read.

A property is named by its object: `company.vat_number`. Properties that were asked for come back even if they are
empty, so one that does not come back does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from activities.crm.countries import country_code
from activities.crm.hubspot_invoices import ALL, LINK, NUMBER, STATUS
from activities.providers.field_map import FieldMap, Names
from activities.providers.paging import Record
from activities.providers.provider import Mapped
from billing.connections import Connection, Direction
from billing.errors import SourceFaulty
from billing.parties import Strict, TimeZone, is_address

TITLE = "HubSpot"

FIELDS = (
    Mapped("client.name", "company.name", required=True),
    Mapped("client.street", "company.address", required=True),
    Mapped("client.street2", "company.address2"),
    Mapped("client.postcode", "company.zip"),
    Mapped("client.city", "company.city", required=True),
    Mapped("client.region", "company.state"),
    Mapped("client.country", "company.country", required=True),
    Mapped("client.vat_id", ""),
    Mapped("client.tax_number", ""),
    Mapped("client.business", ""),
    Mapped("client.public_body", ""),
    Mapped("client.special_zone", ""),
    Mapped("client.exemption_certificate", ""),
    Mapped("client.active", ""),
    Mapped("client.listed", ""),
    Mapped("client.billing_name", ""),
    Mapped("client.billing_email", ""),
    Mapped("client.copies_to", ""),
    Mapped("contact.first_name", "contact.firstname"),
    Mapped("contact.last_name", "contact.lastname"),
    Mapped("contact.email", "contact.email", required=True),
    Mapped("contact.billing", ""),
    Mapped("contact.copies", ""),
    Mapped("deal.client", ""),
    Mapped("deal.value", "deal.amount"),
    Mapped("deal.currency", "deal.deal_currency_code"),
    Mapped("deal.stage", "deal.dealstage", required=True),
    Mapped("deal.won_on", "deal.closedate"),
    Mapped("deal.owner", "deal.hubspot_owner_id"),
    Mapped("line_item.amount", "line_item.amount"),
    Mapped("line_item.currency", "line_item.hs_line_item_currency_code"),
    Mapped("line_item.counts", ""),
    Mapped(NUMBER, "", Direction.OUT),
    Mapped(STATUS, "", Direction.OUT),
    Mapped(LINK, "", Direction.OUT),
    Mapped(ALL, "", Direction.OUT),
)

_OBJECTS = {"client": "company", "contact": "contact", "deal": "deal", "line_item": "line_item"}

FLAGS = {
    "client.business": True,
    "client.public_body": False,
    "client.special_zone": False,
    "client.active": True,
    "client.listed": True,
    "contact.billing": False,
    "contact.copies": False,
    "line_item.counts": True,
}
"""What holds where no property is mapped."""


class Settings(Strict):
    """`zone` is where an instant becomes a day; `currency` that of deals which name none; the labels are those of
    contacts; `won_stages` are ids of stages, in place of those HubSpot closes with a probability of 1; `pipelines` are
    ids of those whose deals count, all if empty; `value` is where the value of a deal comes from."""

    zone: TimeZone = "UTC"
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    billing_label: str = "Billing contact"
    copies_label: str = "Invoice copies"
    primary_label: str = "Primary"
    won_stages: Names = ()
    pipelines: Names = ()
    value: Literal["amount", "line items"] = "amount"


@dataclass(frozen=True)
class HubSpotFields:
    """The properties of one account. `of` says of which record, for the errors: each is a `SourceFaulty` that names the
    record, the property and what is wrong."""

    settings: Settings
    map: FieldMap

    @classmethod
    def of(cls, settings: Settings, connection: Connection) -> HubSpotFields:
        """As the connection maps them. `SourceFaulty` for a field that is fed by another object than its own."""
        found = FieldMap.of(TITLE, FIELDS, connection, ZoneInfo(settings.zone), complete=True)
        for ours, theirs in found.theirs.items():
            if theirs and not theirs.startswith(f"{object_of(ours)}."):
                raise SourceFaulty(
                    f"{TITLE} ({connection.id}): {ours} is mapped to {theirs!r}; write {object_of(ours)}.<property> in "
                    "the field map in integrations.yaml"
                )
        return cls(settings, found)

    def wanted(self, thing: str) -> list[str]:
        """The properties of an object that are asked for."""
        also = ["pipeline"] if thing == "deal" else []
        return sorted({*self.map.behind(thing), *also})

    def property(self, ours: str) -> str:
        """HubSpot's name of a property; empty where none is mapped."""
        return self.map.names(ours).partition("=")[0].rstrip("!").partition(".")[2]

    def text(self, ours: str, record: Record, of: str) -> str:
        """A text; empty where there is none."""
        return self.map.text(ours, record, of)

    def needed(self, ours: str, record: Record, of: str) -> str:
        """A text that must be there."""
        if not (text := self.text(ours, record, of)):
            raise SourceFaulty(
                f"{TITLE}: {of}: property {self.property(ours)!r} is empty; fill it in there, or map {ours} to another "
                "property in integrations.yaml"
            )
        return text

    def flag(self, ours: str, record: Record, of: str) -> bool:
        """Yes or no; where nothing is mapped, what `FLAGS` says."""
        return self.map.flag(ours, record, of, unmapped=FLAGS[ours])

    def number(self, ours: str, record: Record, of: str) -> Decimal | None:
        """A number, exact as it is written; None where there is none."""
        return self.map.number(ours, record, of)

    def day(self, ours: str, record: Record, of: str) -> date | None:
        """A day in the zone of the settings; None where there is none."""
        return self.map.day(ours, record, of)

    def country(self, ours: str, record: Record, of: str) -> str:
        """The code of a country."""
        name = self.needed(ours, record, of)
        if (code := country_code(name)) is None:
            raise SourceFaulty(
                f"{TITLE}: {of}: property {self.property(ours)!r} is {name[:60]!r}, not a country; write its name or "
                "its code of two letters there"
            )
        return code

    def email(self, ours: str, record: Record, of: str) -> str:
        """One e-mail address that must be there."""
        text = self.needed(ours, record, of)
        if not is_address(text):
            raise SourceFaulty(
                f"{TITLE}: {of}: property {self.property(ours)!r} is {text[:60]!r}, not an e-mail address; correct it "
                "there"
            )
        return text


def object_of(ours: str) -> str:
    """The object whose properties feed a field of ours."""
    return _OBJECTS[ours.partition(".")[0]]


def named(thing: str, record: Record) -> dict[str, Any]:
    """A record as the field map names its properties."""
    properties: Mapping[str, Any] = record["properties"]
    return {thing: properties}
