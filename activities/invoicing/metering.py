"""Metering: what the PSA says now of every metered agreement is taken in, and every meter looked at."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from activities.invoicing.live_source import noted
from activities.invoicing.sources import Systems
from activities.ledger import company_exceptions, company_records, meter_entries, meters, triggers
from activities.ledger.crossings import METER, Crossing
from activities.ledger.database import ITS_OWN_FAULT, Ledger
from activities.psa.source import PsaSource
from billing.agreements import Agreement, Milestones
from billing.company import Company
from billing.errors import SourceUnavailable
from billing.exceptions import Finding, ReasonCode
from billing.meter_entries import DECIMALS, Measure, MeterEntry
from billing.metering import measures
from billing.periods import Period

_log = logging.getLogger("billow.metering")

PSA = "psa"
"""The source of what is read from the PSA; `psa/<agreement>` where several metered agreements share a project."""

UNREADABLE = "meters/psa"
"""Subject of the exception about a PSA that cannot be read: one for all agreements."""

_AHEAD = timedelta(days=3650)
"""How far ahead an entry with a wrong date is looked for."""


@dataclass
class TakenIn:
    """What a look at all meters came to: agreements looked at, lines crossed, agreements whose PSA is not readable."""

    agreements: int = 0
    crossings: list[Crossing] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)


def take_in(ledger: Ledger, as_of: datetime, beat: Callable[[], None] = lambda: None) -> TakenIn:
    """Takes in the approved, billable hours and the progress of every metered agreement, a transaction each.

    What vanished from the PSA, or is not approved any more, counts as deleted. A PSA that cannot be read is told once;
    its meters are looked at all the same, with what was taken in before.
    """
    with ledger.transaction() as tx:
        version = company_records.current(tx)
    company = version.company
    psa = Systems.of(version, noted(ledger, company, as_of)).psa
    metered = [each for each in company.agreements if _metered(company, each, as_of)]
    shared = Counter(each.project for each in metered)
    done = TakenIn()
    for agreement in metered:
        beat()
        source = PSA if shared[agreement.project] == 1 else f"{PSA}/{agreement.id}"
        _take_in(ledger, company, agreement, psa, source, as_of, done)
    _tell_unreadable(ledger, company, done, as_of)
    return done


def _metered(company: Company, agreement: Agreement, as_of: datetime) -> tuple[Measure, ...]:
    return measures(agreement, triggers.company_today(company, agreement, as_of))


def _take_in(
    ledger: Ledger,
    company: Company,
    agreement: Agreement,
    psa: PsaSource,
    source: str,
    as_of: datetime,
    done: TakenIn,
) -> None:
    """One agreement; one nobody can make sense of keeps no other back."""
    found: list[MeterEntry] | None = None
    subject = f"{METER}{agreement.id}"
    try:
        found = [*_read(psa, company, agreement, source, as_of)]
    except SourceUnavailable as error:
        done.unread[agreement.id] = str(error)
    except ITS_OWN_FAULT as error:
        _tell(ledger, company, agreement, f"cannot be read from the PSA: {_first_line(error)}", as_of)
    asked: dict[str, Any] = {"by": company.billing_runs.requested_by, "channel": "billing run", "at": as_of}
    try:
        with ledger.transaction() as tx:
            changed = [] if found is None else _changes(meter_entries.live(tx, [agreement.id]), found)
            intake = meters.take_in(tx, changed, company, hold=True, **asked)
            if agreement.id not in intake.stored.agreements:
                intake.crossings.extend(meters.look(tx, [agreement.id], company, **asked).crossings)
            if found is not None:
                company_exceptions.close_repaired(tx, [subject], at=as_of)
    except ITS_OWN_FAULT as error:
        _tell(ledger, company, agreement, f"cannot be read: {_first_line(error)}", as_of)
    else:
        done.agreements += 1
        done.crossings += intake.crossings


def _read(
    psa: PsaSource, company: Company, agreement: Agreement, source: str, as_of: datetime
) -> Iterator[MeterEntry]:
    """What the PSA says of an agreement. `SourceUnavailable` if it cannot be read."""
    today = triggers.company_today(company, agreement, as_of)
    metered, project = measures(agreement, today), agreement.project
    if project is None:
        return
    if Measure.PROGRESS in metered and isinstance(agreement, Milestones):
        for milestone, percent in _progress(psa, project):
            yield MeterEntry(
                source=source,
                id=f"{project}/{milestone}" if milestone else project,
                agreement=agreement.id,
                measure=Measure.PROGRESS,
                day=today,
                quantity=Decimal(percent),
                milestone=milestone,
            )
    if metered == (Measure.PROGRESS,):
        return
    for each in psa.time_entries(project, Period(start=agreement.start, end=today + _AHEAD)):
        # tomorrow's may be today's where somebody works further east
        if each.approved and each.billable and each.day != today + timedelta(days=1):
            yield MeterEntry(
                source=source,
                id=each.id,
                agreement=agreement.id,
                day=each.day,
                quantity=each.hours.quantize(DECIMALS, ROUND_HALF_UP),
                role=each.role,
                person=each.person,
                note=each.note,
            )


def _progress(psa: PsaSource, project: str) -> Iterator[tuple[str | None, int]]:
    """The progress of each milestone, where the PSA keeps it by milestone; else the project's."""
    milestones = psa.milestones(project)
    if any(each.progress for each in milestones):
        yield from ((each.id, each.progress) for each in milestones)
    elif (whole := psa.project(project)) is not None:
        yield None, whole.progress


