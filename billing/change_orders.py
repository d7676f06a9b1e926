"""Change orders: what changes an agreement from a date on, once it is approved and signed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field, model_validator

from billing.parties import Identifier, Strict
from billing.rates import Positive, Rate, replaced

if TYPE_CHECKING:
    from billing.agreements import IndexStep, _Agreement


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
    prepayment: bool = Field(default=False, description="paid in advance; the final milestone deducts it")
    final: bool = Field(
        default=False, description="bills the whole and deducts the prepayments; `amount` is what is left"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Instalment:
        if self.prepayment and self.final:
            raise ValueError("a milestone is a prepayment or the final one; write one of them")
        return self


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
    hours: Positive | None = Field(
        default=None, description="new size of a block, of the agreed scope, or of the included hours"
    )
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


AnyAgreement = TypeVar("AnyAgreement", bound="_Agreement")

_FIGURES = {
    "amount": ("amount",),
    "rates": ("rates",),
    "cap": ("cap",),
    "budget": ("budget",),
    "hours": ("hours", "scope_hours", "included_hours"),
    "price": ("price",),
    "end": ("end",),
    "milestones": ("milestones",),
}
"""What an order may change, and what that is called in an agreement; of several, a billing model has one."""


def approved(agreement: _Agreement) -> list[ChangeOrder]:
    """Its approved change orders, by the day they come into force; of one day, as they are written."""
    orders = [each for each in agreement.change_orders if each.approved_by is not None]
    return sorted(orders, key=lambda each: each.effective)


def last_day(agreement: _Agreement) -> date | None:
    """The last day of the agreement; None if it goes on.

    The latest approved change order that names one decides, in force or not: who has agreed to part on the 15th is
    billed up to the 15th on the first of the month already, whenever that is billed.
    """
    ends = [each.end for each in approved(agreement) if each.end]
    return ends[-1] if ends else agreement.end


def agreement_on(agreement: AnyAgreement, day: date) -> AnyAgreement:
    """The agreement with the approved change orders that are in force on a day folded in.

    It tells what holds on that day, not what held before: who prices work asks with the day of the work. The fee of
    a period, which may change within it, is `fees.fee` of the agreement as it is written. Orders that are folded in
    are no longer in it, so that folding again changes nothing; the last day is `last_day`.
    """
    if not agreement.change_orders:
        return agreement
    in_force = [each for each in approved(agreement) if each.effective <= day]
    changes: dict[str, Any] = {
        "end": last_day(agreement),
        "change_orders": tuple(each for each in agreement.change_orders if each not in in_force),
    }
    for order in in_force:
        for field, value in _figures(order).items():
            name = _name_of(agreement, field)
            if name is not None and name != "end":
                before = changes.get(name, getattr(agreement, name))
                changes[name] = _changed(name, before, value, order)
        steps: tuple[IndexStep, ...] = getattr(agreement, "indexation", ())
        if order.amount and steps:  # the new fee has the steps so far in it
            changes["indexation"] = tuple(each for each in steps if each.since > order.effective)
    return agreement.model_copy(update=changes)


def without_effect(agreement: _Agreement, order: ChangeOrder) -> list[str]:
    """The figures an order names that an agreement of this billing model does not have."""
    return [field for field in _figures(order) if _name_of(agreement, field) is None]


def _changed(name: str, before: Any, value: Any, order: ChangeOrder) -> Any:
    match name:
        case "milestones":
            return (*before, *value)
        case "rates":
            return replaced(before, value, order.effective)
    return value


def _figures(order: ChangeOrder) -> dict[str, Any]:
    return {field: value for field in _FIGURES if (value := getattr(order, field))}


def _name_of(agreement: _Agreement, field: str) -> str | None:
    return next((each for each in _FIGURES[field] if each in type(agreement).model_fields), None)
