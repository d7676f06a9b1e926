"""Billing by hand: an agreement before its day, something once, or an event that nobody delivered.

Each form is looked at before anything is billed, and carries a key: the same form a second time is the same invoice.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from urllib.parse import quote, urlencode

from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.languages.catalogue import message
from activities.ledger import agreement_views, events, invoices, triggers
from activities.ledger.agreement_models import AgreementView
from activities.ledger.events import EventStatus
from activities.ledger.invoices import Requested
from billing.agreements import Milestones
from billing.approval_policy import Channel, Circumstances
from billing.company import Company
from billing.errors import BillowError, NotFound, Refused
from billing.events import BillingEvent, EventType
from billing.money import Money, rounded
from billing.one_off import OneOff
from billing.status import DocumentStatus
from starter.web.desk import check_csrf, desk_of, flash, now
from starter.web.forms import Form, amount_of, day_of, read_form
from starter.web.guests import guest_of
from starter.web.invoice_list import MOST_CHOICES

LINES, MOST_LINES = 4, 20
SOURCE = "/billow/by-hand"
"""Where an event that a person tells comes from."""

UNITS = {"C62": message("piece"), "HUR": message("hour"), "DAY": message("day"), "MON": message("month")}
EVENTS = {
    EventType.MILESTONE_SIGNED_OFF: message("a milestone is signed off"),
    EventType.PROJECT_COMPLETED: message("the project is completed"),
    EventType.CONTRACT_SIGNED: message("the contract is signed"),
    EventType.DEAL_WON: message("the deal is won"),
    EventType.BLOCK_USED_UP: message("a block of hours is used up"),
}


@dataclass(frozen=True)
class Preview:
    """What a form would bill. `net` is None where approved work is reckoned only when the draft is made."""

    billing_key: str
    new: bool
    state: str
    item: str
    period_start: date | None
    period_end: date | None
    currency: str
    net: Decimal | None
    tiers: tuple[str, ...]


def choose(request: Request) -> Response:
    """The three ways to bill by hand."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        return desk.serve(request, tx, "bill.html")


def agreement_form(request: Request) -> Response:
    """An agreement to bill now; with `?look=1` what that would bill."""
    desk = desk_of(request)
    asked = {
        name: request.query_params.get(name, "").replace("\0", "").strip()[:200]
        for name in ("agreement", "item", "until", "reason", "look")
    }
    with desk.ledger.transaction() as tx:
        company, view = desk.company(tx), None
        preview: Preview | None = None
        problem = ""
        try:
            if asked["agreement"] and company:
                view = agreement_views.agreement(tx, asked["agreement"], now())
            if view and company and asked["look"]:
                preview = _previewed(tx, company, view, asked, _person(request))
        except BillowError as refusal:
            problem = str(refusal)
        ids = sorted(each.id for each in company.agreements) if company else []
        return desk.serve(
            request,
            tx,
            "bill_agreement.html",
            asked=asked,
            view=view,
            preview=preview,
            problem=problem,
            agreements=ids if len(ids) <= MOST_CHOICES else None,
            items=sorted({each.item for each in view.calendar if each.item}) if view else [],
        )


def _previewed(tx: Session, company: Company, view: AgreementView, asked: Form, by: str) -> Preview:
    with tx.begin_nested() as looked:
        made = _by_agreement(tx, asked, by)
        row = made.invoice
        key, new, state = row.billing_key, made.new, row.document_status
        item, start, end, net = row.item or "", row.period_start, row.period_end, row.net
        looked.rollback()
    coming = next((each.net for each in view.calendar if each.billing_key == key), None)
    known = net if net is not None else coming
    return Preview(
        key,
        new,
        state,
        item,
        start,
        end,
        view.currency,
        known,
        _tiers(company, view.client, known, view.currency),
    )


def _tiers(company: Company, client: str, net: Decimal | None, currency: str) -> tuple[str, ...]:
    amount = Money.of(rounded(net or Decimal(0), currency), currency)
    asked = company.approvals.required(amount, Circumstances(client=client, trigger="manual"))
    return tuple(each.id for each in asked)


def _by_agreement(tx: Session, asked: Form, by: str) -> Requested:
    return triggers.by_agreement(
        tx,
        asked["agreement"],
        asked.get("item") or None,
        until=day_of(asked["until"], "until") if asked.get("until") else None,
        by=by,
        channel=Channel.WEB,
        reason=asked.get("reason") or "asked for by hand",
        at=now(),
    )


