"""Where work of a day belongs: a period that is still unbilled, or one whose invoice is there without it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

from billing.agreements import (
    Expenses,
    Leftovers,
    Occasion,
    PrepaidBlock,
    Retainer,
    TimeAndMaterials,
    Trigger,
)
from billing.change_orders import last_day
from billing.due import items_of, period_of
from billing.exceptions import ReasonCode
from billing.leakage.expected import Expectations, Expected, holds
from billing.leakage.leak import ProjectFacts
from billing.occasions import COMPLETION, SPEND
from billing.periods import without
from billing.taken import NOTHING

BillsWork = TimeAndMaterials | Retainer | Expenses | PrepaidBlock


@dataclass(frozen=True)
class Place:
    """An occasion to which work belongs and the day since which the work should be on an invoice.

    Not `expected`, the occasion is billed or waived, and the work came too late for it.
    """

    occasion: Occasion
    what: str = field(compare=False)
    since: date = field(compare=False)
    code: ReasonCode = ReasonCode.PERIOD_UNBILLED
    expected: Expected | None = field(default=None, compare=False)
    too_late: bool = False


class Places:
    """The places of one agreement's work on a project."""

    def __init__(self, expected: Expectations, agreement: BillsWork, project: ProjectFacts) -> None:
        self._expected, self._agreement, self._project = expected, agreement, project
        self._item = items_of(agreement)[-1] if items_of(agreement) else None
        self._unbilled = [
            (each.occasion.period, each)
            for each in expected.unbilled_periods(agreement)
            if self._item and each.occasion.item == self._item.name and each.occasion.period
        ]

    def of(self, day: date) -> Place | None:
        """Where work of that day belongs; None while it is on its way: not due yet, on an open draft, or waived."""
        agreement = self._agreement
        if isinstance(agreement, TimeAndMaterials) and agreement.trigger is Trigger.PROJECT_COMPLETED:
            return self._at_completion(day)
        if isinstance(agreement, TimeAndMaterials) and agreement.trigger is Trigger.SPEND:
            return self._by_spend(day)
        return self._in_period(day)

    def _in_period(self, day: date) -> Place | None:
        if self._item is None:
            return None
        for period, each in self._unbilled:
            if period.start <= day <= period.end:
                return Place(each.occasion, str(period), each.since, each.code, each)
        agreement, name = self._agreement, self._item.name
        taken = self._expected.taken(agreement).periods.get(name, ())
        found = holds(taken, day)
        if found is None or self._on_its_way(name, day):
            return None
        own = period_of(agreement, self._item, day)
        rest = without(own, taken)
        if rest:  # what was left over by an early invoice goes along with the rest of its period
            along = next((each for part, each in self._unbilled if part == rest[-1]), None)
            return Place(along.occasion, str(own), along.since, along.code, along) if along else None
        if self._taken_along(day):
            return None
        return self._too_late(
            Occasion(agreement=agreement.id, item=name, period=found), str(found), found.end
        )

    def _at_completion(self, day: date) -> Place | None:
        occasion = Occasion(agreement=self._agreement.id, item=COMPLETION)
        if self._expected.is_taken(self._agreement, COMPLETION):
            if self._is_open_draft(occasion):
                return None
            return self._too_late(
                occasion, f"project {self._project.id}", max(day, self._project.completed or day)
            )
        over = self._over()
        if over is None:
            return None
        return Place(occasion, f"project {self._project.id}", over, ReasonCode.PROJECT_UNBILLED)

    def _by_spend(self, day: date) -> Place:
        numbered = (f"{SPEND}-{number}" for number in count(1))
        item = next(each for each in numbered if not self._expected.is_taken(self._agreement, each))
        occasion = Occasion(agreement=self._agreement.id, item=item)
        return Place(occasion, f"project {self._project.id}", day, ReasonCode.LINE_UNBILLED)

    def _over(self) -> date | None:
        """The day since which no more work is to come: after completion, or after the last day of the agreement."""
        last = last_day(self._agreement)
        after = last + timedelta(days=1) if last else None
        return min((each for each in (self._project.completed, after) if each), default=None)

    @property
    def over(self) -> bool:
        """Whether no more work is to come, so that what is left must be billed."""
        since = self._over()
        return since is not None and self._expected.late(since)

    def _too_late(self, occasion: Occasion, what: str, day: date) -> Place:
        return Place(occasion, what, day + timedelta(days=1), ReasonCode.WORK_UNBILLED, too_late=True)

    def _on_its_way(self, item: str, day: date) -> bool:
        facts, agreement = self._expected.facts, self._agreement.id
        return any(
            holds(side.get(agreement, NOTHING).periods.get(item, ()), day)
            for side in (facts.drafts, facts.waived)
        )

    def _is_open_draft(self, occasion: Occasion) -> bool:
        facts = self._expected.facts
        return any(
            occasion.billing_key in side.get(occasion.agreement, NOTHING).keys
            for side in (facts.drafts, facts.waived)
        )

    def has_open_draft(self) -> bool:
        """Whether any draft of the agreement is still open."""
        return bool(self._expected.facts.drafts.get(self._agreement.id, NOTHING).keys)

    def _taken_along(self, day: date) -> bool:
        """Whether the next invoice takes it along by itself."""
        agreement = self._agreement
        if isinstance(agreement, PrepaidBlock):
            return True
        reach = timedelta(days=self._expected.facts.company.source_checks.look_back_days)
        return (
            agreement.leftovers is Leftovers.BILL
            and agreement.trigger is Trigger.TIME
            and self._expected.goes_on(agreement)
            and day >= self._expected.today - reach
        )
