"""Readiness: every gap that would stop an invoice is found before the invoice is asked for."""

# ruff: noqa: E501 (a table of cases is read by its columns)

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.invoicing.readiness import Gap, Readiness, look
from activities.invoicing.sources import Systems
from billing.connections import Port
from tests.activities.crm.hubspot_account import ACME, TOKEN, HubSpotAccount
from tests.company import TestCompany, crm_client, retainer

TODAY = datetime.now(UTC).date()
PROJECT = {"id": "P-1", "name": "Rollout", "client": "C-1"}
CONTRACT = {"id": "CT-1", "client": "C-1", "value": "1000.00", "currency": "EUR", "signed_on": "2026-01-02"}
DEAL = {"id": "D-1", "client": "C-1", "value": "1000.00", "currency": "EUR", "won": True}
HOURS = f"1,P-1,Ada,developer,{TODAY},2,yes,yes,\n"

Change = Callable[[TestCompany], None]


@pytest.fixture
def company(tmp_path: Path) -> TestCompany:
    """One client with one retainer under a signed contract: nothing is missing."""
    company = TestCompany(tmp_path)
    company.agreements = [retainer("acme-care", "acme", "1000.00", contract="CT-1")]
    company.contracts = [CONTRACT]
    return company


def seen(company: TestCompany, **languages: list[str]) -> Readiness:
    company.write_sources()
    read = company.company()
    return look(
        read, Systems.in_folder(company.folder, read.integrations, read.connections), TODAY, languages
    )


def crm(**changes: Any) -> Change:
    return lambda company: company.crm.__setitem__(0, crm_client("C-1", "Acme GmbH", **changes))


def address(**changes: Any) -> Change:
    usual = {"street": "Weg 2", "postcode": "20095", "city": "Hamburg", "country": "DE"}
    return crm(address=usual | changes)


def client(**changes: Any) -> Change:
    return lambda company: company.clients[0].update(changes)


def agreement(**changes: Any) -> Change:
    return lambda company: company.agreements[0].update(changes)


def hourly(*projects: dict[str, Any], **changes: Any) -> Change:
    def change(company: TestCompany) -> None:
        company.projects = list(projects)
        company.time += HOURS
        record = {"id": "acme-care", "model": "time and materials", "client": "acme", "title": "Work"}
        record |= {"currency": "EUR", "every": "month", "project": "P-1", "contract": "CT-1"}
        company.agreements = [record | {"rates": {"developer": "100"}, "start": TODAY} | changes]

    return change


def authority(country: str, **changes: Any) -> Change:
    def change(company: TestCompany) -> None:
        numbers = {"DE": "DE129273398", "AT": "ATU13585627"}
        usual = {"street": "Weg 2", "postcode": "20095", "city": "Stadt", "country": country}
        crm(public_body=True, address=usual, vat_id=numbers[country])(company)
        client(**changes)(company)

    return change


def unknown(company: TestCompany) -> None:
    client(crm="C-9")(company)
    company.contracts[0] = {**CONTRACT, "client": "C-9"}


def test_ready(company: TestCompany) -> None:
    """Where all is there, there is no gap and nothing to remark."""
    found = seen(company)
    assert (found.gaps, found.ready, found.clients, found.agreements) == ([], True, 1, 1)


@pytest.mark.parametrize(
    ("change", "gap", "says", "needed"),
    [
        (unknown, ("", "CRM record"), "the CRM has no company 'C-9'", True),
        (crm(active=False), ("", "active client"), "not active in the CRM", True),
        (crm(billing_contact=None), ("", "billing contact"), "has no billing contact", True),
        (crm(vat_id="DE123"), ("", "VAT id"), "check digits do not fit", True),
        (crm(vat_id=""), ("", "VAT id"), "a business in DE has one", False),
        (address(country="FR"), ("", "tax"), "FR", True),
        (address(postcode=""), ("", "address"), "has no postcode", True),
        (address(street=" "), ("", "address"), "has no street", True),
        (authority("DE"), ("", "buyer reference"), "Leitweg-ID", True),
        (authority("DE", buyer_reference="04011000-1234512345-07"), ("", "buyer reference"), "Leitweg-ID", True),
        (authority("AT"), ("", "electronic address"), "electronic_address or buyer_reference", True),
        (client(language="sv"), ("", "language"), "no words in 'sv'", True),
        (client(currency="USD"), ("", "bank account"), "the issuer's account is in DE (EUR); see that it takes USD", False),
        (agreement(contract=None), ("acme-care", "contract"), "no contract is named", False),
        (agreement(contract="CT-9"), ("acme-care", "contract"), "there is no signed contract 'CT-9'", True),
        (agreement(amount="900.00"), ("acme-care", "value"), "contract 1,000.00 EUR", True),
        (agreement(deal="D-9"), ("acme-care", "deal"), "the CRM has no deal 'D-9'", True),
        (hourly(), ("acme-care", "project"), "the PSA has no project 'P-1'", True),
        (hourly({**PROJECT, "client": "C-2"}), ("acme-care", "client"), "PSA C-2 against agreement C-1", True),
        (hourly(PROJECT, rates={"lead": "150"}), ("acme-care", "rate"), "no rate is agreed for the role 'developer'", True),
    ],
)  # fmt: skip
def test_gaps(company: TestCompany, change: Change, gap: tuple[str, str], says: str, needed: bool) -> None:
    """Each gap is found alone, with client, agreement, what is missing, and what to do."""
    change(company)
    found = seen(company)
    told = [(each.agreement, each.what, each.needed) for each in found.gaps]
    assert told == [(*gap, needed)], found.gaps
    assert says in found.gaps[0].message
    assert found.ready is not needed
    assert found.clients_not_ready == int(needed)


