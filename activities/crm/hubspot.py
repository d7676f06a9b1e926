"""HubSpot: companies, contacts with their roles, deals, line items, owners; invoices are written back to the deal.

A client is a company, known by its record id. Who gets its invoices says the label under which a contact belongs to the
company, a property of the contact, or an address that stands in the company itself. A deal belongs to its primary
company; it is won in a stage that is closed with a probability of 1, on the day of its close date. Where nobody has
entered an amount, the value of a deal is 0. A company without a property that an invoice needs is refused by name.

SOURCE: https://developers.hubspot.com/docs/api/crm/companies, …/contacts, …/deals, …/line-items, …/owners,
…/pipelines, …/properties, …/associations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from activities.crm.hubspot_clients import Clients
from activities.crm.hubspot_deals import Deals
from activities.crm.hubspot_fields import FIELDS, FLAGS, TITLE, HubSpotFields, Settings, named, object_of
from activities.crm.hubspot_invoices import changes
from activities.crm.hubspot_objects import HubSpotObjects
from activities.crm.hubspot_webhook import HubSpotWebhook
from activities.providers.field_map import settings_of
from activities.providers.http import VendorHttp
from activities.providers.paging import Record
from activities.providers.provider import FieldSample, Mapped, Provider, Told
from billing.connections import Connection, Direction, Port
from billing.errors import SourceFaulty
from billing.sources import CrmClient, CrmDeal

USUAL = "https://api.hubapi.com"

_KINDS = {"company": "companies", "contact": "contacts", "deal": "deals", "line_item": "line_items"}
_SHOWN = tuple(each.ours for each in FIELDS if each.direction is Direction.OUT)


class HubSpot:
    """One HubSpot account, read with the token of a private app. Days are those of the setting `zone`."""

    def __init__(self, connection: Connection, secrets: Mapping[str, str]) -> None:
        self.source = f"/integrations/{connection.id}"
        self._fields = HubSpotFields.of(settings_of(connection, Settings, TITLE), connection)
        headers = {"Authorization": f"Bearer {secrets['access_token'].strip()}"}
        self._objects = HubSpotObjects(TITLE, VendorHttp(TITLE, connection.base_url or USUAL, headers))
        self._clients = Clients(self._fields, self._objects)
        self._deals = Deals(self._fields, self._objects)

    def clients(self) -> tuple[CrmClient, ...]:
        """Every company by id, or those for which the field `client.listed` says yes.

        `SourceFaulty` if one of them lacks what an invoice needs: none is left out in silence.
        """
        return self._clients.every()

    def client(self, client_id: str) -> CrmClient | None:
        """The company with that record id; None if there is none. `SourceFaulty` names what it lacks."""
        return self._clients.one(client_id)

    def deals(self) -> tuple[CrmDeal, ...]:
        """Every deal of the pipelines that count, won or not, by id; values are net."""
        return self._deals.every()

    def deal(self, deal_id: str) -> CrmDeal | None:
        """The deal with that record id, whatever its pipeline; its value is net. None if there is none."""
        return self._deals.one(deal_id)

    @property
    def stage_property(self) -> str:
        """The property that holds the stage of a deal."""
        return self._fields.property("deal.stage")

    def is_won(self, deal_id: str) -> bool:
        """Whether the deal is in a stage that is won, now; nothing else of it is read."""
        return self._deals.is_won(deal_id)

    def write_back(self, told: Told) -> None:
        """Shows the invoice on its deals, in those of the fields that are mapped: number, status and link of the newest
        invoice, and a line for each. A deal that is gone is passed over."""
        mapped = {each: self._fields.property(each) for each in _SHOWN if self._fields.property(each)}
        for deal in told.records if mapped and told.number else ():
            record = self._objects.one("deals", deal, sorted(mapped.values()))
            if record is None:
                continue
            said = named("deal", record)
            shown = {each: self._fields.text(each, said, f"deal {deal}") for each in mapped}
            if new := changes(shown, told):
                self._objects.change("deals", deal, {mapped[each]: value for each, value in new.items()})

    def samples(self) -> Sequence[FieldSample]:
        """Every mapped field with its value in a record of its kind; of those that are written to, whether there is
        such a property and whether text can be written to it."""
        example = lru_cache(maxsize=None)(self._tried)
        return [
            self._target(each) if each.direction is Direction.OUT else self._sample(each, example)
            for each in FIELDS
        ]

    def _tried(self, thing: str) -> Record | SourceFaulty | None:
        """An example, or why there is none: asked for once, whatever comes of it."""
        try:
            return self._example(thing)
        except SourceFaulty as error:
            return error

    def _example(self, thing: str) -> Record | None:
        """Of a few records, the newest of those with the most of what must be there."""
        found = self._objects.some(_KINDS[thing], self._fields.wanted(thing))
        needed = [
            self._fields.property(each.ours)
            for each in FIELDS
            if each.required and object_of(each.ours) == thing
        ]

        def filled(record: Record) -> tuple[int, int]:
            return sum(bool(record["properties"].get(each)) for each in needed), int(record["id"])

        best = max(found, key=filled, default=None)
        return named(thing, best) | {"id": best["id"]} if best else None

    def _sample(self, mapped: Mapped, example: Callable[[str], Record | SourceFaulty | None]) -> FieldSample:
        thing = object_of(mapped.ours)
        read = self._reader(mapped.ours)
        record = example(thing)
        if isinstance(record, SourceFaulty):
            return FieldSample(mapped.ours, self._fields.map.names(mapped.ours), problem=str(record))
        return self._fields.map.sample(
            mapped.ours,
            lambda: None if record is None else read(mapped.ours, record, f"{thing} {record['id']}"),
            needed=mapped.required and record is not None,
        )

    def _reader(self, ours: str) -> Callable[[str, Record, str], object]:
        if ours in FLAGS:
            return self._fields.flag
        special: dict[str, Callable[[str, Record, str], object]] = {
            "client.country": self._fields.country,
            "contact.email": self._fields.email,
            "deal.value": self._fields.number,
            "deal.won_on": self._fields.day,
            "line_item.amount": self._fields.number,
        }
        return special.get(ours, self._fields.text)

    def _target(self, mapped: Mapped) -> FieldSample:
        theirs, name = self._fields.map.names(mapped.ours), self._fields.property(mapped.ours)
        if not name:
            return FieldSample(mapped.ours, "")
        try:
            known = self._objects.property("deals", name)
        except SourceFaulty as error:
            return FieldSample(mapped.ours, theirs, problem=str(error))
        if known is None:
            return FieldSample(
                mapped.ours, theirs, problem=f"{TITLE} has no such property of deals; add it there"
            )
        kind = f"{known.get('type')} ({known.get('fieldType')})"
        problem = ""
        if (known.get("modificationMetadata") or {}).get("readOnlyValue"):
            problem = f"{TITLE} lets nobody write to it; map another property"
        elif known.get("type") != "string":
            problem = f"it is of type {kind}; use one for text"
        return FieldSample(mapped.ours, theirs, kind, problem)


PROVIDER = Provider(
    name="hubspot",
    title=TITLE,
    ports=frozenset({Port.CRM}),
    base_url=USUAL,
    settings=Settings,
    secrets=("access_token",),
    fields=FIELDS,
    build=HubSpot,
    webhook=HubSpotWebhook(),
    webhook_secret="client_secret",  # noqa: S106  # the name of one
)
