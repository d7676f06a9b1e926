"""Redmine where it misbehaves, or is large; what it does when all is well is shown by a real one (`tests/live`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from activities.providers.provider import Told
from activities.psa.redmine import Redmine
from billing.connections import Connection
from billing.errors import SourceFaulty, SourceUnavailable
from billing.periods import Period
from tests.activities.psa.counterpart import HTML, Answer, Asked, Counterpart, limited, only

KEY = "redmine-key"
NOVEMBER = Period(start=date(2026, 11, 1), end=date(2026, 11, 30))
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
MODULES = [{"id": 1, "name": "time_tracking"}, {"id": 2, "name": "issue_tracking"}]


class Tracker:
    """Answers in Redmine's form: projects, versions, entries; closed projects refuse changes, as Redmine's do."""

    def __init__(self) -> None:
        self.projects: list[dict[str, Any]] = []
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.entries: list[dict[str, Any]] = []
        self.before_page: list[dict[str, Any]] = []
        self.server = Counterpart(self.answer)

    def project(self, id_: int, name: str, **changes: Any) -> None:
        fields = [{"id": 1, "name": "CRM", "value": None}]
        record = {"id": id_, "identifier": name, "name": name.title(), "status": 1, "custom_fields": fields}
        self.projects.append(
            {**record, "enabled_modules": MODULES, "updated_on": "2026-11-02T23:30:00Z", **changes}
        )

    def entry(self, id_: int, project: int, hours: Any, **changes: Any) -> None:
        record = {
            "id": id_,
            "project": {"id": project},
            "user": {"id": 1, "name": "Ada"},
            "spent_on": "2026-11-03",
        }
        fields = [{"id": 3, "name": "Invoice", "value": None}]
        activity = {"id": 9, "name": "Development"}
        self.entries.append(
            {**record, "activity": activity, "hours": hours, "custom_fields": fields, **changes}
        )

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("x-redmine-api-key") != KEY:
            return Answer(401, raw=b"")
        match asked.method, *asked.path.removesuffix(".json").strip("/").split("/"):
            case "GET", "projects":
                only(asked, "offset", "limit", "status", "include")
                return self._page(asked, "projects", self.projects)
            case "GET", "projects", name:
                found = [each for each in self.projects if name in (each["identifier"], str(each["id"]))]
                return Answer(200, {"project": found[0]}) if found else Answer(404, raw=b"")
            case "GET", "projects", name, "versions":
                return Answer(200, {"versions": self.versions.get(name, [])})
            case "GET", "time_entries":
                only(asked, "offset", "limit", "project_id", "from", "to", "sort")
                first, last = asked.one("from", "0"), asked.one("to", "9")
                days = [str(each["spent_on"]) for each in self.entries]
                found = [
                    each
                    for each, day in zip(self.entries, days, strict=True)
                    if not day[:1].isdigit() or first <= day <= last
                ]
                return self._page(asked, "time_entries", self.entries if found == self.entries else found)
            case ("GET" | "PUT") as method, "time_entries", id_:
                found = [each for each in self.entries if str(each["id"]) == id_]
                if not found or method == "GET":
                    return Answer(200, {"time_entry": found[0]}) if found else Answer(404, raw=b"")
                (field,) = json.loads(asked.body)["time_entry"]["custom_fields"]
                found[0]["custom_fields"] = [{"id": field["id"], "name": "Invoice", "value": field["value"]}]
                return Answer(204)
        raise AssertionError(f"no operation {asked.method} {asked.path}")

    def _page(self, asked: Asked, kind: str, every: list[dict[str, Any]]) -> Answer:
        offset, limit = int(asked.one("offset", "0")), int(asked.one("limit", "25"))
        assert 1 <= limit <= 100
        if offset and self.before_page:
            every.insert(0, self.before_page.pop())
        content = {
            kind: every[offset : offset + limit],
            "total_count": len(every),
            "offset": offset,
            "limit": limit,
        }
        return Answer(200, content)


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    tracker = Tracker()
    with tracker.server:
        yield tracker
    assert tracker.server.refused == []


def redmine(tracker: Tracker, key: str = KEY, **changes: Any) -> Redmine:
    record = {
        "id": "pm",
        "provider": "redmine",
        "port": "psa",
        "base_url": tracker.server.url + "/",
        **changes,
    }
    return Redmine(Connection.model_validate(record), {"api_key": key})


def test_the_client_of_a_project(tracker: Tracker) -> None:
    """A company with a project a client and subprojects below says the client once, by field or by identifier."""
    tracker.project(1, "acme", custom_fields=[{"id": 1, "name": "CRM", "value": "C-1"}])
    tracker.project(2, "net", parent={"id": 1, "name": "Acme"})
    tracker.project(3, "core", parent={"id": 2, "name": "Net"})
    tracker.project(4, "own")
    by_field = redmine(tracker, fields=[{"ours": "project.client", "theirs": "custom_fields.CRM"}])
    assert {each.id: each.client for each in by_field.projects()} == {
        "acme": "C-1",
        "core": "C-1",
        "net": "C-1",
        "own": "",
    }
    by_name = redmine(tracker, settings={"clients": "acme=9870001"})
    assert {each.id: each.client for each in by_name.projects()} == {
        "acme": "9870001", "core": "9870001", "net": "9870001", "own": "own",
    }  # fmt: skip
    deepest = by_name.project("core")
    assert deepest is not None and deepest.client == "9870001"
    assert by_name.project("3") is None


def test_when_a_closed_project_was_completed(tracker: Tracker) -> None:
    """The later of its last change and its last day of work, in our zone; a mapped field says it better, or must."""
    tracker.project(1, "acme", status=5)
    zone = {"zone": "Europe/Berlin"}
    found = redmine(tracker, settings=zone).project("acme")
    assert found is not None and found.completed == date(2026, 11, 3)
    tracker.entry(1, 1, 2, spent_on="2026-11-20")
    found = redmine(tracker, settings=zone).project("acme")
    assert found is not None and found.completed == date(2026, 11, 20)
    mapped = redmine(tracker, fields=[{"ours": "project.completed", "theirs": "custom_fields.CRM"}])
    with pytest.raises(
        SourceFaulty, match=r"project acme is closed and its field 'custom_fields\.CRM' is empty"
    ):
        mapped.project("acme")
    tracker.projects[0]["custom_fields"][0]["value"] = "2026-11-15"
    found = mapped.project("acme")
    assert found is not None and found.completed == date(2026, 11, 15)


def test_projects_without_modules(tracker: Tracker) -> None:
    """A project that tracks no time or issues is not asked for them: Redmine would answer 403."""
    tracker.project(1, "acme", enabled_modules=[])
    psa = redmine(tracker)
    assert (psa.time_entries("acme", NOVEMBER), psa.milestones("acme")) == ((), ())
    assert psa.projects_with_work() == frozenset() and psa.expenses("acme", NOVEMBER) == ()
    assert {each.path for each in tracker.server.asked} == {"/projects.json"}


def test_entries_logged_while_they_are_read(tracker: Tracker) -> None:
    """An entry that comes between two pages moves the others: all are read again, and each is there once."""
    tracker.project(1, "acme")
    for n in range(1, 251):
        tracker.entry(n, 1, 0.25)
    late = dict(tracker.entries[0], id=999)
    tracker.before_page = [late]
    found = redmine(tracker).time_entries("acme", NOVEMBER)
    assert sorted(int(each.id) for each in found) == [*range(1, 251), 999]
    tracker.before_page = [dict(late, id=1000 + n) for n in range(99)]
    with pytest.raises(SourceUnavailable, match="Redmine's time entries change while they are read"):
        redmine(tracker).time_entries("acme", NOVEMBER)


def test_hours_are_as_they_were_written(tracker: Tracker) -> None:
    """Money never goes through a binary fraction: 1.1 and 12500.15 hours come out as they stand in the answer."""
    tracker.project(1, "acme")
    for n, hours in enumerate((1.1, 12500.15, 5.0, 3)):
        tracker.entry(n, 1, hours)
    found = redmine(tracker).time_entries("acme", NOVEMBER)
    assert [str(each.hours) for each in found] == ["1.1", "12500.15", "5", "3"]
    assert {type(each.hours) for each in found} == {Decimal}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hours": "many"}, "time entry 7: field 'hours' is 'many', not a number"),
        ({"hours": None}, "time entry 7 has no hours"),
        ({"spent_on": "last week"}, "field 'spent_on' is 'last week', not a day"),
        ({"user": {"name": 3.5}}, "field 'user.name' is '3.5', not a text"),
    ],
)
def test_a_field_of_another_type(tracker: Tracker, changes: dict[str, Any], said: str) -> None:
    """A field whose type changed is named with the record and its value, and nothing is guessed."""
    tracker.project(1, "acme")
    tracker.entry(7, 1, **{"hours": 1, **changes})
    with pytest.raises(SourceFaulty, match=r"^Redmine: ") as raised:
        redmine(tracker).time_entries("acme", NOVEMBER)
    assert said in str(raised.value)


def test_when_it_misbehaves(tracker: Tracker) -> None:
    """Too many requests are waited for; HTML, a wrong key and a wrong address are told, and never the key."""
    tracker.project(1, "acme")
    tracker.server.next_answers = [limited(), Answer(503, {}, {"Retry-After": "0"})]
    assert len(redmine(tracker).projects()) == 1
    tracker.server.next_answers = [limited("3600")]
    with pytest.raises(SourceUnavailable, match=r"HTTP 429 at GET /projects\.json; it is tried again later"):
        redmine(tracker).projects()
    tracker.server.next_answers = [HTML]
    with pytest.raises(SourceFaulty, match="with text/html where JSON was expected; check base_url"):
        redmine(tracker).projects()
    tracker.server.next_answers = [Answer(200, {"projects": [], "total_count": "none"})]
    with pytest.raises(SourceFaulty, match="'total_count' is 'none'"):
        redmine(tracker).projects()
    with pytest.raises(SourceFaulty, match="HTTP 401; it does not know the credentials") as refused:
        redmine(tracker, key="wrong-key").projects()
    assert "wrong-key" not in str(refused.value) and KEY not in repr(redmine(tracker)._http)
    with pytest.raises(SourceFaulty, match=r"Redmine \(pm\) has no address"):
        redmine(tracker, base_url="")


def test_marks(tracker: Tracker) -> None:
    """A credited invoice takes its own number away, never that of the invoice that bills the entry now."""
    tracker.project(1, "acme")
    tracker.entry(1, 1, 2)
    tracker.entry(2, 1, 2)
    fields = [{"ours": "time_entry.invoice", "theirs": "custom_fields.Invoice", "direction": "out"}]
    psa = redmine(tracker, fields=fields)

    def tell(number: str, status: str, *entries: str) -> list[str]:
        psa.write_back(Told("k", number, status, "1.00", "EUR", "", entries))
        return [each["custom_fields"][0]["value"] or "" for each in tracker.entries]

    assert tell("", "draft", "1", "2") == ["", ""]
    assert tell("B-1", "issued", "1", "2", "77") == ["B-1", "B-1"]
    assert tell("B-2", "issued", "2") == ["B-1", "B-2"]
    assert tell("B-1", "credited", "1", "2") == ["", "B-2"]
    asked = len(tracker.server.asked)
    redmine(tracker).write_back(Told("k", "B-3", "issued", "1.00", "EUR", "", ("1",)))
    assert len(tracker.server.asked) == asked  # no field is mapped


def test_polling(tracker: Tracker) -> None:
    """Versions and projects closed since the cursor, of the projects that are named; those of others are not told."""
    for n, name in enumerate(("acme", "beta", "inside"), 1):
        tracker.project(n, name)
        tracker.versions[name] = [
            {
                "id": n,
                "project": {"id": n},
                "name": "V",
                "status": "open",
                "updated_on": "2026-11-03T10:00:00Z",
            },
            {
                "id": 50,
                "project": {"id": 99},
                "name": "shared",
                "status": "closed",
                "updated_on": "2026-11-03T10:00:00Z",
            },
        ]
    psa = redmine(tracker, settings={"projects": "acme, beta"})
    cursor = psa.changes(None, NOW).cursor
    for name in ("acme", "inside"):
        tracker.versions[name][0]["status"] = "closed"
    tracker.projects[1]["status"] = tracker.projects[2]["status"] = 5
    found = psa.changes(cursor, NOW)
    assert [each.id for each in found.events] == ["milestone/acme/1", "project/beta"]
    assert psa.changes(found.cursor, NOW).events == ()
    none = redmine(tracker, settings={"milestones": "none"})
    assert none.milestones("acme") == ()
