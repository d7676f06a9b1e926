"""Approvals: approve or reject one draft."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import commands
from billing.approval_policy import Channel, Verdict
from billing.errors import Refused
from starter.web.orders import Order


def _decide(order: Order) -> str:
    verdict = Verdict.APPROVE if order["verdict"] == "approve" else Verdict.REJECT
    if verdict is Verdict.REJECT and order["verdict"] != "reject":
        raise Refused("say whether you approve or reject")
    if verdict is Verdict.REJECT and not order["comment"]:
        raise Refused("say why you reject it: whoever repairs the draft needs to know")
    if not order["digest"]:
        raise Refused("the form does not say which draft you looked at; load the page again")
    key = commands.decide(
        order.ledger,
        order["invoice"],
        verdict,
        by=order.by,
        channel=Channel.WEB,
        comment=order["comment"],
        draft_digest=order["digest"],
        rebill=order["after"] == "rebill",
        at=order.at,
    )
    if verdict is Verdict.APPROVE:
        return f"You approved {key}."
    return f"You rejected {key}; " + (
        "it will be billed again." if order["after"] == "rebill" else "what it billed is waived."
    )


COMMANDS: dict[str, Callable[[Order], str]] = {"decide": _decide}
