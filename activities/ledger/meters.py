"""Meters in the ledger: entries taken in, and every line they cross acted on in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from activities.ledger import meter_entries, triggers
from activities.ledger.crossings import Crossing, Crossings, crossed_before
from activities.ledger.meter_entries import Stored
from activities.ledger.tables import InvoiceRow, MeterRow
from billing.agreements import Agreement, PrepaidBlock
from billing.blocks import BoughtBlock
from billing.change_orders import agreement_on
from billing.company import Company
from billing.errors import BillowError, Refused
from billing.meter_entries import Held, Measure, MeterEntry, held
from billing.meter_reading import read
from billing.metering import Meter, MeterStanding, measures, misplaced
from billing.metering import standing as standing_of
from billing.status import DocumentStatus

_SHOWN = 5


@dataclass(frozen=True)
class Intake:
    """What taking entries in came to. `held` are those of the agreements concerned that do not count yet."""

    stored: Stored
    crossings: list[Crossing] = field(default_factory=list)
    held: list[tuple[MeterEntry, Held]] = field(default_factory=list)


def refusals(entries: Iterable[MeterEntry], company: Company, *, at: datetime) -> dict[int, str]:
    """Why entries cannot be taken in, by their position: what had better be corrected where it was written.

    Hours of a role without a rate are no such thing: they are taken in, and wait for their rate.
    """

    @cache
    def terms(agreement: str) -> tuple[Agreement, tuple[Measure, ...], date]:
        found = triggers.agreement_of(company, agreement)
        today = triggers.company_today(company, found, at)
        return agreement_on(found, today), measures(found, today), today

    found: dict[int, str] = {}
    for position, entry in enumerate(entries):
        try:
            agreement, metered, today = terms(entry.agreement)
        except BillowError as error:
            found[position] = str(error)
            continue
        why = misplaced(agreement, metered, entry)
        if why is None and not entry.deleted and (waits := held(agreement, entry, None, today)):
            why = waits.why
        if why is not None:
            found[position] = why
    return found


def take_in(
    tx: Session,
    entries: Sequence[MeterEntry],
    company: Company,
    *,
    by: str,
    channel: str,
    at: datetime,
    hold: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Intake:
    """Takes entries in and acts, in this transaction, on every line that is reached now and never was before.

    `Refused`, and nothing is taken in, if one of them cannot be; with `hold` such an entry is kept, counts nothing,
    and its account manager is told. An entry of an agreement nobody knows is refused either way. `progress` hears
    how many entries are stored.
    """
    for key in {each.agreement for each in entries} if hold else ():
        triggers.agreement_of(company, key)
    wrong = {} if hold else refusals(entries, company, at=at)
    if wrong:
        said = [f"{entries[position].id}: {why}" for position, why in wrong.items()]
        more = f"; and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
        raise Refused("; ".join(said[:_SHOWN]) + more)

    @cache
    def today(agreement: str) -> date:
        return triggers.company_today(company, triggers.agreement_of(company, agreement), at)

    stored = meter_entries.store(tx, entries, at=at, today=today, progress=progress)
    last = {each.agreement: each for each in entries}
    return _act(Crossings(tx, company, by, channel, at), stored, last)


def look(
    tx: Session, agreements: Iterable[str], company: Company, *, by: str, channel: str, at: datetime
) -> Intake:
    """Reads meters anew though nothing was taken in: an agreement may have changed, and days pass."""
    return _act(Crossings(tx, company, by, channel, at), Stored(agreements=set(agreements)), {})


def _act(crossings: Crossings, stored: Stored, last: dict[str, MeterEntry]) -> Intake:
    tx, company, at = crossings.tx, crossings.company, crossings.at
    known = [found for key in sorted(stored.agreements) if (found := company.agreement(key))]
    metered = [
        (agreement, measure)
        for agreement in known
        for measure in sorted(measures(agreement, triggers.company_today(company, agreement, at)))
    ]
    rows = _locked(tx, [(agreement.id, measure) for agreement, measure in metered], at)
    intake = Intake(stored)
    for agreement, measure in metered:
        blocks = bought(tx, agreement, company)
        crossed = crossed_before(tx, agreement.id)
        today = triggers.company_today(company, agreement, at)
        meter = _read(tx, agreement, measure, blocks, crossed, today)
        row = rows[agreement.id, measure]
        if row.value != meter.value:
            row.value, row.changed_at = meter.value, at
        names = {f"block-{each.number}" for each in blocks}
        intake.crossings.extend(crossings.cross(agreement, meter, crossed, names, last.get(agreement.id)))
        intake.held.extend(meter.held)
        crossings.tell_held(agreement, meter)
        crossings.close_repaired(agreement, meter, names)
    return intake


def _locked(tx: Session, meters: list[tuple[str, Measure]], at: datetime) -> dict[tuple[str, str], MeterRow]:
    """The meters, made where there is none, locked in the order of their names until the transaction ends."""
    if not meters:
        return {}
    new = [
        {"agreement": agreement, "measure": measure.value, "value": 0, "changed_at": at}
        for agreement, measure in meters
    ]
    tx.execute(insert(MeterRow).values(new).on_conflict_do_nothing())
    query = (
        select(MeterRow)
        .where(MeterRow.agreement.in_({agreement for agreement, _ in meters}))
        .order_by(MeterRow.agreement, MeterRow.measure)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {(row.agreement, row.measure): row for row in tx.scalars(query)}


def _read(
    tx: Session,
    agreement: Agreement,
    measure: Measure,
    blocks: list[BoughtBlock],
    crossed: frozenset[str],
    today: date,
) -> Meter:
    """The meter over all that is committed and what this transaction adds. Called under the lock of the meter."""
    return read(agreement, measure, meter_entries.live(tx, [agreement.id]), blocks, today, crossed)


def bought(tx: Session, agreement: Agreement, company: Company) -> list[BoughtBlock]:
    """The blocks of a prepaid agreement that have a living invoice; nothing for other models.

    One whose invoice is credited in full is bought no longer, unless a corrected invoice bills it after all.
    """
    if not isinstance(agreement, PrepaidBlock):
        return []
    client = company.client(agreement.client)
    zone = ZoneInfo(client.zone if client else "UTC")
    rows = tx.execute(
        select(InvoiceRow.item, InvoiceRow.requested_at, InvoiceRow.issue_date).where(
            InvoiceRow.agreement == agreement.id,
            InvoiceRow.item.startswith("block-"),
            InvoiceRow.document_status != DocumentStatus.VOIDED,
            or_(InvoiceRow.document_status != DocumentStatus.CREDITED, _is_corrected()),
        )
    )
    blocks = []
    for item, requested_at, issued in rows:
        asked = requested_at.astimezone(zone).date()
        blocks.append(BoughtBlock(int((item or "").removeprefix("block-")), asked, issued or asked))
    return blocks


def _is_corrected() -> ColumnElement[bool]:
    """Whether another invoice bills what this one billed wrongly."""
    instead = aliased(InvoiceRow)
    gone = (DocumentStatus.VOIDED, DocumentStatus.CREDITED)
    return exists().where(instead.corrects == InvoiceRow.id, instead.document_status.not_in(gone))


def standings(tx: Session, agreement: Agreement, company: Company, as_of: datetime) -> list[MeterStanding]:
    """Where every meter of an agreement stands at an instant; nothing if it has none."""
    today = triggers.company_today(company, agreement, as_of)
    blocks = bought(tx, agreement, company)
    crossed = crossed_before(tx, agreement.id) | {f"block-{each.number}" for each in blocks}
    return [
        standing_of(agreement.id, _read(tx, agreement, measure, blocks, crossed, today), crossed)
        for measure in measures(agreement, today)
    ]


def standing(tx: Session, agreement: Agreement, company: Company, as_of: datetime) -> MeterStanding | None:
    """Where the first meter of an agreement stands at an instant; None if it has none."""
    return next(iter(standings(tx, agreement, company, as_of)), None)
