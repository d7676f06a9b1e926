"""Jira Cloud: what a site says becomes projects, milestones and hours; what was billed is marked there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.providers.provider import Told
from activities.psa.jira import Jira
from billing.connections import Connection
from billing.errors import SourceFaulty, SourceUnavailable
from billing.events import EventType
from billing.hours import together
from billing.periods import Period
from billing.sources import Milestone, Project
from tests.activities.psa.counterpart import HTML, Answer, limited
from tests.activities.psa.jira_site import EMAIL, TOKEN, JiraSite
from tests.activities.vendor_description import check_described, described

NOVEMBER = Period(start=date(2026, 11, 1), end=date(2026, 11, 30))
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture
def site() -> Iterator[JiraSite]:
    site = JiraSite(page=2)
    with site.server:
        yield site
    assert site.server.refused == []


def jira(site: JiraSite, secret: str = TOKEN, **changes: Any) -> Jira:
    settings = changes.pop("settings", {})
    record = {
        "id": "js",
        "provider": "jira",
        "port": "psa",
        "base_url": site.server.url,
        "settings": settings,
    }
    return Jira(Connection.model_validate(record | changes), {"email": EMAIL, "api_token": secret})


def mapped(**theirs: str) -> list[dict[str, str]]:
    return [{"ours": f"time_entry.{ours}", "theirs": path} for ours, path in theirs.items()]


def told(*records: str, number: str = "B-1", status: str = "issued") -> Told:
    return Told("work/time/2026-11-01", number, status, "100.00", "EUR", "", records)


def test_projects(site: JiraSite) -> None:
    """All pages of projects; the client by category, as the setting calls it; completed is the day of archiving."""
    for key in ("ACME", "BETA", "CORE"):
        site.project(key)
    site.project("OLD", archived=True, archivedDate="2026-11-03T23:30:00.000+0000", projectCategory=None)
    psa = jira(site, settings={"zone": "Europe/Berlin", "clients": "C-1=9870001"})
    found = psa.projects()
    assert [each.id for each in found] == ["ACME", "BETA", "CORE", "OLD"]
    assert found[0] == Project(id="ACME", name="Project ACME", client="9870001")
    assert (found[3].completed, found[3].client) == (date(2026, 11, 4), "")
    asked = len(site.server.asked)
    assert psa.projects() == found and len(site.server.asked) == asked  # within the seconds of a run
    assert psa.project("BETA") == found[1]
    assert psa.project("NONE") is None and psa.project("10000") is None


@pytest.mark.parametrize(
    ("started", "author_zone", "setting", "day"),
    [
        ("2026-11-03T23:30:00.000+0000", "Europe/Berlin", "", date(2026, 11, 4)),
        ("2026-11-03T23:30:00.000+0000", "America/New_York", "", date(2026, 11, 3)),
        ("2026-11-03T23:30:00.000+0000", "America/New_York", "Asia/Tokyo", date(2026, 11, 4)),
        ("2026-11-03T23:30:00.000-0800", None, "", date(2026, 11, 3)),
        ("2026-10-31T23:30:00.000+0000", "Europe/Berlin", "", date(2026, 11, 1)),
        ("2026-12-01T04:30:00.000+0000", "America/New_York", "", date(2026, 11, 30)),
        ("2026-11-30T23:30:00.000+0000", "Europe/Berlin", "", None),
    ],
)
def test_the_day_of_a_worklog(
    site: JiraSite, started: str, author_zone: str | None, setting: str, day: date | None
) -> None:
    """The day is that of who worked; a setting makes it that of one zone; a day outside the period is not in it."""
    site.project("ACME")
    author = {"accountId": "5b10a", "displayName": "Ada"} | ({"timeZone": author_zone} if author_zone else {})
    site.worklog(site.issue("ACME-1"), "1", started, 3600, author=author)
    found = jira(site, settings={"zone": setting}).time_entries("ACME", NOVEMBER)
    assert [each.day for each in found] == ([day] if day else [])


@pytest.mark.parametrize(
    ("seconds", "exact"),
    [
        (3600, "1"),
        (5400, "1.5"),
        (60 * 6, "0.1"),
        (27000, "7.5"),
        (1200, "0.3333333333"),
        (0, "0"),
        (36000, "10"),
    ],
)
def test_seconds_are_hours(site: JiraSite, seconds: int, exact: str) -> None:
    """Seconds become hours without a rounding that has an end; three times twenty minutes are an hour."""
    site.project("ACME")
    site.worklog(site.issue("ACME-1"), "1", "2026-11-03T09:00:00.000+0100", seconds)
    (entry,) = jira(site).time_entries("ACME", NOVEMBER)
    assert str(entry.hours) == exact
    if seconds == 1200:
        assert together([entry.hours] * 3) == 1


def test_worklogs(site: JiraSite) -> None:
    """Every worklog of every issue over all pages, more than an answer holds included; fields as mapped."""
    site.project("ACME")
    for n in range(5):
        issue = site.issue(f"ACME-{n}", customfield_7={"value": "Yes"} if n else None, labels=["ops"])
        for k in range(23 if n == 3 else 1):
            site.worklog(issue, str(100 * n + k), "2026-11-03T09:00:00.000+0100", 3600)
    site.issue("BETA-1")
    fields = mapped(approved="issue.fields.customfield_7", billable="issue.fields.labels=ops")
    psa = jira(site, fields=fields, settings={"roles": "5b10a=senior"})
    found = psa.time_entries("ACME", NOVEMBER)
    ids = [0, 100, 200, *range(300, 323), 400]
    assert [each.id for each in found] == sorted(map(str, ids))
    assert [each.id for each in found if not each.approved] == ["0"]
    first = found[-1]
    assert (first.person, first.role, first.task, first.ticket, first.note, first.billable) == (
        "Ada Blau", "senior", "Issue ACME-4", "ACME-4", "racks", True,
    )  # fmt: skip
    site.worklogs.clear()
    assert psa.time_entries("ACME", NOVEMBER) == ()  # deleted there


def test_a_field_of_the_worklog(site: JiraSite) -> None:
    """A property of the worklog can say whether it is approved; without it, it is not."""
    site.project("ACME")
    issue = site.issue("ACME-1")
    for each in ("1", "2"):
        site.worklog(issue, each, "2026-11-03T09:00:00.000+0100", 3600)
    site.properties["2", "approved"] = True
    found = jira(site, fields=mapped(approved="properties.approved")).time_entries("ACME", NOVEMBER)
    assert [(each.id, each.approved) for each in found] == [("1", False), ("2", True)]


def test_versions(site: JiraSite) -> None:
    """Versions are milestones: signed off on the release date; released without one, a person is told."""
    site.project("ACME")
    site.version("ACME", "10001", released=True, releaseDate="2026-11-10")
    site.version("ACME", "10002", releaseDate="2026-12-31")
    site.version("ACME", "10003", archived=True)
    psa = jira(site)
    assert psa.milestones("ACME")[:2] == (
        Milestone(id="10001", project="ACME", title="V10001", signed_off=date(2026, 11, 10)),
        Milestone(id="10002", project="ACME", title="V10002"),
    )
    assert psa.milestone("ACME", "10009") is None and psa.milestones("NONE") == ()
    site.version("ACME", "10004", released=True)
    with pytest.raises(
        SourceFaulty, match="version 10004 of project ACME is done and its field 'releaseDate' is empty"
    ):
        psa.milestones("ACME")


def test_epics(site: JiraSite) -> None:
    """Epics are milestones where the setting says so: done is signed off, on the day it was resolved."""
    site.project("ACME")
    done = {"status": {"statusCategory": {"key": "done"}}, "resolutiondate": "2026-11-10T23:30:00.000+0000"}
    site.issue("ACME-1", epic=True, **done)
    site.issue("ACME-2", epic=True, status={"statusCategory": {"key": "indeterminate"}}, resolutiondate=None)
    site.issue("ACME-3")
    psa = jira(site, settings={"milestones": "epics", "zone": "Europe/Berlin"})
    assert [(each.id, each.signed_off) for each in psa.milestones("ACME")] == [
        ("acme-1", date(2026, 11, 11)),
        ("acme-2", None),
    ]


def test_what_was_billed_is_marked(site: JiraSite) -> None:
    """Each billed worklog gets the number as a property, once; a credited invoice takes back its own number only."""
    site.project("ACME")
    issue = site.issue("ACME-1")
    for each in ("1", "2", "3"):
        site.worklog(issue, each, "2026-11-03T09:00:00.000+0100", 3600)
    psa = jira(site)
    psa.write_back(told("1", "2", "77"))
    assert site.properties == {("1", "billow-invoice"): "B-1", ("2", "billow-invoice"): "B-1"}
    before = len(site.server.asked)
    psa.write_back(told("1", "2", "77"))
    assert [each.method for each in site.server.asked[before:]] == ["POST"]  # looked, and nothing to write
    psa.write_back(told("2", number="B-2"))
    psa.write_back(told("1", "2", status="credited"))
    assert site.properties == {("2", "billow-invoice"): "B-2"}
    psa.write_back(told("3", number=""))
    assert len(site.properties) == 1


def test_polling(site: JiraSite) -> None:
    """A version released and a project archived since the cursor are told once each."""
    site.project("ACME")
    site.project("BETA")
    site.version("ACME", "10001")
    psa = jira(site)
    cursor = psa.changes(None, NOW).cursor
    site.versions["ACME"][0] |= {"released": True, "releaseDate": "2026-11-30"}
    site.projects[1] |= {"archived": True, "archivedDate": "2026-11-30T10:00:00.000+0000"}
    found = psa.changes(cursor, NOW)
    assert [(each.type, each.data.project, each.data.milestone) for each in found.events] == [
        (EventType.MILESTONE_SIGNED_OFF, "ACME", "10001"),
        (EventType.PROJECT_COMPLETED, "BETA", None),
    ]
    assert psa.changes(found.cursor, NOW).events == ()
    only_beta = jira(site, settings={"projects": "BETA"})
    assert [each.data.project for each in only_beta.changes(cursor, NOW).events] == ["BETA"]


def test_a_faulty_project_keeps_no_poll_back(site: JiraSite) -> None:
    """A project whose day of completion is none is named as the problem; what the others finished is told."""
    site.project("ACME", properties={"done": "soon"})
    site.project("BETA", properties={})
    psa = jira(site, fields=[{"ours": "project.completed", "theirs": "properties.done"}])
    first = psa.changes(None, NOW)
    assert "project ACME: field 'properties.done' is 'soon', not a day" in first.problem
    site.projects[1]["properties"]["done"] = "2026-11-30"
    found = psa.changes(first.cursor, NOW)
    assert [each.id for each in found.events] == ["project/BETA"]


def test_an_archived_project_keeps_its_hours(site: JiraSite) -> None:
    """Hours that cannot be read any more are not taken for none."""
    site.project("OLD", archived=True, archivedDate="2026-11-03T23:30:00.000+0000")
    with pytest.raises(SourceFaulty, match="archived; restore it"):
        jira(site).time_entries("OLD", NOVEMBER)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seconds": "1h"}, "worklog 1 of ACME-1: field 'timeSpentSeconds' is '1h', not a number"),
        ({"seconds": 3600.5}, "not a whole number"),
        ({"seconds": None}, "has no hours"),
        ({"started": 1762000000000}, "field 'started' is '1762000000000', not a day"),
        ({"author": {"displayName": ["Ada"], "accountId": "x"}}, "field 'author.displayName' is"),
        ({"author": {"displayName": "Ada", "accountId": "x", "timeZone": "Mars/Base"}}, "not a time zone"),
    ],
)
def test_a_field_of_another_type(site: JiraSite, changes: dict[str, Any], said: str) -> None:
    """A field whose type changed is named with the record and its value, and nothing is guessed."""
    site.project("ACME")
    usual: dict[str, Any] = {"started": "2026-11-03T09:00:00.000+0100", "seconds": 3600}
    site.worklog(site.issue("ACME-1"), "1", **(usual | changes))
    with pytest.raises(SourceFaulty, match=r"^Jira: .*") as raised:
        jira(site).time_entries("ACME", NOVEMBER)
    assert said in str(raised.value)


def test_when_it_misbehaves(site: JiraSite) -> None:
    """Too many requests are waited for; a page of HTML, a wrong token and half a search are told apart."""
    site.project("ACME")
    site.server.next_answers = [limited(), limited()]
    assert [each.id for each in jira(site).projects()] == ["ACME"]
    site.server.next_answers = [limited()] * 4
    with pytest.raises(SourceUnavailable, match="Jira cannot be asked now: HTTP 429") as raised:
        jira(site).projects()
    assert not isinstance(raised.value, SourceFaulty)
    site.server.next_answers = [HTML]
    with pytest.raises(SourceFaulty, match=r"Jira answers .* with text/html where JSON was expected"):
        jira(site).projects()
    with pytest.raises(SourceFaulty, match="HTTP 401; it does not know the credentials") as refused:
        jira(site, secret="wrong-token").projects()
    assert "wrong-token" not in str(refused.value)
    psa = jira(site)
    psa.projects()
    site.server.next_answers = [Answer(200, {"issues": [], "isLast": False})]
    with pytest.raises(SourceFaulty, match="end in the middle"):
        psa.time_entries("ACME", NOVEMBER)
    site.server.next_answers = [Answer(200, {"issues": [], "isLast": False, "nextPageToken": "t0"})] * 3
    with pytest.raises(SourceFaulty, match="without an end"):
        psa.time_entries("ACME", NOVEMBER)


def test_samples(site: JiraSite) -> None:
    """Each mapped field with a value, and what is wrong with the one that has none."""
    site.project("ACME", projectCategory=None)
    site.version("ACME", "10001", releaseDate="2026-11-10")
    site.worklog(site.issue("ACME-1"), "1", "2026-11-03T09:00:00.000+0100", "1h")
    found = {each.ours: each for each in jira(site).samples()}
    assert found["time_entry.person"].value == "Ada Blau"
    assert found["time_entry.day"].value == "2026-11-03"
    assert "is empty" in found["project.client"].problem
    assert "not a number" in found["time_entry.hours"].problem
    assert found["milestone.signed_off"].value == "2026-11-10"
    site.projects.clear()
    site.issues.clear()
    assert {each.problem for each in jira(site).samples()} == {
        ""
    }  # nothing is there yet: no fault of the fields


@pytest.fixture
def prism(tmp_path: Path) -> Iterator[str]:
    """Prism, answering by Atlassian's own description."""
    with described("jira.yaml", tmp_path) as url:
        yield url


def test_by_the_vendors_description(site: JiraSite, prism: str) -> None:
    """Every request of ours that Atlassian's description knows is one it allows."""
    site.project("ACME")
    site.version("ACME", "10001", released=True, releaseDate="2026-11-10")
    issue = site.issue("ACME-1")
    for n in range(22):
        site.worklog(issue, str(n + 1), "2026-11-03T09:00:00.000+0100", 3600)
    psa = jira(site, fields=mapped(approved="properties.approved"))
    psa.projects()
    psa.project("ACME")
    psa.time_entries("ACME", NOVEMBER)
    psa.write_back(told("1", "2"))
    assert psa.is_released("10001")
    known = check_described(prism, site.server.asked)
    places = {each.partition("/rest/api/3/")[2].split("/")[0] for each in known}
    assert places >= {"project", "issue", "worklog", "version"}
