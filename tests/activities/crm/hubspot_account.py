"""A HubSpot account inside the test process: it answers as HubSpot does and refuses what HubSpot would refuse.

Requests and answers are checked by the models of the official client. SOURCE of the first company, contact, deal and
line item: the examples of HubSpot's pages; of limits and errors: its pages on batches, associations and properties.
"""

from __future__ import annotations

import importlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from hubspot.crm.deals import ApiClient

from tests.activities.psa.counterpart import Answer, Asked, Counterpart, only
from tests.company import TestCompany

TOKEN = "pat-eu1-token"
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"

ACME, DEAL, CONTACT, ITEM, OWNER = "550001", "9870001", "660001", "770001", "41629779"

_AT = "2026-02-01T12:00:00.000Z"
_SINGULAR = {"companies": "company", "contacts": "contact", "deals": "deal", "line_items": "line_item"}
_PRIMARY = {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"}
_PLAIN = {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None}
_USUAL = {
    "companies": "name domain address address2 zip city state country vat_number lifecyclestage",
    "contacts": "firstname lastname email jobtitle",
    "deals": "dealname amount dealstage pipeline closedate deal_currency_code hubspot_owner_id",
    "line_items": "name quantity price amount hs_sku hs_line_item_currency_code recurringbillingfrequency",
}


def checked(module: str, model: str, content: Any) -> Any:
    """The content, if the official client knows every field of it and misses none."""
    found = getattr(importlib.import_module(f"hubspot.crm.{module}"), model)
    _known(module, found, content)
    client = importlib.import_module(f"hubspot.crm.{module}").ApiClient()
    client._ApiClient__deserialize(content, found)
    return content


def _known(module: str, model: Any, content: Any) -> None:
    names = {theirs: ours for ours, theirs in model.attribute_map.items()}
    assert isinstance(content, dict), f"{model.__name__} is an object"
    assert not set(content) - set(names), f"{model.__name__} has no {set(content) - set(names)}"
    for name, value in content.items():
        inner = re.fullmatch(r"list\[(\w+)\]|(\w+)", model.openapi_types[names[name]])
        part = inner and (inner[1] or inner[2])
        found = getattr(importlib.import_module(f"hubspot.crm.{module}"), part, None) if part else None
        if found is None or value is None or not hasattr(found, "attribute_map"):
            continue
        for each in value if isinstance(value, list) else [value]:
            _known(module, found, each)


class HubSpotAccount:
    """Objects, how they belong together, owners, pipelines, properties; `page` is the most it gives at once."""

    def __init__(self, page: int = 100) -> None:
        self.page = page
        self.objects: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in _SINGULAR}
        self.archived: set[str] = set()
        self.merged: dict[str, str] = {}
        self.links: dict[tuple[str, str, str], list[tuple[str, list[dict[str, Any]]]]] = {}
        self.owners: list[dict[str, Any]] = []
        self.properties = {kind: set(names.split()) for kind, names in _USUAL.items()}
        self.kinds: dict[str, dict[str, Any]] = {}
        self.batch_errors: list[dict[str, Any]] = []
        self.pipelines = [
            _pipeline("default", {"qualifiedtobuy": "0.4", "closedwon": "1.0", "closedlost": "0.0"})
        ]
        self.server = Counterpart(self.answer)

    def example(self) -> HubSpotAccount:
        """What HubSpot's pages show: a deal of Acme that is won, with a contact and a line item."""
        self.company(ACME)
        self.contact(CONTACT, ACME, "Billing contact")
        self.deal(DEAL)
        self.line_item(ITEM, DEAL)
        self.owner(OWNER, "sam@issuer.example")
        return self

    def company(self, id_: str, **changes: Any) -> None:
        usual = {
            "name": "Acme GmbH",
            "domain": "acme.example",
            "address": "Invalidenstr. 1",
            "zip": "10115",
            "city": "Berlin",
            "state": "Berlin",
            "country": "Germany",
        }
        self._add("companies", id_, usual | changes)

    def contact(self, id_: str, company: str, *labels: str, **changes: Any) -> None:
        usual = {"firstname": "Ada", "lastname": "Example", "email": "ap@acme.example"}
        self._add("contacts", id_, usual | changes)
        own = [{"category": "USER_DEFINED", "typeId": 36 + n, "label": each} for n, each in enumerate(labels)]
        plain = {"category": "HUBSPOT_DEFINED", "typeId": 280, "label": None}
        self.link("companies", company, "contacts", id_, [plain, *own])

    def deal(self, id_: str, company: str | None = ACME, **changes: Any) -> None:
        usual = {
            "dealname": "Network refresh",
            "amount": "12500.00",
            "dealstage": "closedwon",
            "pipeline": "default",
            "closedate": _AT,
            "deal_currency_code": "EUR",
            "hubspot_owner_id": OWNER,
        }
        self._add("deals", id_, usual | changes)
        if company:
            self.link("deals", id_, "companies", company, [_PLAIN, _PRIMARY])

    def line_item(self, id_: str, deal: str, **changes: Any) -> None:
        usual = {"name": "Managed firewall", "quantity": "2", "price": "6250", "amount": "12500"}
        self._add("line_items", id_, usual | {"hs_line_item_currency_code": "EUR"} | changes)
        self.link(
            "deals", deal, "line_items", id_, [{"category": "HUBSPOT_DEFINED", "typeId": 19, "label": None}]
        )

    def owner(self, id_: str, email: str, *, archived: bool = False) -> None:
        record = {"id": id_, "email": email, "type": "PERSON", "archived": archived, "userId": 123}
        self.owners.append(record | {"createdAt": _AT, "updatedAt": _AT})

    def link(self, kind: str, one: str, to: str, other: str, labels: list[dict[str, Any]]) -> None:
        self.links.setdefault((kind, one, to), []).append((other, labels))

    def define(self, kind: str, *names: str, **metadata: Any) -> None:
        """Adds custom properties."""
        self.properties[kind] |= set(names)
        self.kinds |= {name: {"type": "string", "fieldType": "textarea"} | metadata for name in names}

    def _add(self, kind: str, id_: str, properties: dict[str, Any]) -> None:
        assert not set(properties) - self.properties[kind], "define the property first"
        assert all(value is None or isinstance(value, str) for value in properties.values())
        self.objects[kind][id_] = properties

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found")
        match asked.method, *asked.path.strip("/").split("/"):
            case "GET", "crm", "v3", "objects", kind:
                only(
                    asked, "limit", "after", "properties", "propertiesWithHistory", "associations", "archived"
                )
                return self._listed(asked, kind)
            case "GET", "crm", "v3", "objects", kind, id_:
                only(asked, "properties", "propertiesWithHistory", "associations", "archived", "idProperty")
                return self._one(asked, kind, id_)
            case "PATCH", "crm", "v3", "objects", kind, id_:
                only(asked, "idProperty")
                return self._changed(asked, kind, id_)
            case "POST", "crm", "v3", "objects", kind, "batch", "read":
                only(asked, "archived")
                return self._batch(asked, kind)
            case "POST", "crm", "v4", "associations", kind, to, "batch", "read":
                only(asked)
                return self._associations(asked, kind, to)
            case "GET", "crm", "v3", "owners":
                only(asked, "email", "after", "limit", "archived")
                wanted = asked.one("archived", "false") == "true"
                found = [each for each in self.owners if each["archived"] is wanted]
                return self._paged(
                    asked, found, "owners", "CollectionResponsePublicOwnerForwardPaging", most=500
                )
            case "GET", "crm", "v3", "pipelines", "deals":
                only(asked)
                return Answer(
                    200,
                    checked("pipelines", "CollectionResponsePipelineNoPaging", {"results": self.pipelines}),
                )
            case "GET", "crm", "v3", "properties", kind, name:
                only(asked, "archived", "properties")
                return self._property(kind, name)
        raise AssertionError(f"no operation {asked.method} {asked.path}")

    def _record(self, kind: str, id_: str, wanted: list[str]) -> dict[str, Any]:
        own = self.objects[kind][id_]
        there = {name: own.get(name) for name in wanted if name in self.properties[kind]}
        always = {"hs_object_id": id_, "createdate": _AT, "hs_lastmodifieddate": _AT}
        return {
            "id": id_,
            "properties": there | always,
            "createdAt": _AT,
            "updatedAt": _AT,
            "archived": False,
        }

    def _listed(self, asked: Asked, kind: str) -> Answer:
        wanted = asked.query.get("properties", [])
        living = [each for each in self.objects[kind] if each not in self.archived]
        found = [self._record(kind, each, wanted) for each in sorted(living, key=int)]
        model = "CollectionResponseSimplePublicObjectWithAssociationsForwardPaging"
        return self._paged(asked, found, kind, model, most=100)

    def _paged(self, asked: Asked, found: list[Any], module: str, model: str, most: int) -> Answer:
        limit, start = int(asked.one("limit", "10")), int(asked.one("after", "0"))
        assert 1 <= limit <= most, f"limit {limit}"
        ends = start + min(limit, self.page)
        content: dict[str, Any] = {"results": found[start:ends]}
        if ends < len(found):
            content["paging"] = {"next": {"after": str(ends), "link": f"?after={ends}"}}
        return Answer(200, checked(module, model, content))

    def _one(self, asked: Asked, kind: str, id_: str) -> Answer:
        assert id_.isdigit()
        id_ = self.merged.get(id_, id_)
        if id_ not in self.objects[kind] or id_ in self.archived:
            return _error(404, "OBJECT_NOT_FOUND", "Object not found")
        content = self._record(kind, id_, asked.query.get("properties", []))
        return Answer(200, checked(kind, "SimplePublicObjectWithAssociations", content))

    def _changed(self, asked: Asked, kind: str, id_: str) -> Answer:
        content = checked(kind, "SimplePublicObjectInput", json.loads(asked.body))
        if id_ not in self.objects[kind]:
            return _error(404, "OBJECT_NOT_FOUND", "Object not found")
        for name, value in content["properties"].items():
            assert isinstance(value, str) and len(value) <= 65_536
            if name not in self.properties[kind]:
                return _error(400, "VALIDATION_ERROR", f'Property "{name}" does not exist')
        self.objects[kind][id_].update(content["properties"])
        return Answer(200, checked(kind, "SimplePublicObject", self._record(kind, id_, [])))

    def _batch(self, asked: Asked, kind: str) -> Answer:
        content = checked(kind, "BatchReadInputSimplePublicObjectId", json.loads(asked.body))
        ids = [each["id"] for each in content["inputs"]]
        assert 1 <= len(ids) <= 100 and len(set(ids)) == len(ids), f"{len(ids)} inputs"
        there = [
            self._record(kind, each, content["properties"]) for each in ids if each in self.objects[kind]
        ]
        gone = [each for each in ids if each not in self.objects[kind]]
        errors = [*self.batch_errors]
        if gone:
            about = {
                "category": "OBJECT_NOT_FOUND",
                "status": "error",
                "context": {"ids": gone},
                "errors": [],
                "links": {},
            }
            errors.append(about | {"message": "Could not get some objects, they may be deleted or not exist"})
        return _many(kind, "BatchResponseSimplePublicObject", there, errors)

    def _associations(self, asked: Asked, kind: str, to: str) -> Answer:
        module = "associations.v4"
        content = checked(module, "BatchInputPublicFetchAssociationsBatchRequest", json.loads(asked.body))
        assert 1 <= len(content["inputs"]) <= 1000
        results = list[dict[str, Any]]()
        errors = [*self.batch_errors]
        for each in content["inputs"]:
            own = self.links.get((kind, each["id"], to), [])
            if not own:
                about = {
                    "category": "OBJECT_NOT_FOUND",
                    "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                }
                text = f"No {to} is associated with {kind} {each['id']}."
                errors.append(
                    about | {"status": "error", "message": text, "context": {}, "links": {}, "errors": []}
                )
                continue
            start = int(each.get("after", "0"))
            ends = start + self.page
            to_them = [{"toObjectId": other, "associationTypes": labels} for other, labels in own[start:ends]]
            paging = {"paging": {"next": {"after": str(ends), "link": ""}}} if ends < len(own) else {}
            results.append({"from": {"id": each["id"]}, "to": to_them} | paging)
        answer = _many(module, "BatchResponsePublicAssociationMultiWithLabel", results, errors)
        on_the_wire = [
            {**each, "to": [{**other, "toObjectId": int(other["toObjectId"])} for other in each["to"]]}
            for each in results  # a number on the wire, a text in the models
        ]
        return Answer(answer.status, answer.content | {"results": on_the_wire})

    def _property(self, kind: str, name: str) -> Answer:
        if name not in self.properties[kind]:
            return _error(404, "OBJECT_NOT_FOUND", f"Property {name} does not exist")
        metadata = self.kinds.get(name, {"type": "string", "fieldType": "text"})
        fixed = {
            "readOnlyValue": metadata.get("fixed", False),
            "readOnlyDefinition": True,
            "archivable": False,
        }
        content = {
            "name": name,
            "label": name,
            "description": "",
            "groupName": f"{_SINGULAR[kind]}information",
            "type": metadata["type"],
            "fieldType": metadata["fieldType"],
            "options": [],
            "modificationMetadata": fixed,
        }
        return Answer(200, checked("properties", "ModelProperty", content))


def _many(module: str, model: str, results: list[Any], errors: list[dict[str, Any]]) -> Answer:
    content: dict[str, Any] = {"status": "COMPLETE", "startedAt": _AT, "completedAt": _AT, "results": results}
    if not errors:
        return Answer(200, checked(module, model, content))
    content |= {"numErrors": len(errors), "errors": errors}
    return Answer(207, checked(module, f"{model}WithErrors", content))


def _pipeline(id_: str, stages: dict[str, str]) -> dict[str, Any]:
    common = {"archived": False, "createdAt": _AT, "updatedAt": _AT, "displayOrder": 0}
    made = []
    for stage, probability in stages.items():
        metadata = {"probability": probability, "isClosed": str(probability in ("1.0", "0.0")).lower()}
        own = {
            "id": stage,
            "label": stage,
            "metadata": metadata,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }
        made.append(common | own)
    return common | {"id": id_, "label": id_, "stages": made}


pipeline = _pipeline


def _error(status: int, category: str, message: str) -> Answer:
    content = {
        "status": "error",
        "category": category,
        "message": message,
        "correlationId": str(datetime.now(UTC)),
    }
    ApiClient()._ApiClient__deserialize({k: v for k, v in content.items() if k != "status"}, "Error")
    return Answer(status, content)


def bills_the_deal(company: TestCompany, account: HubSpotAccount) -> None:
    """The company's CRM is that account, and winning `DEAL` there bills the agreement `network`."""
    company.clients[0]["crm"] = "550001"
    company.agreements = [
        {
            "id": "network",
            "title": "Network",
            "trigger": "deal won",
            "deal": DEAL,
            "model": "fixed price",
            "project": "P-1",
            "client": "acme",
            "currency": "EUR",
            "start": "2026-01-01",
            "amount": "12500.00",
        }
    ]
    crm = {"id": "hubspot", "provider": "hubspot", "port": "crm", "base_url": account.server.url}
    company.company_file = {"connections": [crm]}
    company.write_sources()
