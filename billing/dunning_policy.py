"""When a client is reminded, escalated and handed over: `next_step` decides, from facts alone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from billing.calendars import Calendar
from billing.interest.reference_rates import AnnouncedRate, ReferenceRates
from billing.interest.regimes import LateFee
from billing.parties import CountryCode, Identifier, Strict


class Offset(Strict):
    """A distance from the due date: days, or, for trying things out, minutes."""

    days: int | None = Field(default=None, ge=0, le=730)
    minutes: int | None = Field(default=None, ge=0, le=1440)

    @model_validator(mode="after")
    def _one_of_both(self) -> Offset:
        if (self.days is None) == (self.minutes is None):
            raise ValueError("write either days or minutes")
        return self

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.days or 0, minutes=self.minutes or 0)


class DunningPolicy(Strict):
    """Courtesy note before the due date, levels after it, then the account manager, then hand-over."""

    id: Identifier
    courtesy_before_due: Offset | None = None
    levels: tuple[Offset, ...] = Field(default=(), description="level 1 … n, after the due date, rising")
    escalate_after_due: Offset | None = None
    hand_over_after_due: Offset | None = None
    opens: time = time(9)
    closes: time = time(17)
    around_the_clock: bool = False
    consolidate: bool = Field(
        default=False, description="one reminder for all invoices of a client that are due one"
    )
    gap: Offset = Field(
        default=Offset(days=2), description="least distance between two messages when catching up"
    )
    interest: Literal["none", "print"] = Field(
        default="none", description="print: reminders say what late payment has cost so far"
    )
    interest_from_level: int = Field(default=1, ge=1, description="first level that says so")
    interest_law: CountryCode | None = Field(
        default=None, description="country whose law the contracts are under; else the issuer's"
    )
    interest_in_dispute: Literal["runs", "rests"] = Field(
        default="runs", description="rests: no interest is asked for the days of a dispute"
    )
    late_fee: LateFee | None = Field(
        default=None, description="what the contracts ask instead of interest by law; never both"
    )
    decide_disputes_within_days: int = Field(
        default=7, ge=1, le=90, description="then the owner of a dispute is asked again, later those above"
    )
    notice_after_dispute_days: int = Field(
        default=7,
        ge=0,
        le=90,
        description="days a client has to pay, once its dispute is decided, before it is reminded",
    )
    promises_per_invoice: int = Field(
        default=3, ge=0, le=50, description="so many promises to pay stop reminders; further ones are refused"
    )
    promise_within_days: int = Field(
        default=365, ge=1, le=365, description="how far ahead a promise to pay may lie"
    )
    credit_hold_at: str | None = Field(
        default=None,
        pattern=r"^(reminder-[1-9][0-9]?|escalation|hand-over)$",
        description="reminder-2, escalation or hand-over: the step with which a client is put on credit hold",
    )
    reference_rates: tuple[AnnouncedRate, ...] = Field(
        default=(), description="rates announced since, until Billow's own data have them"
    )

    @model_validator(mode="after")
    def _in_order(self) -> DunningPolicy:
        after_due = [*self.levels, self.escalate_after_due, self.hand_over_after_due]
        lengths = [offset.length for offset in after_due if offset]
        if any(later <= earlier for earlier, later in pairwise(lengths)):
            raise ValueError(
                "levels, escalation and hand-over must follow one another: each later after the due date"
            )
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        if self.credit_hold_at is not None and self.credit_hold_at not in self._steps_after_due():
            raise ValueError(f"credit_hold_at names {self.credit_hold_at}, which this policy does not take")
        ReferenceRates((), self.reference_rates)
        return self

    def _steps_after_due(self) -> list[str]:
        others = {"escalation": self.escalate_after_due, "hand-over": self.hand_over_after_due}
        return [
            *(f"reminder-{level}" for level, _ in enumerate(self.levels, start=1)),
            *(name for name, offset in others.items() if offset is not None),
        ]


NO_POLICY = DunningPolicy(id="none")
"""Nobody is reminded: for a client whose policy is gone from the company folder."""


DISPUTED, DISPUTED_IN_PART = "disputed", "disputed in part"
"""Why nothing is done while a person must decide."""

BANK_DATA_OLD = "bank data are too old"
"""Why nothing is done while the money may be there already, and nobody knows."""

PAYMENT_UNDER_WAY = "payment under way"
"""Why nothing is done while the client has paid by the provider, and the money is not there yet."""

CREDITED_AND_OWED = "credited, and more went back than had come"
"""Why nobody is reminded of what is owed: a person asks for it."""

_LOOKED_AT_AGAIN = timedelta(hours=6)


class Act(StrEnum):
    """What collection does next."""

    COURTESY_NOTE = "courtesy-note"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    HAND_OVER = "hand-over"
    WAIT = "wait"
    SETTLE = "settle"
    REST = "rest"


class CollectionFacts(BaseModel):
    """What the ledger knows about an issued invoice; instants in UTC.

    `undisputed` is what of the open amount is not disputed, while a dispute is; `rested_days` are days of disputes by
    which levels come later; nothing is done before `notice_until`; `bank_data_old` says why the data are, if they are;
    until `under_way_until` a payment that was begun is waited for.
    """

    model_config = ConfigDict(frozen=True)

    due_date: date
    late_from: datetime
    open_amount: Decimal
    credited: bool = False
    written_off: bool = False
    handed_over: bool = False
    done: frozenset[str] = frozenset()
    last_act_at: datetime | None = None
    disputed_until: datetime | None = None
    undisputed: Decimal = Decimal(0)
    rested_days: int = 0
    notice_until: datetime | None = None
    bank_data_old: str = ""
    held_until: datetime | None = None
    under_way_until: datetime | None = None
    promised_for: date | None = None


class NextStep(BaseModel):
    """An act, the earliest instant (UTC) for it, and the reason in one line."""

    model_config = ConfigDict(frozen=True)

    act: Act
    at: datetime
    level: int = 0
    why: str = ""

    @property
    def name(self) -> str:
        """What the step is called everywhere: `reminder-2`, `courtesy-note` …"""
        return f"{self.act}-{self.level}" if self.act is Act.REMINDER else str(self.act)


def next_step(facts: CollectionFacts, policy: DunningPolicy, calendar: Calendar, as_of: datetime) -> NextStep:
    """The next act and its moment. Acts happen in order, each once, at a decent hour, never two close together.

    A level below one that is done is never gone back to; a courtesy note that can no longer come before the invoice
    is late is left out.
    """
    if facts.credited and facts.open_amount <= 0:
        return NextStep(act=Act.SETTLE, at=as_of, why="credited")
    if facts.written_off:
        return NextStep(act=Act.SETTLE, at=as_of, why="written off")
    if facts.open_amount <= 0:
        return NextStep(act=Act.SETTLE, at=as_of, why="paid")
    if facts.handed_over:
        return NextStep(act=Act.REST, at=as_of, why="handed over to collection")
    if facts.credited:
        return NextStep(act=Act.REST, at=as_of, why=CREDITED_AND_OWED)
    if (halt := _halted(facts, calendar, as_of)) is not None:
        return halt
    coming = _disputed_in_part(facts, _planned(facts, policy, calendar, as_of), as_of)
    if facts.bank_data_old and coming.at <= as_of and coming.act not in (Act.WAIT, Act.REST):
        again = calendar.decent_from(as_of + _LOOKED_AT_AGAIN)
        return NextStep(act=Act.WAIT, at=again, why=facts.bank_data_old)
    return coming


def _planned(facts: CollectionFacts, policy: DunningPolicy, calendar: Calendar, as_of: datetime) -> NextStep:
    """The first step that is still to be done."""
    for step in _remaining(facts, policy, calendar):
        at = step.at
        if facts.last_act_at is not None:
            at = max(at, calendar.decent_from(facts.last_act_at + policy.gap.length))
        if facts.notice_until is not None:
            at = max(at, calendar.decent_from(facts.notice_until))
        if at <= as_of:
            at = calendar.decent_from(as_of)
        if step.act is Act.COURTESY_NOTE and at >= facts.late_from:
            continue
        return step.model_copy(update={"at": at, "why": _reason(step, facts)})
    return NextStep(act=Act.REST, at=as_of, why="the dunning policy has no further step")


def _disputed_in_part(facts: CollectionFacts, coming: NextStep, as_of: datetime) -> NextStep:
    """While lines are disputed, the rest is reminded, but nothing is handed over; their deadline comes first."""
    if facts.disputed_until is None:
        return coming
    looked_at = max(facts.disputed_until, as_of + timedelta(hours=1))
    rests = coming.act in (Act.HAND_OVER, Act.REST)
    if rests or coming.at > looked_at:
        return NextStep(act=Act.WAIT, at=looked_at, why=DISPUTED_IN_PART)
    return coming


def promise_given_until(promised_for: date, calendar: Calendar) -> datetime:
    """The instant (UTC) from which a promise of that day is broken: money may come on the day itself."""
    return calendar.opening(calendar.business_day_from(promised_for + timedelta(days=1)))


def _halted(facts: CollectionFacts, calendar: Calendar, as_of: datetime) -> NextStep | None:
    """Wait while a dispute, a hold, a promise or a payment under way stops the clock.

    A dispute is looked at again at its deadline, however long the others last: somebody must be told in time.
    """
    if facts.disputed_until is not None and facts.undisputed <= 0:
        at = max(facts.disputed_until, as_of + timedelta(hours=1))
        return NextStep(act=Act.WAIT, at=at, why=DISPUTED)
    halts: list[tuple[datetime, str]] = []
    if facts.held_until is not None and facts.held_until > as_of:
        halts.append((facts.held_until, "on hold"))
    if facts.under_way_until is not None and facts.under_way_until > as_of:
        halts.append((facts.under_way_until, PAYMENT_UNDER_WAY))
    if facts.promised_for is not None:
        given_until = promise_given_until(facts.promised_for, calendar)
        if given_until > as_of:
            halts.append((given_until, f"payment promised for {facts.promised_for.isoformat()}"))
    if not halts:
        return None
    at, why = max(halts)
    return _disputed_in_part(facts, NextStep(act=Act.WAIT, at=at, why=why), as_of)


def _remaining(facts: CollectionFacts, policy: DunningPolicy, calendar: Calendar) -> list[NextStep]:
    """The steps that are not done, at their planned instants; of the levels only those above the highest one done."""
    steps = [
        NextStep(act=act, level=level, at=_moment(act, offset, facts, calendar))
        for act, level, offset in _sequence(policy)
    ]
    reached = max((index for index, step in enumerate(steps) if step.name in facts.done), default=-1)
    return [
        step
        for index, step in enumerate(steps)
        if step.name not in facts.done and (index > reached or step.act is Act.COURTESY_NOTE)
    ]


def _sequence(policy: DunningPolicy) -> list[tuple[Act, int, Offset]]:
    steps = [(Act.COURTESY_NOTE, 0, policy.courtesy_before_due)]
    steps += [(Act.REMINDER, level, offset) for level, offset in enumerate(policy.levels, start=1)]
    steps += [(Act.ESCALATION, 0, policy.escalate_after_due), (Act.HAND_OVER, 0, policy.hand_over_after_due)]
    return [(act, level, offset) for act, level, offset in steps if offset is not None]


def _moment(act: Act, offset: Offset, facts: CollectionFacts, calendar: Calendar) -> datetime:
    """The planned instant: reckoned from the due date and the days of disputes, never from the last act; no level
    before the client is late."""
    before = act is Act.COURTESY_NOTE
    later = offset.length + timedelta(days=facts.rested_days)
    if offset.minutes is not None:
        at = facts.late_from - offset.length if before else facts.late_from + later
        return calendar.decent_from(at)
    day = facts.due_date - offset.length if before else facts.due_date + later
    at = calendar.opening(day if calendar.around_the_clock else calendar.business_day_from(day))
    return at if before or at >= facts.late_from else calendar.decent_from(facts.late_from)


def _reason(step: NextStep, facts: CollectionFacts) -> str:
    due = facts.due_date.isoformat()
    return {
        Act.COURTESY_NOTE: f"due on {due}",
        Act.REMINDER: f"unpaid since {due}",
        Act.ESCALATION: "reminders had no answer; the account manager takes over",
        Act.HAND_OVER: "nothing helped; handed over to collection",
    }.get(step.act, "")
