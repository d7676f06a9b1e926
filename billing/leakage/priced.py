"""What work is worth: hours at the rates of their days, less the included ones; expenses with their mark-up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from billing.agreements import Agreement, Expenses, Retainer, TimeAndMaterials
from billing.hours import Worked, worked
from billing.leakage.expected import net, on_day
from billing.money import Money, rounded, total
from billing.sources import Expense, Sources, TimeEntry

Hourly = TimeAndMaterials | Retainer


class Priced:
    """Hours and expenses of one place: what of them costs money, and how much."""

    def __init__(
        self,
        agreement: Hourly | Expenses,
        hours: Sequence[TimeEntry],
        expenses: Sequence[Expense],
        *,
        before: Sequence[TimeEntry],
        today: date,
    ) -> None:
        parts: list[Worked] = []
        if not isinstance(agreement, Expenses):
            parts = worked(
                agreement, Sources(time_entries=tuple(hours), billed_time=tuple(before)), None, today
            )
        beyond = [each for each in parts if not each.included]
        self._agreement = agreement
        self._rated = [each for each in beyond if each.price is not None]
        self._unrated = [each for each in beyond if each.price is None]
        self._expenses = expenses
        markup = agreement.markup if isinstance(agreement, Expenses) else Decimal(0)
        self._spent = total(each.amount for each in expenses)
        self._amount = total(each.hours * (each.price or Decimal(0)) for each in self._rated)
        self._passed_on = self._spent * (1 + markup / 100)

    @property
    def unrated(self) -> dict[str, tuple[Decimal, list[date]]]:
        """By role, hours without a rate, and their days."""
        roles = sorted({each.entry.role for each in self._unrated})
        of = {role: [each for each in self._unrated if each.entry.role == role] for role in roles}
        return {
            role: (total(each.hours for each in parts), sorted(each.entry.day for each in parts))
            for role, parts in of.items()
        }

    @property
    def hours(self) -> Decimal:
        """Those that cost money."""
        return total(each.hours for each in self._rated)

    @property
    def at_stake(self) -> Money:
        """Net, less the discount; the hours at most at the cap of their period."""
        amount = self._amount
        if isinstance(self._agreement, TimeAndMaterials) and self._rated:
            terms = on_day(self._agreement, self._rated[0].entry.day)
            if isinstance(terms, TimeAndMaterials) and terms.cap is not None:
                amount = min(amount, terms.cap)
        return net(self._agreement, amount + self._passed_on)

    @property
    def measure(self) -> str:
        """`12.5 h and expenses of EUR 40.00`; empty if nothing of it costs money."""
        said = []
        if self._rated:
            said.append(hours_of(self.hours))
        if self._expenses:
            said.append(f"expenses of {money(self._spent, self._agreement.currency)}")
        return " and ".join(said)


def money(amount: Decimal, currency: str) -> Money:
    return Money.of(rounded(amount, currency), currency)


def hours_of(hours: Decimal) -> str:
    """`12.5 h`."""
    return f"{hours.normalize():,f} h"


def any_rate(agreement: Agreement, role: str) -> Decimal | None:
    """A rate of the role, of whatever day: what hours may be worth for which none was agreed."""
    rate = getattr(agreement, "rates", {}).get(role)
    if isinstance(rate, tuple):
        return Decimal(rate[0].price)
    return rate if isinstance(rate, Decimal) else None
