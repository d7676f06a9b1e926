"""Fetching: everything the source systems and the ledger say about a request, before a draft is made of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from activities.invoicing.sources import Systems
from billing.agreements import (
    Agreement,
    Expenses,
    FixedPrice,
    Milestones,
    Occasion,
    PrepaidBlock,
    Recurring,
    TimeAndMaterials,
)
from billing.assembly import client_of
from billing.blocks import BoughtBlock, Use, draw_down
from billing.change_orders import approved
from billing.company import Company
from billing.due import all_milestones
from billing.hours import TIME, ready
from billing.leftovers import ByPeriod, whole_period
from billing.lines import is_work
from billing.money import total
from billing.periods import Period
from billing.prepayments import Prepayment
from billing.request import BillingRequest
from billing.sources import Expense, Sources, TimeEntry
from billing.spending import EXPENSE, passes_on

Record = TypeVar("Record", TimeEntry, Expense)

_AHEAD = timedelta(days=3650)
"""How far ahead an entry with a wrong date is looked for."""


class Billed(Protocol):
    """What is billed already, elsewhere than on the invoice in question."""

    def standing_on(self, source: str, items: Collection[str]) -> Mapping[str, str | None]:
        """Those of the items that stand on an invoice, or were waived with one: to the agreement it is under."""

    def closed(self, agreement: str, item: str) -> tuple[Period, ...]:
        """The periods of an item that no draft can change any more: issued, or waived."""

    def net(self, agreement: str, item: str | None = None, period: Period | None = None) -> Decimal:
        """The net billed under an agreement; of one item, and of one period of it, where these are given."""

    def quantity(self, agreement: str, item: str) -> Decimal:
        """The hours on the lines of an item's invoices."""

    def blocks(self, agreement: Agreement, company: Company) -> Sequence[BoughtBlock]:
        """The prepaid blocks that have a living invoice."""

    def prepayments(self, agreement: str, items: Collection[str]) -> Sequence[Prepayment]:
        """The issued invoices of an agreement that billed these items in advance, oldest first."""

    def line_reached(self, billing_key: str) -> bool:
        """Whether a meter has reached the line that bills this key."""


def fetch(
    systems: Systems, company: Company, request: BillingRequest, today: date, billed: Billed
) -> Sources:
    """What the sources say about a request on a day. `SourceUnavailable` if one of them cannot be read.

    An early invoice bills what was worked so far: of a period that runs still, work up to today is fetched.
    """
    client = company.client(client_of(request, company) or "")
    record = systems.crm.client(client.crm) if client else None
    occasion = request.occasion
    agreement = company.agreement(occasion.agreement) if occasion else None
    if agreement is None or occasion is None:
        return Sources(client=record)
    signed = [systems.contracts.contract(each.document) for each in approved(agreement)]
    facts = Sources(
        client=record,
        deal=systems.crm.deal(agreement.deal) if agreement.deal else None,
        contract=systems.contracts.contract(agreement.contract) if agreement.contract else None,
        amendments={each.id: each for each in signed if each},
        project=systems.psa.project(agreement.project) if agreement.project else None,
    )
    return facts.model_copy(
        update={
            **_whole(systems, agreement, occasion, today, billed),
            **(
                _Work(systems, company, agreement, occasion, today, billed).found()
                if agreement.project and is_work(agreement, occasion.item)
                else {}
            ),
        }
    )


def _whole(
    systems: Systems, agreement: Agreement, occasion: Occasion, today: date, billed: Billed
) -> dict[str, Any]:
    """What is asked about agreements over something as a whole."""
    found: dict[str, Any] = {}
    if isinstance(agreement, Milestones):
        found["milestone"] = systems.psa.milestone(agreement.project, occasion.item)
        found["line_reached"] = billed.line_reached(occasion.billing_key)
        stages = all_milestones(agreement)
        if any(each.final and each.id == occasion.item for each in stages):
            ahead = [each.id for each in stages if each.prepayment]
            found["prepayments"] = tuple(billed.prepayments(agreement.id, ahead))
    if isinstance(agreement, Milestones | FixedPrice) and agreement.scope_hours:
        so_far = systems.psa.time_entries(
            agreement.project, Period(start=agreement.start, end=max(today, agreement.start))
        )
        found["hours_so_far"] = total(each.hours for each in so_far if ready(each, today))
    if isinstance(agreement, Milestones | TimeAndMaterials):
        found["billed_net"] = billed.net(agreement.id)
    return found


