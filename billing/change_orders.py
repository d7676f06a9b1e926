"""Change orders: what changes an agreement from a date on, once it is approved and signed."""

from __future__ import annotations

from datetime import date

from pydantic import Field, model_validator

from billing.parties import Identifier, Strict
from billing.rates import Positive, Rate


class Instalment(Strict):
    """A milestone with its price."""

    id: Identifier
    title: str = Field(min_length=1)
    amount: Positive
    progress: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="per cent of progress at which it is billed, instead of sign-off",
    )


class ChangeOrder(Strict):
    """A scope change: figures in place of the agreement's from `effective` on; not approved, it changes nothing."""

    id: Identifier
    effective: date
    reason: str = Field(min_length=1)
    document: str = Field(min_length=1, description="id of the signed amendment among the contracts")
    proposed_by: Identifier
    approved_by: Identifier | None = Field(default=None, description="somebody else than who proposed it")
    approved_on: date | None = None
    amount: Positive | None = Field(default=None, description="new fee of a period, or new price, net")
    rates: dict[str, Rate] = Field(default_factory=dict, description="new or changed rates, by role")
    cap: Positive | None = Field(default=None, description="new highest net amount of one period")
    budget: Positive | None = Field(default=None, description="new highest net amount of the whole agreement")
    hours: Positive | None = Field(default=None, description="new size of a block, or of the agreed scope")
    price: Positive | None = Field(default=None, description="new price of a block, net")
    end: date | None = Field(default=None, description="new last day")
    milestones: tuple[Instalment, ...] = Field(default=(), description="milestones that are added")

    @model_validator(mode="after")
    def _approved_by_another(self) -> ChangeOrder:
        if self.approved_by is not None and self.approved_by == self.proposed_by:
            raise ValueError(f"{self.approved_by!r} proposed this change; somebody else approves it")
        if (self.approved_by is None) != (self.approved_on is None):
            raise ValueError("approved_by and approved_on go together; write both or neither")
        return self

    def in_force(self, day: date) -> bool:
        """Whether it is approved and effective on a day."""
        return self.approved_by is not None and self.effective <= day
