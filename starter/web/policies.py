"""Policies: what the company that runs says about approving, reminding, money, exceptions and tax, in plain words."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import policy_views
from billing.dunning_policy import Offset
from starter.web.desk import desk_of
from starter.web.words import Words

MOST_RULES = 100


def page(request: Request) -> Response:
    """The version that runs, and how many open invoices are pinned to older ones."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        return desk.serve(
            request,
            tx,
            "policies.html",
            versions=policy_views.versions(tx),
            length=length,
            most=MOST_RULES,
        )


def length(offset: Offset, said: Words) -> str:
    """'7 days', '2 minutes'."""
    if offset.days is not None:
        return said.ngettext("%(num)s day", "%(num)s days", offset.days)
    minutes = offset.minutes or 0
    return said.ngettext("%(num)s minute", "%(num)s minutes", minutes)
