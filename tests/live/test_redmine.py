"""A real Redmine behind a real company: hours logged there are billed once, closing there bills, too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.testing import WorkflowEnvironment

from activities.invoicing import metering, polling
from activities.ledger import commands, events, integrations, invoices, meter_entries
from activities.ledger.events import EventStatus
from activities.ledger.tables import BilledItemRow, InvoiceRow
from activities.providers.provider import Told
from activities.providers.registry import adapter
from activities.psa import redmine as redmine_adapter
from activities.psa.redmine import Redmine
from billing.approval_policy import Channel
from billing.connections import Connection
from billing.draft import Draft
from billing.periods import Period
from tests.company import TestCompany, first_of_month, retainer
from tests.live.redmine_server import API_KEY, RedmineServer
from tests.mail_server import MailServer
from tests.stories.story import Story, now, telling
from tests.stories.test_billing_runs import months_ago, started
from workers.settings import Settings

DEVELOPMENT, DESIGN = 9, 8
"""Activities of Redmine's standard data."""

APPROVED, INVOICE = 2, 3
"""Custom fields of a time entry."""


def connection(url: str) -> Connection:
    fields = [
        {"ours": "project.client", "theirs": "custom_fields.CRM client"},
        {"ours": "time_entry.approved", "theirs": "custom_fields.Approved"},
        {"ours": "time_entry.invoice", "theirs": "custom_fields.Invoice", "direction": "out"},
    ]
    settings = {"zone": "Europe/Berlin", "roles": "Development=senior"}
    return Connection.model_validate(
        {
            "id": "pm",
            "provider": "redmine",
            "port": "psa",
            "base_url": url,
            "fields": fields,
            "settings": settings,
        }
    )


@pytest.fixture
async def story(
    temporal_env: WorkflowEnvironment,
    settings: Settings,
    smtp: MailServer,
    redmine: RedmineServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Story]:
    """A company whose PSA is that Redmine."""
    monkeypatch.setenv("BILLOW_PM_API_KEY", API_KEY)
    company = TestCompany(tmp_path / "company")
    company.company_file["connections"] = [connection(redmine.url)]
    async with telling(temporal_env, settings, smtp, company) as told:
        yield told


@pytest.fixture
def psa(redmine: RedmineServer) -> Redmine:
    found = adapter(connection(redmine.url), {"BILLOW_PM_API_KEY": API_KEY})
    assert isinstance(found, Redmine)
    return found


def project(redmine: RedmineServer, name: str) -> str:
    """A project of Acme, with an issue tracker and time tracking."""
    modules = ["issue_tracking", "time_tracking"]
    client = [{"id": 1, "value": "C-1"}]
    content = {"name": name, "identifier": name, "enabled_module_names": modules, "custom_fields": client}
    redmine.ask("POST", "/projects.json", project=content)
    return name


def log(redmine: RedmineServer, project: str, day: date, hours: str, **changes: Any) -> str:
    """Logs approved hours; returns the entry's id."""
    approved = [{"id": APPROVED, "value": "1"}]
    entry = {
        "spent_on": day.isoformat(),
        "hours": hours,
        "activity_id": DEVELOPMENT,
        "custom_fields": approved,
    }
    number = redmine.ask("GET", f"/projects/{project}.json")["project"]["id"]
    answer = redmine.ask("POST", "/time_entries.json", time_entry={"project_id": number, **entry, **changes})
    return str(answer["time_entry"]["id"])


def marks(redmine: RedmineServer, *entries: str) -> list[str]:
    """What stands in the invoice field of entries."""
    found = [redmine.ask("GET", f"/time_entries/{each}.json")["time_entry"] for each in entries]
    return [
        each["value"] or "" for entry in found for each in entry["custom_fields"] if each["id"] == INVOICE
    ]


def work(project: str, **changes: Any) -> dict[str, Any]:
    """Time and materials on a project since last month."""
    record = retainer(
        "work", "acme", "1", model="time and materials", project=project, rates={"senior": "120"}
    )
    del record["amount"]
    return {**record, "start": months_ago(1), **changes}


def draft_of(story: Story, key: str) -> Draft:
    return Draft.model_validate(story.row(key).draft)


def billed(story: Story) -> list[tuple[str, str]]:
    """Every time entry that stands on an invoice, with its invoice."""
    query = (
        select(BilledItemRow.item, InvoiceRow.billing_key)
        .join(InvoiceRow, InvoiceRow.id == BilledItemRow.invoice)
        .where(BilledItemRow.source == "psa/time")
        .order_by(BilledItemRow.item)
    )
    with story.effects.ledger.transaction() as tx:
        return [(row.item, row.billing_key) for row in tx.execute(query)]


