"""Runs over a connected CRM: as few calls as can be, bounded while it is down, and nothing billed twice after."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from activities.invoicing import billing_runs, live_source
from activities.invoicing.assembling import assemble_draft
from activities.invoicing.effects import Effects
from activities.invoicing.live_source import LiveSource
from activities.invoicing.reconciliation import reconcile
from activities.ledger import billing_run_records, integrations
from activities.ledger.billing_run_records import RunItem
from activities.ledger.tables import ExceptionRow, InvoiceRow
from activities.providers import http
from billing.connections import Connection, Port
from billing.errors import SourceClosed, SourceFaulty, SourceUnavailable
from tests.activities.crm.hubspot_account import TOKEN, HubSpotAccount
from tests.activities.psa.counterpart import Answer, Counterpart
from tests.company import TestCompany, client, retainer
from workers.assembly import effects
from workers.settings import Settings
from workflows.messages import StepInput

NOW = datetime.now(UTC)
AGREEMENTS, CLIENTS = 60, 20


class Crm:
    """An account of many companies, behind a server that can be down."""

    def __init__(self) -> None:
        self.account = HubSpotAccount()
        self.down = False
        self.server = Counterpart(lambda asked: Answer(503) if self.down else self.account.answer(asked))
        for n in range(CLIENTS):
            self.account.company(f"{7000 + n}")
            self.account.contact(f"{9000 + n}", f"{7000 + n}", "Billing contact")

    def connection(self) -> Connection:
        return Connection(id="hubspot", provider="hubspot", port=Port.CRM, base_url=self.server.url)

    def calls(self) -> Counter[str]:
        """By kind of call, since the last time."""
        found = Counter("/".join(each.path.split("/")[4:5]) or each.path for each in self.server.asked)
        self.server.asked.clear()
        return found


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crm]:
    monkeypatch.setenv("BILLOW_HUBSPOT_ACCESS_TOKEN", TOKEN)
    monkeypatch.setattr(http, "_FIRST_PAUSE", 0.001)
    crm = Crm()
    with crm.server:
        yield crm


@pytest.fixture
def outside(settings: Settings, company: TestCompany, crm: Crm) -> Iterator[Effects]:
    """The company of twenty clients with three retainers each runs."""
    made = effects(settings)
    company.clients = [client(f"client-{n}", f"{7000 + n}") for n in range(CLIENTS)]
    company.agreements = [retainer(f"care-{n}", f"client-{n % CLIENTS}", "100") for n in range(AGREEMENTS)]
    company.company_file["connections"] = [crm.connection().model_dump(mode="json")]
    company.apply(made.ledger)
    yield made
    made.ledger.close()


def keys(outside: Effects) -> list[str]:
    with outside.ledger.transaction() as tx:
        return list(tx.scalars(select(InvoiceRow.billing_key)))


def held(outside: Effects, run: str) -> list[RunItem]:
    with outside.ledger.transaction() as tx:
        return [each for each in billing_run_records.items(tx, run, None) if each.code]


def test_calls(outside: Effects, crm: Crm) -> None:
    """A run and the drafts it asks for read each client once: three calls a client, however many agreements it has."""
    billing_runs.run(outside.ledger, "first", NOW)
    assert sum(crm.calls().values()) == 3 * CLIENTS
    for key in keys(outside):
        assemble_draft(outside, StepInput(billing_key=key, as_of=NOW))
    assert len(keys(outside)) == AGREEMENTS
    assert sum(crm.calls().values()) == 0
    assert crm.server.refused == []


def test_fresh_for_a_person(outside: Effects, crm: Crm) -> None:
    """What a person asked to be looked at again is read anew, however fresh it is."""
    crm.account.objects["companies"]["7000"]["country"] = "Nowhere"
    billing_runs.run(outside.ledger, "first", NOW)
    crm.account.objects["companies"]["7000"]["country"] = "Germany"
    key = next(each for each in keys(outside) if each.startswith("care-1/"))
    assemble_draft(outside, StepInput(billing_key=key, as_of=NOW))
    crm.calls()
    with outside.ledger.transaction() as tx:
        row = tx.scalars(select(InvoiceRow).where(InvoiceRow.billing_key == key)).one()
        row.document_status, row.fetch_again_for = "draft", "pia"
    assemble_draft(outside, StepInput(billing_key=key, as_of=NOW))
    assert sum(crm.calls().values()) == 3


def test_a_run_while_it_is_down(outside: Effects, crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is held with one exception and a handful of calls; the next run bills everything, once."""
    crm.down = True
    monkeypatch.setattr(live_source, "DOWN_FOR", 60.0)
    began = time.monotonic()
    billing_runs.run(outside.ledger, "down", NOW)
    assert time.monotonic() - began < 10
    assert sum(crm.calls().values()) == live_source.DOWN_AFTER * 4
    assert keys(outside) == []
    assert len(held(outside, "down")) == AGREEMENTS
    with outside.ledger.transaction() as tx:
        (raised,) = tx.scalars(select(ExceptionRow).where(ExceptionRow.resolved_at.is_(None)))
        assert "HubSpot cannot be asked now: HTTP 503" in raised.finding["message"]
        assert raised.owner == "pia"
        assert integrations.of(tx, "hubspot").failing_since == NOW
    crm.down = False
    live_source._state_of.cache_clear()  # the twenty seconds are over
    later = NOW + timedelta(hours=1)
    billing_runs.run(outside.ledger, "up", later)
    billing_runs.run(outside.ledger, "again", later)
    assert len(keys(outside)) == len(set(keys(outside))) == AGREEMENTS
    with outside.ledger.transaction() as tx:
        assert tx.scalars(select(ExceptionRow).where(ExceptionRow.resolved_at.is_(None))).all() == []
        assert integrations.of(tx, "hubspot").failing_since is None


