"""What simulated invoices have done and others must heed: items and amounts billed, drafts alike, dates of issue."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.agreements import Occasion
from billing.blocks import BoughtBlock
from billing.draft import Draft
from billing.exceptions import Finding, ReasonCode
from billing.look_alikes import look_alike, looks_like
from billing.money import total
from billing.number_pattern import pattern_of
from billing.numbering import SeriesState, take_number
from billing.occasions import BLOCK
from billing.periods import Period
from billing.prepayments import Prepayment, prepayment
from billing.request import BillingRequest
from billing.simulation.facts import Books


@dataclass
class _Entry:
    """A simulated draft and what it bills."""

    draft: Draft
    occasion: Occasion
    asked: date
    issued: bool = False


class Register:
    """The invoices of the books, for drafts that look alike and dates of issue; and every simulated one."""

    def __init__(self, books: Books) -> None:
        self._series = dict(books.series)
        self._entries: dict[str, dict[str, _Entry]] = {}
        self._items: dict[tuple[str, str], tuple[str, str]] = {}
        self._drafts: dict[tuple[str, str, Decimal], list[Draft]] = {}
        for draft in books.drafts:
            self._drafts.setdefault(_figure(draft), []).append(draft)

    def enter(self, request: BillingRequest, draft: Draft, today: date) -> list[Finding]:
        """Takes the draft in; a finding where it bills what another simulated one bills, or looks like any other."""
        findings = [
            Finding(code=ReasonCode.ALREADY_BILLED, message=f"{item} already on invoice {key}", field="work")
            for item, key in self._doubles(draft)
        ][:1]
        findings += [
            look_alike(draft, other.billing_key)
            for other in self._drafts.get(_figure(draft), ())
            if other.billing_key != draft.billing_key and looks_like(draft, other)
        ]
        self._drafts.setdefault(_figure(draft), []).append(draft)
        if request.occasion is not None:
            agreement = request.occasion.agreement
            entry = _Entry(draft, request.occasion, today)
            self._entries.setdefault(agreement, {})[draft.billing_key] = entry
            for line in draft.lines:
                for ref in line.sources:
                    self._items.setdefault((ref.source, ref.id), (agreement, draft.billing_key))
        return findings

    def issue_date(self, draft: Draft, at: datetime) -> date:
        """The date that the issuer's next number would carry, given now; the number itself is nobody's yet."""
        entry = self._entries.get(draft.agreement or "", {}).get(draft.billing_key)
        if entry is not None:
            entry.issued = True
        today = at.astimezone(ZoneInfo(draft.issuer.zone)).date()
        series = self._series.get(draft.issuer.id, SeriesState(year=today.year, last=0))
        taken = take_number(pattern_of(draft.issuer), series, today)
        self._series[draft.issuer.id] = taken.state
        return taken.issue_date

    def standing_on(self, source: str, items: Collection[str]) -> Mapping[str, str]:
        """Those of the items that stand on a simulated invoice: to the agreement it is under."""
        return {item: self._items[source, item][0] for item in items if (source, item) in self._items}

    def closed(self, agreement: str, item: str) -> tuple[Period, ...]:
        """The periods of an item that are issued."""
        found = (each for each in self._of(agreement, item) if each.issued)
        return tuple(each.occasion.period for each in found if each.occasion.period)

    def net(self, agreement: str, item: str | None = None, period: Period | None = None) -> Decimal:
        """The net billed under an agreement; of one item, and of one period of it, where these are given."""
        return total(
            each.draft.net
            for each in self._of(agreement, item)
            if period is None
            or (each.occasion.period and period.start <= each.occasion.period.start <= period.end)
        )

    def quantity(self, agreement: str, item: str) -> Decimal:
        """The hours on the lines of an item's invoices."""
        lines = (line for each in self._of(agreement, item) for line in each.draft.lines)
        return total(line.quantity for line in lines if line.sources)

    def blocks(self, agreement: str) -> list[BoughtBlock]:
        """The prepaid blocks that are billed."""
        numbered = f"{BLOCK}-"
        return [
            BoughtBlock(int(each.occasion.item.removeprefix(numbered)), each.asked, each.asked)
            for each in self._of(agreement)
            if each.occasion.item.startswith(numbered)
        ]

    def prepayments(self, agreement: str, items: Collection[str]) -> list[Prepayment]:
        """The invoices that billed these items in advance; in a simulation they are paid, and named by their keys."""
        return [
            prepayment(each.draft, each.draft.billing_key, each.occasion.item, each.asked, settled=True)
            for each in self._of(agreement)
            if each.issued and each.occasion.item in items
        ]

    def _of(self, agreement: str, item: str | None = None) -> Iterator[_Entry]:
        entries = self._entries.get(agreement, {}).values()
        return (each for each in entries if item in (None, each.occasion.item))

    def _doubles(self, draft: Draft) -> Iterator[tuple[str, str]]:
        for line in draft.lines:
            for ref in line.sources:
                _, key = self._items.get((ref.source, ref.id), ("", draft.billing_key))
                if key != draft.billing_key:
                    yield ref.id, key


def _figure(draft: Draft) -> tuple[str, str, Decimal]:
    return draft.client, draft.currency, draft.net
