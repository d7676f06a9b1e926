"""What was agreed with a client and how it is billed: one class a billing model."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from billing.change_orders import ChangeOrder, Instalment
from billing.money import Currency, Figure
from billing.parties import Identifier, Strict
from billing.payment_terms import PaymentTerms
from billing.periods import BillingDay, Every, Period
from billing.rates import Positive, Rate
from billing.taxes.facts import PerformedIn, ReducedRate, ServiceKind, SuppliedFrom

Percent = Annotated[Figure, Field(ge=0, lt=100)]


class Timing(StrEnum):
    """Whether a period is billed when it begins or after it has ended."""

    ADVANCE = "in advance"
    ARREARS = "in arrears"


class Trigger(StrEnum):
    """What makes an agreement due; a person may always ask as well."""

    TIME = "time"
    DEAL_WON = "deal won"
    CONTRACT_SIGNED = "contract signed"
    MILESTONE_SIGNED_OFF = "milestone signed off"
    PROJECT_COMPLETED = "project completed"
    BLOCK_USED_UP = "block used up"
    SPEND = "spend reached"
    PROGRESS = "progress reached"
    MANUAL = "manual"


class Prices(StrEnum):
    """Whether the prices of an agreement are without tax or with it."""

    NET = "net"
    GROSS = "gross"


class Grouping(StrEnum):
    """By what hours are put together to a line."""

    PERSON = "person"
    ROLE = "role"
    TASK = "task"
    TICKET = "ticket"
    DAY = "day"


class Leftovers(StrEnum):
    """What happens to work of earlier periods that nobody has billed."""

    HOLD = "hold"
    BILL = "bill"
    LEAVE = "leave"


class Overage(StrEnum):
    """What happens when a prepaid block is used up."""

    NEXT_BLOCK = "next block"
    RATE = "rate"
    HOLD = "hold"


class IndexStep(Strict):
    """An agreed adjustment of the fee from a date on, in per cent of the fee before."""

    since: date
    percent: Figure = Field(gt=-100, lt=1000)
    source: str = Field(min_length=1, description="such as the consumer price index and its month")


class _Agreement(Strict):
    """What every agreement has."""

    id: Identifier
    client: Identifier
    title: str = Field(min_length=1, description="stands on the invoice line")
    currency: Currency
    contract: str | None = Field(default=None, description="id of the signed contract")
    deal: str | None = Field(default=None, description="id of the deal in the CRM")
    project: str | None = Field(default=None, description="id of the project in the PSA")
    order_reference: str = Field(default="", description="the client's purchase order number")
    discount: Percent = Field(default=Decimal(0), description="per cent off the net of every invoice")
    prices: Prices = Field(
        default=Prices.NET, description="gross: agreed with tax, whose rate is taken out of them"
    )
    terms: PaymentTerms | None = Field(default=None, description="instead of the client's terms")
    service: ServiceKind = Field(
        default=ServiceKind.CONSULTING, description="what is sold, as tax laws see it"
    )
    performed_in: PerformedIn = ""
    supplied_from: SuppliedFrom = ""
    reduced_rate: ReducedRate = ""
    start: date
    end: date | None = None
    change_orders: tuple[ChangeOrder, ...] = Field(
        default=(), description="scope changes, each from a date on"
    )


class _Recurring(_Agreement):
    """Billed period after period."""

    every: Every
    timing: Timing
    anchor: date | None = Field(
        default=None, description="first day of some whole period, such as the renewal date; else `start`"
    )
    bill_on: BillingDay | None = Field(
        default=None,
        description="day of the month on which a period is billed, else its first day or the day after its last",
    )
    skip_empty: bool = Field(
        default=False, description="a period without work needs no invoice and nobody's look"
    )


class _Hourly(Strict):
    """Approved hours at the rate of the role."""

    rates: dict[str, Rate] = Field(
        default_factory=dict, description="role → price of an hour, net, or dated prices"
    )
    included_hours: Positive | None = Field(
        default=None, description="hours of each period that cost nothing more"
    )
    group_by: tuple[Grouping, ...] = Field(
        default=(Grouping.PERSON, Grouping.ROLE), min_length=1, description="what makes one line"
    )
    leftovers: Leftovers = Field(default=Leftovers.HOLD, description="unbilled work of earlier periods")


class Retainer(_Recurring, _Hourly):
    """A fixed fee a period; with a project and rates, hours beyond the included ones are billed after the period."""

    model: Literal["retainer"]
    timing: Timing = Timing.ADVANCE
    amount: Positive
    indexation: tuple[IndexStep, ...] = ()
    trigger: Trigger = Trigger.TIME

    @property
    def bills_overage(self) -> bool:
        return self.project is not None and self.included_hours is not None and bool(self.rates)


class TimeAndMaterials(_Recurring, _Hourly):
    """Approved hours at the rate of the role, by the period, at completion, or whenever the spend reaches a line."""

    model: Literal["time and materials"]
    every: Every = "month"
    timing: Timing = Timing.ARREARS
    project: str
    rates: dict[str, Rate] = Field(min_length=1, description="role → price of an hour, net, or dated prices")
    cap: Positive | None = Field(default=None, description="highest net amount of one period")
    budget: Positive | None = Field(default=None, description="highest net amount of the whole agreement")
    minimum: Positive | None = Field(
        default=None, description="least net amount for the hours of one whole period"
    )
    bill_at: Positive | None = Field(default=None, description="net spend at which it is billed, each time")
    expenses: bool = Field(default=False, description="approved expenses of the project are billed along")
    trigger: Trigger = Trigger.TIME


class Expenses(_Recurring):
    """Approved expenses of a project, passed through, with a mark-up where one was agreed."""

    model: Literal["expenses"]
    every: Every = "month"
    timing: Timing = Timing.ARREARS
    project: str
    markup: Percent = Field(default=Decimal(0), description="per cent on top of what was spent, net")
    cap: Positive | None = Field(default=None, description="highest net amount of one period")
    leftovers: Leftovers = Leftovers.HOLD
    trigger: Trigger = Trigger.TIME


class Milestones(_Agreement):
    """A price for each milestone, billed when it is signed off, or when progress has come so far."""

    model: Literal["milestone"]
    project: str
    milestones: tuple[Instalment, ...] = Field(min_length=1)
    scope_hours: Positive | None = Field(default=None, description="hours agreed for the whole; more is held")
    trigger: Trigger = Trigger.MILESTONE_SIGNED_OFF


class FixedPrice(_Agreement):
    """One price, billed when the project is completed, or when deal or contract is there."""

    model: Literal["fixed price"]
    project: str
    amount: Positive
    scope_hours: Positive | None = Field(default=None, description="hours agreed for the whole; more is held")
    trigger: Trigger = Trigger.PROJECT_COMPLETED


class PrepaidBlock(_Agreement):
    """A block of hours paid in advance; approved hours draw it down."""

    model: Literal["prepaid block"]
    project: str
    hours: Positive
    price: Positive = Field(description="of one block, net")
    overage: Overage = Field(default=Overage.NEXT_BLOCK, description="what happens when a block is used up")
    overage_rate: Positive | None = Field(default=None, description="price of an hour beyond the block, net")
    replenish_at: Figure = Field(
        default=Decimal(0), ge=0, description="hours left at which the next block is billed already"
    )
    expires_after_months: int | None = Field(
        default=None, ge=1, le=120, description="what is left of a block then lapses"
    )
    roll_over: Figure = Field(default=Decimal(0), ge=0, description="hours of an expired block that are kept")
    trigger: Trigger = Trigger.CONTRACT_SIGNED


Agreement = Annotated[
    Retainer | TimeAndMaterials | Expenses | Milestones | FixedPrice | PrepaidBlock,
    Field(discriminator="model"),
]
Recurring = (Retainer, TimeAndMaterials, Expenses)

agreement_adapter: TypeAdapter[Agreement] = TypeAdapter(Agreement)
"""Reads an agreement of any model from plain data."""


def billing_key(agreement: str, item: str, period_start: date | None = None) -> str:
    """The identity of what is billed: `<agreement>/<item>[/<period start>]`."""
    return "/".join([agreement, item, *([period_start.isoformat()] if period_start else [])])


class Occasion(Strict):
    """What makes an invoice due under an agreement: the item and, if it recurs, the period.

    Items: `fee` and `overage` of a retainer, `time`, `spend-1`, `spend-2` … and `completion` of hours, `expenses`,
    `price` of a fixed price, the milestone's id, `block-1`, `block-2` … and `overage` of a prepaid block.
    """

    agreement: Identifier
    item: Identifier
    period: Period | None = None

    @property
    def billing_key(self) -> str:
        return billing_key(self.agreement, self.item, self.period.start if self.period else None)
