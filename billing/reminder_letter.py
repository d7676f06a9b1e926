"""A reminder as a letter: which invoices are open and since when, and what late payment has cost, if it is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pydantic import BaseModel, ConfigDict

from billing.interest.accrual import Interest
from billing.money import Money
from billing.parties import Buyer, Issuer, Language

COURTESY = 0
"""The level of the note before the due date."""


class RemindedInvoice(BaseModel):
    """An invoice a reminder speaks of; `interest` is None where the reminder does not tell it."""

    model_config = ConfigDict(frozen=True)

    number: str
    title: str
    issue_date: date | None
    due_date: date
    due: Money
    open: Money
    payment_reference: str
    interest: Interest | None = None

    def days_late(self, day: date) -> int:
        """Whole days since the due date; 0 until then."""
        return max((day - self.due_date).days, 0)


class ReminderLetter(BaseModel):
    """Everything a renderer needs. `level` is 0 for a courtesy note; the first invoice names the letter."""

    model_config = ConfigDict(frozen=True)

    issuer: Issuer
    buyer: Buyer | None
    client_name: str
    contact_name: str
    language: Language
    level: int
    day: date
    invoices: tuple[RemindedInvoice, ...]

    @property
    def open(self) -> tuple[Money, ...]:
        """What is open together, by currency."""
        return _sums(each.open for each in self.invoices)

    @property
    def interest(self) -> tuple[Money, ...]:
        """The interest told, together, by currency."""
        return _sums(
            each.interest.total for each in self.invoices if each.interest and each.interest.segments
        )

    @property
    def compensation(self) -> tuple[Money, ...]:
        """The fixed compensation told, together, by currency."""
        told = (each.interest.compensation for each in self.invoices if each.interest)
        return _sums(each for each in told if each is not None)


def _sums(amounts: Iterable[Money]) -> tuple[Money, ...]:
    by_currency: dict[str, Money] = {}
    for each in amounts:
        by_currency[each.currency] = by_currency.get(each.currency, Money.zero(each.currency)) + each
    return tuple(by_currency[currency] for currency in sorted(by_currency))
