"""The commands of the pages, one module a noun: each a form, a transaction, and a line about what holds now."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from billing.errors import BillowError, Refused
from starter.web import absences, clients, tokens
from starter.web.commands import (
    agreeing,
    copies,
    credit_notes,
    decisions,
    deliveries,
    disputes,
    drafts,
    due_dates,
    dunning_blocks,
    exceptions,
    giving_up,
    payment_plans,
    payments,
    portal_links,
    promises,
)
from starter.web.commands.stale import check_fresh
from starter.web.desk import Desk, check_csrf, desk_of, flash, local_path, now, zone_of
from starter.web.forms import Form, read_form
from starter.web.guests import guest_of
from starter.web.orders import Order


async def command(request: Request) -> Response:
    """Carries out one command and leads back to the page it was given on, which shows what came of it."""
    desk = desk_of(request)
    carry_out = COMMANDS.get(request.path_params["name"])
    if carry_out is None:
        raise HTTPException(404, "There is no such command.")
    form = await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    back = local_path(form.get("back", "/"))
    try:
        said = await run_in_threadpool(_carry_out, desk, request, carry_out, form)
    except BillowError as refusal:
        flash(request, "refused", str(refusal))
    else:
        flash(request, "done", said)
    return RedirectResponse(back, 303)


def _carry_out(desk: Desk, request: Request, carry_out: Callable[[Order], str], form: Form) -> str:
    guest = guest_of(request)
    if guest is None or guest.person is None:
        raise Refused("nobody is signed in here any more; sign in and repeat it")
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
    order = Order(desk.ledger, form, guest.person.id, guest.role, now(), zone_of(company))
    check_fresh(order)
    return carry_out(order)


COMMANDS: dict[str, Callable[[Order], str]] = {
    **decisions.COMMANDS,
    **agreeing.COMMANDS,
    **exceptions.COMMANDS,
    **payments.COMMANDS,
    **dunning_blocks.COMMANDS,
    **promises.COMMANDS,
    **disputes.COMMANDS,
    **deliveries.COMMANDS,
    **copies.COMMANDS,
    **credit_notes.COMMANDS,
    **drafts.COMMANDS,
    **due_dates.COMMANDS,
    **giving_up.COMMANDS,
    **payment_plans.COMMANDS,
    **portal_links.COMMANDS,
    **clients.COMMANDS,
    **absences.COMMANDS,
    **tokens.COMMANDS,
}
