"""Simulating a company: its sources and where the ledger stands are read; nothing is written, nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from activities.invoicing.addressees import addressees
from activities.invoicing.simulated_sources import SourceWorld
from activities.ledger import approvals, collection, company_records, invoices, meters, payments, taken
from activities.ledger.company_records import CompanyVersion
from activities.ledger.tables import InvoiceRow, NumberSeriesRow
from billing.agreements import PrepaidBlock
from billing.company import Company
from billing.document_kind import NumberSeries
from billing.draft import Draft
from billing.money import Money, rounded
from billing.numbering import SeriesState
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
from billing.status import DocumentStatus

LOOK_BACK = timedelta(days=400)
"""How far back invoices are looked at that a simulated one may look like."""


def read_only(tx: Session) -> None:
    """From here on the transaction reads one state of the ledger and can write nothing; its first statement."""
    tx.execute(text("set transaction isolation level repeatable read, read only"))
    tx.execute(
        text("set local idle_in_transaction_session_timeout = 0")
    )  # thousands of agreements take minutes


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
        version.company, SourceWorld(version, None if from_nothing else tx), start, until, assumptions, books
    )


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
            for each in tx.scalars(
                select(NumberSeriesRow).where(NumberSeriesRow.document_type == NumberSeries.INVOICE)
            )
        },
        standing=[_standing(tx, row, version) for row in rows],
        hours_to_go=dict(_hours_to_go(tx, version.company, start)),
    )


def _hours_to_go(tx: Session, company: Company, as_of: datetime) -> Iterator[tuple[str, Decimal]]:
    """Of the prepaid agreements whose meter knows of work."""
    for agreement in company.agreements:
        if isinstance(agreement, PrepaidBlock):
            for meter in meters.standings(tx, agreement, company, as_of):
                if meter.used and meter.next is not None and meter.next.item is not None:
                    yield agreement.id, meter.next.missing


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