@pytest.mark.parametrize(
    "change",
    [
        hourly(PROJECT),
        authority("DE", buyer_reference="04011000-1234512345-06"),
        authority("AT", electronic_address="9914:ATU13585627"),
        lambda company: company.agreements.append(
            retainer("old", "acme", "5.00", contract="CT-0", start=date(2024, 1, 1), end=TODAY - timedelta(days=1))
        ),
    ],
)  # fmt: skip
def test_no_gap(company: TestCompany, change: Change) -> None:
    """What is priced, addressed, or over is no gap."""
    change(company)
    assert seen(company).gaps == []


def test_what_comes_with_the_event(company: TestCompany) -> None:
    """A contract that has still to be signed is none where its signature is what bills."""
    agreement(contract="CT-9", trigger="contract signed")(company)
    company.agreements[0].pop("every")
    company.agreements[0] |= {"model": "fixed price", "project": "P-1"}
    company.projects = [PROJECT]
    assert [each.what for each in seen(company).gaps] == []


def test_a_language_of_ones_own(company: TestCompany) -> None:
    """A language the issuer has words in is none that is missing."""
    client(language="sv")(company)
    assert seen(company, berlin=["sv"]).gaps == []


def test_a_system_that_cannot_be_read(company: TestCompany) -> None:
    """A source that cannot be read is told once, not for every client; it is not ready."""
    company.clients.append({**company.clients[0], "id": "beta", "crm": "C-2"})
    company.write_sources()
    (company.folder / "data/crm/clients.yaml").write_text("- [")
    read = company.company()
    found = look(read, Systems.in_folder(company.folder, read.integrations), TODAY, {})
    assert list(found.unreadable) == [Port.CRM]
    assert [each.what for each in found.gaps] == ["agreement"]
    assert not found.ready


@pytest.fixture
def account() -> Iterator[HubSpotAccount]:
    account = HubSpotAccount().example()
    with account.server:
        yield account


def connect(company: TestCompany, account: HubSpotAccount, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("BILLOW_HUBSPOT_ACCESS_TOKEN", TOKEN)
    company.clients[0]["crm"] = ACME
    company.contracts[0] = {**CONTRACT, "client": ACME}
    connection = {"id": "hubspot", "provider": "hubspot", "port": "crm", "base_url": account.server.url}
    company.company_file["connections"] = [connection]


def test_a_live_system(
    company: TestCompany, account: HubSpotAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a live CRM each client's own fault is told, with the property to fill; the others are looked at all the same."""
    connect(company, account, monkeypatch)
    account.company("550002", city=None)
    company.clients.append({**company.clients[0], "id": "beta", "crm": "550002"})
    (of_acme, of_beta, remark) = seen(company).gaps
    assert of_acme == Gap("acme", "", "VAT id", "a business in DE has one; enter it, for the client's own bookkeeping asks for it", False)  # fmt: skip
    assert (of_beta.client, of_beta.what) == ("beta", "CRM record")
    assert "company 550002: property 'city' is empty; fill it in there" in of_beta.message
    assert remark.what == "agreement"


def test_a_live_system_without_credentials(
    company: TestCompany, account: HubSpotAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials that are wrong are told once, after one call."""
    connect(company, account, monkeypatch)
    monkeypatch.setenv("BILLOW_HUBSPOT_ACCESS_TOKEN", "other")
    found = seen(company)
    assert "renew the token" in found.unreadable[Port.CRM]
    assert found.gaps == []
    assert len(account.server.asked) == 1
