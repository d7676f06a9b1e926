"""A small company for tests: one issuer, a few clients, one agreement of each billing model, and its sources."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from billing.company import Company

PEOPLE: list[dict[str, Any]] = [
    {"id": "mara", "name": "Mara Lind", "email": "mara@issuer.example", "roles": ["admin"]},
    {
        "id": "noor",
        "name": "Noor Haas",
        "email": "noor@issuer.example",
        "roles": ["approver"],
        "reports_to": "mara",
    },
    {
        "id": "otto",
        "name": "Otto Berg",
        "email": "otto@issuer.example",
        "roles": ["approver"],
        "reports_to": "mara",
    },
    {
        "id": "pia",
        "name": "Pia Sommer",
        "email": "pia@issuer.example",
        "roles": ["operator"],
        "reports_to": "noor",
    },
]

ISSUER = {
    "id": "berlin",
    "name": "Teststadt IT GmbH",
    "address": {"street": "Hauptstraße 1", "postcode": "10827", "city": "Berlin", "country": "DE"},
    "vat_id": "DE136695976",
    "email": "billing@issuer.example",
    "bank_account": {"iban": "DE02120300000000202051", "bic": "BYLADEM1001"},
    "zone": "Europe/Berlin",
    "number_prefix": "B",
}

DUNNING = [
    {
        "id": "standard",
        "levels": [{"days": 5}, {"days": 15}, {"days": 30}],
        "escalate_after_due": {"days": 40},
        "hand_over_after_due": {"days": 60},
    },
    {"id": "courteous", "courtesy_before_due": {"days": 3}, "levels": [{"days": 5}]},
]


def first_of_month() -> date:
    """The start of agreements in tests: this month of the company's, so that exactly one period is due."""
    return datetime.now(ZoneInfo("Europe/Berlin")).date().replace(day=1)


def client(key: str, crm: str, **changes: Any) -> dict[str, Any]:
    """A client record, German unless changed."""
    record = {
        "id": key,
        "crm": crm,
        "issuer": "berlin",
        "currency": "EUR",
        "language": "en",
        "zone": "Europe/Berlin",
        "calendar": "DE-BE",
        "terms": {"net_days": 14},
        "dunning": "standard",
        "account_manager": "pia",
    }
    return {**record, **changes}


def retainer(key: str, client: str, amount: str, **changes: Any) -> dict[str, Any]:
    """A monthly retainer in advance that began this month."""
    record = {
        "id": key,
        "model": "retainer",
        "client": client,
        "title": "Managed service",
        "currency": "EUR",
        "every": "month",
        "amount": amount,
        "start": first_of_month(),
    }
    return {**record, **changes}


def crm_client(key: str, name: str, **changes: Any) -> dict[str, Any]:
    """A company in the CRM, German unless changed."""
    record = {
        "id": key,
        "name": name,
        "address": {"street": "Weg 2", "postcode": "20095", "city": "Hamburg", "country": "DE"},
        "vat_id": "DE129273398",
        "billing_contact": {"name": "Kim Vogel", "email": "ap@client.example"},
    }
    return {**record, **changes}


class TestCompany:
    """A company folder's sources on disk, and the company applied to a ledger; change records, then `apply` again."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clients = [client("acme", "C-1")]
        self.agreements: list[dict[str, Any]] = [retainer("acme-care", "acme", "1000.00")]
        self.people: list[dict[str, Any]] = [dict(person) for person in PEOPLE]
        self.tiers: list[dict[str, Any]] = [
            {
                "id": "large",
                "above": {"EUR": "5000"},
                "approvers": ["noor", "otto"],
                "decide_within_hours": 24,
            }
        ]
        self.dunning: list[dict[str, Any]] = DUNNING
        self.copies_to: list[str] = ["copies@issuer.example"]
        self.crm: list[dict[str, Any]] = [crm_client("C-1", "Acme GmbH", copies_to=["boss@client.example"])]
        self.deals: list[dict[str, Any]] = []
        self.projects: list[dict[str, Any]] = []
        self.contracts: list[dict[str, Any]] = []
        self.company_file: dict[str, Any] = {}
        self.time = "id,project,person,role,day,hours,approved,billable,note\n"
        self.expenses = ""

    def company(self) -> Company:
        return Company.model_validate(
            {
                "name": "Teststadt IT",
                "people": self.people,
                "issuers": [ISSUER],
                "clients": self.clients,
                "agreements": self.agreements,
                "approvals": {"tiers": self.tiers},
                "exceptions": {"default_owner": "pia", "decide_within_hours": 48},
                "dunning": self.dunning,
                "delivery": {"copies_to": self.copies_to},
                **self.company_file,
            }
        )

    def write_sources(self) -> None:
        """Writes what CRM, PSA and contract store say now."""
        for name, content in {
            "crm/clients": self.crm,
            "crm/deals": self.deals,
            "psa/projects": self.projects,
            "contracts/contracts": self.contracts,
        }.items():
            path = self.folder / "data" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(content, allow_unicode=True))
        (self.folder / "data/psa/time.csv").write_text(self.time)
        if self.expenses:
            (self.folder / "data/psa/expenses.csv").write_text(self.expenses)

    def apply(self, ledger: Ledger) -> int:
        """Writes the sources and makes this the company that runs; returns its version."""
        self.write_sources()
        now = datetime.now(UTC) - timedelta(seconds=1)
        return apply_company(ledger, self.company(), str(self.folder), "mara", now)