def _changes(stored: list[MeterEntry], found: list[MeterEntry]) -> list[MeterEntry]:
    """What is new or says something else than before, and deletions of what the PSA does not have any more."""
    before = {(each.source, each.id): each for each in stored}
    now = {(each.source, each.id) for each in found}
    changed = [each for each in found if not _same(before.get((each.source, each.id)), each)]
    ours = [each for each in stored if each.source == PSA or each.source.startswith(f"{PSA}/")]
    gone = [
        MeterEntry(source=each.source, id=each.id, agreement=each.agreement, deleted=True)
        for each in ours
        if (each.source, each.id) not in now
    ]
    return [*changed, *gone]


def _same(before: MeterEntry | None, now: MeterEntry) -> bool:
    """Whether an entry says what it said; progress has the day on which it changed."""
    if before is None:
        return False
    fields = {"measure", "quantity", "role", "person", "milestone", "note"}
    if now.measure is not Measure.PROGRESS:
        fields.add("day")
    return all(getattr(before, each) == getattr(now, each) for each in fields)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:500]


def _tell(ledger: Ledger, company: Company, agreement: Agreement, why: str, as_of: datetime) -> None:
    message = f"the meter of agreement {agreement.id!r} {why}"
    _log.warning("%s", message)
    with ledger.transaction() as tx:
        company_exceptions.raise_one(
            tx,
            f"{METER}{agreement.id}",
            Finding(code=ReasonCode.STEP_FAILED, message=message),
            company,
            client=agreement.client,
            at=as_of,
        )


def _tell_unreadable(ledger: Ledger, company: Company, done: TakenIn, as_of: datetime) -> None:
    """One exception for a source that many agreements share, with what it keeps from being metered."""
    with ledger.transaction() as tx:
        if not done.unread:
            company_exceptions.close_repaired(tx, [UNREADABLE], at=as_of)
            return
        first = next(iter(done.unread.values()))
        count = len(done.unread)
        agreements = f"{count} agreement{'s' if count > 1 else ''}"
        message = f"meters of {agreements} stand where they stood before: {first}"
        company_exceptions.raise_one(
            tx, UNREADABLE, Finding(code=ReasonCode.SOURCE_UNREADABLE, message=message), company, at=as_of
        )
