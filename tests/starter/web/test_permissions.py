"""Every route there is, before every role and before nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from httpx import Response
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from activities.ledger import api_tokens
from activities.ledger.database import Ledger
from billing.roles import Role
from billing.scopes import Scope
from starter.web import create_app, doors, permissions
from starter.web.commands import COMMANDS
from starter.web.permissions import RULES
from tests.browser.test_every_page import pages
from tests.starter.web.conftest import Visitor
from tests.starter.web.furnished import furnish
from tests.starter.web.programs import SECRET
from tests.starter.web.story import COMPANY, Story
from workers.settings import Settings

pytestmark = pytest.mark.timeout(400)
"""Hundreds of requests each, which a busy machine takes minutes for."""

PEOPLE = {Role.VIEWER: "vito", Role.OPERATOR: "lena", Role.APPROVER: "tom", Role.ADMIN: "uma"}
"""Somebody of each role."""

_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")


@pytest.fixture
def app(story: Story, settings: Settings, ledger: Ledger) -> Starlette:
    """The app with everything that can be switched on."""
    return create_app(settings.model_copy(update={"webhook_secrets": _secret()}), ledger)


def _secret() -> object:
    from pydantic import SecretStr

    return SecretStr(SECRET)


@dataclass(frozen=True)
class Call:
    """A request to a route, its places filled with something that is not there."""

    method: str
    path: str
    key: str


def calls(app: Starlette) -> Iterator[Call]:
    """One call of every method of every route, and of every command."""
    for method, path, _ in doors.every_route(app.routes):
        if path == permissions.COMMANDS:
            for name in COMMANDS:
                yield Call(method, f"/commands/{name}", f"{method} /commands/{name}")
        else:
            filled = _PARAMETER.sub(lambda found: "1" if found[2] == "int" else "none", path)
            yield Call("POST" if method == "*" else method, filled, f"{method} {path}")


def test_each_has_a_rule(app: Starlette) -> None:
    """Routes and commands are those of the table, one for one: none without a rule, no rule for what is gone."""
    assert {each.key for each in calls(app)} == set(RULES)


def test_no_route_without_a_rule() -> None:
    """A new route without a rule keeps the app from starting, wherever it is mounted."""
    with pytest.raises(LookupError, match="GET /new has no rule"):
        doors.keep([Route("/new", lambda _: PlainTextResponse("new"))])


def test_one_door(app: Starlette, story: Story, settings: Settings) -> None:
    """A second app in the same process puts no second door before the routes of the first."""
    create_app(settings, story.ledger)
    doors_of = [getattr(each, "app", None) for _, _, each in doors.every_route(app.routes)]
    kept = [each for each in doors_of if isinstance(each, doors.Door)]
    assert len(kept) > 100
    assert not any(isinstance(each.leads_to, doors.Door) for each in kept)


def send(visitor: Visitor, call: Call, token: str, headers: dict[str, str] | None = None) -> Response:
    """What is answered, redirects not followed."""
    fields = {"data": {"csrf": token}} if call.method != "GET" and not call.path.startswith("/api/") else {}
    answer = visitor.request(call.method, call.path, headers=headers, follow_redirects=False, **fields)
    assert isinstance(answer, Response)
    return answer


def asks_who(answer: Response) -> bool:
    """Whether one must say first who one is."""
    return answer.status_code == 401 or answer.headers.get("location", "").startswith("/sign-in?")


@pytest.mark.parametrize("role", [None, *Role])
def test_matrix(app: Starlette, ledger: Ledger, role: Role | None) -> None:
    """Who has not the least role gets nothing: nobody is asked who they are, the others are told what it needs."""
    wrong = {}
    token = bearer(ledger, role, tuple(Scope)) if role else {}
    with Visitor(app, base_url="https://billow.test", raise_server_exceptions=False) as visitor:
        for call in calls(app):
            if role and not visitor.signed_in:
                visitor.sign_in(PEOPLE[role])
            csrf = visitor.token("/sign-in") if call.method != "GET" else ""
            answer = send(visitor, call, csrf, token if call.path.startswith("/api/") else None)
            if call.path.startswith("/session"):
                visitor.signed_in = False
            rule = RULES[call.key]
            if rule.role is None:
                right = answer.status_code not in (403, 500)  # what it says is the route's own
            elif role is None:
                right = asks_who(answer)
            elif role.reaches(rule.role):
                right = not asks_who(answer) and answer.status_code not in (403, 500)
            else:
                right = answer.status_code == 403 and str(rule.role) in answer.text
            if not right:
                wrong[call.key] = (answer.status_code, answer.headers.get("location"), answer.text[:300])
    assert wrong == {}


def bearer(ledger: Ledger, role: Role, scopes: tuple[Scope, ...]) -> dict[str, str]:
    """A token with the scopes for somebody of the role."""
    with ledger.transaction() as tx:
        name = f"{role}-{'-'.join(scopes)}"
        token = api_tokens.create(tx, name, PEOPLE[role], scopes=scopes, at=datetime.now(UTC))
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("scope", list(Scope))
def test_scopes(app: Starlette, ledger: Ledger, scope: Scope) -> None:
    """Even an admin's token opens only what its scope is for."""
    token, wrong = bearer(ledger, Role.ADMIN, (scope,)), {}
    with Visitor(app, base_url="https://billow.test", raise_server_exceptions=False) as visitor:
        for call in calls(app):
            rule = RULES[call.key]
            if call.path.startswith("/api/") and rule.role is not None:
                answer = send(visitor, call, "", token)
                if (answer.status_code == 403) == (rule.scope in (None, scope)):
                    wrong[call.key] = (answer.status_code, answer.text[:300])
    assert wrong == {}


