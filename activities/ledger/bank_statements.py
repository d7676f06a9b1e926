"""Bank statements in the ledger: which there are, whether one is missing between two, and how far they reach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.bank.movements import Statement
from activities.ledger import company_exceptions
from activities.ledger.tables import BankEntryRow, BankStatementRow
from billing.company import Company
from billing.errors import NotFound, Refused
from billing.exceptions import Finding, ReasonCode
from billing.money import rounded
from billing.parties import Issuer

SUBJECT = "bank/"
"""How the subject of an exception about a statement, an entry or a file begins."""

_AHEAD = timedelta(days=2)
"""How far ahead of our clock a bank's may be."""


def newest(tx: Session, issuer: str, currency: str | None) -> datetime | None:
    """Until when bank data of an issuer are known; None if no statement was ever imported for it.

    Of its accounts in that currency, else, where it has none, of all. A statement counts once it is read to its end.
    """
    reaches = select(func.max(BankStatementRow.until)).where(
        BankStatementRow.issuer == issuer, BankStatementRow.read_at.is_not(None)
    )
    return tx.scalar(reaches.where(BankStatementRow.currency == currency)) or tx.scalar(reaches)


def issuer_of(company: Company, account: str) -> Issuer:
    """Whose account it is; `Refused` if nobody's here."""
    wanted = _plain(account)
    for issuer in company.issuers:
        if wanted in (_plain(issuer.bank_account.iban), _plain(issuer.bank_account.qr_iban)):
            return issuer
    named = {_plain(number): of for number, of in company.payments.accounts.items()}
    found = company.issuer(named.get(wanted, ""))
    if found is None:
        raise Refused(
            f"account {account} is no issuer's: write it into payments.accounts of company.yaml, then `billow apply`; "
            "nothing of the file was taken in"
        )
    return found


def own_accounts(company: Company) -> frozenset[str]:
    """Every account of ours, so that a transfer from one to another is known as such."""
    accounts = [each for issuer in company.issuers for each in _numbers(issuer)]
    return frozenset(_plain(each) for each in (*accounts, *company.payments.accounts) if each)


def _numbers(issuer: Issuer) -> tuple[str, str]:
    return issuer.bank_account.iban, issuer.bank_account.qr_iban


def _plain(account: str) -> str:
    return "".join(account.split()).upper()


def reaches(head: Statement, last_booked: date | None, zone: str, at: datetime) -> datetime:
    """Until when the statement tells what happened: as it says, else the end of the day of its closing balance.

    A day that is not over when the bank makes the statement is known until then. `Refused` for one of the future.
    """
    made = aware(head.made_at, zone) if head.made_at else None
    day = head.closing_day or last_booked
    if head.ends is not None:
        until = aware(head.ends, zone)
    elif day is not None:
        until = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
    elif made is not None:
        until = made
    else:
        raise Refused(f"statement {head.id!r} of {head.account} says nowhere until when it reaches")
    until = min(until, made) if made is not None and made.date() >= (day or made.date()) else until
    if until > at + _AHEAD:
        raise Refused(
            f"statement {head.id!r} of {head.account} reaches into the future, until {until:%Y-%m-%d}"
        )
    return until


