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
        "GET /d/{token}",
        "POST /d/{token}",
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
        "GET /money",
        "GET /clients",
        "GET /clients/{client}",
        "GET /agreements",
        "GET /agreements/{agreement}",
        "GET /bank",
        "GET /bank/statements/{statement:int}",
        "GET /policies",
        "GET /runs",
        "GET /runs/{run}",
        "GET /integrations",
        "GET /integrations/{connection}",
        "GET /integrations/{connection}/message",
        "GET /messages/{key:path}",
        "GET /message-bodies/{key:path}",
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
        "GET /credit-notes/preview",
        "GET /bill",
        "GET /bill/agreement",
        "POST /bill/agreement",
        "GET /bill/one-off",
        "POST /bill/one-off",
        "GET /bill/event",
        "POST /bill/event",
        "POST /bank/statements",
        "POST /commands/place-credit-hold",
        "POST /commands/lift-credit-hold",
        "POST /commands/resolve",
        "POST /commands/agree",
        "POST /commands/refuse",
        "POST /commands/withdraw",
        "POST /commands/refund-paid",
        "POST /commands/pay",
        "POST /commands/allocate",
        "POST /commands/set-aside",
        "POST /commands/undo",
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
    **_rule(None, "GET /api/v1/openapi.json", "GET /api/v1/docs"),
    **_rule(
        Role.VIEWER,
        "GET /api/v1/invoices",
        "GET /api/v1/invoices/{invoice:path}",
        "GET /api/v1/invoices/{invoice:path}/timeline",
        "GET /api/v1/why/{reference:path}",
        "GET /api/v1/documents/{sha256}",
        "GET /api/v1/inbox",
        "GET /api/v1/counts",
        "GET /api/v1/ageing",
        "GET /api/v1/credit-balance",
        "GET /api/v1/bank-statements",
        "GET /api/v1/bank-statements/{statement}",
        "GET /api/v1/bank-statements/{statement}/entries",
        "GET /api/v1/bank-entries",
        "GET /api/v1/agreements",
        "GET /api/v1/agreements/{agreement}",
        "GET /api/v1/runs",
        "GET /api/v1/runs/{run}",
        "GET /api/v1/runs/{run}/items",
        "GET /api/v1/clients",
        "GET /api/v1/clients/{client}",
        "GET /api/v1/company",
        "GET /api/v1/people",
        "GET /api/v1/me",
        "GET /api/v1/absences",
        "GET /api/v1/tokens",
        "GET /api/v1/integrations",
        "GET /api/v1/integrations/{connection}",
        "GET /api/v1/integrations/{connection}/log",
        "GET /api/v1/integrations/{connection}/message",
        "POST /api/v1/invoices/{invoice:path}/credit-preview",
        scope=Scope.READ,
    ),
    **_rule(
        Role.OPERATOR,
        "POST /api/v1/triggers",
        "POST /api/v1/meter-entries",
        "POST /api/v1/invoices/{invoice:path}/fetch-again",
        "POST /api/v1/integrations/{connection}/run-again",
        scope=Scope.BILL,
    ),
    **_rule(
        Role.OPERATOR,
        "POST /api/v1/invoices/{invoice:path}/hold",
        "POST /api/v1/invoices/{invoice:path}/release",
        "POST /api/v1/invoices/{invoice:path}/promise",
        "POST /api/v1/invoices/{invoice:path}/withdraw-promise",
        "POST /api/v1/invoices/{invoice:path}/dispute",
        "POST /api/v1/invoices/{invoice:path}/reject-dispute",
        "POST /api/v1/invoices/{invoice:path}/withdraw-dispute",
        "POST /api/v1/invoices/{invoice:path}/change-due-date",
        "POST /api/v1/invoices/{invoice:path}/plan",
        "POST /api/v1/invoices/{invoice:path}/end-plan",
        "POST /api/v1/invoices/{invoice:path}/resend",
        "POST /api/v1/invoices/{invoice:path}/portal-link",
        "POST /api/v1/invoices/{invoice:path}/renew-link",
        "POST /api/v1/invoices/{invoice:path}/revoke-link",
        "POST /api/v1/invoices/{invoice:path}/pay",
        "POST /api/v1/invoices/{invoice:path}/credit",
        "POST /api/v1/invoices/{invoice:path}/write-off",
        "POST /api/v1/invoices/{invoice:path}/refund",
        "POST /api/v1/invoices/{invoice:path}/use-credit",
        "POST /api/v1/payments",
        "POST /api/v1/payments/{payment}/allocate",
        "POST /api/v1/payments/{payment}/set-aside",
        "POST /api/v1/payments/{payment}/keep-credit",
        "POST /api/v1/payments/{payment}/refund",
        "POST /api/v1/bookings/{booking}/undo",
        "POST /api/v1/bank-statements",
        "POST /api/v1/clients/{client}/place-credit-hold",
        "POST /api/v1/clients/{client}/lift-credit-hold",
        scope=Scope.COLLECT,
    ),
    **_rule(
        Role.OPERATOR,
        "POST /api/v1/exceptions/{exception}/resolve",
        "POST /api/v1/invoices/{invoice:path}/void",
        "POST /api/v1/invoices/{invoice:path}/bill-again",
        "POST /api/v1/given-up/{item}/agree",
        "POST /api/v1/given-up/{item}/refuse",
        "POST /api/v1/given-up/{item}/withdraw",
        "POST /api/v1/given-up/{item}/refund-paid",
        scope=Scope.DECIDE,
    ),
    **_rule(
        Role.APPROVER,
        "POST /api/v1/invoices/{invoice:path}/decide",
        "POST /api/v1/approvals/approve-together",
        scope=Scope.DECIDE,
    ),
    # of others only for an admin, which the operations see to
    **_rule(
        Role.VIEWER,
        "POST /api/v1/absences",
        "POST /api/v1/absences/{absence}/end",
        "POST /api/v1/tokens",
        "POST /api/v1/tokens/{name}/revoke",
        scope=Scope.ADMINISTER,
    ),
    **_rule(Role.ADMIN, "POST /api/v1/company/plan", "POST /api/v1/company/apply", scope=Scope.ADMINISTER),
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
