"""Read models of agreements and of what they bill: amounts are net, days are of the client's zone."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from activities.ledger.read_models import ReadModel


class BillingView(ReadModel):
    """One thing an agreement bills. `state` is billed, draft, waived, to be billed again, due, to come or waiting.

    `on` is the day it was issued, or asked for while there is no number; the amount of work to come is not known.
    """

    billing_key: str
    item: str
    period_start: date | None
    period_end: date | None
    state: str
    since: date | None = None
    waits_for: str = ""
    number: str | None = None
    document_status: str | None = None
    on: date | None = None
    net: Decimal | None = None


class MeterView(ReadModel):
    """Where a meter stands: hours, a net amount or per cent, as `measure` says.

    `next_value` of `next_at` is how far it has come to its next line; of the cap of a period, within that period.
    """

    measure: str
    used: Decimal
    bought: Decimal | None = None
    left: Decimal | None = None
    expires: date | None = None
    next_line: str | None = None
    next_at: Decimal | None = None
    next_value: Decimal | None = None
    held: int = 0


class ChangeOrderView(ReadModel):
    """A change order: `state` is in force, agreed (not yet in force) or not approved."""

    id: str
    effective: date
    reason: str
    document: str
    changes: str
    state: str
    approved_by: str | None


class OpenExceptionView(ReadModel):
    """What a person must decide about an agreement, or about the invoice with that billing key."""

    id: int
    code: str
    message: str
    owner: str
    deadline: datetime
    billing_key: str | None


class AgreementSummary(ReadModel):
    """An agreement in one row. `state` is active, to begin, ended, on hold or billed in full."""

    id: str
    client: str
    title: str
    model: str
    trigger: str
    currency: str
    state: str
    next: BillingView | None
    last: BillingView | None
    meters: tuple[MeterView, ...]


class AgreementView(AgreementSummary):
    """An agreement in full: its terms in force today, what was billed and what is to come, what waits for a person."""

    start: date
    end: date | None
    terms: tuple[tuple[str, str], ...]
    change_orders: tuple[ChangeOrderView, ...]
    calendar: tuple[BillingView, ...]
    exceptions: tuple[OpenExceptionView, ...]
    as_written: dict[str, Any]


class Why(ReadModel):
    """Why something was billed, or why not: the answer in a line, what led to it, and what can be typed next."""

    billing_key: str
    billed: bool
    answer: str
    reasons: tuple[str, ...]
    commands: tuple[str, ...] = ()
