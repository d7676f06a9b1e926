"""Xero Projects: what an organisation says becomes projects and hours, as Xero's own client reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from xero_python.api_client import ApiClient, Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.project import ProjectApi

from activities.psa import xero_projects
from activities.psa.xero_projects import XeroProjects
from billing.connections import Connection
from billing.errors import SourceFaulty, SourceUnavailable
from billing.hours import together
from billing.periods import Period
from billing.sources import Project
from tests.activities.psa.counterpart import HTML, Answer, limited
from tests.activities.psa.xero_organisation import CLIENT, SECRET, TENANT, TRAVEL, XeroOrganisation, number

FEBRUARY = Period(start=date(2020, 2, 1), end=date(2020, 2, 29))
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture
def organisation() -> Iterator[XeroOrganisation]:
    organisation = XeroOrganisation(page=2)
    with organisation.server:
        yield organisation
    assert organisation.server.refused == []


def xero(organisation: XeroOrganisation, secret: str = SECRET, **settings: str) -> XeroProjects:
    url = organisation.server.url
    given = {"zone": "Australia/Sydney", "tenant_id": TENANT, "identity_url": url, **settings}
    record = {"id": "xp", "provider": "xero-projects", "port": "psa", "base_url": url, "settings": given}
    return XeroProjects(Connection.model_validate(record), {"client_id": CLIENT, "client_secret": secret})


def official(organisation: XeroOrganisation) -> ProjectApi:
    """Xero's own client, talking to the same server."""
    token = {"access_token": f"token-{organisation.tokens}", "token_type": "Bearer", "expires_in": 1800}
    kept = {**token, "scope": ["projects.read"], "expires_at": NOW.timestamp() + 10**6}
    client = ApiClient(
        Configuration(oauth2_token=OAuth2Token()),
        oauth2_token_getter=lambda: kept,
        oauth2_token_saver=lambda _: None,
    )
    client.set_oauth2_token(kept)
    return ProjectApi(client, organisation.server.url)


def test_as_the_official_client_reads_it(organisation: XeroOrganisation) -> None:
    """The server is one Xero's client understands, and both read the same out of it."""
    project = organisation.project(1)
    organisation.project(2, status="CLOSED", minutesLogged=0, deadlineUtc="2020-03-03T15:00:00Z")
    organisation.entry(project, 1, "2020-02-27T15:00:00Z", 45)
    organisation.entry(project, 2, "2020-02-26T15:00:00Z", 30)
    psa = xero(organisation)
    ours = psa.projects()
    client = official(organisation)
    theirs = client.get_projects(TENANT, page=1, page_size=50).items
    assert [(each.id, each.name, each.client) for each in ours] == [
        (each.project_id, each.name, each.contact_id) for each in theirs
    ]
    assert [each.completed is not None for each in ours] == [each.status.value == "CLOSED" for each in theirs]
    entries = {each.id: each for each in psa.time_entries(project, FEBRUARY)}
    tasks = {each.task_id: each.name for each in client.get_tasks(TENANT, project).items}
    users = {each.user_id: each.name for each in client.get_project_users(TENANT).items}
    read = client.get_time_entries(TENANT, project, page=1, page_size=50).items
    assert len(read) == len(entries) == 2
    for each in read:
        mine = entries[each.time_entry_id]
        assert mine.hours == Decimal(each.duration) / 60
        assert (mine.note, mine.task, mine.person) == (
            each.description,
            tasks[each.task_id],
            users[each.user_id],
        )


def test_projects(organisation: XeroOrganisation) -> None:
    """All pages; a closed one was completed on its last day of work, else at its deadline, asked for once."""
    for n in range(1, 6):
        organisation.project(n)
    worked = organisation.project(6, status="CLOSED", deadlineUtc="2020-06-30T14:00:00Z")
    organisation.entry(worked, 1, "2020-02-27T15:00:00Z", 45)
    idle = organisation.project(7, status="CLOSED", deadlineUtc="2020-06-30T14:00:00Z")
    psa = xero(organisation, clients=f"{number(900)}=C-1")
    found = {each.id: each for each in psa.projects()}
    assert len(found) == 7
    assert found[number(1)] == Project(id=number(1), name="Project 1", client="C-1")
    assert found[worked].completed == date(2020, 2, 28)  # in Sydney
    assert found[idle].completed == date(2020, 7, 1)
    asked = len(organisation.server.asked)
    psa.projects()
    assert len(organisation.server.asked) == asked
    assert psa.project(worked) == found[worked] and psa.project(number(99)) is None
    lost = organisation.project(8, status="CLOSED", minutesLogged=0)
    with pytest.raises(
        SourceFaulty, match=f"project {lost} is closed, and neither time nor field 'deadlineUtc'"
    ):
        psa.project(lost)


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        ("2020-02-27T15:00:00Z", "Australia/Sydney", date(2020, 2, 28)),
        ("2020-02-27T12:59:59Z", "Australia/Sydney", date(2020, 2, 27)),
        ("2020-01-31T13:00:00Z", "Australia/Sydney", date(2020, 2, 1)),
        ("2020-02-29T13:00:00Z", "Australia/Sydney", None),
        ("2020-03-01T04:59:00Z", "America/New_York", date(2020, 2, 29)),
        ("2020-02-01T00:00:00.1234567Z", "UTC", date(2020, 2, 1)),
    ],
)
def test_the_day_of_an_entry(organisation: XeroOrganisation, at: str, zone: str, day: date | None) -> None:
    """A moment is a day in the organisation's zone; the period is asked for with a margin."""
    project = organisation.project(1)
    organisation.entry(project, 1, at, 60)
    found = xero(organisation, zone=zone).time_entries(project, FEBRUARY)
    assert [each.day for each in found] == ([day] if day else [])


