"""Proof that the invoice numbers given are gapless, unique, in order of date, and those of the audit trail.

Opening items carry numbers of the system before and are left out. What this cannot find: the highest numbers of a year
that is over, if invoices and audit events were both deleted; only a copy from before can show that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Result, Row, and_, cast, extract, func, or_, select, true
from sqlalchemy.orm import Session

from activities.ledger.number_series import INVOICE
from activities.ledger.tables import AuditEventRow, InvoiceRow, NumberSeriesRow
from billing.draft import digest_of
from billing.errors import NumberingError
from billing.numbering import SeriesState, take_number
from billing.status import ISSUED

NAMED_AT_MOST = 1000
"""So many problems are named one by one; all are counted."""

BATCH = 200
"""Invoices read from the server at a time: what bounds memory."""


class Kind(StrEnum):
    """What is wrong with a number."""

    GAP = "gap"
    DOUBLE = "double"
    ORDER = "order of dates"
    FORM = "form"
    SERIES = "state of the series"
    RECORD = "audit trail"


@dataclass(frozen=True)
class Problem:
    """A number that does not hold, and why, in words for people."""

    issuer: str
    kind: Kind
    number: str
    reason: str


@dataclass
class Series:
    """The numbers of one issuer, document type and year, as they were given."""

    issuer: str
    document_type: str
    year: int
    first: str = ""
    last: str = ""
    count: int = 0
    highest: int = 0
    stem: str = ""
    latest: date | None = None
    latest_number: str = ""


@dataclass
class NumberAudit:
    """What was found. `problems` holds the first `NAMED_AT_MOST`, `problem_count` counts all."""

    series: list[Series] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    invoices: int = 0
    opening_items: int = 0
    problem_count: int = 0

    def add(self, issuer: str, kind: Kind, number: str, reason: str) -> None:
        self.problem_count += 1
        if len(self.problems) < NAMED_AT_MOST:
            self.problems.append(Problem(issuer, kind, number, reason))


def to_check(tx: Session, issuer: str | None = None) -> int:
    """How many invoices `audit_numbers` will look at."""
    return tx.scalar(select(func.count()).select_from(InvoiceRow).where(_numbered(issuer))) or 0


def audit_numbers(
    tx: Session, issuer: str | None = None, seen: Callable[[], None] = lambda: None
) -> NumberAudit:
    """Checks every number of an issuer, or of all; calls `seen` after each invoice.

    Reads one snapshot, so that numbers given meanwhile disturb nothing: `tx` must not have read anything yet.
    """
    tx.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    found = NumberAudit(opening_items=_opening_items(tx, issuer))
    newest: dict[str, Series] = {}
    for (owner, year), rows in groupby(_given(tx, issuer), key=lambda row: (row.issuer, row.year)):
        series = Series(owner, INVOICE, year)
        for row in rows:
            found.invoices += 1
            _take(series, row, found)
            _compare_with_trail(row, found)
            seen()
        if series.count:
            found.series.append(series)
        if series.highest:
            newest[owner] = series
    _compare_with_states(tx, issuer, newest, found)
    _look_for_lost(tx, issuer, found)
    return found


_OURS = InvoiceRow.trigger != "opening item"
_ISSUER = func.coalesce(InvoiceRow.issuer, "")


def _of(issuer: str | None) -> ColumnElement[bool]:
    return true() if issuer is None else InvoiceRow.issuer == issuer


def _numbered(issuer: str | None) -> ColumnElement[bool]:
    issued = or_(InvoiceRow.number.is_not(None), InvoiceRow.document_status.in_(ISSUED))
    return and_(_of(issuer), _OURS, issued)


def _opening_items(tx: Session, issuer: str | None) -> int:
    query = select(func.count()).select_from(InvoiceRow)
    return tx.scalar(query.where(_of(issuer), InvoiceRow.trigger == "opening item")) or 0


def _given(tx: Session, issuer: str | None) -> Iterator[Row[Any]]:
    """Issued invoices by issuer, year and number, each with what its audit trail says was issued."""
    issued = (
        select(func.count().label("times"), func.array_agg(AuditEventRow.facts).label("facts"))
        .where(AuditEventRow.invoice == InvoiceRow.id, AuditEventRow.event == "issued")
        .lateral()
    )
    of_number = func.substring(InvoiceRow.number, "([0-9]{4})-[0-9]{1,18}$")
    year = cast(
        func.coalesce(of_number, cast(extract("year", InvoiceRow.issue_date), InvoiceRow.number.type)),
        BigInteger,
    )
    position = cast(func.substring(InvoiceRow.number, "[0-9]{4}-([0-9]{1,18})$"), BigInteger)
    query = (
        select(
            _ISSUER.label("issuer"),
            func.coalesce(year, 0).label("year"),
            position.label("position"),
            InvoiceRow.billing_key,
            InvoiceRow.document_status,
            InvoiceRow.number,
            InvoiceRow.issue_date,
            InvoiceRow.due_date,
            InvoiceRow.gross,
            InvoiceRow.currency,
            InvoiceRow.draft,
            InvoiceRow.draft_digest,
            issued.c.times,
            issued.c.facts,
        )
        .join(issued, true())
        .where(_numbered(issuer))
        .order_by(_ISSUER, func.coalesce(year, 0), position.nulls_last(), InvoiceRow.number)
    )
    rows: Result[Any] = tx.execute(query.execution_options(yield_per=BATCH))
    yield from rows


def _take(series: Series, row: Row[Any], found: NumberAudit) -> None:
    """The next number of the series, compared with those below it."""
    number = row.number
    if number is None:
        found.add(row.issuer, Kind.FORM, "", f"{row.billing_key} is {row.document_status}, without a number")
        return
    series.count += 1
    series.first, series.last = series.first or number, number
    expected = _as_the_series_gives(row)
    if number != expected:
        would = f"; the series gives {expected}" if expected else ""
        found.add(row.issuer, Kind.FORM, number, f"{number} is no number of this series{would}")
    if series.latest and row.issue_date and row.issue_date < series.latest:
        reason = f"{number} is dated {row.issue_date}, before {series.latest_number} of {series.latest}"
        found.add(row.issuer, Kind.ORDER, number, reason)
    elif row.issue_date:
        series.latest, series.latest_number = row.issue_date, number
    if row.position is None:
        return
    series.stem = number[: number.rindex("-") + 1]
    if row.position == series.highest and series.highest:
        reason = f"{number} ({row.billing_key}) takes a place that is taken already"
        found.add(row.issuer, Kind.DOUBLE, number, reason)
    _report_gap(series, row.position - 1, found)
    series.highest = max(series.highest, row.position)


def _as_the_series_gives(row: Row[Any]) -> str | None:
    """The number an invoice of that date and place must have; None if it has no date, place or draft."""
    if row.issue_date is None or row.position is None or row.position < 1 or not row.draft:
        return None
    prefix = row.draft.get("issuer", {}).get("number_prefix", "")
    before = SeriesState(year=row.issue_date.year, last=row.position - 1)
    try:
        return take_number(prefix, before, row.issue_date).number
    except NumberingError:
        return None


def _report_gap(series: Series, up_to: int, found: NumberAudit) -> None:
    """Everything between the highest number so far and `up_to` is missing."""
    missing = up_to - series.highest
    if missing < 1:
        return
    first = f"{series.stem}{series.highest + 1:05d}"
    reason = f"{first} is missing"
    if missing > 1:
        reason = f"{first} to {series.stem}{up_to:05d} are missing, {missing:,} numbers"
    found.add(series.issuer, Kind.GAP, first, reason)


def _compare_with_trail(row: Row[Any], found: NumberAudit) -> None:
    """What was issued must be what the audit event says, to the last line of the draft."""
    name = row.number or row.billing_key
    if row.times != 1:
        reason = f"issued {row.times} times" if row.times else "no event says that it was issued"
        found.add(row.issuer, Kind.RECORD, name, f"{name}, audit trail: {reason}")
    if not row.times:
        return
    said = row.facts[0]
    for fact, stands in {
        "number": row.number,
        "issue_date": row.issue_date,
        "due_date": row.due_date,
        "currency": row.currency,
        "draft_digest": row.draft_digest,
    }.items():
        if str(said.get(fact)) != str(stands):
            reason = f"{name}: {fact.replace('_', ' ')} is {stands}, but {said.get(fact)} was issued"
            found.add(row.issuer, Kind.RECORD, name, reason)
    if row.gross is None or _figure(said.get("gross")) != row.gross:
        gross = f"{row.gross:,.2f}" if row.gross is not None else "nothing"
        found.add(
            row.issuer, Kind.RECORD, name, f"{name}: gross is {gross}, but {said.get('gross')} was issued"
        )
    if _digest(row.draft) != row.draft_digest:
        found.add(row.issuer, Kind.RECORD, name, f"{name}: the stored draft is not the one that was approved")


def _figure(text: object) -> Decimal | None:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None


def _digest(draft: dict[str, Any] | None) -> str:
    # over the draft as stored: a later version of the program would read fields into it that were not approved
    return digest_of(draft or {})


def _compare_with_states(
    tx: Session, issuer: str | None, newest: dict[str, Series], found: NumberAudit
) -> None:
    """Where each series stands must be where its newest number is: from there the next one is given."""
    query = select(NumberSeriesRow).where(NumberSeriesRow.document_type == INVOICE)
    states: Sequence[NumberSeriesRow] = tx.scalars(query.order_by(NumberSeriesRow.issuer)).all()
    for state in states:
        if issuer in (None, state.issuer):
            given = newest.pop(state.issuer, None) or Series(state.issuer, INVOICE, 0)
            _compare_with_state(state, given, found)
    for owner, given in newest.items():
        reason = f"the series of {owner} is lost and would begin anew, although {given.last} was given"
        found.add(owner, Kind.SERIES, given.last, reason)


def _compare_with_state(state: NumberSeriesRow, given: Series, found: NumberAudit) -> None:
    if state.last and state.year > given.year:
        stem = given.stem.replace(f"{given.year}-", f"{state.year}-") or f"{state.year}-"
        given = Series(state.issuer, INVOICE, state.year, stem=stem)
    if state.year == given.year and state.last >= given.highest:
        _report_gap(given, state.last, found)
        if state.last == given.highest and state.last_date != given.latest:
            reason = f"{given.last} is dated {given.latest}, but its series says {state.last_date}"
            found.add(state.issuer, Kind.SERIES, given.last, reason)
    elif given.highest:
        reason = f"the series stands at {state.last} of {state.year}, although {given.last} was given already"
        found.add(state.issuer, Kind.SERIES, given.last, reason)


def _look_for_lost(tx: Session, issuer: str | None, found: NumberAudit) -> None:
    """Numbers that were given, says the audit trail, to invoices that have none."""
    query = (
        select(_ISSUER, InvoiceRow.billing_key, AuditEventRow.facts)
        .join(InvoiceRow, InvoiceRow.id == AuditEventRow.invoice)
        .where(AuditEventRow.event == "issued", InvoiceRow.number.is_(None), _of(issuer), _OURS)
        .order_by(InvoiceRow.id)
    )
    for owner, billing_key, facts in tx.execute(query.execution_options(yield_per=BATCH)):
        number = str(facts.get("number"))
        found.add(owner, Kind.RECORD, number, f"{number} was issued, but {billing_key} has no number now")
