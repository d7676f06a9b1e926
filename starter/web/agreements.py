"""Agreements: the list with what each is billed for next, and one with its terms, meters and everything billed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from activities.languages.catalogue import message
from activities.ledger import agreement_views, money_views, why
from starter.web.desk import desk_of, now
from starter.web.listings import page_of

ROWS = 40
MOST_BILLED = 60
"""Things billed on the page of an agreement, the newest; the list of invoices has them all."""

MODELS = {
    "retainer": message("retainer"),
    "milestone": message("milestones"),
    "fixed price": message("fixed price"),
    "time and materials": message("time and materials"),
    "prepaid block": message("prepaid hours"),
    "expenses": message("expenses"),
}
MEASURES = {"hours": message("hours"), "spend": message("spend"), "progress": message("progress")}


STATES = (
    message("active"), message("to begin"), message("ended"), message("on hold"), message("billed in full"),
    message("billed"), message("waived"), message("to be billed again"), message("in force"), message("agreed"),
    message("not approved"),
)  # fmt: skip
"""Of agreements, of what they bill, and of change orders."""


def listing(request: Request) -> Response:
    """A page of agreements by id; `?q=` narrows by what id, title or client contains."""
    desk, at = desk_of(request), now()
    asked = {name: request.query_params.get(name, "").replace("\0", "")[:200] for name in ("q", "after")}
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
        text = asked["q"].lower()
        wanted = [
            each
            for each in (company.agreements if company else ())
            if text in f"{each.id}\n{each.title}\n{each.client}".lower()
        ]
        shown, after = page_of(sorted(wanted, key=lambda each: each.id), asked["after"], ROWS)
        ids = {each.id for each in shown}
        found = agreement_views.agreements(tx, at, only=ids) if ids else []
        return desk.serve(
            request,
            tx,
            "agreements.html",
            agreements=sorted(found, key=lambda each: each.id),
            client_names=money_views.names_of(tx, sorted({each.client for each in found})),
            total=len(wanted),
            after=after,
            asked=asked,
            models=MODELS,
            measures=MEASURES,
        )


def detail(request: Request) -> Response:
    """One agreement in full, and why it was billed or not."""
    desk, at = desk_of(request), now()
    key = request.path_params["agreement"].replace("\0", "")
    with desk.ledger.transaction() as tx:
        view = agreement_views.agreement(tx, key, at)
        billed = [each for each in view.calendar if each.on is not None]
        return desk.serve(
            request,
            tx,
            "agreement.html",
            view=view,
            client_name=money_views.names_of(tx, [view.client]).get(view.client, view.client),
            billed=billed[: -MOST_BILLED - 1 : -1],
            more=len(billed) > MOST_BILLED,
            coming=[each for each in view.calendar if each.on is None],
            reasons=why.explain(tx, key, at)[-MOST_BILLED:],
            models=MODELS,
            measures=MEASURES,
        )
