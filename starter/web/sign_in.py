"""Who sits before the page: signed in by the company's provider, in development by choosing a person."""

from __future__ import annotations

import logging
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.ledger import sign_ins
from billing.parties import Person
from billing.roles import role_of
from starter.web.desk import SIGN_IN, Desk, check_csrf, desk_of, flash, local_path, now
from starter.web.forms import read_form
from starter.web.guests import guest_of
from starter.web.openid import Departure, Identity, SignInFailed
from starter.web.permissions import DUTIES
from workers.settings import Settings

log = logging.getLogger(__name__)

CHOSEN = "chosen in development"
"""How a person proved who they are where nobody has to."""


DEPARTURE = "departure"
"""Where a browser's session keeps what the provider's answer must fit."""

ANSWERED_WITHIN = timedelta(minutes=15)


def cookie(settings: Settings) -> str:
    """The name of the session's cookie; on https one that no other host of the domain can set."""
    return "__Host-billow" if settings.web_url.startswith("https:") else "billow"


def page(request: Request) -> Response:
    """How to sign in: by the provider, in development as anybody of the company."""
    desk = desk_of(request)
    if not desk.can_sign_in and not desk.serves_locally(request):
        raise HTTPException(403, "Sign-in is not configured, so nothing is shown to the network.")
    back = local_path(request.query_params.get("back", "/"))
    with desk.ledger.transaction() as tx:
        found = desk.signed_in(request, tx, now())
        company = desk.company(tx)
        people = company.people if company and desk.settings.development else ()
        roles = sorted(
            ((role_of(each), each) for each in people),
            key=lambda one: list(DUTIES).index(one[0]),
            reverse=True,
        )
        return desk.serve(
            request,
            tx,
            "sign_in.html",
            counts=None,
            back=back,
            roles=roles,
            duties=DUTIES,
            provider=desk.provider.name if desk.provider else None,
            already=found[0] if found else None,
        )


async def begin(request: Request) -> Response:
    """Signs a person in who was chosen; only in development."""
    desk = desk_of(request)
    form = await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    if not desk.settings.development:
        raise HTTPException(403, "Nobody is chosen here: this is not a development installation.")
    if not desk.is_meant(request):
        raise HTTPException(
            403, f"Open {desk.settings.web_url} instead: nobody is signed in under another name."
        )
    person = await run_in_threadpool(_chosen, desk, form.get("person", ""))
    if person is None:
        flash(request, "refused", "That is not a person of this company.")
        return RedirectResponse("/sign-in", 303)
    await run_in_threadpool(sign_in, request, person, CHOSEN)
    return RedirectResponse(local_path(form.get("back", "/")), 303)


def sign_in(request: Request, person: Person, how: str, subject: str = "") -> None:
    """Signs the person in, in a session with nothing in it from before; who was signed in here is signed out."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        if before := request.session.get(SIGN_IN):
            sign_ins.end(tx, str(before), at=now())
        secret = sign_ins.begin(tx, person.id, how=how, subject=subject, at=now())
    request.session.clear()
    request.session[SIGN_IN] = secret


def depart(request: Request) -> Response:
    """To the provider, which asks who it is."""
    desk = desk_of(request)
    if desk.provider is None:
        raise HTTPException(404, "There is no identity provider here.")
    try:
        departure = desk.provider.depart()
    except SignInFailed as failure:
        return _not_signed_in(request, failure)
    request.session[DEPARTURE] = {
        "state": departure.state,
        "nonce": departure.nonce,
        "verifier": departure.verifier,
        "back": local_path(request.query_params.get("back", "/")),
        "until": (now() + ANSWERED_WITHIN).timestamp(),
    }
    return RedirectResponse(departure.url, 303)


def arrive(request: Request) -> Response:
    """Back from the provider: signs in whom it names, if that is a person of the company."""
    desk = desk_of(request)
    if desk.provider is None:
        raise HTTPException(404, "There is no identity provider here.")
    try:
        departure, back = _departed(request)
        identity = desk.provider.arrive(request.query_params, departure)
        person = _person_with(desk, identity)
    except SignInFailed as failure:
        return _not_signed_in(request, failure)
    sign_in(request, person, f"by {desk.provider.name}", identity.subject)
    return RedirectResponse(back, 303)


def _departed(request: Request) -> tuple[Departure, str]:
    """What the answer must fit, which is taken once; and where the person wanted to go."""
    kept = request.session.pop(DEPARTURE, None)
    if not isinstance(kept, dict) or kept.pop("until") < now().timestamp():
        raise SignInFailed("the answer came too late, or to another browser; begin to sign in again")
    back = local_path(kept.pop("back"))
    return Departure(url="", **kept), back


def _person_with(desk: Desk, identity: Identity) -> Person:
    """The one person of the company with that address, however it is written."""
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
    wanted = identity.email.casefold()
    found = [each for each in company.people if each.email.casefold() == wanted] if company else []
    if len(found) != 1:
        several = "several people have" if found else "nobody has"
        raise SignInFailed(
            f"{several} the address {identity.email} in people.yaml of the company folder; "
            "have it put right there, then sign in again"
        )
    return found[0]


def _not_signed_in(request: Request, failure: SignInFailed) -> Response:
    log.warning("a sign-in failed: %s", failure)
    flash(request, "refused", str(failure))
    return RedirectResponse("/sign-in", 303)


async def end(request: Request) -> Response:
    """Signs out in this browser."""
    check_csrf(request, (await read_form(request)).get("csrf", ""))
    await run_in_threadpool(_sign_out, desk_of(request), str(request.session.get(SIGN_IN) or ""))
    request.session.clear()
    return RedirectResponse("/sign-in", 303)


async def end_everywhere(request: Request) -> Response:
    """Signs out in every browser the person is signed in with."""
    check_csrf(request, (await read_form(request)).get("csrf", ""))
    guest = guest_of(request)
    if guest is not None and guest.person is not None:
        await run_in_threadpool(_sign_out_everywhere, desk_of(request), guest.person.id)
    request.session.clear()
    return RedirectResponse("/sign-in", 303)


def _sign_out(desk: Desk, secret: str) -> None:
    with desk.ledger.transaction() as tx:
        sign_ins.end(tx, secret, at=now())


def _sign_out_everywhere(desk: Desk, person: str) -> None:
    with desk.ledger.transaction() as tx:
        sign_ins.end_all(tx, person, at=now())


def _chosen(desk: Desk, key: str) -> Person | None:
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
    return company.people_by_id.get(key) if company else None
