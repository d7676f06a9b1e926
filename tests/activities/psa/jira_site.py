"""A Jira Cloud site inside the test process; it answers in Jira's form and refuses what Jira would refuse.

SOURCE: https://developer.atlassian.com/cloud/jira/platform/rest/v3/ (parameters, pages, answers of each operation).
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from tests.activities.psa.counterpart import Answer, Asked, Counterpart, only

EMAIL, TOKEN = "billow@issuer.example", "jira-token"
_JQL = re.compile(
    r'project = "(?P<key>[A-Z][A-Z0-9]+)"'
    r'( AND worklogDate >= "(?P<first>\d{4}-\d\d-\d\d)" AND worklogDate <= "(?P<last>\d{4}-\d\d-\d\d)"'
    r"| AND issuetype = Epic) ORDER BY created"
    r"|worklogDate >= -90d ORDER BY updated DESC"
)


class JiraSite:
    """Projects, versions, issues and worklogs; `page` is the most records it gives at once."""

    def __init__(self, page: int = 50) -> None:
        self.page = page
        self.projects: list[dict[str, Any]] = []
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.issues: list[dict[str, Any]] = []
        self.worklogs: dict[str, list[dict[str, Any]]] = {}
        self.properties: dict[tuple[str, str], Any] = {}
        self.server = Counterpart(self.answer)

    def project(self, key: str, **changes: Any) -> None:
        category = {"id": "1", "name": "C-1", "description": ""}
        number = str(10000 + len(self.projects))
        record = {
            "id": number,
            "key": key,
            "name": f"Project {key}",
            "projectCategory": category,
            "simplified": False,
        }
        self.projects.append(record | changes)

    def version(self, project: str, id_: str, **changes: Any) -> None:
        record = {"id": id_, "name": f"V{id_}", "archived": False, "released": False, "projectId": 10000}
        self.versions.setdefault(project, []).append(record | changes)

    def issue(self, key: str, **fields: Any) -> str:
        """An issue; returns its id."""
        number = str(20000 + len(self.issues))
        self.issues.append({"id": number, "key": key, "fields": {"summary": f"Issue {key}", **fields}})
        return number

    def worklog(self, issue: str, id_: str, started: Any, seconds: Any, **changes: Any) -> None:
        author = {"accountId": "5b10a", "displayName": "Ada Blau", "timeZone": "Europe/Berlin"}
        text = [{"type": "paragraph", "content": [{"type": "text", "text": "racks"}]}]
        record = {
            "id": id_,
            "issueId": issue,
            "author": author,
            "started": started,
            "timeSpentSeconds": seconds,
            "comment": {"type": "doc", "version": 1, "content": text},
        }
        self.worklogs.setdefault(issue, []).append(record | changes)

    def answer(self, asked: Asked) -> Answer:  # noqa: C901  # one case an operation
        known = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {known}":
            return Answer(401, {"errorMessages": ["no such user"]})
        assert asked.path.startswith("/rest/api/3/"), asked.path
        match asked.method, *asked.path.removeprefix("/rest/api/3/").split("/"):
            case "GET", "project", "search":
                only(asked, "startAt", "maxResults", "status", "properties")
                assert set(asked.query.get("status", [])) <= {"live", "archived", "deleted"}
                return self._paged(asked, "values", self.projects)
            case "GET", "project", key:
                only(asked, "properties")
                found = [each for each in self.projects if key in (each["key"], each["id"])]
                return Answer(200, found[0]) if found else Answer(404, {"errorMessages": ["No project"]})
            case "GET", "project", key, "version":
                only(asked, "startAt", "maxResults")
                return self._paged(asked, "values", self.versions.get(key, []))
            case "GET", "version", id_:
                only(asked)
                every = [each for found in self.versions.values() for each in found if each["id"] == id_]
                return Answer(200, every[0]) if every else Answer(404, {"errorMessages": ["No version"]})
            case "GET", "search", "jql":
                return self._search(asked)
            case "GET", "issue", issue, "worklog":
                only(asked, "startAt", "maxResults", "startedAfter", "startedBefore", "expand")
                assert all(asked.one(each, "1").isdigit() for each in ("startedAfter", "startedBefore"))
                expanded = asked.one("expand") == "properties"
                found = [
                    self._with_properties(each) if expanded else each for each in self.worklogs.get(issue, [])
                ]
                return self._paged(asked, "worklogs", found)
            case "POST", "worklog", "list":
                only(asked, "expand")
                wanted = json.loads(asked.body)
                assert set(wanted) == {"ids"} and len(wanted["ids"]) <= 1000
                assert all(type(each) is int for each in wanted["ids"])
                every = [
                    each
                    for found in self.worklogs.values()
                    for each in found
                    if int(each["id"]) in wanted["ids"]
                ]
                return Answer(200, [self._with_properties(each) for each in every])
            case ("PUT" | "DELETE") as method, "issue", issue, "worklog", id_, "properties", name:
                only(asked)
                assert any(each["id"] == id_ for each in self.worklogs[issue])
                if method == "DELETE":
                    return Answer(204) if self.properties.pop((id_, name), None) else Answer(404, {})
                value = json.loads(asked.body)
                assert value not in ("", None) and asked.headers["content-type"] == "application/json"
                new = (id_, name) not in self.properties
                self.properties[id_, name] = value
                return Answer(201 if new else 200, {})
        raise AssertionError(f"no operation {asked.method} {asked.path}")

    def _paged(self, asked: Asked, key: str, every: list[dict[str, Any]]) -> Answer:
        start, most = int(asked.one("startAt", "0")), min(int(asked.one("maxResults", "50")), self.page)
        found = every[start : start + most]
        last = start + len(found) >= len(every)
        return Answer(
            200, {"startAt": start, "maxResults": most, "total": len(every), "isLast": last, key: found}
        )

    def _search(self, asked: Asked) -> Answer:
        only(asked, "jql", "fields", "maxResults", "nextPageToken")
        jql = _JQL.fullmatch(asked.one("jql"))
        assert jql, f"not understood: {asked.one('jql')}"
        start, most = int(asked.one("nextPageToken", "t0")[1:]), min(int(asked.one("maxResults")), self.page)
        epics = "issuetype" in jql[0]
        every = [
            each
            for each in self.issues
            if (jql["key"] is None or each["key"].startswith(f"{jql['key']}-"))
            and (each["fields"].get("epic", False) is epics)
        ]
        wanted = set(asked.one("fields").split(","))
        found = []
        for each in every[start : start + most]:
            of_it = self.worklogs.get(each["id"], [])
            inside = {"startAt": 0, "maxResults": 20, "total": len(of_it), "worklogs": of_it[:20]}
            fields = {
                name: value for name, value in {**each["fields"], "worklog": inside}.items() if name in wanted
            }
            found.append({**each, "fields": fields})
        more = start + most < len(every)
        return Answer(
            200,
            {"issues": found, "isLast": not more} | ({"nextPageToken": f"t{start + most}"} if more else {}),
        )

    def _with_properties(self, worklog: dict[str, Any]) -> dict[str, Any]:
        own = [
            {"key": key, "value": value}
            for (id_, key), value in self.properties.items()
            if id_ == worklog["id"]
        ]
        return {**worklog, "properties": own}