def aware(instant: datetime, zone: str) -> datetime:
    """The instant in UTC; one without a zone is of that zone."""
    return (instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def begin(
    tx: Session,
    head: Statement,
    issuer: Issuer,
    *,
    entries: int,
    booked: Decimal,
    until: datetime,
    file: str,
    file_name: str,
    by: str,
    channel: str,
    at: datetime,
) -> tuple[BankStatementRow, bool]:
    """The statement's row, and whether it is new. `booked` is the sum of its entries, with which its balances agree."""
    begins = aware(head.begins, issuer.zone) if head.begins else None
    problems = [{"kind": "version", "said": said} for said in head.problems]
    if head.opening is not None and head.closing is not None and head.opening + booked != head.closing:
        apart = rounded(head.closing - head.opening - booked, head.currency)
        said = f"its entries and its balances differ by {apart:,} {head.currency}: entries are missing in the file"
        problems.append({"kind": "balance", "said": said})
    made = tx.scalars(
        insert(BankStatementRow)
        .values(
            account=head.account,
            statement=head.id,
            issuer=issuer.id,
            currency=head.currency,
            version=head.version,
            begins=begins,
            until=until,
            opening=head.opening,
            closing=head.closing,
            entries=entries,
            file=file,
            file_name=file_name,
            imported_at=at,
            imported_by=by,
            channel=channel,
            problems=problems,
        )
        .on_conflict_do_nothing()
        .returning(BankStatementRow)
    ).first()
    if made is not None:
        return made, True
    there = select(BankStatementRow).where(
        BankStatementRow.account == head.account,
        BankStatementRow.currency == head.currency,
        BankStatementRow.statement == head.id,
        BankStatementRow.until == until,
    )
    return tx.scalars(there).one(), False


def finish(tx: Session, statement: int, company: Company, *, at: datetime) -> BankStatementRow:
    """Every entry of it is accounted for; looks whether it follows the one before, and the next follows it."""
    row = tx.get_one(BankStatementRow, statement, with_for_update=True)
    if row.read_at is None:
        row.read_at = at
        tx.flush()
        after = tx.scalars(_neighbours(row).where(BankStatementRow.until > row.until).limit(1)).first()
        for each in filter(None, (row, after)):
            _look_for_gap(tx, each, company, at=at)
    return row


def _neighbours(row: BankStatementRow) -> Select[BankStatementRow]:
    return select(BankStatementRow).where(
        BankStatementRow.account == row.account,
        BankStatementRow.currency == row.currency,
        BankStatementRow.id != row.id,
        BankStatementRow.read_at.is_not(None),
    )


def _look_for_gap(tx: Session, row: BankStatementRow, company: Company, *, at: datetime) -> None:
    """Notes whether the balance the statement begins with is the one before it ended with, and tells the owner if not.

    One that overlaps with the one before begins somewhere in it, and says nothing of that.
    """
    before = tx.scalars(
        _neighbours(row)
        .where(BankStatementRow.until < row.until)
        .order_by(BankStatementRow.until.desc(), BankStatementRow.id.desc())
        .limit(1)
    ).first()
    problems = [each for each in row.problems if each["kind"] != "gap"]
    overlaps = before is not None and row.begins is not None and row.begins < before.until
    if before is not None and not overlaps and before.closing is not None and row.opening is not None:
        ended, begins = rounded(before.closing, row.currency), rounded(row.opening, row.currency)
        if ended != begins:
            said = (
                f"it begins with {begins:,} {row.currency}, and the one before it ({before.statement}) ends with "
                f"{ended:,}: a statement between them is missing"
            )
            problems.append({"kind": "gap", "said": said})
    row.problems = problems
    _tell(tx, row, company, at=at)


def _tell(tx: Session, row: BankStatementRow, company: Company, *, at: datetime) -> None:
    subject = f"{SUBJECT}statement/{row.id}"
    said = [each["said"] for each in row.problems if each["kind"] != "version"]
    if not said:
        company_exceptions.close_repaired(tx, [subject], at=at)
        return
    message = (
        f"Statement {row.statement} of {row.account}: {'; '.join(said)}; import what is missing, or accept it"
    )
    finding = Finding(code=ReasonCode.STATEMENT_FAULTY, message=message, field="balance", left=row.statement)
    company_exceptions.raise_one(tx, subject, finding, company, at=at)


def listed(
    tx: Session, *, account: str | None = None, limit: int, after: int | None = None
) -> Sequence[BankStatementRow]:
    """The statements, the newest first, from the one behind `after` on."""
    query = select(BankStatementRow).order_by(BankStatementRow.until.desc(), BankStatementRow.id.desc())
    if account is not None:
        query = query.where(BankStatementRow.account == _plain(account))
    if after is not None:
        reached = select(BankStatementRow.until).where(BankStatementRow.id == after).scalar_subquery()
        query = query.where(tuple_(BankStatementRow.until, BankStatementRow.id) < tuple_(reached, after))
    return tx.scalars(query.limit(limit)).all()


def find(tx: Session, statement: int) -> BankStatementRow:
    """The statement with that id; `NotFound` otherwise."""
    row = tx.get(BankStatementRow, statement) if 0 < statement < 2**63 else None
    if row is None:
        raise NotFound(f"there is no statement {statement}; `billow bank` lists those there are")
    return row


def outcomes(tx: Session, statements: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many entries of each statement came to what."""
    counted: dict[int, dict[str, int]] = {each: {} for each in statements}
    query = (
        select(BankEntryRow.statement, BankEntryRow.outcome, func.count())
        .where(BankEntryRow.statement.in_(list(statements)))
        .group_by(BankEntryRow.statement, BankEntryRow.outcome)
        .order_by(BankEntryRow.outcome)
    )
    for statement, outcome, count in tx.execute(query):
        counted[statement][outcome] = count
    return counted


def entries(
    tx: Session,
    *,
    statement: int | None = None,
    outcome: str | None = None,
    limit: int,
    after: int | None = None,
) -> Sequence[BankEntryRow]:
    """Entries of a statement in its order, or, of all, the newest first; from the one behind `after` on."""
    query = select(BankEntryRow)
    if outcome is not None:
        query = query.where(BankEntryRow.outcome == outcome)
    if statement is not None:
        query = query if after is None else query.where(BankEntryRow.id > after)
        return tx.scalars(
            query.where(BankEntryRow.statement == statement).order_by(BankEntryRow.id).limit(limit)
        ).all()
    if after is not None:
        reached = select(BankEntryRow.booked_on).where(BankEntryRow.id == after).scalar_subquery()
        query = query.where(tuple_(BankEntryRow.booked_on, BankEntryRow.id) < tuple_(reached, after))
    return tx.scalars(
        query.order_by(BankEntryRow.booked_on.desc(), BankEntryRow.id.desc()).limit(limit)
    ).all()
