"""Where links in messages lead: a page that says what is asked of whom. Opening it decides nothing; a POST may.

Without signing in somebody decides only where the tier takes decisions by link, and only as whom it was sent to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.delivery.signed_links import LASTS, About, LinkExpired, NotOurLink, SignedLink, SignedLinks
from activities.ledger import approvals, commands, company_records, giving_up
from activities.ledger.tables import ApprovalRow, DisputeRow, ExceptionRow, GivingUpRow, InvoiceRow
from billing.approval_policy import Channel, Verdict
from billing.errors import BillowError, Refused
from billing.roles import Role, role_of
from starter.web.desk import Desk, check_csrf, desk_of, flash, now
from starter.web.forms import read_form
from workers.web_secret import accepted

_HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow, noarchive"}
"""Who has the address may decide by it, where the tier says so: it is handed on to nobody."""


@dataclass(frozen=True)
class Led:
    """Where a link leads as things stand: the page, what is over (empty: it waits), whether the draft is another.

    `by_link`: it may be decided here, by whom the link was sent to.
    """

    page: str
    over: str = ""
    changed: bool = False
    deadline: datetime | None = None
    reference: str = ""
    by_link: bool = False


def _links(desk: Desk) -> SignedLinks:
    return SignedLinks(accepted(desk.settings.home), desk.settings.web_url)


def page(request: Request) -> Response:
    """What a link leads to; to the page itself for the person it was sent to, once signed in."""
    desk = desk_of(request)
    try:
        link = _links(desk).read(request.path_params["token"])
    except LinkExpired:
        return _told(request, "expired", 410)
    except NotOurLink:
        return _told(request, "not ours", 404)
    with desk.ledger.transaction() as tx:
        found = desk.signed_in(request, tx, now()) if desk.can_sign_in else None
        led = _led(tx, link)
        if led is None:
            return _told(request, "not ours", 404)
        if found and found[0].id == link.person and not led.over and not led.changed:
            return RedirectResponse(led.page, 303)
        company = desk.company(tx)
        name = company.person_name(link.person) if company else link.person
    said = "other person" if found and found[0].id != link.person else "asked"
    if led.changed or led.over:
        said = "changed" if led.changed else "over"
    signed_in = found[0].name if found else None
    return _told(request, said, 200, led=led, other=name, name=signed_in, token=request.path_params["token"])


async def decide(request: Request) -> Response:
    """A decision by link, as the person it was sent to; 404 and 410 as for the page, refused in words else."""
    form = await read_form(request)
    check_csrf(request, form.get("csrf", ""))
    desk, token = desk_of(request), request.path_params["token"]
    try:
        link = _links(desk).read(token)
    except LinkExpired:
        return _told(request, "expired", 410)
    except NotOurLink:
        return _told(request, "not ours", 404)
    try:
        await run_in_threadpool(_carry_out, request, link, form.get("verdict", ""), form.get("comment", ""))
    except BillowError as refusal:
        flash(request, "refused", str(refusal))
        return RedirectResponse(f"/d/{token}", 303)
    return _told(request, "done", 200)


def _carry_out(request: Request, link: SignedLink, verdict: str, comment: str) -> None:
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        found = desk.signed_in(request, tx, now()) if desk.can_sign_in else None
        if found and found[0].id != link.person:
            raise Refused(f"it was sent to somebody else, and {found[0].name} is signed in here")
        led = _led(tx, link)
        if led is None or link.about is not About.APPROVAL or not led.by_link:
            raise Refused("this is not decided by a link; sign in, and decide on its page")
        if led.over or led.changed:
            raise Refused("this link is about an earlier draft, or it is decided already; sign in and look")
        asked = tx.get_one(ApprovalRow, link.id)
        reference, digest = led.reference, asked.digest
    if verdict not in list(Verdict):
        raise Refused("say whether you approve or reject")
    if verdict == Verdict.REJECT and not comment:
        raise Refused("say why you reject it: whoever repairs the draft needs to know")
    commands.decide(
        desk.ledger,
        reference,
        Verdict(verdict),
        by=link.person,
        channel=Channel.LINK,
        comment=comment,
        draft_digest=digest,
        rebill=True,
        at=now(),
    )


def _led(tx: Session, link: SignedLink) -> Led | None:
    if link.about is About.APPROVAL:
        return _to_approval(tx, link)
    if link.about is About.EXCEPTION:
        exception = tx.get(ExceptionRow, link.id)
        over = (exception.resolution or "") if exception and exception.resolved_at else ""
        return Led(f"/exceptions/{link.id}", over, deadline=exception.deadline) if exception else None
    if link.about is About.DISPUTE:
        dispute = tx.get(DisputeRow, link.id)
        over = (dispute.outcome or "") if dispute and dispute.ended_at else ""
        return Led(f"/#dispute-{link.id}", over, deadline=dispute.deadline) if dispute else None
    item = tx.get(GivingUpRow, link.id)
    if item is None:
        return None
    over = "" if item.status in giving_up.OPEN else item.status
    return Led(f"/#giving-up-{link.id}", over, deadline=item.deadline)


def _to_approval(tx: Session, link: SignedLink) -> Led | None:
    asked = tx.get(ApprovalRow, link.id)
    if asked is None:
        return None
    row = tx.get_one(InvoiceRow, asked.invoice)
    company = company_records.at_version(tx, row.company_version).company
    tier = next((each for each in company.approvals.tiers if each.id == asked.tier), None)
    person = company.people_by_id.get(link.person)
    reaches = person is not None and role_of(person).reaches(Role.APPROVER)
    over = "" if asked.status in (approvals.WAITING, approvals.OVERTAKEN) else asked.status
    return Led(
        f"/approvals/{asked.id}",
        approvals.APPROVED if not over and link.person in asked.approved_by else over,
        asked.status == approvals.OVERTAKEN
        or not (asked.digest.startswith(link.digest) and row.draft_digest == asked.digest),
        asked.deadline,
        row.billing_key,
        reaches and tier is not None and Channel.LINK in tier.channels,
    )


def _told(request: Request, said: str, status: int, **context: object) -> Response:
    """A page outside the app: it shows nothing but what the message said already."""
    around = {"led": None, "other": "", "name": None, "token": "", "days": LASTS.days}
    page = desk_of(request).page(request, "signed_link.html", around | {"said": said} | context, status)
    page.headers.update(_HEADERS)
    return page
