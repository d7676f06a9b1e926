"""Redmine: projects, versions as milestones, time entries; polled, since its core sends no webhooks.

A project is known here by its identifier, which never changes. Redmine keeps no day on which a project was closed
(closing does not even touch `updated_on`): it is the later of its last change and its last day of work, unless a custom
field is mapped. A version counts as signed off once it is closed, on the day of its last change (its due date is a
plan). Hours come as Redmine tells them, rounded to hundredths. There are no expenses in it.

SOURCE: https://www.redmine.org/projects/redmine/wiki/Rest_api and its pages Rest_Projects, Rest_Versions,
Rest_TimeEntries, Rest_Issues; closing and closed projects as Redmine 5.0.4 does it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field

from activities.providers.field_map import FieldMap, Names, Pairs, field_of, settings_of
from activities.providers.http import VendorHttp
from activities.providers.paging import Page, Record, count, counted, listed
from activities.providers.provider import Changes, FieldSample, Mapped, Provider, Told
from activities.psa import finished
from activities.psa.vendors import FRESH_FOR, address_of, mark, mark_all, samples
from billing.connections import Connection, Direction, Port
from billing.errors import SourceFaulty
from billing.parties import Strict, TimeZone
from billing.periods import Period
from billing.sources import Expense, Milestone, Project, TimeEntry

TITLE = "Redmine"
_AT_MOST = 100
"""Records a page; Redmine gives no more."""

_CLOSED = 5
_LOOKED_AT = 20
"""Projects among which an example of a version is looked for."""

_VISIBLE = "1|5"
"""Statuses of projects: active and closed, not archived."""

_CLOSED_HINT = "; the entries of a closed project cannot be changed: reopen it for that"

FIELDS = (
    Mapped("project.client", "root.identifier", required=True),
    Mapped("project.name", "name", required=True),
    Mapped("project.completed", ""),
    Mapped("project.progress", ""),
    Mapped("milestone.title", "name"),
    Mapped("milestone.signed_off", "updated_on", required=True),
    Mapped("milestone.progress", ""),
    Mapped("time_entry.person", "user.name", required=True),
    Mapped("time_entry.role", "activity.name", required=True),
    Mapped("time_entry.day", "spent_on", required=True),
    Mapped("time_entry.hours", "hours", required=True),
    Mapped("time_entry.approved", ""),
    Mapped("time_entry.billable", ""),
    Mapped("time_entry.task", "issue.subject"),
    Mapped("time_entry.ticket", "issue.id"),
    Mapped("time_entry.note", "comments"),
    Mapped("time_entry.invoice", "", Direction.OUT),
)


class Settings(Strict):
    """`clients` and `roles` say what Redmine's values are called here; `projects` are those that are polled, all if
    empty; `zone` is where an instant becomes a day."""

    zone: TimeZone = "UTC"
    projects: Names = ()
    milestones: Literal["versions", "none"] = "versions"
    clients: Pairs = Field(default_factory=dict)
    roles: Pairs = Field(default_factory=dict)


class Redmine:
    """One Redmine. Projects are read once for the seconds of a run. Times are days of the setting `zone`."""

    def __init__(self, connection: Connection, secrets: Mapping[str, str]) -> None:
        self._id = connection.id
        self._settings = settings_of(connection, Settings, TITLE)
        self._fields = FieldMap.of(TITLE, FIELDS, connection, ZoneInfo(self._settings.zone))
        self._http = VendorHttp(
            TITLE, address_of(TITLE, connection), {"X-Redmine-API-Key": secrets["api_key"]}
        )
        self._read: tuple[float, dict[str, Record]] | None = None

    def projects(self) -> tuple[Project, ...]:
        """Every active and every closed project the key can see, by identifier."""
        return tuple(self._project(each) for _, each in sorted(self._records().items()))

    def projects_with_work(self) -> frozenset[str]:
        """Those that keep time: in Redmine work stands on no other."""
        return frozenset(name for name, each in self._records().items() if _has(each, "time_tracking"))

    def project(self, project_id: str) -> Project | None:
        """The project with that identifier; None if the key sees none."""
        record = self._fresh(project_id)
        return self._project(record) if record else None

    def milestones(self, project_id: str) -> tuple[Milestone, ...]:
        """The project's own versions by id; those other projects share with it are theirs."""
        project = self._record(project_id)
        if project is None or self._settings.milestones == "none" or not _has(project, "issue_tracking"):
            return ()
        what = f"{TITLE}'s versions of {project_id}"
        found = listed(
            self._http.json("GET", f"/projects/{quote(project_id)}/versions.json"), "versions", what
        )
        own = [each for each in found if each.get("project", {}).get("id") == project["id"]]
        return tuple(self._milestone(project_id, each) for each in sorted(own, key=lambda each: each["id"]))

    def milestone(self, project_id: str, milestone_id: str) -> Milestone | None:
        """The version with that id; None if the project has none."""
        return next((each for each in self.milestones(project_id) if each.id == milestone_id), None)

    def time_entries(self, project_id: str, period: Period) -> tuple[TimeEntry, ...]:
        """The entries of the project itself, by day and id; subprojects are projects of their own."""
        project = self._record(project_id)
        if project is None or not _has(project, "time_tracking"):
            return ()
        days = {"from": period.start.isoformat(), "to": period.end.isoformat()}
        found = self._all("time_entries", {"project_id": project_id, "sort": "id", **days})
        own = [each for each in found if each.get("project", {}).get("id") == project["id"]]
        entries = [self._entry(project_id, each) for each in self._with_issues(own)]
        return tuple(sorted(entries, key=lambda each: (each.day, each.id)))

    def expenses(self, project_id: str, period: Period) -> tuple[Expense, ...]:  # noqa: ARG002
        """None: Redmine keeps no expenses."""
        return ()

    def changes(self, cursor: str | None, now: datetime) -> Changes:  # noqa: ARG002
        """Projects that were closed and versions that were closed, of the setting `projects` or all."""
        wanted = self._settings.projects
        projects = [each for name, each in self._records(anew=True).items() if not wanted or name in wanted]
        states = [(each["identifier"], each["status"] == _CLOSED) for each in projects]
        return finished.changes(finished.source_of(self._id), cursor, states, self.milestones)

    def write_back(self, told: Told) -> None:
        """Writes the invoice's number into the field mapped to `time_entry.invoice` of each entry, or takes it out
        where the invoice bills it no more; without such a field nothing is done. An entry that is gone is passed over.
        """
        if self._fields.names("time_entry.invoice"):
            mark_all(TITLE, told, partial(self._mark, told), _CLOSED_HINT)

    def samples(self) -> Sequence[FieldSample]:
        """Every mapped field with a value of the newest project, version and time entry."""
        projects = sorted(self._records().values(), key=lambda each: int(each["id"]), reverse=True)
        version = next((found for each in projects[:_LOOKED_AT] if (found := self._a_version(each))), None)
        newest = self._http.json("GET", "/time_entries.json", params={"limit": 1, "sort": "id:desc"})
        entries = self._with_issues(listed(newest, "time_entries", f"{TITLE}'s time entries"))
        return samples(
            self._fields,
            FIELDS,
            {
                "project": self._rooted(projects[0]) if projects else None,
                "milestone": version,
                "time_entry": next(iter(entries), None),
            },
        )

    def _all(self, kind: str, params: Mapping[str, str]) -> tuple[Record, ...]:
        what = f"{TITLE}'s {kind.replace('_', ' ')}"

        def page(offset: int) -> Page:
            asked = {**params, "offset": offset, "limit": _AT_MOST}
            answer = self._http.json("GET", f"/{kind}.json", params=asked)
            return Page(listed(answer, kind, what), count(answer, "total_count", what))

        return counted(what, page, lambda each: str(each.get("id")))

    def _records(self, *, anew: bool = False) -> dict[str, Record]:
        """Projects by identifier."""
        if anew or self._read is None or time.monotonic() > self._read[0]:
            found = self._all("projects", {"status": _VISIBLE, "include": "enabled_modules"})
            self._read = (time.monotonic() + FRESH_FOR, {str(each.get("identifier")): each for each in found})
        return self._read[1]

    def _record(self, project_id: str) -> Record | None:
        return self._records().get(project_id) or self._fresh(project_id)

    def _fresh(self, project_id: str) -> Record | None:
        """The project as it is now: what was just closed is closed."""
        path = f"/projects/{quote(project_id, safe='')}.json"
        answer = self._http.json("GET", path, params={"include": "enabled_modules"}, missing_ok=True)
        record = (answer or {}).get("project")
        return record if record and record.get("identifier") == project_id else None

    def _project(self, record: Record) -> Project:
        name, fields = f"project {record.get('identifier')}", self._fields
        rooted = self._rooted(record)
        client = fields.text("project.client", rooted, name)
        above = rooted["parent"]
        while not client and above:
            client, above = fields.text("project.client", above, name), above["parent"]
        return Project(
            id=record["identifier"],
            name=fields.text("project.name", rooted, name),
            client=self._settings.clients.get(client, client),
            completed=self._completed(rooted, name) if record.get("status") == _CLOSED else None,
            progress=fields.whole("project.progress", rooted, name, 0, 100) or 0,
        )

    def _rooted(self, record: Record) -> dict[str, Any]:
        """A project with those above it: `parent`, and `root`, the topmost, which may be itself."""
        by_id = {each["id"]: each for each in self._records().values()} if record.get("parent") else {}
        above = by_id.get((record.get("parent") or {}).get("id"))
        parent = self._rooted(above) if above else None
        return {**record, "parent": parent, "root": parent["root"] if parent else record}

    def _completed(self, record: Record, name: str) -> date:
        """The day on which a closed project was completed."""
        if self._fields.names("project.completed"):
            if (day := self._fields.day("project.completed", record, name)) is None:
                raise SourceFaulty(
                    f"{TITLE}: {name} is closed and its field {self._fields.names('project.completed')!r} is empty; "
                    "fill in the day of completion"
                )
            return day
        worked: list[Record] = []
        if _has(record, "time_tracking"):
            asked = {"project_id": record["identifier"], "sort": "spent_on:desc", "limit": 1}
            answer = self._http.json("GET", "/time_entries.json", params=asked)
            worked = listed(answer, "time_entries", f"{TITLE}'s time entries")
        changed = FieldMap(TITLE, {"changed": "updated_on"}, self._fields.zone).day("changed", record, name)
        days = [changed, *(self._fields.day("time_entry.day", each, name) for each in worked)]
        return max(each for each in days if each is not None)

    def _milestone(self, project_id: str, record: Record) -> Milestone:
        name, fields = f"version {record.get('id')} of project {project_id}", self._fields
        closed = record.get("status") == "closed"
        signed_off = fields.day("milestone.signed_off", record, name) if closed else None
        if closed and signed_off is None:
            raise SourceFaulty(
                f"{TITLE}: {name} is closed and its field {fields.names('milestone.signed_off')!r} is empty; fill in "
                "the day of the sign-off"
            )
        return Milestone(
            id=str(record["id"]),
            project=project_id,
            title=fields.text("milestone.title", record, name),
            signed_off=signed_off,
            progress=fields.whole("milestone.progress", record, name, 0, 100) or 0,
        )

    def _with_issues(self, entries: Sequence[Record]) -> list[Record]:
        """The entries with the whole issue in each, where a field of it is mapped."""
        if not set(self._fields.behind("issue")) - {"id"}:
            return list(entries)
        wanted = sorted({each["issue"]["id"] for each in entries if each.get("issue")})
        issues: dict[int, Record] = {}
        for n in range(0, len(wanted), _AT_MOST):
            ids = ",".join(map(str, wanted[n : n + _AT_MOST]))
            issues |= {each["id"]: each for each in self._all("issues", {"issue_id": ids, "status_id": "*"})}
        return [
            {**each, "issue": issues.get(each["issue"]["id"], each["issue"])} if each.get("issue") else each
            for each in entries
        ]

    def _entry(self, project_id: str, record: Record) -> TimeEntry:
        name, fields = f"time entry {record.get('id')}", self._fields
        role = fields.text("time_entry.role", record, name)
        day, worked = (
            fields.day("time_entry.day", record, name),
            fields.number("time_entry.hours", record, name),
        )
        if day is None or worked is None:
            raise SourceFaulty(
                f"{TITLE}: {name} has no {'day' if day is None else 'hours'}; complete it there"
            )
        return TimeEntry(
            id=str(record["id"]),
            project=project_id,
            person=fields.text("time_entry.person", record, name),
            role=self._settings.roles.get(role, role),
            day=day,
            hours=worked.normalize() + 0,  # 5, not 5.0
            approved=fields.flag("time_entry.approved", record, name, unmapped=True),
            billable=fields.flag("time_entry.billable", record, name, unmapped=True),
            task=fields.text("time_entry.task", record, name),
            ticket=fields.text("time_entry.ticket", record, name),
            note=fields.text("time_entry.note", record, name),
        )

    def _mark(self, told: Told, entry: str) -> None:
        path = f"/time_entries/{quote(entry, safe='')}.json"
        answer = self._http.json("GET", path, missing_ok=True)
        if answer is None:
            return
        record, name = answer["time_entry"], f"time entry {entry}"
        number = mark(self._fields.text("time_entry.invoice", record, name), told)
        if number is not None:
            field = field_of(record, self._fields.names("time_entry.invoice").removeprefix("custom_fields."))
            content = {"custom_fields": [{"id": field["id"], "value": number}]}
            self._http.json("PUT", path, content={"time_entry": content})

    def _a_version(self, project: Record) -> Record | None:
        if self._settings.milestones == "none" or not _has(project, "issue_tracking"):
            return None
        found = self._http.json("GET", f"/projects/{project['id']}/versions.json")
        return next(iter(listed(found, "versions", f"{TITLE}'s versions")), None)


def _has(project: Record, module: str) -> bool:
    """Whether the project uses a module; those of other projects answer 403 for it."""
    modules = project.get("enabled_modules")
    return modules is None or any(each.get("name") == module for each in modules)


PROVIDER = Provider(
    name="redmine",
    title=TITLE,
    ports=frozenset({Port.PSA}),
    base_url="",
    settings=Settings,
    secrets=("api_key",),
    fields=FIELDS,
    build=Redmine,
)