def test_reconciliation_while_it_is_down(outside: Effects, crm: Crm) -> None:
    """Reconciliation ends, says what it could not read, and closes nothing."""
    crm.down = True
    found = reconcile(outside.ledger, NOW)
    assert "HubSpot cannot be asked now" in found.unreadable["crm"]
    assert found.repaired == 0


def test_down(crm: Crm) -> None:
    """After three questions without an answer it is left alone; one that is answered counts from the beginning."""
    source = LiveSource(crm.connection())
    assert source.client("7000").id == "7000"
    for wanted in ("7001", "7001", "7001", "7002"):
        crm.down = True
        with pytest.raises(SourceUnavailable, match="HTTP 503"):
            source.client(wanted)
    crm.down = False
    assert source.client("7003").id == "7003"
    crm.down = True
    for wanted in ("7001", "7002", "7003"):
        with pytest.raises(SourceUnavailable, match="HTTP 503"):
            source.client(wanted)
    crm.down = False
    crm.calls()
    with pytest.raises(SourceUnavailable, match="HTTP 503") as left_alone:
        source.client("7000")
    assert left_alone.value.system == "HubSpot (hubspot)"
    assert sum(crm.calls().values()) == 0


def test_a_defect(crm: Crm) -> None:
    """What an adapter makes no sense of names the vendor and the record; a type that changed names the property."""
    source = LiveSource(crm.connection())
    crm.account.answer = lambda asked: Answer(200, {"id": "7000", "properties": {"name": 5}})  # type: ignore[method-assign]  # noqa: ARG005
    with pytest.raises(SourceFaulty, match="HubSpot") as error:
        source.client("7000")
    assert not isinstance(error.value, SourceClosed)
    crm.account.answer = lambda asked: Answer(200, ["7000"])  # type: ignore[method-assign]  # noqa: ARG005
    with pytest.raises(SourceFaulty, match="HubSpot answers client 7000 in a way nobody here understands"):
        source.client("7000")


def test_without_credentials(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection without its secret is built, and refuses by the name of the variable once it is asked."""
    monkeypatch.delenv("BILLOW_HUBSPOT_ACCESS_TOKEN")
    source = LiveSource(crm.connection())
    with pytest.raises(SourceClosed, match="set the environment variable BILLOW_HUBSPOT_ACCESS_TOKEN"):
        source.client("7000")


def test_slow_by_many_calls(crm: Crm) -> None:
    """Many calls that each answer in time are bounded together; the vendor and the call it came to are named."""
    source = LiveSource(crm.connection())
    with (
        http.at_most(0.0),
        pytest.raises(SourceUnavailable, match=r"HubSpot takes too long, up to GET /crm/v3"),
    ):
        source.client("7000")
    with http.at_most(30), http.at_most(0.0), pytest.raises(SourceUnavailable):
        source.client("7000")
    with http.at_most(30):
        assert source.client("7000").id == "7000"
