"""Jira Cloud: projects, versions (or epics) as milestones, worklogs; written back as a property of the worklog.

A project is known here by its key. It is completed once it is archived, unless a property of it is mapped; the
worklogs of an archived project cannot be searched any more. A version is signed off once it is released, on its release
date; an epic once it is done, on the day it was resolved; an epic's id is its key in lower case. Seconds become hours
exactly. The day of a worklog is that of its author's time zone, unless the setting `zone` names one. There are no
expenses.

SOURCE: https://developer.atlassian.com/cloud/jira/platform/rest/v3/ (project, project versions, issue search by
`search/jql`, issue worklogs, issue worklog properties).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from functools import partial
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from activities.providers.field_map import FieldMap, Names, Pairs, settings_of
from activities.providers.http import VendorHttp
from activities.providers.paging import Page, Record, by_token, count, counted, listed
from activities.providers.provider import Changes, FieldSample, Mapped, Provider, Told
from activities.psa import finished
from activities.psa.jira_webhook import JiraWebhook
from activities.psa.rich_text import plain
from activities.psa.vendors import FRESH_FOR, address_of, hours, mark, mark_all, samples
from billing.connections import Connection, Direction, Port
from billing.errors import SourceFaulty
from billing.parties import Strict, TimeZone
from billing.periods import Period
from billing.sources import Expense, Milestone, Project, TimeEntry

TITLE = "Jira"
_API = "/rest/api/3"
_AT_MOST = 50
_WORKLOGS_AT_MOST = 1000
_MARGIN = timedelta(days=2)
"""Days asked for around a period: whose days they are is known only when they are read."""

_AN_HOUR = 3600

FIELDS = (
    Mapped("project.client", "projectCategory.name", required=True),
    Mapped("project.name", "name", required=True),
    Mapped("project.completed", "archivedDate"),
    Mapped("project.progress", ""),
    Mapped("milestone.title", "name"),
    Mapped("milestone.signed_off", "releaseDate", required=True),
    Mapped("milestone.progress", ""),
    Mapped("time_entry.person", "author.displayName", required=True),
    Mapped("time_entry.role", "author.accountId", required=True),
    Mapped("time_entry.day", "started", required=True),
    Mapped("time_entry.hours", "timeSpentSeconds", required=True),
    Mapped("time_entry.approved", ""),
    Mapped("time_entry.billable", ""),
    Mapped("time_entry.task", "issue.fields.summary"),
    Mapped("time_entry.ticket", "issue.key"),
    Mapped("time_entry.note", "comment"),
    Mapped("time_entry.invoice", "properties.billow-invoice", Direction.OUT),
)


class Settings(Strict):
    """`clients` and `roles` say what Jira's values are called here, `role` is the role of who is not among `roles`;
    `projects` are those that are polled, all if empty."""

    zone: TimeZone | Literal[""] = ""
    projects: Names = ()
    milestones: Literal["versions", "epics", "none"] = "versions"
    clients: Pairs = Field(default_factory=dict)
    roles: Pairs = Field(default_factory=dict)
    role: str = ""


class Jira:
    """One site of Jira Cloud, asked as one user with an API token. Safe between threads."""

    def __init__(self, connection: Connection, secrets: Mapping[str, str]) -> None:
        self.source = finished.source_of(connection.id)
        self._settings = settings_of(connection, Settings, TITLE)
        zone = ZoneInfo(self._settings.zone) if self._settings.zone else None
        self._fields = FieldMap.of(TITLE, FIELDS, connection, zone)
        known = base64.b64encode(f"{secrets['email']}:{secrets['api_token']}".encode()).decode()
        headers = {"Authorization": f"Basic {known}", "Accept": "application/json"}
        self._http = VendorHttp(TITLE, address_of(TITLE, connection) + _API, headers)
        self._read: tuple[float, dict[str, Record]] | None = None

    def projects(self) -> tuple[Project, ...]:
        """Every live and every archived project the user can see, by key."""
        return tuple(self._project(each) for _, each in sorted(self._records().items()))

    def projects_with_work(self) -> frozenset[str]:
        """All of them: in Jira work stands on no other."""
        return frozenset(self._records())

    def project(self, project_id: str) -> Project | None:
        """The project with that key, as it is now; None if the user sees none."""
        record = self._fresh(project_id)
        return self._project(record) if record else None

    def milestones(self, project_id: str) -> tuple[Milestone, ...]:
        """The project's versions in its own order, or its epics by age; none of an archived project."""
        record = self._records().get(project_id) or self._fresh(project_id)
        if record is None or record.get("archived") or self._settings.milestones == "none":
            return ()
        return tuple(self._milestone(project_id, each) for each in self._stones(project_id))

    def milestone(self, project_id: str, milestone_id: str) -> Milestone | None:
        """The milestone with that id; None if the project has none."""
        return next((each for each in self.milestones(project_id) if each.id == milestone_id), None)

    def time_entries(self, project_id: str, period: Period) -> tuple[TimeEntry, ...]:
        """The project's worklogs by day and id; those that were deleted are gone."""
        record = self._records().get(project_id) or self._fresh(project_id)
        if record is None:
            return ()
        if record.get("archived"):
            raise SourceFaulty(
                f"{TITLE}: the worklogs of {project_id} cannot be read, it is archived; restore it, bill what is left, "
                "then archive it again"
            )
        entries = [self._entry(project_id, each) for each in self._worklogs(project_id, period)]
        within = [each for each in entries if period.start <= each.day <= period.end]
        return tuple(sorted(within, key=lambda each: (each.day, each.id)))

    def expenses(self, project_id: str, period: Period) -> tuple[Expense, ...]:  # noqa: ARG002
        """None: Jira keeps no expenses."""
        return ()

    def changes(self, cursor: str | None, now: datetime) -> Changes:  # noqa: ARG002
        """Projects that were archived, versions released or epics done, of the setting `projects` or all."""
        wanted = self._settings.projects
        found = [each for name, each in self._records(anew=True).items() if not wanted or name in wanted]
        states, problem = [], ""
        for each in found:
            try:
                day = self._fields.day("project.completed", each, f"project {each.get('key')}")
                states.append((str(each["key"]), bool(each.get("archived")) or day is not None))
            except SourceFaulty as error:  # the others go on
                problem = str(error)
        news = finished.changes(self.source, cursor, states, self.milestones)
        return replace(news, problem=news.problem or problem)

    def write_back(self, told: Told) -> None:
        """Sets the worklog's property to the invoice's number, or removes it where the invoice bills it no more. A
        worklog that is gone is passed over."""
        wanted = [int(each) for each in told.records if each.isdigit()] if told.number else []
        found: dict[str, Record] = {}
        for n in range(0, len(wanted), _WORKLOGS_AT_MOST):
            ids = {"ids": wanted[n : n + _WORKLOGS_AT_MOST]}
            answer = self._http.json("POST", "/worklog/list", params={"expand": "properties"}, content=ids)
            found |= {str(each["id"]): each for each in listed({"worklogs": answer}, "worklogs", TITLE)}
        mark_all(TITLE, told, partial(self._mark, told, found))

    def samples(self) -> Sequence[FieldSample]:
        """Every mapped field with a value of the first project, its first milestone and the latest worklog."""
        projects = [each for _, each in sorted(self._records().items()) if not each.get("archived")]
        stones: Iterator[Record] = iter(())
        if projects and self._settings.milestones != "none":
            stones = iter(self._stones(projects[0]["key"]))
        params = self._search("worklogDate >= -90d ORDER BY updated DESC") | {"maxResults": 1}
        issues = listed(self._http.json("GET", "/search/jql", params=params), "issues", f"{TITLE}'s issues")
        entries = [each for issue in issues for each in self._of_issue(issue, {})]
        examples = {
            "project": projects[0] if projects else None,
            "milestone": next(stones, None),
            "time_entry": entries[-1] if entries else None,
        }
        return samples(self._fields, FIELDS, examples)

    def key_of(self, number: str) -> str | None:
        """The key of the project with that number; None if the user sees none."""
        answer = self._http.json("GET", f"/project/{quote(number, safe='')}", missing_ok=True)
        return str(answer["key"]) if answer else None

    def is_released(self, version: str) -> bool:
        """Whether a version is released now."""
        answer = self._http.json("GET", f"/version/{quote(version, safe='')}", missing_ok=True)
        return bool(answer and answer.get("released")) and self._settings.milestones == "versions"

    def _paged(self, path: str, key: str, params: Mapping[str, Any], most: int) -> tuple[Record, ...]:
        what = f"{TITLE}'s {path.strip('/')}"

        def page(offset: int) -> Page:
            asked = {**params, "startAt": offset, "maxResults": most}
            answer = self._http.json("GET", path, params=asked)
            return Page(listed(answer, key, what), count(answer, "total", what))

        return counted(what, page, lambda each: str(each.get("id")))

    def _records(self, *, anew: bool = False) -> dict[str, Record]:
        """Projects by key."""
        if anew or self._read is None or time.monotonic() > self._read[0]:
            asked = {"status": ["live", "archived"], **self._properties}
            found = self._paged("/project/search", "values", asked, _AT_MOST)
            self._read = (time.monotonic() + FRESH_FOR, {str(each.get("key")): each for each in found})
        return self._read[1]

    @property
    def _properties(self) -> dict[str, str]:
        wanted = {
            name
            for ours, path in self._fields.theirs.items()
            if ours.startswith("project.") and path.startswith("properties.")
            for name in [path.split(".")[1]]
        }
        return {"properties": ",".join(sorted(wanted))} if wanted else {}

    def _fresh(self, project_id: str) -> Record | None:
        path = f"/project/{quote(project_id, safe='')}"
        record = self._http.json("GET", path, params=self._properties, missing_ok=True)
        return record if record and record.get("key") == project_id else None

    def _project(self, record: Record) -> Project:
        name, fields = f"project {record.get('key')}", self._fields
        client = fields.text("project.client", record, name)
        completed = fields.day("project.completed", record, name)
        if record.get("archived") and completed is None:
            raise SourceFaulty(
                f"{TITLE}: {name} is archived and its field {fields.names('project.completed')!r} is empty; fill in "
                "the day of completion, or map project.completed to another field in integrations.yaml"
            )
        return Project(
            id=record["key"],
            name=fields.text("project.name", record, name),
            client=self._settings.clients.get(client, client),
            completed=completed,
            progress=fields.whole("project.progress", record, name, 0, 100) or 0,
        )

    def _stones(self, project_id: str) -> Iterable[Record]:
        if self._settings.milestones == "epics":
            return self._epics(project_id)
        return self._paged(f"/project/{quote(project_id, safe='')}/version", "values", {}, _AT_MOST)

    def _epics(self, project_id: str) -> Iterator[Record]:
        """Epics in the shape of versions."""
        extra = ("status", "resolutiondate", "statuscategorychangedate")
        for each in self._issues(
            f"project = {_quoted(project_id)} AND issuetype = Epic ORDER BY created", extra
        ):
            fields = each.get("fields", {})
            done = look(fields, "status", "statusCategory", "key") == "done"
            day = fields.get("resolutiondate") or fields.get("statuscategorychangedate")
            own = {"id": str(each["key"]).lower(), "name": fields.get("summary"), "released": done}
            yield {**each, **own, "releaseDate": day}

    def _milestone(self, project_id: str, record: Record) -> Milestone:
        name, fields = f"{self._settings.milestones.removesuffix('s')} {record.get('id')}", self._fields
        done = record.get("released") is True
        signed_off = fields.day("milestone.signed_off", record, name) if done else None
        if done and signed_off is None:
            raise SourceFaulty(
                f"{TITLE}: {name} of project {project_id} is done and its field "
                f"{fields.names('milestone.signed_off')!r} is empty; fill in the day there"
            )
        return Milestone(
            id=str(record["id"]),
            project=project_id,
            title=fields.text("milestone.title", record, name),
            signed_off=signed_off,
            progress=fields.whole("milestone.progress", record, name, 0, 100) or 0,
        )

    def _search(self, jql: str, extra: Sequence[str] = ()) -> dict[str, Any]:
        mapped = {each.split(".")[0] for each in self._fields.behind("issue", "fields")}
        return {"jql": jql, "fields": ",".join(sorted({"summary", "worklog", *mapped, *extra}))}

    def _issues(self, jql: str, extra: Sequence[str] = ()) -> tuple[Record, ...]:
        what = f"{TITLE}'s issues"

        def page(token: str | None) -> tuple[Sequence[Record], str | None]:
            asked = self._search(jql, extra) | {"maxResults": _AT_MOST}
            answer = self._http.json(
                "GET", "/search/jql", params=asked | ({"nextPageToken": token} if token else {})
            )
            next_ = answer.get("nextPageToken") if isinstance(answer, dict) else None
            found = listed(answer, "issues", what)
            if answer.get("isLast") is False and not next_:
                raise SourceFaulty(
                    f"{what} end in the middle: more is promised, and no token to read it with"
                )
            return found, None if answer.get("isLast") is True else next_

        return by_token(what, page, lambda each: str(each.get("id")))

    def _worklogs(self, project_id: str, period: Period) -> Iterator[Record]:
        first, last = period.start - _MARGIN, period.end + _MARGIN
        days = f'worklogDate >= "{first.isoformat()}" AND worklogDate <= "{last.isoformat()}"'
        around = {
            "startedAfter": _milliseconds(first),
            "startedBefore": _milliseconds(last + timedelta(days=1)),
        }
        for issue in self._issues(f"project = {_quoted(project_id)} AND {days} ORDER BY created"):
            yield from self._of_issue(issue, around)

    def _of_issue(self, issue: Record, around: Mapping[str, int]) -> Iterator[Record]:
        """The worklogs of an issue, each with it: those that came with it, if these are all and nothing is missing."""
        with_it = look(issue, "fields", "worklog") or {}
        inside = any(
            each.startswith("properties.") for ours, each in self._fields.theirs.items() if _read(ours)
        )
        found: Sequence[Record] = with_it.get("worklogs") or ()
        if inside or not with_it or with_it.get("total") != len(found):
            expand = {"expand": "properties"} if inside else {}
            path = f"/issue/{quote(str(issue['id']), safe='')}/worklog"
            found = self._paged(path, "worklogs", {**around, **expand}, _WORKLOGS_AT_MOST)
        for each in found:
            yield {**each, "comment": plain(each.get("comment")), "issue": issue}

    def _entry(self, project_id: str, record: Record) -> TimeEntry:
        name = f"worklog {record.get('id')} of {look(record, 'issue', 'key')}"
        fields = self._of_author(record, name)
        role = fields.text("time_entry.role", record, name)
        day, seconds = (
            fields.day("time_entry.day", record, name),
            fields.whole("time_entry.hours", record, name, 0, 10**9),
        )
        if day is None or seconds is None:
            raise SourceFaulty(
                f"{TITLE}: {name} has no {'day' if day is None else 'hours'}; complete it there"
            )
        return TimeEntry(
            id=str(record["id"]),
            project=project_id,
            person=fields.text("time_entry.person", record, name),
            role=self._settings.roles.get(role, self._settings.role or role),
            day=day,
            hours=hours(seconds, _AN_HOUR),
            approved=fields.flag("time_entry.approved", record, name, unmapped=True),
            billable=fields.flag("time_entry.billable", record, name, unmapped=True),
            task=fields.text("time_entry.task", record, name),
            ticket=fields.text("time_entry.ticket", record, name),
            note=fields.text("time_entry.note", record, name),
        )

    def _of_author(self, record: Record, name: str) -> FieldMap:
        """The field map in the time zone of who worked, unless one is set."""
        zone = look(record, "author", "timeZone")
        if self._fields.zone is not None or not zone:
            return self._fields
        try:
            return replace(self._fields, zone=ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError, TypeError) as error:
            raise SourceFaulty(
                f"{TITLE}: {name}: field 'author.timeZone' is {str(zone)[:60]!r}, not a time zone; set one for all as "
                "setting `zone` in integrations.yaml"
            ) from error

    def _mark(self, told: Told, found: Mapping[str, Record], entry: str) -> None:
        record = found.get(entry)
        if record is None:
            return
        now = self._fields.text("time_entry.invoice", {"properties": [], **record}, f"worklog {entry}")
        number = mark(now, told)
        if number is None:
            return
        key = self._fields.names("time_entry.invoice").removeprefix("properties.")
        path = f"/issue/{record['issueId']}/worklog/{entry}/properties/{quote(key, safe='')}"
        if number:
            self._http.json("PUT", path, content=number)
        else:
            self._http.json("DELETE", path, missing_ok=True)


def look(record: Any, *steps: str) -> Any:
    """The value behind these steps; None where there is none."""
    for step in steps:
        record = record.get(step) if isinstance(record, Mapping) else None
    return record


def _read(ours: str) -> bool:
    return ours.startswith("time_entry.") and ours != "time_entry.invoice"


def _quoted(text: str) -> str:
    """A text in JQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _milliseconds(day: Any) -> int:
    """The beginning of a day in UTC, as Jira counts time."""
    return int(datetime.combine(day, clock(), UTC).timestamp()) * 1000


PROVIDER = Provider(
    name="jira",
    title=TITLE,
    ports=frozenset({Port.PSA}),
    base_url="",
    settings=Settings,
    secrets=("email", "api_token"),
    fields=FIELDS,
    build=Jira,
    webhook=JiraWebhook(),
    optional_secrets=("webhook_secret",),
)
