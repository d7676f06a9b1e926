"""The sources as a simulation sees them: what simulated invoices have billed counts as billed, next to the ledger's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.invoicing import calendars
from activities.invoicing.assembling import check_contents
from activities.invoicing.fetching import Billed, fetch
from activities.invoicing.sources import Systems
from activities.ledger.billed import LedgerBilled
from activities.ledger.company_records import CompanyVersion
from activities.ledger.tables import InvoiceRow
from billing.agreements import Agreement
from billing.blocks import BoughtBlock
from billing.calendars import Calendar
from billing.company import Client, Company
from billing.draft import Draft
from billing.dunning_policy import DunningPolicy
from billing.exceptions import Finding
from billing.periods import Period
from billing.prepayments import Prepayment
from billing.request import BillingRequest
from billing.simulation.register import Register
from billing.sources import Sources, TimeEntry
from billing.status import DocumentStatus


class _Within:
    """One transaction for all questions, so that they are answered from one state of the ledger."""

    def __init__(self, tx: Session) -> None:
        self._tx = tx

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        yield self._tx


class _Nothing:
    """A ledger in which nothing is billed."""

    def standing_on(self, source: str, items: Collection[str]) -> Mapping[str, str | None]:  # noqa: ARG002
        return {}

    def closed(self, agreement: str, item: str) -> tuple[Period, ...]:  # noqa: ARG002
        return ()

    def net(self, agreement: str, item: str | None = None, period: Period | None = None) -> Decimal:  # noqa: ARG002
        return Decimal(0)

    def quantity(self, agreement: str, item: str) -> Decimal:  # noqa: ARG002
        return Decimal(0)

    def blocks(self, agreement: Agreement, company: Company) -> Sequence[BoughtBlock]:  # noqa: ARG002
        return ()

    def prepayments(self, agreement: str, items: Collection[str]) -> Sequence[Prepayment]:  # noqa: ARG002
        return ()

    def line_reached(self, billing_key: str) -> bool:  # noqa: ARG002
        return False


class _Both:
    """What is billed in the ledger, and what simulated invoices have billed since."""

    def __init__(self, ledger: Billed, register: Register) -> None:
        self._ledger, self._register = ledger, register

    def standing_on(self, source: str, items: Collection[str]) -> Mapping[str, str | None]:
        return {**self._register.standing_on(source, items), **self._ledger.standing_on(source, items)}

    def closed(self, agreement: str, item: str) -> tuple[Period, ...]:
        return (*self._ledger.closed(agreement, item), *self._register.closed(agreement, item))

    def net(self, agreement: str, item: str | None = None, period: Period | None = None) -> Decimal:
        return self._ledger.net(agreement, item, period) + self._register.net(agreement, item, period)

    def quantity(self, agreement: str, item: str) -> Decimal:
        return self._ledger.quantity(agreement, item) + self._register.quantity(agreement, item)

    def blocks(self, agreement: Agreement, company: Company) -> Sequence[BoughtBlock]:
        return [*self._ledger.blocks(agreement, company), *self._register.blocks(agreement.id)]

    def prepayments(self, agreement: str, items: Collection[str]) -> Sequence[Prepayment]:
        issued = self._ledger.prepayments(agreement, items)
        return [*issued, *self._register.prepayments(agreement, items)]

    def line_reached(self, billing_key: str) -> bool:
        return self._ledger.line_reached(billing_key)


class SourceWorld:
    """The sources and calendars of a company, and what its ledger says is billed; nothing if there is none."""

    def __init__(self, version: CompanyVersion, tx: Session | None) -> None:
        self._company, self._systems, self._tx = version.company, Systems.of(version), tx
        self._drafts = dict(_in_the_making(tx)) if tx else {}

    def sources(self, request: BillingRequest, today: date, register: Register) -> Sources:
        billed = _Both(self._billed(request.billing_key), register)
        return fetch(self._systems, self._company, request, today, billed)

    def elsewhere(self, draft: Draft) -> Sequence[str]:
        by_source: dict[str, list[str]] = {}
        for line in draft.lines:
            for ref in line.sources:
                by_source.setdefault(ref.source, []).append(ref.id)
        billed = self._billed(draft.billing_key)
        return [item for source, items in by_source.items() for item in billed.standing_on(source, items)]

    def _billed(self, billing_key: str) -> Billed:
        if self._tx is None:
            return _Nothing()
        return LedgerBilled(_Within(self._tx), but=self._drafts.get(billing_key))

    def worked(self, project: str, period: Period) -> Sequence[TimeEntry]:
        return self._systems.psa.time_entries(project, period)

    def check(self, draft: Draft, at: datetime) -> Sequence[Finding]:
        client = self._company.client(draft.client)
        return check_contents(draft, at, self.business_days(client, at.date()) if client else None)

    def calendar(self, client: Client, policy: DunningPolicy, today: date) -> Calendar:
        return calendars.calendar_of(client, policy, today)

    def business_days(self, client: Client, today: date) -> Calendar:
        return calendars.business_days(client, today)


def _in_the_making(tx: Session) -> Iterator[tuple[str, int]]:
    """The drafts that are to be made anew: what they bill so far does not stand in their own way."""
    query = select(InvoiceRow.billing_key, InvoiceRow.id).where(
        InvoiceRow.document_status == DocumentStatus.DRAFT
    )
    return ((key, invoice) for key, invoice in tx.execute(query))