async def test_hours_become_lines_once(story: Story, redmine: RedmineServer, psa: Redmine) -> None:
    """Hours logged in Redmine are the lines of an invoice; they are marked there with its number; they are never billed
    again: not by a copy, not by a second run, not after an entry was changed, not by the period after."""
    last = months_ago(1)
    name = project(redmine, "roll-out")
    first = log(redmine, name, last, "7.5", comments="racks")
    second = log(redmine, name, last + timedelta(days=27), "1:06")
    story.company.agreements = [work(name)]
    story.begin()

    run = await (await started(story, "redmine-1", agreements=["work"])).result()
    key = f"work/time/{last}"
    assert run.triggered == 1
    await story.waits(key, "payment of EUR 1,228.08")  # 8.6 h × 120.00 = 1,032.00, and 19 %
    (line,) = draft_of(story, key).lines
    assert (line.quantity, line.unit_price, line.net) == (Decimal("8.6"), Decimal(120), Decimal("1032.00"))
    assert billed(story) == sorted([(first, key), (second, key)])
    number = story.row(key).number
    assert number

    told = Told(key, number, "issued", "1228.08", "EUR", "", (first, second, "999999"))
    psa.write_back(told)
    assert marks(redmine, first, second) == [number, number]
    before = redmine.ask("GET", f"/time_entries/{first}.json")
    psa.write_back(told)
    assert redmine.ask("GET", f"/time_entries/{first}.json") == before

    commands.resend(story.effects.ledger, key, to=None, by="pia", channel=Channel.CLI, at=now())
    await story.until(lambda: len(story.mails("ap@client.example")) == 2, "the copy")
    redmine.ask("PUT", f"/time_entries/{first}.json", time_entry={"hours": "9"})
    again = await (await started(story, "redmine-2", agreements=["work"])).result()
    assert again.triggered == 0
    third = log(redmine, name, first_of_month(), "2")
    redmine.ask("PUT", f"/time_entries/{second}.json", time_entry={"spent_on": first_of_month().isoformat()})
    early = story.trigger("work")
    assert early == f"work/time/{first_of_month()}"
    await story.happens(early, "assembled")
    assert billed(story) == sorted([(first, key), (second, key), (third, early)])
    assert [each.quantity for each in draft_of(story, early).lines] == [Decimal(2)]
    assert draft_of(story, key).lines == (line,)


async def test_unapproved_hours_are_not_billed(story: Story, redmine: RedmineServer) -> None:
    """Hours nobody approved in the mapped field stand on no invoice: a person is asked first."""
    last = months_ago(1)
    name = project(redmine, "unapproved")
    done = log(redmine, name, last, "3")
    log(redmine, name, last, "5", custom_fields=[])
    story.company.agreements = [work(name)]
    story.begin()
    await (await started(story, "redmine-3", agreements=["work"])).result()
    key = f"work/time/{last}"
    await story.waits(key, "decision on")
    assert [item for item, _ in billed(story)] in ([], [done])
    with story.effects.ledger.transaction() as tx:
        (found,) = invoices.open_exceptions(tx, invoices.find(tx, key))
    assert "5 hours of" in found.finding["message"]


async def test_closing_a_project_bills_it(story: Story, redmine: RedmineServer) -> None:
    """A project is closed in Redmine: the next poll says so, and the invoice of its fixed price goes out, once; a crash
    that loses the cursor repeats the event, and bills nothing more."""
    name = project(redmine, "move")
    log(redmine, name, months_ago(1), "4")
    record = retainer("move", "acme", "500.00", model="fixed price", project=name, start=months_ago(1))
    del record["every"]
    story.company.agreements = [record]
    story.begin()
    poll(story, redmine)
    before = cursor(story)
    assert poll(story, redmine) == 0

    redmine.ask("PUT", f"/projects/{name}/close.json")
    assert poll(story, redmine) == 1
    await story.until(lambda: statuses(story) == {f"project/{name}": EventStatus.ACTED_ON}, "the event")
    await story.waits("move/price", "payment of EUR 595.00")

    cursor(story, before)
    assert poll(story, redmine) == 0
    redmine.ask("PUT", f"/projects/{name}/reopen.json")
    assert poll(story, redmine) == 0
    redmine.ask("PUT", f"/projects/{name}/close.json")
    assert poll(story, redmine) == 0
    assert len(story.mails("ap@client.example")) == 1


