"""The commands of the pages: each a form, a transaction on the ledger, and a line about what holds now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.ledger import commands, company_exceptions, deliveries, events
from activities.ledger.exceptions import Resolution
from billing.approval_policy import Channel, Verdict
from billing.errors import BillowError, Refused
from starter.web import absences, tokens
from starter.web.desk import Desk, check_csrf, desk_of, flash, local_path, now, zone_of
from starter.web.forms import Form, amount_of, day_of, id_of, read_form
from starter.web.guests import guest_of
from starter.web.orders import Order
from starter.web.words import money


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
    return carry_out(Order(desk.ledger, form, guest.person.id, guest.role, now(), zone_of(company)))


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


def _resolve(order: Order) -> str:
    exception = id_of(order["exception"], "exception")
    try:
        resolution = Resolution(order["resolution"])
    except ValueError as error:
        raise Refused("say what is to be done: retry, accept or void") from error
    key = commands.resolve(
        order.ledger,
        exception,
        resolution,
        by=order.by,
        channel=Channel.WEB,
        reason=order["reason"],
        rebill=order["after"] == "rebill",
        at=order.at,
    )
    with order.ledger.transaction() as tx:
        without_invoice = company_exceptions.outcome(tx, exception)
    if without_invoice is not None:
        return without_invoice
    done = {
        Resolution.RETRY: f"{key} is tried again now.",
        Resolution.ACCEPT: f"Accepted as it is; {key} goes on.",
        Resolution.VOID: f"{key} is void; "
        + ("it will be billed again." if order["after"] == "rebill" else "what it billed is waived."),
    }
    return done[resolution]


def _pay(order: Order) -> str:
    amount = amount_of(order["amount"], order["currency"])
    received_on = day_of(order["received_on"], "received on")
    if received_on > order.at.astimezone(order.zone).date():
        raise Refused("money cannot have been received on a day that is still to come")
    new = commands.pay(
        order.ledger,
        order["invoice"],
        amount,
        order["currency"] or None,
        received_on=received_on,
        by=order.by,
        channel=Channel.WEB,
        note=order["note"],
        at=order.at,
    )
    said = f"{money(amount, order['currency'])} received on {received_on.isoformat()}"
    return f"{said} is booked." if new else f"{said} was booked already; nothing was added."


def _allocate(order: Order) -> str:
    if not order["invoice"]:
        raise Refused("say which invoice the payment is for: its number is enough")
    number, booked = commands.allocate(
        order.ledger,
        id_of(order["payment"], "payment"),
        order["invoice"],
        by=order.by,
        channel=Channel.WEB,
        at=order.at,
    )
    return f"{money(booked.amount, booked.currency)} is booked for {number}."


def _set_aside(order: Order) -> str:
    amount = commands.set_aside(
        order.ledger, id_of(order["payment"], "payment"), reason=order["reason"], by=order.by, at=order.at
    )
    return f"{money(amount.amount, amount.currency)} is set aside; it is booked for no invoice."


def _hold(order: Order) -> str:
    day = day_of(order["until"], "hold until")
    number = commands.hold(
        order.ledger,
        order["invoice"],
        until=datetime.combine(day, time(), order.zone),
        reason=order["reason"],
        by=order.by,
        channel=Channel.WEB,
        at=order.at,
    )
    return f"{number} is on hold until {day.isoformat()}."


def _release(order: Order) -> str:
    number = commands.release(order.ledger, order["invoice"], by=order.by, channel=Channel.WEB, at=order.at)
    return f"{number} is released; reminders go on."


def _promise(order: Order) -> str:
    day = day_of(order["on"], "promised for")
    number = commands.promise(
        order.ledger,
        order["invoice"],
        on=day,
        by=order.by,
        channel=Channel.WEB,
        note=order["note"],
        at=order.at,
    )
    return f"Noted: {number} is promised for {day.isoformat()}."


def _dispute(order: Order) -> str:
    number = commands.dispute(
        order.ledger, order["invoice"], reason=order["reason"], by=order.by, channel=Channel.WEB, at=order.at
    )
    return f"{number} is disputed; reminders rest until it is decided."


def _run_again(order: Order) -> str:
    with order.ledger.transaction() as tx:
        if order["delivery"]:
            row = deliveries.run_again(tx, order["connection"], order["delivery"], by=order.by, at=order.at)
            return f"It is {row.status}: {row.outcome}."
        acted = events.retry(tx, order["source"], order["event"], at=order.at)
        return f"It is {acted.status}: {acted.outcome}."


COMMANDS: dict[str, Callable[[Order], str]] = {
    "decide": _decide,
    "resolve": _resolve,
    "pay": _pay,
    "allocate": _allocate,
    "set-aside": _set_aside,
    "hold": _hold,
    "release": _release,
    "promise": _promise,
    "dispute": _dispute,
    "run-again": _run_again,
    **absences.COMMANDS,
    **tokens.COMMANDS,
}