@pytest.mark.parametrize(
    ("minutes", "hours"), [(60, "1"), (45, "0.75"), (3, "0.05"), (20, "0.3333333333"), (600, "10"), (0, "0")]
)
def test_minutes_are_hours(organisation: XeroOrganisation, minutes: int, hours: str) -> None:
    """Minutes become hours without a rounding that has an end."""
    project = organisation.project(1)
    organisation.entry(project, 1, "2020-02-10T00:00:00Z", minutes)
    (entry,) = xero(organisation).time_entries(project, FEBRUARY)
    assert str(entry.hours) == hours
    if minutes == 20:
        assert together([entry.hours] * 6) == 2


def test_what_is_billable(organisation: XeroOrganisation) -> None:
    """Not what the task does not charge, and not what Xero itself has invoiced."""
    project = organisation.project(1)
    for n, changes in enumerate(({}, {"taskId": TRAVEL}, {"status": "INVOICED"}, {"status": "LOCKED"}, {})):
        organisation.entry(project, n, "2020-02-10T00:00:00Z", 60, **changes)
    found = xero(organisation).time_entries(project, FEBRUARY)
    assert [each.billable for each in found] == [True, False, False, True, True]
    assert (found[0].role, found[1].role, {each.approved for each in found}) == ("Racks", "Travel", {True})
    assert xero(organisation).time_entries(number(99), FEBRUARY) == ()


def test_the_access_token(organisation: XeroOrganisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """One token serves until shortly before it ends, then another one is had; a wrong secret is told, not shown."""
    organisation.project(1)
    psa = xero(organisation)
    for _ in range(3):
        psa.project(number(1))
    assert organisation.tokens == 1
    monkeypatch.setattr(xero_projects, "_EARLIER", 1800.0)
    psa = xero(organisation)
    psa.project(number(1))
    psa.project(number(1))
    assert organisation.tokens == 3
    with pytest.raises(SourceFaulty, match=r"Xero's sign-in refuses .*401") as refused:
        xero(organisation, secret="not-it").projects()
    assert "not-it" not in str(refused.value)
    organisation.server.next_answers = [Answer(200, {"error": "x"})]
    with pytest.raises(SourceFaulty, match="gives no access token"):
        xero(organisation).projects()


def test_polling(organisation: XeroOrganisation) -> None:
    """A project that was closed since the cursor is told, under the same id each time."""
    organisation.project(1)
    organisation.project(2, status="CLOSED", deadlineUtc="2020-03-03T15:00:00Z")
    psa = xero(organisation)
    cursor = psa.changes(None, NOW).cursor
    organisation.projects[0]["status"] = "CLOSED"
    found = psa.changes(cursor, NOW)
    assert [each.id for each in found.events] == [f"project/{number(1)}"]
    assert psa.changes(cursor, NOW).events == found.events
    assert psa.changes(found.cursor, NOW).events == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"minutes": "45 min"}, "field 'duration' is '45 min', not a number"),
        ({"minutes": 45.5}, "not a whole number"),
        ({"minutes": None}, "has no duration"),
        ({"at": "/Date(1582815600000)/"}, "field 'dateUtc' is '/Date(1582815600000)/', not a day"),
        ({"at": "2020-02-27T15:00:00"}, "offset from UTC"),
        ({"description": {"text": 1}}, "field 'description' is"),
    ],
)
def test_a_field_of_another_type(organisation: XeroOrganisation, changes: dict[str, Any], said: str) -> None:
    """A field whose type changed is named with the record and its value."""
    project = organisation.project(1)
    usual: dict[str, Any] = {"at": "2020-02-27T15:00:00Z", "minutes": 45}
    organisation.entry(project, 1, **(usual | changes))
    with pytest.raises(SourceFaulty, match=r"^Xero Projects: time entry .*") as raised:
        xero(organisation).time_entries(project, FEBRUARY)
    assert said in str(raised.value)


def test_when_it_misbehaves(organisation: XeroOrganisation) -> None:
    """Too many requests are waited for; HTML and an answer of another form are refused."""
    organisation.project(1)
    psa = xero(organisation)
    psa.project(number(1))
    organisation.server.next_answers = [limited(), limited()]
    assert len(psa.projects()) == 1
    organisation.server.next_answers = [limited()] * 4
    with pytest.raises(SourceUnavailable, match="HTTP 429"):
        psa.project(number(1))
    organisation.server.next_answers = [HTML]
    with pytest.raises(SourceFaulty, match="text/html"):
        psa.project(number(1))
    organisation.server.next_answers = [Answer(200, {"items": [], "pagination": {"itemCount": "9"}})]
    with pytest.raises(SourceFaulty, match="'itemCount' is '9'"):
        psa.time_entries(number(1), FEBRUARY)


def test_samples(organisation: XeroOrganisation) -> None:
    """Each field with a value."""
    project = organisation.project(1)
    organisation.entry(project, 1, "2020-02-27T15:00:00Z", 45)
    found = {each.ours: each for each in xero(organisation).samples()}
    assert {each.problem for each in found.values()} == {""}
    assert found["time_entry.day"].value == "2020-02-28"
    assert found["time_entry.billable"].value == "True"


def test_settings(organisation: XeroOrganisation) -> None:
    """The zone decides days: without it there is no adapter."""
    record = {"id": "xp", "provider": "xero-projects", "port": "psa", "settings": {"tenant_id": TENANT}}
    with pytest.raises(SourceFaulty, match=r"Xero Projects \(xp\): setting 'zone'"):
        XeroProjects(Connection.model_validate(record), {"client_id": "", "client_secret": ""})