async def bill_agreement(request: Request) -> Response:
    """Bills what the preview showed, and nothing else: what has been billed since is named instead."""
    form = await _form(request)
    return await run_in_threadpool(_bill_agreement, request, form)


def _bill_agreement(request: Request, form: Form) -> Response:
    desk, wanted = desk_of(request), form.get("billing_key", "")
    query = {name: form.get(name, "") for name in ("agreement", "item", "until", "reason")}
    try:
        if not query["reason"]:
            raise Refused("say why it is billed now: those who approve read it")
        with desk.ledger.transaction() as tx:
            if there := _standing(tx, wanted):
                return _lead_to(
                    request, wanted, f"{wanted} was asked for already ({there}); nothing was added."
                )
            made = _by_agreement(tx, query, _person(request))
            if made.invoice.billing_key != wanted:
                raise Refused(
                    f"what would be billed has changed: it is {made.invoice.billing_key} now. "
                    "Nothing was billed; look again"
                )
    except BillowError as refusal:
        flash(request, "refused", str(refusal))
        return RedirectResponse(f"/bill/agreement?{urlencode({k: v for k, v in query.items() if v})}", 303)
    return _lead_to(request, wanted, f"New invoice {wanted}.")


def _standing(tx: Session, billing_key: str) -> str | None:
    """The status of the living invoice of the key, if there is one."""
    try:
        row = invoices.find(tx, billing_key)
    except NotFound:
        return None
    free = row.document_status == DocumentStatus.VOIDED and row.rebill
    return None if free else row.document_status


def one_off_form(request: Request) -> Response:
    """The form for what no agreement covers; `?client=` fills it in, `?lines=` says how many lines it has."""
    asked = {name: request.query_params.get(name, "").replace("\0", "")[:200] for name in ("client", "lines")}
    lines = int(asked["lines"]) if asked["lines"].isascii() and asked["lines"].isdigit() else LINES
    return _one_off_page(
        request, {"client": asked["client"], "key": secrets.token_hex(6)}, min(max(lines, 1), MOST_LINES)
    )


async def one_off(request: Request) -> Response:
    """With `act` look: what would be billed. With `act` bill: bills it, once for the key of the form."""
    form = await _form(request)
    return await run_in_threadpool(_one_off, request, form)


def _one_off(request: Request, form: Form) -> Response:
    desk = desk_of(request)
    lines = next((number for number in range(MOST_LINES, 0, -1) if f"description_{number}" in form), LINES)
    try:
        with desk.ledger.transaction() as tx:
            company = desk.company(tx)
        written = _written(form, company, lines)
        if form.get("act") != "bill":
            return _one_off_page(request, form, lines, written)
        if not form.get("key"):
            raise Refused("the form has lost its key; open it anew and repeat it")
        if form.get("shown") != _digest(written):
            changed = "this is not what you had looked at: look at it again, then bill it"
            return _one_off_page(request, form, lines, written, problem=changed)
        with desk.ledger.transaction() as tx:
            made = triggers.one_off(
                tx, written, form["key"][:60], by=_person(request), channel=Channel.WEB, at=now()
            )
            key, new = made.invoice.billing_key, made.new
    except BillowError as refusal:
        return _one_off_page(request, form, lines, problem=str(refusal))
    return _lead_to(
        request, key, f"New invoice {key}." if new else f"{key} was asked for already; nothing was added."
    )


def _one_off_page(
    request: Request, form: Form, lines: int, written: OneOff | None = None, problem: str = ""
) -> Response:
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
        nets = (
            [rounded(each.quantity * each.unit_price, written.currency) for each in written.lines]
            if written
            else []
        )
        net = sum(nets, Decimal(0))
        if written:
            net -= rounded(net * written.discount / 100, written.currency)
        ids = sorted(each.id for each in company.clients) if company else []
        return desk.serve(
            request,
            tx,
            "bill_one_off.html",
            form=form,
            lines=lines,
            written=written,
            problem=problem,
            shown=_digest(written) if written else "",
            nets=nets,
            net=net,
            tiers=_tiers(company, written.client, net, written.currency) if company and written else (),
            clients=ids if len(ids) <= MOST_CHOICES else None,
            currencies={each.id: each.currency for each in company.clients} if company else {},
            units=UNITS,
            most_lines=MOST_LINES,
        )


def _digest(written: OneOff) -> str:
    """By which the form knows what of it was looked at."""
    return hashlib.sha256(written.model_dump_json().encode()).hexdigest()[:24]


