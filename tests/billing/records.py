"""Records of a small company in Berlin, German and in euros unless changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from billing.agreements import FixedPrice, Milestones, PrepaidBlock, Retainer, TimeAndMaterials
from billing.company import Client, Company
from billing.parties import Issuer, Person
from billing.sources import CrmClient, CrmDeal, Milestone, Project, SignedContract, TimeEntry

START = date(2026, 1, 1)

CLIENT = {
    "id": "acme",
    "crm": "C-1",
    "issuer": "berlin",
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "calendar": "DE-BE",
    "terms": {"net_days": 14},
    "dunning": "standard",
    "account_manager": "pia",
}

ISSUER = {
    "id": "berlin",
    "name": "Teststadt IT GmbH",
    "address": {"street": "Hauptstraße 1", "postcode": "10827", "city": "Berlin", "country": "DE"},
    "vat_id": "DE136695976",
    "email": "billing@issuer.example",
    "bank_account": {"iban": "DE02120300000000202051"},
    "zone": "Europe/Berlin",
    "number_prefix": "B",
}

CRM = {
    "id": "C-1",
    "name": "Acme GmbH",
    "address": {"street": "Weg 2", "postcode": "20095", "city": "Hamburg", "country": "DE"},
    "vat_id": "DE129273398",
    "billing_contact": {"name": "Kim Vogel", "email": "ap@client.example"},
}


def person(key: str, **more: Any) -> Person:
    """Somebody who may approve, unless other roles are given."""
    given = {"id": key, "name": key.title(), "email": f"{key}@issuer.example", "roles": ["approver"], **more}
    return Person.model_validate(given)


def people(*everybody: Person) -> dict[str, Person]:
    return {each.id: each for each in everybody}


def issuer(**changes: Any) -> Issuer:
    return Issuer.model_validate({**ISSUER, **changes})


def client(**changes: Any) -> Client:
    return Client.model_validate({**CLIENT, **changes})


def company(*agreements: Any, **changes: Any) -> Company:
    """The company with these agreements."""
    record = {
        "name": "Teststadt IT",
        "people": [person("pia", reports_to="noor"), person("noor")],
        "issuers": [ISSUER],
        "clients": [CLIENT],
        "agreements": agreements,
        "approvals": {},
        "exceptions": {"default_owner": "pia"},
        "dunning": [{"id": "standard"}],
    }
    return Company.model_validate({**record, **changes})


def _agreement(key: str, model: str, title: str, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": key,
        "model": model,
        "client": "acme",
        "title": title,
        "currency": "EUR",
        "start": START,
        **more,
    }


def retainer(**changes: Any) -> Retainer:
    """Care for 1,000.00 a month, in advance."""
    record = _agreement("care", "retainer", "Managed service", {"every": "month", "amount": "1000.00"})
    return Retainer.model_validate({**record, **changes})


def time_and_materials(**changes: Any) -> TimeAndMaterials:
    """Hours of two roles at 120 and 95 an hour, monthly in arrears."""
    record = _agreement(
        "hours",
        "time and materials",
        "Development",
        {"every": "month", "project": "P-1", "rates": {"senior": "120.00", "junior": "95.00"}},
    )
    return TimeAndMaterials.model_validate({**record, **changes})


def milestones(**changes: Any) -> Milestones:
    """A shop for 9,200.00: design 3,200.00, launch 6,000.00."""
    record = _agreement(
        "shop",
        "milestone",
        "Web shop",
        {
            "project": "P-1",
            "milestones": [
                {"id": "design", "title": "Design", "amount": "3200.00"},
                {"id": "launch", "title": "Launch", "amount": "6000.00"},
            ],
        },
    )
    return Milestones.model_validate({**record, **changes})


def fixed_price(**changes: Any) -> FixedPrice:
    """A migration for 9,200.00."""
    record = _agreement("move", "fixed price", "Migration", {"project": "P-1", "amount": "9200.00"})
    return FixedPrice.model_validate({**record, **changes})


def prepaid_block(**changes: Any) -> PrepaidBlock:
    """Blocks of twenty hours for 2,000.00."""
    record = _agreement(
        "block", "prepaid block", "Support", {"project": "P-1", "hours": "20", "price": "2000.00"}
    )
    return PrepaidBlock.model_validate({**record, **changes})


def crm_client(**changes: Any) -> CrmClient:
    return CrmClient.model_validate({**CRM, **changes})


def deal(value: str, **changes: Any) -> CrmDeal:
    return CrmDeal.model_validate(
        {"id": "D-1", "client": "C-1", "value": value, "currency": "EUR", **changes}
    )


def contract(value: str, **changes: Any) -> SignedContract:
    record = {"id": "CT-1", "client": "C-1", "value": value, "currency": "EUR", "signed_on": START}
    return SignedContract.model_validate({**record, **changes})


def project(**changes: Any) -> Project:
    return Project.model_validate({"id": "P-1", "name": "Web shop", "client": "C-1", **changes})


def milestone(**changes: Any) -> Milestone:
    return Milestone.model_validate({"id": "design", "project": "P-1", **changes})


def worked(
    key: str, hours: str, role: str = "senior", person: str = "Mira", day: str = "2026-01-12", **changes: Any
) -> TimeEntry:
    """An approved, billable time entry."""
    record = {
        "id": key,
        "project": "P-1",
        "person": person,
        "role": role,
        "day": day,
        "hours": Decimal(hours),
        "approved": True,
    }
    return TimeEntry.model_validate({**record, **changes})
