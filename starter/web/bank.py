"""Bank: statements with what became of each entry, import of a file, and payments no invoice was found for."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message, Receive

from activities.bank.importing import Imported, import_file
from activities.languages.catalogue import message
from activities.ledger import bank_statements, bank_views
from billing.approval_policy import Channel
from billing.errors import Refused
from starter.web.desk import check_csrf, desk_of, flash, now
from starter.web.guests import guest_of

STATEMENTS, UNMATCHED, ENTRIES = 30, 50, 500
"""Rows on a page; the command line lists them all."""

LARGEST_STATEMENT = 64 * 1024 * 1024

OUTCOMES = {
    "booked": (message("booked"), "good"),
    "known already": (message("known already"), "plain"),
    "unmatched": (message("unmatched"), "waiting"),
    "taken back": (message("taken back"), "alert"),
    "taken back, of what is unknown": (message("taken back, of what is unknown"), "alert"),
    "refund": (message("refund"), "plain"),
    "payout": (message("payout"), "plain"),
    "own transfer": (message("own transfer"), "plain"),
    "charge": (message("charge"), "plain"),
    "outgoing": (message("outgoing"), "plain"),
    "not booked yet": (message("not booked yet"), "plain"),
}


def page(request: Request) -> Response:
    """The newest statements, and payments that wait for an invoice."""
    desk = desk_of(request)
    with desk.ledger.transaction() as tx:
        statements = bank_statements.listed(tx, limit=STATEMENTS)
        return desk.serve(
            request,
            tx,
            "bank.html",
            statements=statements,
            outcomes=bank_statements.outcomes(tx, [each.id for each in statements]),
            unmatched=bank_views.unmatched(tx, UNMATCHED),
            accounts=bank_views.accounts(tx),
            said_outcomes=OUTCOMES,
            rows=STATEMENTS,
            most_unmatched=UNMATCHED,
        )


def statement(request: Request) -> Response:
    """One statement with its entries, those of `?outcome=` only."""
    desk, number = desk_of(request), request.path_params["statement"]
    outcome = request.query_params.get("outcome", "")
    wanted = outcome if outcome in OUTCOMES else None
    with desk.ledger.transaction() as tx:
        found = bank_statements.find(tx, min(number, 2**62))
        return desk.serve(
            request,
            tx,
            "bank_statement.html",
            statement=found,
            entries=bank_statements.entries(tx, statement=found.id, outcome=wanted, limit=ENTRIES),
            counted=bank_statements.outcomes(tx, [found.id])[found.id],
            outcome=wanted,
            said_outcomes=OUTCOMES,
            rows=ENTRIES,
        )


async def take_in(request: Request) -> Response:
    """Imports the statement a person sends; the same file again changes nothing."""
    desk, guest = desk_of(request), guest_of(request)
    bounded = Request(request.scope, _counted(request.receive))
    try:
        form = await bounded.form(max_files=1, max_fields=5, max_part_size=64 * 1024)
    except MultiPartException as error:
        raise HTTPException(400, "That is not a form of ours. Nothing was changed.") from error
    check_csrf(request, str(form.get("csrf", "")))
    sent = form.get("file")
    if guest is None or guest.person is None:
        raise Refused("nobody is signed in here any more; sign in and repeat it")
    if not isinstance(sent, UploadFile) or not sent.filename:
        flash(request, "refused", "choose a bank statement (camt.053) first")
        return RedirectResponse("/bank", 303)
    try:
        made = await run_in_threadpool(
            import_file,
            desk.ledger,
            sent.file,
            file_name=sent.filename.replace("\\", "/").rpartition("/")[2],
            by=guest.person.id,
            channel=Channel.WEB,
            at=now(),
        )
    except Refused as refusal:
        flash(request, "refused", str(refusal))
        return RedirectResponse("/bank", 303)
    flash(request, "done", " ".join(_told(each) for each in made))
    return RedirectResponse(f"/bank/statements/{made[0].id}" if len(made) == 1 else "/bank", 303)


def _told(made: Imported) -> str:
    name = f"Statement {made.statement} of {made.account}"
    if made.entries and made.known == made.entries:
        return f"{name} was imported already; nothing was changed."
    counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(made.outcomes.items()))
    return f"{name} is imported: {counted or 'no new entries'}."


def _counted(receive: Receive) -> Receive:
    came = 0

    async def counting() -> Message:
        nonlocal came
        part = await receive()
        came += len(part.get("body", b""))
        if came > LARGEST_STATEMENT:
            raise HTTPException(
                413, "That is more than 64 MB. Import it by the command line; nothing was changed."
            )
        return part

    return counting
