"""Who may do what: one table from every route and command to the least role, kept at the doors (`doors`).

A key is a method and a route as it is written in the app, or a command by its name: `POST /commands/pay`. A route
without a rule is a mistake, and the app does not start with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from activities.languages.catalogue import message
from billing.roles import Role
from billing.scopes import Scope

COMMANDS = "/commands/{name}"


@dataclass(frozen=True)
class Rule:
    """The least role, None: open to everybody. Under `/api/` a token needs the scope besides."""

    role: Role | None
    scope: Scope | None = None


def _rule(role: Role | None, *keys: str, scope: Scope | None = None) -> dict[str, Rule]:
    return {key: Rule(role, scope) for key in keys}


RULES: Mapping[str, Rule] = {
    # open: whether it is up, how it looks, how one gets in; and what brings its own proof, a signature or a secret path
    **_rule(
        None,
        "GET /healthz",
        "GET /readyz",
        "GET /favicon.ico",
        "* /static",
        "GET /sign-in",
        "GET /sign-in/provider",
        "GET /sign-in/callback",
        "POST /session",
        "POST /session/end",
        "* /webhooks/events",
        "* /webhooks/{connection}",
        "GET /i/{token}",
        "GET /i/{token}/files/{sha256}",
        "GET /i/{token}/receipt",
        "POST /i/{token}/seen",
        "POST /i/{token}/pay",
        "POST /i/{token}/dispute",
        "POST /i/{token}/withdraw",
        "POST /i/{token}/promise",
        "POST /i/{token}/copy",
        "GET /stand-in-checkout/{session}",
        "POST /stand-in-checkout/{session}",
    ),
    **_rule(
        Role.VIEWER,
        "GET /",
        "GET /approvals/{id:int}",
        "GET /approvals/{id:int}/draft.pdf",
        "GET /exceptions/{id:int}",
        "GET /invoices",
        "GET /invoices.csv",
        "POST /saved-views",
        "POST /saved-views/remove",
        "GET /invoices/{reference:path}",
        "GET /runs",
        "GET /runs/{run}",
        "GET /integrations",
        "GET /integrations/{connection}",
        "GET /integrations/{connection}/message",
        "GET /documents/{sha256}",
        "GET /disputes/{dispute:int}/files/{sha256}",
        "GET /mailbox",
        "GET /mailbox/{id}",
        "GET /mailbox/{id}/html",
        "GET /mailbox/{id}/attachments/{number:int}",
        "GET /sign-ins",
        "GET /absences",
        "POST /commands/announce-absence",
        "POST /commands/end-absence",
        "GET /tokens",
        "POST /tokens",
        "POST /commands/revoke-token",
        "GET /preferences",
        "POST /preferences",
        "POST /session/end-everywhere",
    ),
    **_rule(
        Role.OPERATOR,
        "POST /commands/resolve",
        "POST /commands/agree",
        "POST /commands/refuse",
        "POST /commands/withdraw",
        "POST /commands/refund-paid",
        "POST /commands/pay",
        "POST /commands/allocate",
        "POST /commands/set-aside",
        "POST /commands/hold",
        "POST /commands/release",
        "POST /commands/promise",
        "POST /commands/dispute",
        "POST /commands/run-again",
        "POST /commands/withdraw-promise",
        "POST /commands/reject-dispute",
        "POST /commands/withdraw-dispute",
        "POST /commands/change-due-date",
        "POST /commands/plan",
        "POST /commands/end-plan",
        "POST /commands/credit",
        "POST /commands/write-off",
        "POST /commands/refund",
        "POST /commands/use-credit",
        "POST /commands/resend",
        "POST /commands/fetch-again",
        "POST /commands/void",
        "POST /commands/renew-link",
        "POST /commands/revoke-link",
    ),
    # which tier asks whom is the approval policy's; this is only who may be asked at all
    **_rule(Role.APPROVER, "POST /commands/decide", "POST /commands/approve-together"),
    **_rule(Role.OPERATOR, "POST /api/v1/triggers", "POST /api/v1/meter-entries", scope=Scope.BILL),
}

DUTIES: Mapping[Role, str] = {
    Role.VIEWER: message("sees everything and changes nothing"),
    Role.OPERATOR: message("bills, books payments, follows up, decides exceptions"),
    Role.APPROVER: message("approves the drafts they are asked about, and does all an operator does"),
    Role.ADMIN: message("looks after tokens and absences of others, and does all an approver does"),
}
"""What each role may do, in a line."""

NAMES = (message("viewer"), message("operator"), message("approver"), message("admin"))


def rule_of(method: str, route: str, parameters: Mapping[str, object]) -> Rule | None:
    """The rule of a request to a route; None where there is none, as for a command nobody knows."""
    if route == COMMANDS:
        return RULES.get(f"{method} /commands/{parameters.get('name', '')}")
    return RULES.get(f"{'GET' if method == 'HEAD' else method} {route}") or RULES.get(f"* {route}")
