"""Proof that the numbers given are gapless, unique, in order of date, and those of the audit trail.

Each issuer has a series by kind of document and year. Opening items carry numbers of the system before: they are left
out, and a number missing from a series is no gap if it stands on one of them. What this cannot find: the highest
numbers of a year that is over, if invoices and audit events were both deleted; only a copy from before can show that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Result,
    Row,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.orm import Session

from activities.ledger.tables import AuditEventRow, CreditNoteRow, InvoiceRow, NumberSeriesRow
from billing.document_kind import DocumentKind, NumberSeries
from billing.draft import digest_of
from billing.erased import is_erased
from billing.errors import NumberingError
from billing.number_pattern import FOLLOWING_PREFIX, NumberPattern, pattern
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
    on_opening_items: int = 0
    pattern: NumberPattern | None = None
    latest: date | None = None
    latest_number: str = ""

    def name(self, count: int) -> str:
        """The number of that place; of a series nobody knows the pattern of, year and count."""
        return self.pattern.written(self.year, count) if self.pattern else f"{self.year}-{count:05d}"


@dataclass
class NumberAudit:
    """What was found. `problems` holds the first `NAMED_AT_MOST`, `problem_count` counts all."""

    series: list[Series] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    invoices: int = 0
    credit_notes: int = 0
    opening_items: int = 0
    problem_count: int = 0
    from_before: frozenset[str] = frozenset()

    def add(self, issuer: str, kind: Kind, number: str, reason: str) -> None:
        self.problem_count += 1
        if len(self.problems) < NAMED_AT_MOST:
            self.problems.append(Problem(issuer, kind, number, reason))


def to_check(tx: Session, issuer: str | None = None) -> int:
    """How many invoices and credit notes `audit_numbers` will look at."""
    return tx.scalar(select(func.count()).select_from(_NUMBERED).where(_numbered(issuer))) or 0


def audit_numbers(
    tx: Session, issuer: str | None = None, seen: Callable[[], None] = lambda: None
) -> NumberAudit:
    """Checks every number of an issuer, or of all; calls `seen` after each document.

    Reads one snapshot, so that numbers given meanwhile disturb nothing: `tx` must not have read anything yet.
    """
    tx.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    from_before = _opening_items(tx, issuer)
    found = NumberAudit(opening_items=len(from_before), from_before=frozenset(filter(None, from_before)))
    newest: dict[tuple[str, str], Series] = {}
    given = groupby(_given(tx, issuer), key=lambda row: (row.issuer, row.series, row.year))
    for (owner, document_type, year), rows in given:
        series = Series(owner, document_type, year)
        for row in rows:
            found.invoices += row.event == "issued"
            found.credit_notes += row.event == "credited"
            _take(series, row, found)
            _compare_with_trail(row, found)
            seen()
        if series.count:
            found.series.append(series)
        if series.highest:
            newest[owner, document_type] = series
    _compare_with_states(tx, issuer, newest, found)
    _look_for_lost(tx, issuer, found)
    return found


_OURS = InvoiceRow.trigger != "opening item"

_NUMBERED = union_all(
    select(
        InvoiceRow.id.label("invoice"),
        literal("issued").label("event"),
        func.coalesce(InvoiceRow.issuer, "").label("issuer"),
        InvoiceRow.billing_key,
        cast(InvoiceRow.document_status, TEXT).label("document_status"),
        InvoiceRow.number,
        InvoiceRow.issue_date,
        InvoiceRow.due_date,
        InvoiceRow.gross,
        InvoiceRow.currency,
        InvoiceRow.draft,
        InvoiceRow.draft_digest,
    ).where(_OURS, or_(InvoiceRow.number.is_not(None), InvoiceRow.document_status.in_(ISSUED))),
    select(
        CreditNoteRow.invoice,
        literal("credited"),
        CreditNoteRow.issuer,
        InvoiceRow.billing_key,
        literal("issued"),
        CreditNoteRow.number,
        CreditNoteRow.issue_date,
        null(),
        CreditNoteRow.gross,
        CreditNoteRow.currency,
        CreditNoteRow.draft,
        CreditNoteRow.draft_digest,
    ).join(InvoiceRow, InvoiceRow.id == CreditNoteRow.invoice),
).subquery("numbered")
"""Every document of ours that has, or should have, a number, and the event that must say so."""

_DOCUMENT = _NUMBERED.c


def _of(issuer: str | None) -> ColumnElement[bool]:
    return true() if issuer is None else InvoiceRow.issuer == issuer


def _numbered(issuer: str | None) -> ColumnElement[bool]:
    return true() if issuer is None else _DOCUMENT.issuer == issuer


def _opening_items(tx: Session, issuer: str | None) -> Sequence[str | None]:
    query = select(InvoiceRow.number)
    return tx.scalars(query.where(_of(issuer), InvoiceRow.trigger == "opening item")).all()


_SELLER = _DOCUMENT.draft["issuer"]
_SERIES = case(
    *(
        (_DOCUMENT.draft["kind"].astext == str(kind), str(kind.series))
        for kind in DocumentKind
        if kind.series is not NumberSeries.INVOICE
    ),
    else_=str(NumberSeries.INVOICE),
)
_PATTERN = func.replace(
    func.coalesce(
        _SELLER["numbers"].op("->>")(_SERIES),
        _SELLER["number_prefix"].astext
        + case({str(series): rest for series, rest in FOLLOWING_PREFIX.items()}, value=_SERIES),
    ),
    ".",
    "[.]",
)
_COUNT = r"[{]number:0[1-9][}]"


def _read(what: str) -> ColumnElement[Any]:
    """The year, or the count, in a number as its issuer writes it; or else as one that follows a prefix."""
    count, year, short = "[0-9]{1,18}", "[0-9]{4}", "[0-9]{2}"
    if what == "count":
        count = f"({count})"
    else:
        year, short = f"({year})", f"({short})"
    dated = func.replace(func.replace(_PATTERN, "{year}", year), "{yy}", short)
    expression = func.concat("^", func.regexp_replace(dated, _COUNT, count), "$")
    return func.coalesce(
        func.substring(_DOCUMENT.number, expression), func.substring(_DOCUMENT.number, f"{year}-{count}$")
    )


def _given(tx: Session, issuer: str | None) -> Iterator[Row[Any]]:
    """Issued documents by issuer, series, year and number, each with what its audit trail says was issued."""
    issued = (
        select(func.count().label("times"), func.array_agg(AuditEventRow.facts).label("facts"))
        .where(
            AuditEventRow.invoice == _DOCUMENT.invoice,
            AuditEventRow.event == _DOCUMENT.event,
            # an invoice is issued once, whatever its event says; of its credit notes each has its own
            or_(_DOCUMENT.event == "issued", AuditEventRow.facts["number"].astext == _DOCUMENT.number),
        )
        .lateral()
    )
    erased = (
        select(AuditEventRow.position)
        .where(AuditEventRow.invoice == _DOCUMENT.invoice, AuditEventRow.event == "erased")
        .exists()
    )
    written = _read("year")
    of_number = case((func.length(written) == 2, func.concat("20", written)), else_=written)
    year = cast(
        func.coalesce(of_number, cast(extract("year", _DOCUMENT.issue_date), TEXT)),
        BigInteger,
    )
    position = cast(_read("count"), BigInteger)
    query = (
        select(
            _DOCUMENT.issuer,
            _SERIES.label("series"),
            func.coalesce(year, 0).label("year"),
            position.label("position"),
            _DOCUMENT.event,
            _DOCUMENT.billing_key,
            _DOCUMENT.document_status,
            _DOCUMENT.number,
            _DOCUMENT.issue_date,
            _DOCUMENT.due_date,
            _DOCUMENT.gross,
            _DOCUMENT.currency,
            _DOCUMENT.draft,
            _DOCUMENT.draft_digest,
            issued.c.times,
            issued.c.facts,
            erased.label("erased"),
        )
        .join(issued, true())
        .where(_numbered(issuer))
        .order_by(_DOCUMENT.issuer, _SERIES, func.coalesce(year, 0), position.nulls_last(), _DOCUMENT.number)
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
    series.pattern = _pattern_of(row) or series.pattern
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
    if row.position == series.highest and series.highest:
        reason = f"{number} ({row.billing_key}) takes a place that is taken already"
        found.add(row.issuer, Kind.DOUBLE, number, reason)
    _report_gap(series, row.position - 1, found)
    series.highest = max(series.highest, row.position)


def _pattern_of(row: Row[Any]) -> NumberPattern | None:
    """How the issuer wrote its numbers when the draft was made; None if the draft does not say."""
    seller = (row.draft or {}).get("issuer") or {}
    if not seller.get("number_prefix"):
        return None
    country = (seller.get("address") or {}).get("country", "")
    starts = seller.get("fiscal_year_starts", 1)
    return pattern(
        seller["number_prefix"], seller.get("numbers") or {}, starts, country, NumberSeries(row.series)
    )


def _as_the_series_gives(row: Row[Any]) -> str | None:
    """The number an invoice of that date and place must have; None if it has no date, place or draft."""
    written = _pattern_of(row)
    if row.issue_date is None or row.position is None or row.position < 1 or written is None:
        return None
    year = max(row.year, written.year_of(row.issue_date))
    before = SeriesState(year=year, last=row.position - 1, last_date=row.issue_date)
    try:
        return take_number(written, before, row.issue_date).number
    except NumberingError:
        return None


def _report_gap(series: Series, up_to: int, found: NumberAudit) -> None:
    """Everything between the highest number so far and `up_to` is missing, but for what stands on opening items."""
    first = series.highest + 1
    written = series.pattern
    counts = (written.count_of(each, series.year) for each in found.from_before) if written else ()
    for count in sorted(each for each in counts if each and first <= each <= up_to):
        _report_missing(series, first, count - 1, found)
        series.on_opening_items += 1
        first = count + 1
    _report_missing(series, first, up_to, found)


def _report_missing(series: Series, first: int, last: int, found: NumberAudit) -> None:
    if last < first:
        return
    name = series.name(first)
    reason = f"{name} is missing"
    if last > first:
        reason = f"{name} to {series.name(last)} are missing, {last - first + 1:,} numbers"
    found.add(series.issuer, Kind.GAP, name, reason)


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
    # the words of a draft may be erased once its retention is over, and then the trail says so
    if _digest(row.draft) != row.draft_digest and not (row.erased and is_erased(row.draft)):
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
    tx: Session, issuer: str | None, newest: dict[tuple[str, str], Series], found: NumberAudit
) -> None:
    """Where each series stands must be where its newest number is: from there the next one is given."""
    query = select(NumberSeriesRow).order_by(NumberSeriesRow.issuer, NumberSeriesRow.document_type)
    states: Sequence[NumberSeriesRow] = tx.scalars(query).all()
    for state in states:
        if issuer in (None, state.issuer):
            nothing = Series(state.issuer, state.document_type, 0)
            _compare_with_state(state, newest.pop((state.issuer, state.document_type), nothing), found)
    for (owner, document_type), given in newest.items():
        which = "series" if document_type == NumberSeries.INVOICE else f"{document_type} series"
        reason = f"the {which} of {owner} is lost and would begin anew, although {given.last} was given"
        found.add(owner, Kind.SERIES, given.last, reason)


def _compare_with_state(state: NumberSeriesRow, given: Series, found: NumberAudit) -> None:
    if state.last and state.year > given.year:
        given = Series(state.issuer, state.document_type, state.year, pattern=given.pattern)
    if state.year == given.year and state.last >= given.highest:
        _report_gap(given, state.last, found)
        if given.last and state.last == given.highest and state.last_date != given.latest:
            reason = f"{given.last} is dated {given.latest}, but its series says {state.last_date}"
            found.add(state.issuer, Kind.SERIES, given.last, reason)
    elif given.highest:
        reason = f"the series stands at {state.last} of {state.year}, although {given.last} was given already"
        found.add(state.issuer, Kind.SERIES, given.last, reason)


def _look_for_lost(tx: Session, issuer: str | None, found: NumberAudit) -> None:
    """Numbers that were given, says the audit trail, to invoices that have none, and to credit notes that are gone."""
    owner_of = func.coalesce(InvoiceRow.issuer, "")
    gone = ~exists().where(CreditNoteRow.number == AuditEventRow.facts["number"].astext)
    lost = or_(
        and_(AuditEventRow.event == "issued", InvoiceRow.number.is_(None)),
        and_(AuditEventRow.event == "credited", gone),
    )
    query = (
        select(owner_of, InvoiceRow.billing_key, AuditEventRow.event, AuditEventRow.facts)
        .join(InvoiceRow, InvoiceRow.id == AuditEventRow.invoice)
        .where(lost, _of(issuer), _OURS)
        .order_by(InvoiceRow.id, AuditEventRow.position)
    )
    for owner, billing_key, event, facts in tx.execute(query.execution_options(yield_per=BATCH)):
        number = str(facts.get("number"))
        missing = "has no number now" if event == "issued" else "has no such credit note now"
        found.add(owner, Kind.RECORD, number, f"{number} was issued, but {billing_key} {missing}")