class _Work:
    """The work an item may bill: of its period, left over from before, billed before."""

    def __init__(
        self,
        systems: Systems,
        company: Company,
        agreement: Agreement,
        occasion: Occasion,
        today: date,
        billed: Billed,
    ) -> None:
        self._psa, self._company = systems.psa, company
        self._agreement, self._occasion = agreement, occasion
        self._today, self._billed = today, billed
        self._project = agreement.project or ""
        period = occasion.period
        self._first = agreement.start if period is None else period.start
        self._last = max(today if period is None else min(period.end, today), self._first)

    def found(self) -> dict[str, Any]:
        agreement = self._agreement
        if isinstance(agreement, PrepaidBlock):
            return self._beyond_blocks(agreement)
        if not isinstance(agreement, Recurring):
            return {}
        found: dict[str, Any] = {}
        earlier = self._earlier()
        if not isinstance(agreement, Expenses):
            entries = self._psa.time_entries(self._project, Period(start=self._first, end=self._last))
            late = [each for period in earlier for each in self._psa.time_entries(self._project, period)]
            found["time_entries"] = (*self._here(TIME, entries), *self._ahead())
            found["earlier_time"] = self._unbilled(TIME, late)
            found["billed_time"] = self._billed_time(agreement, found["earlier_time"])
        if passes_on(agreement):
            expenses = self._psa.expenses(self._project, Period(start=self._first, end=self._last))
            spent = [each for period in earlier for each in self._psa.expenses(self._project, period)]
            found["expenses"] = self._here(EXPENSE, expenses)
            found["earlier_expenses"] = self._unbilled(EXPENSE, spent)
        if self._occasion.period:
            own, _ = whole_period(agreement, self._first)
            found["billed_in_period"] = self._billed.net(agreement.id, self._occasion.item, own)
        return found

    def _earlier(self) -> list[Period]:
        """Days before the period on which everything is billed: what of them stands on no invoice came late."""
        if self._occasion.period is None:
            return []
        look_back = self._today - timedelta(days=self._company.source_checks.look_back_days)
        first = max(self._agreement.start, look_back)
        last = self._first - timedelta(days=1)
        closed = self._billed.closed(self._agreement.id, self._occasion.item)
        within = [(max(each.start, first), min(each.end, last)) for each in closed]
        return [Period(start=start, end=end) for start, end in sorted(within) if start <= end]

    def _here(self, source: str, records: Sequence[Record]) -> tuple[Record, ...]:
        """Without what another invoice of the agreement bills; what one of another agreement bills is a finding."""
        standing = self._billed.standing_on(source, [each.id for each in records])
        by_period = self._occasion.period is not None
        return tuple(
            each
            for each in records
            if each.id not in standing or (by_period and standing[each.id] != self._agreement.id)
        )

    def _unbilled(self, source: str, records: Sequence[Record]) -> tuple[Record, ...]:
        found = [each for each in records if each.approved and each.billable]
        standing = self._billed.standing_on(source, [each.id for each in found])
        return tuple(each for each in found if each.id not in standing)

    def _ahead(self) -> list[TimeEntry]:
        """Approved hours of days to come; tomorrow's may be today's where somebody works further east."""
        ahead = Period(start=self._today + timedelta(days=2), end=self._today + _AHEAD)
        entries = self._psa.time_entries(self._project, ahead)
        return [each for each in entries if each.approved and each.billable]

    def _billed_time(self, agreement: ByPeriod, late: Sequence[TimeEntry]) -> tuple[TimeEntry, ...]:
        """What has used up included hours of the periods that are concerned."""
        if isinstance(agreement, Expenses) or agreement.included_hours is None:
            return ()
        first, _ = whole_period(agreement, min([self._first, *(each.day for each in late)]))
        entries = self._psa.time_entries(self._project, Period(start=first.start, end=self._last))
        done = [each for each in entries if ready(each, self._today)]
        standing = self._billed.standing_on(TIME, [each.id for each in done])
        return tuple(each for each in done if standing.get(each.id) == agreement.id)

    def _beyond_blocks(self, agreement: PrepaidBlock) -> dict[str, Any]:
        whole = Period(start=agreement.start, end=max(self._last, agreement.start))
        entries = self._psa.time_entries(self._project, whole)
        uses = [Use(each.day, each.id, each.hours) for each in entries if ready(each, self._today)]
        blocks = self._billed.blocks(agreement, self._company)
        beyond = total(each.hours for each in draw_down(agreement, blocks, uses, whole.end).beyond)
        billed = self._billed.quantity(agreement.id, self._occasion.item)
        standing = self._billed.standing_on(TIME, [each.id for each in entries])
        here = [each for each in entries if each.approved or each.day >= self._first]
        return {
            "beyond_block": max(beyond - billed, Decimal(0)),
            "time_entries": (*(each for each in here if each.id not in standing), *self._ahead()),
        }
