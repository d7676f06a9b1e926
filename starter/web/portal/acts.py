"""What a client does by its page: each a form, one transaction on the ledger, and the page as things stand then.

A form is only taken with the secret of its link; whoever sends one is a person who has seen the invoice. A second click
finds done what the first one did.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import date

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.documents.store import DocumentStore
from activities.invoicing import checkout
from activities.languages.catalogue import message
from activities.ledger import dispute_files, disputes, portal_links, promises, resending
from activities.ledger.actors import PORTAL, client_actor
from activities.ledger.dispute_files import SentFile
from billing.dispute import DisputeCode
from billing.errors import BillowError, Refused
from billing.parties import EmailAddress
from starter.web.desk import now
from starter.web.portal import uploads
from starter.web.portal.invoice import shown
from starter.web.portal.possible import Possible, possible
from starter.web.portal.uploads import NotTaken, Sent, Upload
from starter.web.portal.visits import ACTS as SO_OFTEN
from starter.web.portal.visits import LOOKS, Portal, Visit, portal_of, private

log = logging.getLogger(__name__)

LONGEST_REASON = 4000

OUT_OF_DATE = message("This page was out of date, so nothing was sent. Please try again.")
NOT_NOW = message("This is not possible any more. Below you see how things stand now.")
SAY_WHY = message("Please tell us what is not right.")
WHICH_LINES = message("Please mark the lines you mean, or choose the whole invoice.")
TOO_LONG = message("That is too long. Please shorten it, or send it as a file.")
WHICH_DAY = message("Please choose a day from today on that is not too far ahead.")
WHICH_ADDRESS = message("Please enter an e-mail address.")
NO_MORE_COPIES = message("For today, enough copies were sent. Please try again tomorrow.")
NOT_PAYABLE = message("Paying online does not work now. Please transfer the amount, or try again later.")

_email: TypeAdapter[str] = TypeAdapter(EmailAddress)

CarryOut = Callable[[Session, Visit, Sent, list[Upload], DocumentStore], None]


async def seen(request: Request) -> Response:
    """A person has the page before them: the script of the page says so, after they moved or touched something."""
    portal, sent = portal_of(request), await _form_of(request)

    def noted() -> None:
        with portal.desk.ledger.transaction() as tx:
            visit = portal.visit(request, tx, lock=True, may=LOOKS)
            if portal.is_own_form(visit.token, sent.fields.get("secret", "")):
                portal_links.looked(tx, visit.row, visit.link, visit.company, at=visit.at)

    await run_in_threadpool(noted)
    return private(Response(status_code=204))


async def pay(request: Request) -> Response:
    """Leads to the provider's page for what is asked at this moment, or for all that is open."""
    portal, sent = portal_of(request), await _form_of(request)
    return await run_in_threadpool(_pay, portal, request, sent)


def _pay(portal: Portal, request: Request, sent: Sent) -> Response:
    with portal.desk.ledger.transaction() as tx:
        visit = portal.visit(request, tx, lock=True, may=SO_OFTEN)
        if not portal.is_own_form(visit.token, sent.fields.get("secret", "")):
            return shown(portal, tx, visit, refused=OUT_OF_DATE, section="pay", status=403)
        portal_links.looked(tx, visit.row, visit.link, visit.company, at=visit.at)
        number, language = visit.row.number or "", visit.writes.language
    back = f"{portal.desk.settings.web_url}/i/{visit.token}?done=pay"
    try:
        url = checkout.start(
            portal.desk.ledger,
            number,
            return_url=back,
            whole=sent.fields.get("amount") == "whole",
            language=language,
            stand_in=portal.stand_in,
            at=now(),
        )
    except BillowError as error:
        log.info("%s cannot be paid online: %s", number, error)
        with portal.desk.ledger.transaction() as tx:
            visit = portal.visit(request, tx)
            return shown(portal, tx, visit, refused=NOT_PAYABLE, section="pay", status=409)
    # not a redirect: `form-action` of the page would have to name every provider's address
    return portal.page(
        "leaving", {"catalogue": visit.writes.words, "language": language, "url": url, "style": ""}
    )


async def _form_of(request: Request) -> Sent:
    """The form, read only for who comes by a valid link."""
    portal = portal_of(request)

    def check() -> None:
        with portal.desk.ledger.transaction() as tx:
            portal.visit(request, tx)

    await run_in_threadpool(check)
    return await uploads.read(request)


def _form(section: str, carry_out: CarryOut) -> Callable[[Request], Awaitable[Response]]:
    async def act(request: Request) -> Response:
        portal, sent = portal_of(request), await _form_of(request)
        files: list[Upload] = []
        wrong = ""
        try:
            files = await uploads.taken(sent.files)
        except NotTaken as error:
            wrong = str(error)
        return await run_in_threadpool(_carried_out, portal, request, section, carry_out, sent, files, wrong)

    return act


