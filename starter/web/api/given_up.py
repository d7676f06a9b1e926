"""What another person asked for: a write-off, refund or credit note is agreed to, refused, taken back, or paid out."""

from __future__ import annotations

from datetime import date

from activities.ledger import settling_commands
from activities.ledger.database import Ledger
from activities.ledger.records.giving_up import read_given_up
from billing.parties import Strict
from starter.web.api.paying import check_past
from starter.web.api.routes import Called, operations
from starter.web.api.shapes import Id, IfMatch, ItemView, Reason, Text, answers, unchanged
from starter.web.callers import Caller

router = operations("Decisions")

_ABOUT = answers(404, 409, 412)


class Comment(Strict):
    """What is said about it."""

    comment: Text = ""


class Objection(Strict):
    """Why not."""

    comment: Reason


class Paid(Strict):
    """When the money went out."""

    on: date
    reference: Text = ""


def _of_item(caller: Caller, item: int, if_match: str | None) -> Ledger:
    return unchanged(caller, if_match, f"item {item}", lambda tx: read_given_up(tx, item, lock=True))


@router.post("/given-up/{item}/agree", operation_id="agree", responses=_ABOUT)
def agree(caller: Called, item: Id, body: Comment, if_match: IfMatch = None) -> ItemView:
    """Agrees to a write-off, refund or credit note that another person asked for."""
    found = settling_commands.agree(
        _of_item(caller, item, if_match), item, comment=body.comment, **caller.said
    )
    return ItemView.shown(found)


@router.post("/given-up/{item}/refuse", operation_id="refuse", responses=_ABOUT)
def refuse(caller: Called, item: Id, body: Objection, if_match: IfMatch = None) -> ItemView:
    """Refuses what another person asked for."""
    found = settling_commands.refuse(
        _of_item(caller, item, if_match), item, comment=body.comment, **caller.said
    )
    return ItemView.shown(found)


@router.post("/given-up/{item}/withdraw", operation_id="withdraw", responses=_ABOUT)
def withdraw(caller: Called, item: Id, body: Objection, if_match: IfMatch = None) -> ItemView:
    """Takes back what was asked for and is not done."""
    found = settling_commands.withdraw(
        _of_item(caller, item, if_match), item, comment=body.comment, **caller.said
    )
    return ItemView.shown(found)


@router.post("/given-up/{item}/refund-paid", operation_id="noteRefundPaid", responses=_ABOUT)
def paid(caller: Called, item: Id, body: Paid, if_match: IfMatch = None) -> ItemView:
    """Notes that an agreed refund was paid by bank transfer."""
    check_past(caller, body.on)
    found, new = settling_commands.refund_paid(
        _of_item(caller, item, if_match), item, on=body.on, reference=body.reference, **caller.said
    )
    return ItemView.shown(found).model_copy(update={"new": new})
