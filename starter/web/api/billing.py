"""Billing by hand: triggers, and entries of meters."""

from __future__ import annotations

from datetime import date

from fastapi import Response
from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from activities.ledger import company_records, events, meters, triggers
from activities.ledger.events import EventStatus
from activities.ledger.invoices import Requested
from activities.ledger.meters import Intake
from activities.ledger.read_models import ReadModel
from billing.approval_policy import Channel
from billing.errors import Refused
from billing.events import BillingEvent
from billing.meter_entries import MeterEntry
from billing.one_off import OneOff
from billing.parties import Identifier, Strict
from starter.web.api.routes import OWN_KEYS, Called, operations
from starter.web.api.shapes import answers
from starter.web.callers import Caller
from starter.web.problems import Unprocessable

router = operations("Billing")


class TriggerOrder(Strict):
    """What is to be billed now: an agreement, a one-off or what an event makes due; and why."""

    agreement: Identifier | None = None
    item: Identifier | None = Field(default=None, description="which milestone or block of the agreement")
    until: date | None = Field(default=None, description="bills the running period up to this day, early")
    one_off: OneOff | None = None
    event: BillingEvent | None = None
    reason: str = Field(default="", max_length=2000, pattern=r"^[^\x00]*$")

    @model_validator(mode="after")
    def _one_of_three(self) -> TriggerOrder:
        if [self.agreement, self.one_off, self.event].count(None) != 2:
            raise ValueError("say exactly one of agreement, one_off and event")
        if self.agreement is None and (self.item or self.until):
            raise ValueError("item and until go with agreement")
        return self


class MeterEntries(Strict):
    """Entries of meters, taken in together."""

    entries: tuple[MeterEntry, ...] = Field(max_length=1000)


class Triggered(ReadModel):
    """An invoice that was asked for; not `new` where there was one already."""

    new: bool
    billing_key: str
    generation: int
    number: str | None
    client: str
    document_status: str
    payment_status: str
    collection_status: str


class TriggerAnswer(ReadModel):
    """The invoices; of an event also how it stands, and what came of it."""

    invoices: tuple[Triggered, ...]
    status: str | None = None
    outcome: str | None = None


class Crossing(ReadModel):
    """A line of a meter that was crossed, and what came of it."""

    agreement: str
    line: str
    outcome: str
    billing_key: str | None


class TakenIn(ReadModel):
    """What was done with the entries; `late` are of periods billed already."""

    new: int
    edited: int
    deleted: int
    known: int
    late: int
    crossings: tuple[Crossing, ...]


@router.post(
    "/triggers",
    operation_id="trigger",
    responses={
        200: {"description": "There was an invoice for it already"},
        201: {"model": TriggerAnswer, "description": "An invoice was asked for"},
        202: {"model": TriggerAnswer, "description": "The event is kept, and held: a person must act"},
        **answers(404, 409),
    },
    openapi_extra={OWN_KEYS: True},
)
def trigger(caller: Called, response: Response, order: TriggerOrder) -> TriggerAnswer:
    """Bills something now: an agreement, a one-off, or what an event makes due.

    A one-off with the `Idempotency-Key` of an earlier one is that one; without a key, the same content is.
    """
    response.status_code, answer = _trigger(caller, order)
    return answer


@router.post("/triggers/preview", operation_id="previewTrigger", responses=answers(404, 409))
def preview(caller: Called, order: TriggerOrder) -> TriggerAnswer:
    """Which invoice an agreement or a one-off would be billed by now. Nothing is changed; not for an event."""
    if order.event is not None:
        raise Refused("an event is kept as soon as it is known here, so it cannot be tried out")
    with caller.ledger.transaction() as tx, tx.begin_nested() as tried:
        answer = TriggerAnswer(invoices=(_plain(_ask(tx, caller, order)),))
        tried.rollback()
    return answer


def _trigger(caller: Caller, order: TriggerOrder) -> tuple[int, TriggerAnswer]:
    if order.event is not None:
        acted = events.take_in(
            caller.ledger, order.event, channel=Channel.API, brought_by=caller.person, at=caller.at
        )
        status = 202 if acted.status is EventStatus.HELD else _status(acted.invoices)
        return status, TriggerAnswer(
            status=acted.status, outcome=acted.outcome, invoices=tuple(map(_plain, acted.invoices))
        )
    with caller.ledger.transaction() as tx:
        asked = _ask(tx, caller, order)
        return _status([asked]), TriggerAnswer(invoices=(_plain(asked),))


def _ask(tx: Session, caller: Caller, order: TriggerOrder) -> Requested:
    if order.one_off is None:
        return triggers.by_agreement(
            tx, order.agreement or "", order.item, until=order.until, reason=order.reason, **caller.said
        )
    return triggers.one_off(tx, order.one_off, caller.key, reason=order.reason, **caller.said)


def _status(asked: list[Requested]) -> int:
    return 201 if any(each.new for each in asked) else 200


def _plain(asked: Requested) -> Triggered:
    row = asked.invoice
    return Triggered(
        new=asked.new,
        billing_key=row.billing_key,
        generation=row.generation,
        number=row.number,
        client=row.client,
        document_status=row.document_status,
        payment_status=row.payment_status,
        collection_status=row.collection_status,
    )


@router.post("/meter-entries", operation_id="takeInMeterEntries", openapi_extra={OWN_KEYS: True})
def meter_entries(caller: Called, sent: MeterEntries) -> TakenIn:
    """Takes hours, spend or progress in, all of it or nothing, and acts on every line that is crossed by it.

    What is known already changes nothing. 422 with the place of each entry that cannot be taken in.
    """
    intake = _meter(caller, sent.entries)
    stored = intake.stored
    return TakenIn(
        new=stored.new,
        edited=stored.edited,
        deleted=stored.deleted,
        known=stored.known,
        late=stored.late,
        crossings=tuple(
            Crossing(
                agreement=each.agreement,
                line=each.line.name,
                outcome=each.outcome,
                billing_key=each.billing_key,
            )
            for each in intake.crossings
        ),
    )


def _meter(caller: Caller, entries: tuple[MeterEntry, ...]) -> Intake:
    with caller.ledger.transaction() as tx:
        company = company_records.current(tx).company
        if wrong := meters.refusals(entries, company, at=caller.at):
            raise Unprocessable(
                [{"pointer": f"#/entries/{place}", "detail": why} for place, why in wrong.items()]
            )
        return meters.take_in(tx, entries, company, **caller.said)
