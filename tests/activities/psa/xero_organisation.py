"""An organisation of Xero Projects, with its sign-in, inside the test process; the official client can talk to it.

SOURCE: https://github.com/XeroAPI/Xero-OpenAPI, xero-projects.yaml.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from tests.activities.psa.counterpart import Answer, Asked, Counterpart, only

CLIENT, SECRET, TENANT = "client-1", "xero-secret", "70784a63-d24b-46a9-a4db-0e70a274b056"
ADA = "740add2a-a703-4b8a-a670-1093919c2040"
RACKS, TRAVEL = "7be77337-feec-4458-bb1b-dbaa5a4aafce", "0b2ddcd9-1ab1-4f8e-9f1c-2b3a54dd1111"


def number(n: int) -> str:
    """An id."""
    return str(UUID(int=n))


class XeroOrganisation:
    """Projects, tasks, users and time; `page` is the most records it gives at once."""

    def __init__(self, page: int = 500) -> None:
        self.page = page
        self.tokens = 0
        self.projects: list[dict[str, Any]] = []
        self.time: dict[str, list[dict[str, Any]]] = {}
        rate = {"currency": "AUD", "value": 20.0}
        self.tasks = [
            {"taskId": RACKS, "name": "Racks", "rate": rate, "chargeType": "TIME", "status": "ACTIVE"},
            {
                "taskId": TRAVEL,
                "name": "Travel",
                "rate": rate,
                "chargeType": "NON_CHARGEABLE",
                "status": "ACTIVE",
            },
        ]
        self.users = [{"userId": ADA, "name": "Ada Blau", "email": "ada@issuer.example"}]
        self.server = Counterpart(self.answer)

    def project(self, n: int, **changes: Any) -> str:
        """A project in progress; returns its id."""
        record = {
            "projectId": number(n),
            "contactId": number(900),
            "name": f"Project {n}",
            "currencyCode": "AUD",
        }
        self.projects.append({**record, "minutesLogged": 60, "status": "INPROGRESS", **changes})
        return number(n)

    def entry(self, project: str, n: int, at: str, minutes: Any, **changes: Any) -> None:
        record = {
            "timeEntryId": number(1000 + n),
            "userId": ADA,
            "projectId": project,
            "taskId": RACKS,
            "dateUtc": at,
            "dateEnteredUtc": "2026-11-28T03:24:29.2215641Z",
            "duration": minutes,
            "description": "racks",
            "status": "ACTIVE",
        }
        self.time.setdefault(project, []).append(record | changes)

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/connect/token":
            return self._token(asked)
        if asked.headers.get("authorization") != f"Bearer token-{self.tokens}":
            return Answer(401, {"Title": "Unauthorized", "Status": 401})
        assert asked.headers["xero-tenant-id"] == TENANT
        match asked.method, *asked.path.strip("/").split("/"):
            case "GET", "Projects":
                only(asked, "page", "pageSize", "projectIds", "contactID", "states")
                return self._paged(asked, self.projects)
            case "GET", "ProjectsUsers":
                only(asked, "page", "pageSize")
                return self._paged(asked, self.users)
            case "GET", "Projects", project, *rest:
                assert str(UUID(project)) == project
                found = [each for each in self.projects if each["projectId"] == project]
                if not found:
                    return Answer(404, {"message": "not found"})
                if not rest:
                    only(asked)
                    return Answer(200, found[0])
                if rest == ["Tasks"]:
                    only(asked, "page", "pageSize", "taskIds", "chargeType")
                    return self._paged(asked, self.tasks)
                if rest == ["Time"]:
                    return self._time(asked, project)
        raise AssertionError(f"no operation {asked.method} {asked.path}")

    def _token(self, asked: Asked) -> Answer:
        known = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        assert asked.method == "POST" and asked.headers["content-type"] == "application/x-www-form-urlencoded"
        if asked.headers.get("authorization") != f"Basic {known}":
            return Answer(401, {"error": "invalid_client"})
        assert parse_qs(asked.body.decode()) == {
            "grant_type": ["client_credentials"],
            "scope": ["projects.read"],
        }
        self.tokens += 1
        content = {"access_token": f"token-{self.tokens}", "expires_in": 1800, "token_type": "Bearer"}
        return Answer(200, content)

    def _time(self, asked: Asked, project: str) -> Answer:
        only(asked, "page", "pageSize", "userId", "taskId", "invoiceId", "contactId", "states", "isChargeable",
             "dateAfterUtc", "dateBeforeUtc")  # fmt: skip
        found = self.time.get(project, [])
        for name in ("dateAfterUtc", "dateBeforeUtc"):
            if name in asked.query:
                bound = datetime.fromisoformat(asked.one(name))
                assert bound.tzinfo is not None
                later = name == "dateAfterUtc"
                found = [each for each in found if _within(each["dateUtc"], bound, later=later)]
        return self._paged(asked, found)

    def _paged(self, asked: Asked, every: list[dict[str, Any]]) -> Answer:
        page, size = int(asked.one("page", "1")), int(asked.one("pageSize", "50"))
        assert page >= 1 and 1 <= size <= 500
        size = min(size, self.page)
        pages = -(-len(every) // size)
        given = {"page": page, "pageSize": size, "pageCount": pages, "itemCount": len(every)}
        return Answer(200, {"pagination": given, "items": every[(page - 1) * size : page * size]})


def _within(at: str, bound: datetime, *, later: bool) -> bool:
    """Whether an entry lies on that side of a bound; what no moment can be read of lies everywhere."""
    try:
        return (datetime.fromisoformat(at) >= bound) is later
    except (ValueError, TypeError):
        return True
