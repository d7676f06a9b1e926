"""The inbox: what waits for a person, their team or anybody, oldest deadline first."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import views
from billing.teams import team_of
from starter.web.desk import desk_of, now

MOST = 100
"""Items on the page; more are worked off from the top."""

MINE, TEAM, ALL = "me", "team", "all"


def page(request: Request) -> Response:
    """What waits for the person signed in, for those who report to them, or for everybody (`?for=`)."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        person, company = desk.person(request), desk.company(tx)
        team = team_of(person.id, company.people_by_id) if person and company else frozenset()
        wanted = request.query_params.get("for", MINE)
        if person is None or wanted not in (TEAM, ALL) or (wanted == TEAM and not team):
            wanted = ALL if person is None else MINE
        at = now()
        mine = frozenset({person.id}) if person else frozenset()
        whose = {MINE: mine, TEAM: mine | team, ALL: None}[wanted]
        items = views.inbox(tx, whose, at, limit=MOST)
        counts = views.counts(tx, at, person.id if person else None, mine | team if team else ())
        return desk.serve(
            request,
            tx,
            "inbox.html",
            items=items,
            wanted=wanted,
            has_team=bool(team),
            together=[each for each in items if each.together and person and person.id in each.who],
            most=MOST,
            counts=counts,
        )