def _written(form: Form, company: Company | None, lines: int) -> OneOff:
    """What the form says; `Refused` with what is wrong first."""
    client = company.client(form.get("client", "")) if company else None
    if client is None:
        raise Refused("choose the client it is for")
    currency = form.get("currency", "").upper() or client.currency
    rows = []
    for number in range(1, lines + 1):
        said = {
            name: form.get(f"{name}_{number}", "")
            for name in ("description", "quantity", "unit", "unit_price")
        }
        if not (said["description"] or said["unit_price"]):
            continue
        if not said["description"] or not said["unit_price"]:
            raise Refused(f"line {number} needs a description and a price")
        rows.append(
            {
                "description": said["description"][:500],
                "quantity": _quantity(said["quantity"] or "1", number),
                "unit": said["unit"] if said["unit"] in UNITS else "C62",
                "unit_price": amount_of(said["unit_price"], currency),
            }
        )
    if not rows:
        raise Refused("write at least one line: what it is and what it costs")
    content = {
        "client": client.id,
        "currency": currency,
        "title": form.get("title", "")[:200],
        "reason": form.get("reason", "")[:500],
        "order_reference": form.get("order_reference", "")[:100],
        "supplied_on": form.get("supplied_on") or None,
        "discount": _quantity(form.get("discount") or "0", 0),
        "lines": rows,
    }
    try:
        return OneOff.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(f"{'.'.join(map(str, first['loc'])).replace('_', ' ')}: {first['msg']}") from error


def _quantity(text: str, line: int) -> Decimal:
    try:
        found = Decimal(text.replace(",", ".").replace("\u00a0", "").strip())
    except ArithmeticError:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 <= found < 10**9 or -int(found.as_tuple().exponent) > 4:
        where = f"quantity of line {line}" if line else "discount"
        raise Refused(f"{where}: {text[:40]!r} is no figure such as 7.5")
    return found


def event_form(request: Request) -> Response:
    """What happened to an agreement, told by hand."""
    desk = desk_of(request)
    wanted = request.query_params.get("agreement", "").replace("\0", "")[:200]
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
        found = company.agreement(wanted) if company else None
        ids = sorted(each.id for each in company.agreements) if company else []
        return desk.serve(
            request,
            tx,
            "bill_event.html",
            wanted=wanted,
            agreements=ids if len(ids) <= MOST_CHOICES else None,
            milestones=[(each.id, each.title) for each in found.milestones]
            if isinstance(found, Milestones)
            else [],
            events=EVENTS,
            key=secrets.token_hex(6),
        )


async def event(request: Request) -> Response:
    """Takes the event in and acts on it; the same form again is the same event."""
    form = await _form(request)
    return await run_in_threadpool(_event, request, form)


def _event(request: Request, form: Form) -> Response:
    desk = desk_of(request)
    block = form.get("block", "")
    back = f"/bill/event?{urlencode({'agreement': form.get('agreement', '')})}"
    try:
        told = BillingEvent.model_validate(
            {
                "specversion": "1.0",
                "id": form.get("key", "")[:60],
                "source": SOURCE,
                "type": form.get("type", ""),
                "data": {
                    "agreement": form.get("agreement") or None,
                    "milestone": form.get("milestone") or None,
                    "block": int(block) if block.isascii() and block.isdigit() else None,
                },
            }
        )
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        flash(request, "refused", f"{said}. Nothing was billed.")
        return RedirectResponse(back, 303)
    try:
        acted = events.take_in(desk.ledger, told, channel=Channel.WEB, brought_by=_person(request), at=now())
    except BillowError as refusal:
        flash(request, "refused", str(refusal))
        return RedirectResponse(back, 303)
    if acted.status is EventStatus.HELD:
        flash(request, "refused", f"the event is kept and held: {acted.outcome}")
        return RedirectResponse("/?for=all", 303)
    if acted.invoices:
        key = acted.invoices[0].invoice.billing_key
        new = any(each.new for each in acted.invoices)
        return _lead_to(
            request, key, f"New invoice {key}." if new else f"{key} is billed already; nothing was added."
        )
    flash(request, "done", f"the event is kept; {acted.outcome or acted.status}.")
    return RedirectResponse(back, 303)


async def _form(request: Request) -> Form:
    form = await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    return form


def _person(request: Request) -> str:
    guest = guest_of(request)
    if guest is None or guest.person is None:
        raise Refused("nobody is signed in here any more; sign in and repeat it")
    return guest.person.id


def _lead_to(request: Request, billing_key: str, said: str) -> Response:
    flash(request, "done", said)
    return RedirectResponse(f"/invoices/{quote(billing_key)}", 303)
