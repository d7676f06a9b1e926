"""Reconciliation: what should have been billed and was not becomes an exception, once, until it is billed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from temporalio import activity

from activities.invoicing import calendar_billing
from activities.invoicing.calendars import business_days
from activities.invoicing.live_source import nobody, noted
from activities.invoicing.sources import Systems
from activities.ledger import company_exceptions, company_records, invoices, meters, taken, unbilled
from activities.ledger.company_records import CompanyVersion
from activities.ledger.database import Ledger
from activities.psa.source import PsaSource
from billing.agreements import PrepaidBlock
from billing.company import Company
from billing.errors import SourceUnavailable
from billing.exceptions import Finding, ReasonCode
from billing.hours import TIME
from billing.leakage.leak import SUBJECT, Leak, LeakFacts, ProjectFacts, Waived
from billing.leakage.search import find
from billing.periods import Period
from billing.spending import EXPENSE
from workflows.activity_interfaces import Reconciliations
from workflows.messages import ReconciliationOrder, ReconciliationResult

Content = TypeVar("Content")

SOURCE = "reconciliation/"
"""How the subject of a source that cannot be read begins."""

STALLED_AFTER = timedelta(days=1)
"""How late the next look at an invoice is before its workflow is started again."""

_SLICE = 50
"""Leaks raised in one transaction."""


@dataclass(frozen=True)
class FoundLeak:
    """A leak, whose it is and until when it should be decided; `exception` is None where nothing was written."""

    leak: Leak
    owner: str
    deadline: datetime
    exception: int | None = None
    new: bool = False


@dataclass(frozen=True)
class Reconciled:
    """What a reconciliation found; `repaired` exceptions were closed, `woken` invoices are looked at again."""

    as_of: datetime
    leaks: list[FoundLeak] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    repaired: int = 0
    woken: int = 0
    overdue_exceptions: int = 0
    overdue_payments: int = 0

    @property
    def new(self) -> int:
        """How many nobody knew before."""
        return sum(each.new for each in self.leaks)


class LedgerReconciliation(Reconciliations):
    """Reconciliation of the ledger with the sources."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name="reconcile")
    def reconcile(self, order: ReconciliationOrder) -> ReconciliationResult:
        found = reconcile(self._ledger, order.as_of)
        return ReconciliationResult(leaks=len(found.leaks), new=found.new)


def reconcile(ledger: Ledger, as_of: datetime) -> Reconciled:
    """Looks for leaks as of an instant: new ones are raised, known ones brought up to date, those that are gone closed.

    A leak a person has accepted is none, as long as it does not change. A source that cannot be read is a finding of
    its own; then nothing is closed, for what it would say is not known. Also starts again what stands still.
    """
    version, facts, sources = _gathered(ledger, as_of)
    company = version.company
    found = list(find(facts, company.reconciliation, _today(company, as_of)))
    with ledger.transaction() as tx:
        known = company_exceptions.open_subjects(tx, SUBJECT)
    raised = [
        each
        for start in range(0, len(found), _SLICE)
        for each in _raised(ledger, found[start : start + _SLICE], company, known, as_of)
    ]
    with ledger.transaction() as tx:
        sources.tell(tx, company, as_of)
        gone = frozenset[str]() if sources.unreadable else known - {each.subject for each in found}
        company_exceptions.close_repaired(tx, gone, at=as_of)
        stalled = unbilled.stalled(tx, as_of - STALLED_AFTER)
        for row in stalled:
            invoices.wake(tx, row, as_of)
        exceptions, payments = unbilled.overdue(tx, as_of)
    return Reconciled(
        as_of=as_of,
        leaks=raised,
        unreadable=dict(sources.unreadable),
        repaired=len(gone),
        woken=len(stalled),
        overdue_exceptions=exceptions,
        overdue_payments=payments,
    )


def preview(ledger: Ledger, as_of: datetime) -> Reconciled:
    """What `reconcile` would find at that instant, without writing anything."""
    version, facts, sources = _gathered(ledger, as_of, write=False)
    company = version.company
    deadline = as_of + timedelta(hours=company.exceptions.decide_within_hours)
    with ledger.transaction() as tx:
        known = company_exceptions.open_subjects(tx, SUBJECT)
        found = [
            FoundLeak(each, _owner(company, each), deadline, new=each.subject not in known)
            for each in find(facts, company.reconciliation, _today(company, as_of))
            if not company_exceptions.was_accepted(tx, each.subject, each.finding)
        ]
        exceptions, payments = unbilled.overdue(tx, as_of)
    return Reconciled(
        as_of=as_of,
        leaks=found,
        unreadable=dict(sources.unreadable),
        overdue_exceptions=exceptions,
        overdue_payments=payments,
    )


def waived(ledger: Ledger, as_of: datetime) -> list[Waived]:
    """What people decided not to bill within the days reconciliation looks back, newest first."""
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        oldest = _today(company, as_of) - timedelta(days=company.reconciliation.look_back_days)
        return [each for each in unbilled.waived(tx, _zone(company)) if each.waived_on >= oldest]