def test_forms_without_token(app: Starlette) -> None:
    """No form is taken without the session's own token, nor one that another site sends."""
    wrong = {}
    with Visitor(app, base_url="https://billow.test", raise_server_exceptions=False) as visitor:
        visitor.sign_in("uma")
        for call in calls(app):
            if call.method == "GET" or call.path.startswith(("/api/", "/webhooks/", "/i/", "/static")):
                continue
            without = send(visitor, call, "")
            foreign = send(visitor, call, visitor.token("/sign-in"), {"Sec-Fetch-Site": "cross-site"})
            if (without.status_code, foreign.status_code) != (403, 403):
                wrong[call.key] = (without.status_code, foreign.status_code)
    assert wrong == {}


def test_role_taken_away(story: Story, app: Starlette, ledger: Ledger) -> None:
    """A role counts as it is now, not as it was at sign-in; who has left is asked who they are."""
    from activities.ledger.company_records import apply_company

    with Visitor(app, base_url="https://billow.test", raise_server_exceptions=False) as visitor:
        visitor.sign_in("lena")
        people = tuple(
            each.model_copy(update={"roles": ("finance",)}) if each.id == "lena" else each
            for each in COMPANY.people
        )
        apply_company(
            ledger, COMPANY.model_copy(update={"people": people}), "company", "uma", datetime.now(UTC)
        )
        answer = visitor.post("/commands/hold", data={"csrf": visitor.token("/sign-in")})
        assert (answer.status_code, "Lena Brandt has the role viewer" in answer.text) == (403, True)
        gone = tuple(each for each in COMPANY.people if each.id != "lena")
        exceptions = COMPANY.exceptions.model_copy(update={"default_owner": "tom"})
        apply_company(
            ledger,
            COMPANY.model_copy(update={"people": gone, "exceptions": exceptions}),
            "company",
            "uma",
            datetime.now(UTC),
        )
        assert "Who are you?" in visitor.get("/").text


_LEADS = re.compile(r'<form[^>]* method="post"[^>]* action="([^"]+)"|<a[^>]* href="(/bill[^"?#]*)')


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_nothing_is_offered_that_is_refused(
    story: Story, settings: Settings, visitor: Visitor, role: Role
) -> None:
    """On no page of a furnished company stands a form, or a way to one, that the person's role does not reach."""
    furnish(story)
    visitor.sign_in(PEOPLE[role])
    offered = set()
    for path in pages(story, settings):
        answer = visitor.get(path)
        if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
            offered |= {
                (path, f"POST {action}" if action else f"GET {link}")
                for action, link in _LEADS.findall(answer.text)
            }
    kept = [
        each
        for each in sorted(offered)
        if (least := RULES[re.sub(r"^POST /d/.*", "POST /d/{token}", each[1])].role)
        and not role.reaches(least)
    ]
    assert offered and kept == []
