"""Tells CRM and PSA what became of what they were billed by: invoice by invoice, in order, as long as they take it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from activities.ledger import company_exceptions, company_records, integrations, write_backs
from activities.ledger.database import Ledger
from activities.ledger.tables import InvoiceRow, WriteBackRow
from activities.providers.provider import Told
from activities.providers.registry import adapter, provider_of
from billing.company import Company
from billing.connections import Connection
from billing.errors import NotFound, SourceFaulty, SourceUnavailable
from billing.exceptions import Finding, ReasonCode

_log = logging.getLogger("billow.write_backs")

MOST_AT_ONCE = 500
"""Invoices of one round at most; what is more makes the next."""

_MOST_REFUSED = 3
"""So many invoices may a vendor refuse in a round: one is a closed time entry, many are a token that expired."""

_WRITES = 7220501
"""First half of the lock (PostgreSQL, advisory) under which a connection is told, by one worker at a time."""


@dataclass(frozen=True)
class Round:
    """What one round told; `problem` is empty where the vendor took all of it."""

    connection: str
    told: int
    problem: str = ""


def subject(connection: str) -> str:
    """The subject of the one exception of a connection that refuses what is written back."""
    return f"{integrations.SUBJECT}{connection}/write-back"


def due(ledger: Ledger, at: datetime) -> list[Connection]:
    """The connections of the company that are to be told something now."""
    with ledger.transaction() as tx:
        names = write_backs.due(tx, at)
        try:
            company = company_records.current(tx).company
        except NotFound:
            return []
    return [each for each in company.connections if each.id in names]


def tell(
    ledger: Ledger,
    connection: Connection,
    web_url: str,
    at: datetime,
    stopped: Callable[[], bool] = lambda: False,
) -> Round:
    """Tells one vendor all that is due, oldest first, until `stopped`. Never raises for what the vendor does.

    A call is made outside of any lock a fact could wait for, and noted after it: a crash between the two tells the
    same again, which changes nothing. Nothing is done while another worker tells the same connection.
    """
    told = refused = 0
    with ledger.transaction() as lock:
        if not lock.scalar(select(func.pg_try_advisory_xact_lock(_WRITES, func.hashtext(connection.id)))):
            return Round(connection.id, 0, "another worker tells it right now")
        # the lock is held by a transaction that has nothing to do while the vendor takes its time
        lock.execute(text("set local idle_in_transaction_session_timeout = 0"))
        for _ in range(MOST_AT_ONCE):
            with ledger.transaction() as tx:
                row = write_backs.next_of(tx, connection.id, at)
                what = _told(tx, row, web_url) if row else None
            if row is None or what is None or stopped():
                return Round(connection.id, told)
            try:
                _call(connection, what)
            except SourceUnavailable as error:
                refused += 1
                over = not isinstance(error, SourceFaulty) or refused >= _MOST_REFUSED
                _failed(ledger, connection, row, error, over=over, at=at)
                if over:
                    return Round(connection.id, told, str(error))
            else:
                told += 1
                _done(ledger, connection, row, at)
    return Round(connection.id, told, "there is more; it is told in the next round")


def _told(tx: Session, row: WriteBackRow, web_url: str) -> Told:
    invoice, content = tx.get_one(InvoiceRow, row.invoice), row.content
    return Told(
        billing_key=invoice.billing_key,
        number=content["number"],
        status=content["status"],
        amount=content["amount"],
        currency=content["currency"],
        link=f"{web_url}/invoices/{quote(invoice.billing_key)}",
        records=tuple(content["records"]),
    )


def _call(connection: Connection, what: Told) -> None:
    """Does nothing where the vendor's adapter writes nothing back."""
    try:
        built = adapter(connection)
        if hasattr(built, "write_back"):
            built.write_back(what)
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:  # an answer nobody has thought of
        _log.exception("write-back of %s to %s", what.billing_key, connection.id)
        raise SourceFaulty(
            f"{connection.provider} ({connection.id}) answers what cannot be read ({type(error).__name__}) when "
            f"{what.number} is written back; see the worker's log"
        ) from error


def _done(ledger: Ledger, connection: Connection, row: WriteBackRow, at: datetime) -> None:
    with ledger.transaction() as tx:
        write_backs.done(tx, row, at=at)
        tx.flush()
        integrations.reached(tx, connection.id, at=at)
        if not write_backs.refused(tx, connection.id):
            company_exceptions.close_repaired(tx, [subject(connection.id)], at=at)


def _failed(
    ledger: Ledger,
    connection: Connection,
    row: WriteBackRow,
    error: SourceUnavailable,
    *,
    over: bool,
    at: datetime,
) -> None:
    """Notes why, and when it is tried again; `over`: the others need not be tried before that either."""
    _log.warning("write-back to %s: %s", connection.id, error)
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        again = write_backs.failed(tx, row, str(error), at=at)
        if over:
            write_backs.put_off(tx, connection.id, again)
        if isinstance(error, SourceFaulty):
            _raise(tx, connection, row, error, company, at)
        else:
            integrations.failed(tx, connection.id, _title(connection), error, company, at=at)


def _raise(
    tx: Session,
    connection: Connection,
    row: WriteBackRow,
    error: SourceFaulty,
    company: Company,
    at: datetime,
) -> None:
    """An exception of its own: the vendor may answer all other questions, and would close one about itself."""
    state = integrations.of(tx, connection.id, lock=True)
    state.last_error, state.last_error_at = str(error)[:1000], at
    finding = Finding(
        code=ReasonCode.INTEGRATION_FAILING,
        message=f"{_title(connection)} does not show what was billed: {str(error)[:1000]}",
        field=connection.id,
        left=_title(connection),
        right=row.content["number"],
    )
    company_exceptions.raise_one(tx, subject(connection.id), finding, company, at=at)


def _title(connection: Connection) -> str:
    try:
        return provider_of(connection).title
    except SourceFaulty:
        return connection.provider
