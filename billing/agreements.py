"""What was agreed with a client and how it is billed: one class a billing model."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from billing.money import Currency, Figure
from billing.parties import Identifier, Strict
from billing.payment_terms import PaymentTerms
from billing.periods import Every, Period, periods

Positive = Annotated[Figure, Field(gt=0)]
Percent = Annotated[Figure, Field(ge=0, lt=100)]


class Timing(StrEnum):
    """Whether a period is billed when it begins or after it has ended."""

    ADVANCE = "in advance"
    ARREARS = "in arrears"


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
    terms: PaymentTerms | None = Field(default=None, description="instead of the client's terms")
    start: date
    end: date | None = None


class _Recurring(_Agreement):
    every: Every
    timing: Timing

    def due_periods(self, today: date) -> list[Period]:
        """Every period that may be billed by the end of `today`, oldest first."""
        begun = periods(self.start, self.every, today, self.end)
        if self.timing is Timing.ADVANCE:
            return list(begun)
        return [period for period in begun if period.end < today]

    def running_period(self, today: date) -> Period | None:
        """The period that `today` falls into, if any."""
        return next((p for p in periods(self.start, self.every, today, self.end) if p.end >= today), None)


class Retainer(_Recurring):
    """A fixed fee a period."""

    model: Literal["retainer"]
    timing: Timing = Timing.ADVANCE
    amount: Positive


class TimeAndMaterials(_Recurring):
    """Approved hours of the period at the rate of the role, up to a cap where there is one."""

    model: Literal["time and materials"]
    timing: Timing = Timing.ARREARS
    project: str
    rates: dict[str, Positive] = Field(min_length=1, description="role → price of an hour, net")
    cap: Positive | None = Field(default=None, description="highest net amount of one period")


class Instalment(Strict):
    """A milestone with its price."""

    id: Identifier
    title: str = Field(min_length=1)
    amount: Positive


class Milestones(_Agreement):
    """A price for each milestone, billed when it is signed off."""

    model: Literal["milestone"]
    project: str
    milestones: tuple[Instalment, ...] = Field(min_length=1)


class FixedPrice(_Agreement):
    """One price, billed when the project is completed."""

    model: Literal["fixed price"]
    project: str
    amount: Positive


class PrepaidBlock(_Agreement):
    """A block of hours paid in advance; the next block is billed when the last one is used up."""

    model: Literal["prepaid block"]
    project: str
    hours: Positive
    price: Positive = Field(description="of one block, net")


Agreement = Annotated[
    Retainer | TimeAndMaterials | Milestones | FixedPrice | PrepaidBlock, Field(discriminator="model")
]
Recurring = (Retainer, TimeAndMaterials)

agreement_adapter: TypeAdapter[Agreement] = TypeAdapter(Agreement)
"""Reads an agreement of any model from plain data."""


def billing_key(agreement: str, item: str, period_start: date | None = None) -> str:
    """The identity of what is billed: `<agreement>/<item>[/<period start>]`."""
    return "/".join([agreement, item, *([period_start.isoformat()] if period_start else [])])


def recurring_item(agreement: Retainer | TimeAndMaterials) -> str:
    """The item part of a recurring agreement's billing keys."""
    return "fee" if isinstance(agreement, Retainer) else "time"


class Occasion(Strict):
    """What makes an invoice due under an agreement: the item and, if it recurs, the period."""

    agreement: Identifier
    item: Identifier
    period: Period | None = None

    @property
    def billing_key(self) -> str:
        return billing_key(self.agreement, self.item, self.period.start if self.period else None)
