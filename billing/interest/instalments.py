"""Interest where an amount is due in instalments: each is late on its own, from the day after its own due date.

Interest and compensation are reckoned on overdue amounts alone (Art. 5 Directive 2011/7/EU; § 288(5) BGB). What is paid
covers the instalment that fell due first (§ 366(2) BGB), whatever the client meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from billing.interest.accrual import Change, Interest, OpenAmount
from billing.money import Money, total

Part = tuple[date, Decimal]
"""A due date and the amount due by it."""


def by_instalment(facts: OpenAmount, parts: Sequence[Part]) -> list[OpenAmount]:
    """The open amount of each instalment, in the order they fall due; `facts` itself where there are none."""
    if not parts:
        return [facts]
    found: list[OpenAmount] = []
    before = Decimal(0)
    for due_date, amount in sorted(parts):
        due = Money.of(amount, facts.due.currency)
        share = _share(facts, before, amount)
        found.append(OpenAmount(due=due, due_date=due_date, changes=share, rests=facts.rests))
        before += amount
    return found


def _share(facts: OpenAmount, before: Decimal, amount: Decimal) -> tuple[Change, ...]:
    """What of the changes falls to an instalment that has others of `before` in front of it."""

    def covered(gone: Decimal) -> Decimal:
        return min(max(gone - before, Decimal(0)), amount)

    credited = [each for each in facts.changes if each.kind == "credit"]
    payments = sorted((each for each in facts.changes if each.kind == "payment"), key=lambda each: each.on)
    gone = total(each.amount for each in credited)
    share = (
        [Change(on=max(each.on for each in credited), amount=covered(gone), kind="credit")]
        if credited
        else []
    )
    for each in payments:
        moved = covered(gone + each.amount) - covered(gone)
        gone += each.amount
        if moved:
            share.append(Change(on=each.on, amount=moved))
    return tuple(share)


def together(interests: Sequence[Interest]) -> Interest:
    """What is owed for all instalments: every line, and the compensation of each that was late."""
    first = interests[0]
    fixed = [each.compensation for each in interests if each.compensation is not None]
    return first.model_copy(
        update={
            "segments": tuple(
                sorted(
                    (line for each in interests for line in each.segments),
                    key=lambda line: (line.since, line.until),
                )
            ),
            "compensation": sum(fixed[1:], fixed[0]) if fixed else None,
            "per_day": sum((each.per_day for each in interests[1:]), first.per_day),
            "warnings": tuple(dict.fromkeys(words for each in interests for words in each.warnings)),
        }
    )
