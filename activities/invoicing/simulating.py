"""Simulating a company: its sources and where the ledger stands are read; nothing is written, nothing is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from activities.invoicing import calendars
from activities.invoicing.assembling import check_contents
from activities.invoicing.fetching import Billed, fetch
from activities.invoicing.sources import Systems
from activities.invoicing.speaking import addressees
from activities.ledger import approvals, collection, company_records, invoices, payments, taken
from activities.ledger.billed import LedgerBilled
from activities.ledger.company_records import CompanyVersion
from activities.ledger.number_series import INVOICE
from activities.ledger.tables import InvoiceRow, NumberSeriesRow
from billing.agreements import Agreement
from billing.blocks import BoughtBlock
from billing.calendars import Calendar
from billing.company import Client, Company
from billing.draft import Draft
from billing.dunning_policy import DunningPolicy
from billing.exceptions import Finding
from billing.money import Money, rounded
from billing.numbering import SeriesState
from billing.periods import Period
from billing.request import BillingRequest
from billing.simulation.facts import (
    Books,
    DraftedInvoice,
    HeldInvoice,
    OpenInvoice,
    Question,
    Requested,
    Standing,
)
from billing.simulation.loop import simulate
from billing.simulation.outcome import Assumptions, Simulation
from billing.simulation.register import Register
from billing.sources import Sources, TimeEntry
from billing.status import DocumentStatus

LOOK_BACK = timedelta(days=400)
"""How far back invoices are looked at that a simulated one may look like."""


def read_only(tx: Session) -> None:
    """From here on the transaction reads one state of the ledger and can write nothing; its first statement."""
    tx.execute(text("set transaction isolation level repeatable read, read only"))


def simulated(
    tx: Session,
    version: CompanyVersion,
    start: datetime,
    until: datetime,
    assumptions: Assumptions,
    *,
    from_nothing: bool = False,
) -> Simulation:
    """What the company would do from `start` on and before `until`, from where the ledger stands now.

    The company need not be the one that runs; with `from_nothing`, nothing counts as billed. `SourceUnavailable` is
    never raised: what cannot be read is held.
    """
    books = Books() if from_nothing else _books(tx, version, start)
    return simulate(
        version.company, _World(version, None if from_nothing else tx), start, until, assumptions, books
    )


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

    def line_reached(self, billing_key: str) -> bool:
        return self._ledger.line_reached(billing_key)


class _World:
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
        return check_contents(draft, at)

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


def _books(tx: Session, version: CompanyVersion, start: datetime) -> Books:
    rows = tx.scalars(
        select(InvoiceRow)
        .where(InvoiceRow.closed_at.is_(None), InvoiceRow.document_status != DocumentStatus.VOIDED)
        .order_by(InvoiceRow.id)
    )
    return Books(
        taken=taken.of_agreements(tx, [each.id for each in version.company.agreements]),
        drafts=[*_drafts(tx, start - LOOK_BACK)],
        series={
            each.issuer: SeriesState(year=each.year, last=each.last, last_date=each.last_date)
            for each in tx.scalars(select(NumberSeriesRow).where(NumberSeriesRow.document_type == INVOICE))
        },
        standing=[_standing(tx, row, version) for row in rows],
    )


def _drafts(tx: Session, since: datetime) -> Iterator[Draft]:
    query = select(InvoiceRow.draft).where(
        InvoiceRow.draft.is_not(None),
        InvoiceRow.requested_at >= since,
        InvoiceRow.document_status != DocumentStatus.VOIDED,
    )
    return (Draft.model_validate(each) for each in tx.scalars(query))


def _standing(tx: Session, row: InvoiceRow, version: CompanyVersion) -> Standing:
    """Where an invoice stands that is not closed."""
    company = company_records.at_version(tx, row.company_version).company
    if (open_ones := invoices.open_exceptions(tx, row)) and open_ones:
        first = open_ones[0]
        why = "; ".join(f"{each.code}: {each.finding.get('message', '')}" for each in open_ones)
        return HeldInvoice(row.billing_key, row.client, row.agreement or "", _gross(row), first.owner, why)
    if row.delivered_at is None and row.number is None:
        if row.draft is None or row.fetch_again_for:
            return Requested(BillingRequest.model_validate(row.request))
        return DraftedInvoice(
            draft=invoices.draft_of(row),
            company=company,
            trigger=row.trigger,
            took_part=frozenset(row.took_part),
            agreed=approvals.agreed(tx, row),
            question=_question(tx, row, company),
        )
    contact = addressees(row, version)
    return OpenInvoice(
        billing_key=row.billing_key,
        client=row.client,
        agreement=row.agreement or "",
        company=company,
        amount=Money.of(rounded(payments.open_amount(row), row.currency or ""), row.currency or ""),
        facts=collection.facts(tx, row),
        contact=contact.contact.email if contact else "",
        delivered=row.delivered_at is not None,
    )


def _gross(row: InvoiceRow) -> Money | None:
    if row.gross is None or row.currency is None:
        return None
    return Money.of(rounded(row.gross, row.currency), row.currency)


def _question(tx: Session, row: InvoiceRow, company: Company) -> Question | None:
    pending = approvals.waiting(tx, row)
    tier = next((each for each in company.approvals.tiers if pending and each.id == pending.tier), None)
    if pending is None or tier is None:
        return None
    return Question(
        tier=tier,
        asked=tuple(pending.asked),
        asked_at=pending.asked_at,
        deadline=pending.deadline,
        reminded_at=pending.reminded_at,
        approved_by=tuple(pending.approved_by),
    )