def _carried_out(
    portal: Portal,
    request: Request,
    section: str,
    carry_out: CarryOut,
    sent: Sent,
    files: list[Upload],
    wrong: str,
) -> Response:
    refused, status = wrong, 422
    try:
        with portal.desk.ledger.transaction() as tx:
            visit = portal.visit(request, tx, lock=True, may=SO_OFTEN)
            if not portal.is_own_form(visit.token, sent.fields.get("secret", "")):
                refused, status = OUT_OF_DATE, 403
            if not refused:
                carry_out(tx, visit, sent, files, portal.desk.documents)
                portal_links.looked(tx, visit.row, visit.link, visit.company, at=visit.at)
                return private(RedirectResponse(f"/i/{visit.token}?done={section}#done", 303))
    except NotTaken as error:
        refused = str(error)
    except Refused as error:
        log.info("refused by the portal: %s", error)
        refused, status = NOT_NOW, 409
    with portal.desk.ledger.transaction() as tx:
        visit = portal.visit(request, tx)
        form = {**sent.fields, **{f"line-{each}": "on" for each in sent.lines}}
        return shown(portal, tx, visit, refused=refused, section=section, form=form, status=status)


def _dispute(tx: Session, visit: Visit, sent: Sent, files: list[Upload], documents: DocumentStore) -> None:
    reason, by = sent.fields.get("reason", ""), client_actor(visit.row.client)
    earlier = disputes.current(tx, visit.row)
    if earlier is not None and (earlier.opened_by, earlier.reason) == (by, reason):
        return
    _offered(_possible(tx, visit).dispute)
    if not reason:
        raise NotTaken(SAY_WHY)
    if len(reason) > LONGEST_REASON:
        raise NotTaken(TOO_LONG)
    lines = [int(each) for each in sent.lines if each.isascii() and each.isdigit() and len(each) < 6]
    by_line = sent.fields.get("what") == "lines"
    if by_line and not lines:
        raise NotTaken(WHICH_LINES)
    try:
        code = DisputeCode(sent.fields.get("code", ""))
    except ValueError:
        code = DisputeCode.OTHER
    opened = disputes.open(
        tx,
        visit.row,
        visit.company,
        reason=reason,
        code=code,
        lines=lines if by_line else (),
        by=by,
        channel=PORTAL,
        at=visit.at,
    )
    kept = [SentFile(documents.put(each.data), each.name, each.media_type, len(each.data)) for each in files]
    dispute_files.keep(tx, visit.row, opened, kept, by=by, channel=PORTAL, at=visit.at)


def _withdraw(
    tx: Session, visit: Visit, _sent: Sent, _files: list[Upload], _documents: DocumentStore
) -> None:
    if disputes.current(tx, visit.row) is not None:
        by = client_actor(visit.row.client)
        disputes.withdraw(tx, visit.row, visit.company, by=by, channel=PORTAL, at=visit.at)


def _promise(tx: Session, visit: Visit, sent: Sent, _files: list[Upload], _documents: DocumentStore) -> None:
    until = _possible(tx, visit).promise_until
    earlier = promises.current(tx, visit.row)
    try:
        on = date.fromisoformat(sent.fields.get("on", ""))
    except ValueError:
        raise NotTaken(WHICH_DAY) from None
    if earlier is not None and earlier.promised_for == on:
        return
    if until is None:
        raise Refused("no promise is taken now")
    if not visit.today <= on <= until:
        raise NotTaken(WHICH_DAY)
    by = client_actor(visit.row.client)
    promises.make(tx, visit.row, visit.company, on=on, by=by, channel=PORTAL, at=visit.at)


def _copy(tx: Session, visit: Visit, sent: Sent, _files: list[Upload], _documents: DocumentStore) -> None:
    try:
        to = _email.validate_python(sent.fields.get("to", ""))
    except ValidationError:
        raise NotTaken(WHICH_ADDRESS) from None
    by, row = client_actor(visit.row.client), visit.row
    try:
        resending.resend(tx, row, visit.company, to=to, by=by, channel=PORTAL, at=visit.at)
    except resending.EnoughForToday:
        raise NotTaken(NO_MORE_COPIES) from None


def _possible(tx: Session, visit: Visit) -> Possible:
    return possible(tx, visit.row, visit.company, visit.draft, visit.at)


def _offered(is_possible: bool) -> None:
    """What the page does not offer is not taken either: it may be older than what holds now."""
    if not is_possible:
        raise Refused("the portal does not offer this now")


ACTS: dict[str, Callable[[Request], Awaitable[Response]]] = {
    "seen": seen,
    "pay": pay,
    "dispute": _form("dispute", _dispute),
    "withdraw": _form("withdraw", _withdraw),
    "promise": _form("promise", _promise),
    "copy": _form("copy", _copy),
}
