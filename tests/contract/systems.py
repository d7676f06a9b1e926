"""The adapters that keep the promises of their port, each with a system behind it; a new vendor is one line in `ALL`.

Every CRM holds two clients and two deals, over 12500.10 (won) and over 0.1 (open); every store of contracts two signed
contracts, over 9200.10 and over 0.1; every PSA two projects, one with a milestone that is signed off and hours on 3
November 2026: 1.5 and 0.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.crm.files import FilesCrm
from activities.crm.hubspot import HubSpot
from activities.esign.dropbox_sign import DropboxSign
from activities.esign.files import FilesContracts
from activities.psa.files import FilesPsa
from activities.psa.jira import Jira
from activities.psa.redmine import Redmine
from activities.psa.xero_projects import XeroProjects
from billing.connections import Connection, Port
from tests.activities.crm import hubspot_account
from tests.activities.esign import dropbox_sign_account
from tests.activities.psa import jira_site, test_redmine, xero_organisation
from tests.activities.psa.counterpart import Counterpart


@dataclass(frozen=True)
class System:
    """An adapter and what can be done to the system behind it.

    `spoil` gives a field of the first record another type and returns words an error must name: record and field.
    """

    adapter: Any
    ids: Mapping[str, str]
    stop: Callable[[], None]
    spoil: Callable[[], tuple[str, str]]
    server: Counterpart | None = None


@dataclass(frozen=True)
class Subject:
    """An adapter of a port; `provider` is the name of its entry point, empty for files."""

    provider: str
    port: Port
    start: Callable[[Path], AbstractContextManager[System]]

    def __str__(self) -> str:
        return f"{self.port.value}, {self.provider or 'files'}"


def _connection(provider: str, port: Port, server: Counterpart, **changes: Any) -> Connection:
    record = {"id": provider, "provider": provider, "port": port, "base_url": server.url}
    return Connection.model_validate(record | changes)


def _files(folder: Path, contents: Mapping[str, str]) -> Callable[[], None]:
    """Writes the files; what it returns takes them away."""
    for name, content in contents.items():
        (folder / name).write_text(content)

    def stop() -> None:
        for name in contents:
            (folder / name).unlink()

    return stop


def _spoil(path: Path, old: str, new: str, *words: str) -> Callable[[], tuple[str, str]]:
    def spoil() -> tuple[str, str]:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return words[0], words[1]

    return spoil


@contextmanager
def crm_files(folder: Path) -> Iterator[System]:
    address = "address: {street: A 1, postcode: '10115', city: Berlin, country: DE}"
    stop = _files(
        folder,
        {
            "clients.yaml": f"- {{id: C-2, name: Beta, {address}}}\n- {{id: C-1, name: Acme, {address}}}\n",
            "deals.yaml": "- {id: D-2, client: C-1, value: 0.1, currency: EUR, won: no}\n"
            "- {id: D-1, client: C-1, value: 12500.10, currency: EUR, won_on: 2026-02-01}\n",
        },
    )
    spoil = _spoil(folder / "deals.yaml", "12500.10", "a lot", "D-1", "value")
    yield System(FilesCrm(folder), {"client": "C-1", "deal": "D-1", "open": "D-2"}, stop, spoil)


@contextmanager
def crm_hubspot(folder: Path) -> Iterator[System]:
    account = hubspot_account.HubSpotAccount(page=1).example()
    account.company("550002", name="Beta")
    account.deal("9870001", amount="12500.10")
    account.deal("9870002", amount="0.1", dealstage="qualifiedtobuy")
    account.define("deals", "invoice")
    written = [{"ours": "deal.invoice_number", "theirs": "deal.invoice", "direction": "out"}]

    def spoil() -> tuple[str, str]:
        account.objects["deals"]["9870001"]["amount"] = "a lot"
        return "deal 9870001", "deal.amount"

    with account.server as server:
        connection = _connection("hubspot", Port.CRM, server, fields=written)
        ids = {"client": "550001", "deal": "9870001", "open": "9870002", "bills": "9870001"}
        adapter = HubSpot(connection, {"access_token": hubspot_account.TOKEN})
        yield System(adapter, ids, server.stop, spoil, server)
    assert account.server.refused == []


@contextmanager
def contracts_files(folder: Path) -> Iterator[System]:
    record = "- {{id: {}, client: C-1, value: {}, currency: EUR, signed_on: 2026-01-15}}\n"
    stop = _files(folder, {"contracts.yaml": record.format("CT-2", "0.1") + record.format("CT-1", "9200.10")})
    spoil = _spoil(folder / "contracts.yaml", "9200.10", "a lot", "CT-1", "value")
    yield System(FilesContracts(folder), {"contract": "CT-1", "small": "CT-2"}, stop, spoil)


@contextmanager
def contracts_dropbox_sign(folder: Path) -> Iterator[System]:
    account = dropbox_sign_account.DropboxSignAccount()
    first, second = "a" * 40, "b" * 40
    account.request(second, dropbox_sign_account.FIELDS | {"value": "0.1"})
    account.request(first, dropbox_sign_account.FIELDS | {"value": "9200.10"})
    account.request("c" * 40, is_complete=False)

    def spoil() -> tuple[str, str]:
        account.request(first, dropbox_sign_account.FIELDS | {"value": "a lot"})
        return first, "custom_fields.value"

    with account.server as server:
        connection = _connection("dropbox-sign", Port.CONTRACTS, server)
        adapter = DropboxSign(connection, {"api_key": dropbox_sign_account.KEY})
        yield System(adapter, {"contract": first, "small": second}, server.stop, spoil, server)
    assert account.server.refused == []


@contextmanager
def psa_files(folder: Path) -> Iterator[System]:
    projects = (
        "- {id: P-2, name: Beta, client: C-1}\n- id: P-1\n  name: Portal\n  client: C-1\n  milestones:\n"
    )
    time = "id,project,person,role,day,hours,approved,billable,note\n"
    line = "{},P-1,Ada,developer,2026-11-03,{},yes,yes,racks\n"
    content = {
        "projects.yaml": projects + "    - {id: concept, signed_off: 2026-11-02}\n",
        "time.csv": time + line.format("T-2", "0.1") + line.format("T-1", "1.5"),
    }
    spoil = _spoil(folder / "time.csv", "1.5", "long", "line 3", "hours")
    yield System(FilesPsa(folder), {"project": "P-1", "milestone": "concept"}, _files(folder, content), spoil)


@contextmanager
def psa_redmine(folder: Path) -> Iterator[System]:
    tracker = test_redmine.Tracker()
    tracker.project(2, "beta")
    tracker.project(1, "acme")
    version = {"id": 5, "name": "Concept", "status": "closed", "project": {"id": 1}}
    tracker.versions |= {each: [version | {"updated_on": "2026-11-02T12:00:00Z"}] for each in ("acme", "1")}
    tracker.entry(2, 1, 0.1)
    tracker.entry(1, 1, 1.5)

    def spoil() -> tuple[str, str]:
        tracker.entries[1]["hours"] = "long"
        return "time entry 1", "hours"

    written = [{"ours": "time_entry.invoice", "theirs": "custom_fields.Invoice", "direction": "out"}]
    with tracker.server as server:
        connection = _connection("redmine", Port.PSA, server, fields=written)
        ids = {"project": "acme", "milestone": "5", "bills": "1"}
        yield System(Redmine(connection, {"api_key": test_redmine.KEY}), ids, server.stop, spoil, server)
    assert tracker.server.refused == []


@contextmanager
def psa_jira(folder: Path) -> Iterator[System]:
    site = jira_site.JiraSite(page=1)
    site.project("BETA")
    site.project("ACME")
    site.version("ACME", "10001", released=True, releaseDate="2026-11-02", projectId=10001)
    issue = site.issue("ACME-1")
    site.worklog(issue, "2", "2026-11-03T09:00:00.000+0100", 360)
    site.worklog(issue, "1", "2026-11-03T09:00:00.000+0100", 5400)

    def spoil() -> tuple[str, str]:
        site.worklogs[issue][1]["timeSpentSeconds"] = "long"
        return "worklog 1", "timeSpentSeconds"

    with site.server as server:
        adapter = Jira(
            _connection("jira", Port.PSA, server), {"email": jira_site.EMAIL, "api_token": jira_site.TOKEN}
        )
        ids = {"project": "ACME", "milestone": "10001", "bills": "1"}
        yield System(adapter, ids, server.stop, spoil, server)
    assert site.server.refused == []


@contextmanager
def psa_xero_projects(folder: Path) -> Iterator[System]:
    organisation = xero_organisation.XeroOrganisation(page=1)
    organisation.project(2)
    project = organisation.project(1)
    organisation.entry(project, 2, "2026-11-03T09:00:00Z", 6)
    organisation.entry(project, 1, "2026-11-03T09:00:00Z", 90)

    def spoil() -> tuple[str, str]:
        organisation.time[project][1]["duration"] = "long"
        return xero_organisation.number(1001), "duration"

    with organisation.server as server:
        settings = {"zone": "UTC", "tenant_id": xero_organisation.TENANT, "identity_url": server.url}
        connection = _connection("xero-projects", Port.PSA, server, settings=settings)
        secrets = {"client_id": xero_organisation.CLIENT, "client_secret": xero_organisation.SECRET}
        yield System(XeroProjects(connection, secrets), {"project": project}, server.stop, spoil, server)
    assert organisation.server.refused == []


ALL = (
    Subject("", Port.CRM, crm_files),
    Subject("hubspot", Port.CRM, crm_hubspot),
    Subject("", Port.CONTRACTS, contracts_files),
    Subject("dropbox-sign", Port.CONTRACTS, contracts_dropbox_sign),
    Subject("", Port.PSA, psa_files),
    Subject("redmine", Port.PSA, psa_redmine),
    Subject("jira", Port.PSA, psa_jira),
    Subject("xero-projects", Port.PSA, psa_xero_projects),
)
