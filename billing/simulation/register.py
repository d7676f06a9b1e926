"""What simulated invoices have done so far and others must heed: items billed, drafts alike, dates of issue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.draft import Draft
from billing.exceptions import Finding, ReasonCode
from billing.look_alikes import look_alike, looks_like
from billing.numbering import SeriesState, take_number
from billing.simulation.facts import Books
from billing.sources import Sources


class Register:
    """The books, kept up to date by the simulated invoices."""

    def __init__(self, books: Books) -> None:
        self._billed = dict(books.billed)
        self._series = dict(books.series)
        self._drafts: dict[tuple[str, str, Decimal], list[Draft]] = {}
        for draft in books.drafts:
            self._keep(draft)

    def enter(self, draft: Draft) -> list[Finding]:
        """Takes the draft in; a finding where it bills what another one bills, or looks like it."""
        doubles = [(item, key) for item, key in self._claims(draft) if key != draft.billing_key]
        findings = [
            Finding(code=ReasonCode.ALREADY_BILLED, message=f"{item} already on invoice {key}", field="work")
            for item, key in doubles[:1]
        ]
        findings += [
            look_alike(draft, other.billing_key)
            for other in self._drafts.get(_figure(draft), ())
            if other.billing_key != draft.billing_key and looks_like(draft, other)
        ]
        self._keep(draft)
        return findings

    def unbilled(self, sources: Sources, billing_key: str) -> Sources:
        """The sources without earlier work that another simulated invoice bills."""

        def left(source: str, item: str) -> bool:
            return self._billed.get((source, item), billing_key) == billing_key

        time = tuple(each for each in sources.earlier_time if left("psa/time", each.id))
        expenses = tuple(each for each in sources.earlier_expenses if left("psa/expense", each.id))
        return sources.model_copy(update={"earlier_time": time, "earlier_expenses": expenses})

    def issue_date(self, draft: Draft, at: datetime) -> date:
        """The date that the issuer's next number would carry; the number itself is nobody's yet."""
        today = at.astimezone(ZoneInfo(draft.issuer.zone)).date()
        series = self._series.get(draft.issuer.id, SeriesState(year=today.year, last=0))
        taken = take_number(draft.issuer.number_prefix, series, today)
        self._series[draft.issuer.id] = taken.state
        return taken.issue_date

    def _claims(self, draft: Draft) -> Iterator[tuple[str, str]]:
        for line in draft.lines:
            for ref in line.sources:
                yield ref.id, self._billed.get((ref.source, ref.id), draft.billing_key)

    def _keep(self, draft: Draft) -> None:
        self._drafts.setdefault(_figure(draft), []).append(draft)
        for line in draft.lines:
            for ref in line.sources:
                self._billed.setdefault((ref.source, ref.id), draft.billing_key)


def _figure(draft: Draft) -> tuple[str, str, Decimal]:
    return draft.client, draft.currency, draft.net
