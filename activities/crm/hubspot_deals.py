"""HubSpot's deals: of which client, over how much, won or not, and by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from activities.crm.hubspot_fields import TITLE, HubSpotFields, named
from activities.crm.hubspot_objects import HubSpotObjects, Link
from activities.providers.paging import Record
from billing.errors import SourceFaulty
from billing.sources import CrmDeal


@dataclass(frozen=True)
class Deals:
    """The deals of one account."""

    fields: HubSpotFields
    objects: HubSpotObjects

    def every(self) -> tuple[CrmDeal, ...]:
        """All of the pipelines that count, by id."""
        wanted = self.fields.settings.pipelines
        records = [
            each
            for each in self.objects.every("deals", self.fields.wanted("deal"))
            if not wanted or each["properties"].get("pipeline") in wanted
        ]
        return tuple(sorted(self._read(records), key=lambda each: each.id))

    def one(self, id_: str) -> CrmDeal | None:
        """The deal with that id; None if there is none."""
        record = self.objects.one("deals", id_, self.fields.wanted("deal"))
        return self._read([record])[0] if record else None

    def is_won(self, id_: str) -> bool:
        """Whether the deal is in a stage that is won, now."""
        record = self.objects.one("deals", id_, ["pipeline", self.fields.property("deal.stage")])
        return record is not None and self._won(record)

    def _read(self, records: Sequence[Record]) -> list[CrmDeal]:
        ids = [str(each["id"]) for each in records]
        companies: Mapping[str, Sequence[Link]] = {}
        if not self.fields.property("deal.client"):
            companies = self.objects.linked("deals", ids, "companies")
        items = self._items(ids) if self.fields.settings.value == "line items" else {}
        return [
            self._deal(each, companies.get(id_, ()), items.get(id_, ()))
            for id_, each in zip(ids, records, strict=True)
        ]

    def _items(self, ids: Sequence[str]) -> dict[str, list[Record]]:
        links = self.objects.linked("deals", ids, "line_items")
        wanted = [each.id for found in links.values() for each in found]
        known = self.objects.batch("line_items", wanted, self.fields.wanted("line_item"))
        return {deal: [known[each.id] for each in found if each.id in known] for deal, found in links.items()}

    def _deal(self, record: Record, companies: Sequence[Link], items: Sequence[Record]) -> CrmDeal:
        id_, fields = str(record["id"]), self.fields
        said, of = named("deal", record), f"deal {id_}"
        currency = fields.text("deal.currency", said, of).upper() or fields.settings.currency
        if not currency:
            raise SourceFaulty(
                f"{TITLE}: {of}: property {fields.property('deal.currency')!r} is empty; write the currency of such "
                "deals as setting `currency` in integrations.yaml"
            )
        won = self._won(record)
        return CrmDeal(
            id=id_,
            client=fields.text("deal.client", said, of) or self._primary(companies, of),
            value=self._value(said, of, currency, items),
            currency=currency,
            won=won,
            won_on=fields.day("deal.won_on", said, of) if won else None,
            owner=self._owner(fields.text("deal.owner", said, of)),
        )

    def _primary(self, companies: Sequence[Link], of: str) -> str:
        """The company a deal belongs to; empty where there is none."""
        label = self.fields.settings.primary_label
        found = [each for each in companies if label.casefold() in each.labels] or companies
        if len(found) > 1:
            raise SourceFaulty(
                f"{TITLE}: {of} belongs to companies {', '.join(each.id for each in found)}, and none alone is its "
                f"{label!r}; choose its primary company there"
            )
        return found[0].id if found else ""

    def _value(self, said: Record, of: str, currency: str, items: Sequence[Record]) -> Decimal:
        fields = self.fields
        if fields.settings.value == "amount":
            return fields.number("deal.value", said, of) or Decimal(0)
        total = Decimal(0)
        for each in items:
            item, what = named("line_item", each), f"line item {each['id']} of {of}"
            if not fields.flag("line_item.counts", item, what):
                continue
            stated = fields.text("line_item.currency", item, what).upper() or currency
            if stated != currency:
                raise SourceFaulty(
                    f"{TITLE}: {what} is in {stated}, its deal in {currency}; make them one currency"
                )
            total += fields.number("line_item.amount", item, what) or Decimal(0)
        return total

    def _owner(self, id_: str) -> str:
        return str(self.objects.owners().get(id_, {}).get("email") or "") if id_ else ""

    def _won(self, record: Record) -> bool:
        stage = self.fields.needed("deal.stage", named("deal", record), f"deal {record['id']}")
        if self.fields.settings.won_stages:
            return stage in self.fields.settings.won_stages
        pipeline = record["properties"].get("pipeline")
        return any(
            str(each.get("id")) == stage and _closes_as_won(each.get("metadata") or {})
            for line in self.objects.pipelines("deals")
            if str(line.get("id")) == pipeline
            for each in line.get("stages", ())
        )


def _closes_as_won(metadata: Mapping[str, Any]) -> bool:
    try:
        certain = Decimal(str(metadata.get("probability"))) == 1
    except InvalidOperation:
        return False
    return certain and str(metadata.get("isClosed")).lower() == "true"
