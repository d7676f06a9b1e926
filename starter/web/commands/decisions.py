"""Approvals: approve or reject a draft, or approve several together."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import commands
from activities.ledger.approving_together import approve_together
from billing.approval_policy import Verdict
from billing.errors import Refused
from starter.web.forms import id_of
from starter.web.orders import Order

TICKED = "draft-"
"""Before the id of an approval that is ticked, as the name of a field; its value is the digest of what was shown."""


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
        comment=order["comment"],
        draft_digest=order["digest"],
        rebill=order["after"] == "rebill",
        **order.said,
    )
    if verdict is Verdict.APPROVE:
        return f"You approved {key}."
    return f"You rejected {key}; " + (
        "it will be billed again." if order["after"] == "rebill" else "what it billed is waived."
    )


def _approve_together(order: Order) -> str:
    ticked = {
        id_of(field.removeprefix(TICKED), "draft"): digest
        for field, digest in order.form.items()
        if field.startswith(TICKED)
    }
    done = approve_together(order.ledger, ticked, comment=order["comment"], **order.said)
    approved = [each.billing_key for each in done if each.refused is None]
    refused = [f"{each.billing_key}: {each.refused}" for each in done if each.refused is not None]
    if not approved:
        raise Refused(f"none of them was approved: {'; '.join(refused)}")
    said = f"You approved {len(approved)} {'draft' if len(approved) == 1 else 'drafts'}."
    return f"{said} Not approved were {'; '.join(refused)}." if refused else said


COMMANDS: dict[str, Callable[[Order], str]] = {"decide": _decide, "approve-together": _approve_together}
