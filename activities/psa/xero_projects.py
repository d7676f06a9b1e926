"""Xero Projects: projects, tasks, time; polled, since it has no webhooks.

A project is known here by its `projectId`. Xero keeps no day on which one was closed: it is its last day of work, else
its deadline. An entry's `dateUtc` is a moment; its day is that of the organisation's zone, the setting `zone`. Minutes
become hours exactly. What Xero itself has invoiced is not billable here. Milestones it has none; expenses it shows only
as sums. Nothing is written back: an entry's `status` cannot be set by the API, and no field of it is free.

SOURCE: https://github.com/XeroAPI/Xero-OpenAPI, xero-projects.yaml; access token by client credentials of a custom
connection: https://developer.xero.com/documentation/guides/oauth2/custom-connections/
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field

from activities.providers.field_map import FieldMap, Names, Pairs, settings_of
from activities.providers.http import VendorHttp
from activities.providers.paging import Page, Record, count, counted, listed
from activities.providers.provider import Changes, FieldSample, Mapped, Provider
from activities.psa import finished
from activities.psa.vendors import FRESH_FOR, hours, samples
from billing.connections import Connection, Port
from billing.errors import SourceFaulty
from billing.parties import Strict, TimeZone
from billing.periods import Period
from billing.sources import Expense, Milestone, Project, TimeEntry

TITLE = "Xero Projects"
USUAL = "https://api.xero.com/projects.xro/2.0"
IDENTITY = "https://identity.xero.com"
_AT_MOST = 500
_EARLIER = 60.0
"""Seconds by which an access token is renewed before it ends."""

FIELDS = (
    Mapped("project.client", "contactId", required=True),
    Mapped("project.name", "name", required=True),
    Mapped("time_entry.person", "user.name", required=True),
    Mapped("time_entry.role", "task.name", required=True),
    Mapped("time_entry.day", "dateUtc", required=True),
    Mapped("time_entry.hours", "duration", required=True),
    Mapped("time_entry.approved", ""),
    Mapped("time_entry.billable", "task.chargeType!=NON_CHARGEABLE"),
    Mapped("time_entry.task", "task.name"),
    Mapped("time_entry.note", "description"),
)


class Settings(Strict):
    """`zone` is the organisation's, `tenant_id` its id with Xero; `clients` and `roles` say what Xero's values are
    called here; `projects` are those that are polled, all if empty."""

    zone: TimeZone
    tenant_id: str = Field(min_length=1)
    identity_url: str = IDENTITY
    scope: str = "projects.read"
    projects: Names = ()
    clients: Pairs = Field(default_factory=dict)
    roles: Pairs = Field(default_factory=dict)


class XeroProjects:
    """One organisation's projects. Safe between threads; access tokens are kept while they are good."""

    def __init__(self, connection: Connection, secrets: Mapping[str, str]) -> None:
        self._id = connection.id
        self._settings = settings_of(connection, Settings, TITLE)
        self._fields = FieldMap.of(TITLE, FIELDS, connection, ZoneInfo(self._settings.zone))
        known = base64.b64encode(f"{secrets['client_id']}:{secrets['client_secret']}".encode()).decode()
        self._identity = VendorHttp(
            "Xero's sign-in", self._settings.identity_url, {"Authorization": f"Basic {known}"}
        )
        self._http = VendorHttp(TITLE, connection.base_url or USUAL)
        self._token: tuple[float, str] = (0.0, "")
        self._lock = threading.Lock()
        self._read: tuple[float, dict[str, Record]] | None = None
        self._closed: dict[str, date] = {}

    def projects(self) -> tuple[Project, ...]:
        """Every project, by id. When a closed one was completed is asked once, while it stays closed."""
        return tuple(self._project(each) for _, each in sorted(self._records().items()))

    def projects_with_work(self) -> frozenset[str]:
        """Those with minutes logged."""
        return frozenset(id_ for id_, each in self._records().items() if each.get("minutesLogged"))

    def project(self, project_id: str) -> Project | None:
        """The project with that id, as it is now; None if there is none."""
        if not _is_id(project_id):
            return None
        record = self._get(f"/Projects/{quote(project_id, safe='')}", {}, missing_ok=True)
        return self._project(record) if record else None

    def milestones(self, project_id: str) -> tuple[Milestone, ...]:  # noqa: ARG002
        """None: Xero has no milestones."""
        return ()

    def milestone(self, project_id: str, milestone_id: str) -> Milestone | None:  # noqa: ARG002
        """None: Xero has no milestones."""
        return None

    def time_entries(self, project_id: str, period: Period) -> tuple[TimeEntry, ...]:
        """The project's entries by day and id."""
        if not _is_id(project_id):
            return ()
        margin = timedelta(days=1)
        after, before = period.start - margin, period.end + 2 * margin
        found = self._time(project_id, {"dateAfterUtc": _instant(after), "dateBeforeUtc": _instant(before)})
        entries = [self._entry(project_id, each) for each in found]
        within = [each for each in entries if period.start <= each.day <= period.end]
        return tuple(sorted(within, key=lambda each: (each.day, each.id)))

    def expenses(self, project_id: str, period: Period) -> tuple[Expense, ...]:  # noqa: ARG002
        """None: Xero's API shows only what they come to."""
        return ()

    def changes(self, cursor: str | None, now: datetime) -> Changes:  # noqa: ARG002
        """Projects that were closed, of the setting `projects` or all."""
        wanted = self._settings.projects
        found = {id_: each for id_, each in self._records(anew=True).items() if not wanted or id_ in wanted}
        states = [(id_, each.get("status") == "CLOSED") for id_, each in found.items()]
        return finished.changes(finished.source_of(self._id), cursor, states, self.milestones)

    def samples(self) -> Sequence[FieldSample]:
        """Every mapped field with a value of the first project and its first entry."""
        records = sorted(self._records().items())
        worked = next((id_ for id_, each in records if each.get("minutesLogged")), None)
        entries = self._time(worked, {}) if worked else []
        examples = {
            "project": records[0][1] if records else None,
            "time_entry": entries[0] if entries else None,
        }
        return samples(self._fields, FIELDS, examples)

    def _get(self, path: str, params: Mapping[str, Any], *, missing_ok: bool = False) -> Any:
        headers = {"Authorization": f"Bearer {self._access()}", "Xero-Tenant-Id": self._settings.tenant_id}
        return replace(self._http, headers=headers).json("GET", path, params=params, missing_ok=missing_ok)

    def _access(self) -> str:
        with self._lock:
            if time.monotonic() >= self._token[0]:
                form = {"grant_type": "client_credentials", "scope": self._settings.scope}
                answer = self._identity.json("POST", "/connect/token", form=form)
                token, lasts = (answer or {}).get("access_token"), (answer or {}).get("expires_in")
                if not isinstance(token, str) or not isinstance(lasts, int):
                    raise SourceFaulty(
                        f"{TITLE}: the sign-in gives no access token; check setting `identity_url`"
                    )
                self._token = (time.monotonic() + lasts - _EARLIER, token)
            return self._token[1]

    def _all(self, path: str, key: str, params: Mapping[str, Any]) -> tuple[Record, ...]:
        what = f"{TITLE}: {path.strip('/')}"

        last = 0

        def page(offset: int) -> Page:
            nonlocal last
            last = last + 1 if offset else 1  # Xero may give fewer a page than it is asked for
            answer = self._get(path, {**params, "page": last, "pageSize": _AT_MOST}, missing_ok=True)
            if answer is None:
                return Page((), 0)
            return Page(
                listed(answer, "items", what), count(answer.get("pagination") or {}, "itemCount", what)
            )

        return counted(what, page, lambda each: str(each.get(key)))

    def _records(self, *, anew: bool = False) -> dict[str, Record]:
        if anew or self._read is None or time.monotonic() > self._read[0]:
            found = self._all("/Projects", "projectId", {})
            self._read = (time.monotonic() + FRESH_FOR, {str(each["projectId"]): each for each in found})
        return self._read[1]

    def _project(self, record: Record) -> Project:
        name, fields = f"project {record.get('projectId')}", self._fields
        client = fields.text("project.client", record, name)
        closed = record.get("status") == "CLOSED"
        if not closed:
            self._closed.pop(str(record.get("projectId")), None)
        return Project(
            id=record["projectId"],
            name=fields.text("project.name", record, name),
            client=self._settings.clients.get(client, client),
            completed=self._completed(record, name) if closed else None,
        )

    def _completed(self, record: Record, name: str) -> date:
        project = str(record["projectId"])
        if project not in self._closed:
            own = FieldMap(TITLE, {"deadline": "deadlineUtc"}, self._fields.zone)
            worked = self._all(f"/Projects/{quote(project, safe='')}/Time", "timeEntryId", {})
            days = [self._fields.day("time_entry.day", each, name) for each in worked]
            day = max((each for each in days if each), default=own.day("deadline", record, name))
            if day is None:
                raise SourceFaulty(
                    f"{TITLE}: {name} is closed, and neither time nor field 'deadlineUtc' says when; give it a deadline"
                )
            self._closed[project] = day
        return self._closed[project]

    def _time(self, project_id: str, params: Mapping[str, Any]) -> list[Record]:
        """Entries, each with its task and its user."""
        path = f"/Projects/{quote(project_id, safe='')}"
        found = self._all(f"{path}/Time", "timeEntryId", params)
        if not found:
            return []
        tasks = {each["taskId"]: each for each in self._all(f"{path}/Tasks", "taskId", {})}
        users = {each["userId"]: each for each in self._all("/ProjectsUsers", "userId", {})}
        return [
            {**each, "task": tasks.get(each.get("taskId"), {}), "user": users.get(each.get("userId"), {})}
            for each in found
        ]

    def _entry(self, project_id: str, record: Record) -> TimeEntry:
        name, fields = f"time entry {record.get('timeEntryId')}", self._fields
        role = fields.text("time_entry.role", record, name)
        day = fields.day("time_entry.day", record, name)
        minutes = fields.whole("time_entry.hours", record, name, 0, 10**8)
        if day is None or minutes is None:
            raise SourceFaulty(
                f"{TITLE}: {name} has no {'day' if day is None else 'duration'}; complete it there"
            )
        billable = fields.flag("time_entry.billable", record, name, unmapped=True)
        return TimeEntry(
            id=record["timeEntryId"],
            project=project_id,
            person=fields.text("time_entry.person", record, name),
            role=self._settings.roles.get(role, role),
            day=day,
            hours=hours(minutes, 60),
            approved=fields.flag("time_entry.approved", record, name, unmapped=True),
            billable=billable and record.get("status") != "INVOICED",
            task=fields.text("time_entry.task", record, name),
            note=fields.text("time_entry.note", record, name),
        )


def _is_id(text: str) -> bool:
    """Whether it can be an id of Xero's at all; it refuses others as a mistake."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _instant(day: date) -> str:
    return datetime.combine(day, clock(), UTC).isoformat().replace("+00:00", "Z")


PROVIDER = Provider(
    name="xero-projects",
    title=TITLE,
    ports=frozenset({Port.PSA}),
    base_url=USUAL,
    settings=Settings,
    secrets=("client_id", "client_secret"),
    fields=FIELDS,
    build=XeroProjects,
)