def _raised(
    ledger: Ledger, leaks: Sequence[Leak], company: Company, known: frozenset[str], at: datetime
) -> list[FoundLeak]:
    raised = []
    with ledger.transaction() as tx:
        for leak in leaks:
            row = company_exceptions.raise_one(
                tx,
                leak.subject,
                leak.finding,
                company,
                client=leak.client,
                at_stake=leak.at_stake,
                owner=company.reconciliation.owner,
                at=at,
            )
            if row is not None:
                raised.append(FoundLeak(leak, row.owner, row.deadline, row.id, leak.subject not in known))
    return raised


def _owner(company: Company, leak: Leak) -> str:
    return company.reconciliation.owner or company.exceptions.owner(leak.code, leak.client or "")


def _zone(company: Company) -> ZoneInfo:
    return ZoneInfo(company.issuers[0].zone if company.issuers else "UTC")


def _today(company: Company, as_of: datetime) -> date:
    return as_of.astimezone(_zone(company)).date()


class _Reading:
    """Reads sources one by one; what cannot be read is noted and left out."""

    def __init__(self) -> None:
        self.unreadable: dict[str, str] = {}

    def read(self, source: str, ask: Callable[[], tuple[Content, ...]]) -> tuple[Content, ...]:
        try:
            return ask()
        except SourceUnavailable as error:
            self.unreadable[source] = str(error)
            return ()

    def tell(self, tx: Session, company: Company, at: datetime) -> None:
        """An exception for each source that cannot be read, until it can."""
        for source, error in self.unreadable.items():
            finding = Finding(code=ReasonCode.SOURCE_UNREADABLE, message=error, field=source)
            company_exceptions.raise_one(
                tx, SOURCE + source, finding, company, owner=company.reconciliation.owner, at=at
            )
        readable = company_exceptions.open_subjects(tx, SOURCE) - {SOURCE + each for each in self.unreadable}
        company_exceptions.close_repaired(tx, readable, at=at)


def _gathered(
    ledger: Ledger, as_of: datetime, *, write: bool = True
) -> tuple[CompanyVersion, LeakFacts, _Reading]:
    """The facts leaks are looked for in; projects are read one at a time, as the search comes to them."""
    sources = _Reading()
    with ledger.transaction() as tx:
        version = company_records.current(tx)
        company, zone, today = version.company, _zone(version.company), _today(version.company, as_of)
        systems = Systems.of(version, noted(ledger, company, as_of) if write else nobody)
        blocks = {
            each.id: tuple(meters.bought(tx, each, company))
            for each in company.agreements
            if isinstance(each, PrepaidBlock)
        }
        facts = LeakFacts(
            company=company,
            taken=taken.of_agreements(tx, [each.id for each in company.agreements]),
            drafts=unbilled.open_drafts(tx),
            waived=unbilled.waived_unseen(tx),
            voided=unbilled.voided_drafts(tx, zone),
            held=unbilled.held_by(tx, calendar_billing.subject("")),
            crossings=unbilled.unbilled_crossings(tx, zone),
            blocks=blocks,
            retired=unbilled.retired(tx, company, zone),
            deals=sources.read("crm", systems.crm.deals),
            contracts=sources.read("contracts", systems.contracts.contracts),
            projects=_projects(ledger, company, systems.psa, sources, today),
            calendars={each.id: business_days(each, today) for each in company.clients},
        )
    return version, facts, sources


def _projects(
    ledger: Ledger, company: Company, psa: PsaSource, sources: _Reading, today: date
) -> Iterator[ProjectFacts]:
    oldest = today - timedelta(days=company.reconciliation.look_back_days)
    begins: dict[str, date] = {}
    for agreement in company.agreements:
        if agreement.project is not None:
            # how far a block is used up depends on everything that was ever worked on it
            first = agreement.start if isinstance(agreement, PrepaidBlock) else oldest
            begins[agreement.project] = min(first, begins.get(agreement.project, oldest))
    listed = {each.id: each for each in sources.read("psa", psa.projects)}
    unlisted = sources.read("psa", lambda: tuple(psa.projects_with_work()))
    for project in sorted({*listed, *begins, *unlisted}):
        record = listed.get(project)
        period = Period(start=min(begins.get(project, oldest), today), end=today)
        time = sources.read("psa", partial(psa.time_entries, project, period))
        expenses = sources.read("psa", partial(psa.expenses, project, period))
        with ledger.transaction() as tx:
            billed = frozenset(
                [
                    *unbilled.on_invoices(tx, TIME, [each.id for each in time]),
                    *unbilled.on_invoices(tx, EXPENSE, [each.id for each in expenses]),
                ]
            )
        yield ProjectFacts(
            id=project,
            client=record.client if record else "",
            completed=record.completed if record else None,
            milestones=sources.read("psa", partial(psa.milestones, project)),
            time=time,
            expenses=expenses,
            billed=billed,
        )