async def test_closing_a_version_signs_a_milestone_off(story: Story, redmine: RedmineServer) -> None:
    """A version is closed in Redmine: its milestone is billed; that of a project billed by hours makes nothing due."""
    name, other = project(redmine, "build"), project(redmine, "by-hours")
    plan, release = (
        redmine.ask("POST", f"/projects/{each}/versions.json", version={"name": "V1"})["version"]["id"]
        for each in (name, other)
    )
    record = retainer("build", "acme", "1", model="milestone", project=name, start=months_ago(1))
    del record["amount"], record["every"]
    record["milestones"] = [{"id": str(plan), "title": "Plan", "amount": "200.00"}]
    story.company.agreements = [record, work(other)]
    story.begin()
    poll(story, redmine)

    for version in (plan, release):
        redmine.ask("PUT", f"/versions/{version}.json", version={"status": "closed"})
    assert poll(story, redmine) == 2
    expected = {
        f"milestone/{name}/{plan}": EventStatus.ACTED_ON,
        f"milestone/{other}/{release}": EventStatus.NOTHING_DUE,
    }
    await story.until(lambda: statuses(story) == expected, "both events")
    await story.waits(f"build/{plan}", "payment of EUR 238.00")


def poll(story: Story, redmine: RedmineServer) -> int:
    """Asks Redmine what is new; how many events that are new to us."""
    found = polling.poll(story.effects.ledger, connection(redmine.url), now())
    assert found.problem == ""
    return found.events


def cursor(story: Story, changed: str | None = None) -> str | None:
    """Where polling stands; given, where it is to stand."""
    with story.effects.ledger.transaction() as tx:
        state = integrations.of(tx, "pm", lock=True)
        state.cursor = changed or state.cursor
        return state.cursor


def statuses(story: Story) -> dict[str, str]:
    with story.effects.ledger.transaction() as tx:
        return {row.event: row.status for row in events.listed(tx, None, 100)}


async def test_a_closed_project_keeps_its_entries_as_they_are(redmine: RedmineServer, psa: Redmine) -> None:
    """Entries of a closed project cannot be marked; the error says what to do, and the others are marked."""
    name, other = project(redmine, "shut"), project(redmine, "open")
    shut, free = (log(redmine, each, months_ago(1), "1") for each in (name, other))
    redmine.ask("PUT", f"/projects/{name}/close.json")
    with pytest.raises(Exception, match="reopen it"):
        psa.write_back(Told("k", "B-9", "issued", "1", "EUR", "", (shut, free)))
    assert marks(redmine, shut, free) == ["", "B-9"]


async def test_hours_are_metered(story: Story, redmine: RedmineServer) -> None:
    """What a meter reads of Redmine is what was logged there, subprojects apart."""
    name = project(redmine, "metered")
    number = redmine.ask("GET", f"/projects/{name}.json")["project"]["id"]
    sub = {
        "name": "sub",
        "identifier": "metered-sub",
        "parent_id": number,
        "enabled_module_names": ["time_tracking"],
    }
    redmine.ask("POST", "/projects.json", project=sub)
    logged = log(redmine, name, months_ago(1), "2")
    log(redmine, "metered-sub", months_ago(1), "64")
    record = retainer("block", "acme", "1", model="prepaid block", project=name, start=months_ago(1))
    del record["every"], record["amount"]
    story.company.agreements = [{**record, "hours": "10", "price": "1000.00"}]
    story.begin()
    assert metering.take_in(story.effects.ledger, now()).unread == {}
    with story.effects.ledger.transaction() as tx:
        (entry,) = meter_entries.live(tx, ["block"])
    assert (entry.id, entry.quantity, entry.role) == (logged, Decimal(2), "senior")
    found = Redmine(connection(redmine.url), {"api_key": API_KEY}).project("metered-sub")
    assert found is not None and found.client == "C-1"


def test_more_than_a_page(redmine: RedmineServer, psa: Redmine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries on several of Redmine's pages are read, each once; pages are small here, to log few."""
    monkeypatch.setattr(redmine_adapter, "_AT_MOST", 4)
    name = project(redmine, "long")
    logged = [log(redmine, name, months_ago(1), "0.25") for _ in range(9)]
    period = Period(start=months_ago(1), end=first_of_month())
    assert [each.id for each in psa.time_entries(name, period)] == sorted(logged)
