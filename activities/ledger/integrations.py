"""How connections fare: last contact, last error, and the one exception of a connection that fails."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger import company_exceptions
from activities.ledger.tables import DeliveryRow, IntegrationRow
from billing.company import Company
from billing.errors import SourceFaulty, SourceUnavailable
from billing.exceptions import Finding, ReasonCode

SUBJECT = company_exceptions.INTEGRATION
"""How the subject of an exception about a connection begins: `integration/<connection>`."""

PATIENCE = timedelta(minutes=30)
"""How long a system may be away before a person hears of it: vendors restart and are back within minutes."""

_LONGEST_TEXT = 1000


def of(tx: Session, connection: str, *, lock: bool = False) -> IntegrationRow:
    """The state of a connection, made if there is none."""
    tx.execute(insert(IntegrationRow).values(connection=connection, refused=0).on_conflict_do_nothing())
    return tx.get_one(IntegrationRow, connection, with_for_update=lock, populate_existing=lock)


def reached(tx: Session, connection: str, *, at: datetime, settled: bool = False) -> None:
    """The vendor answered, or delivered: an exception about it is closed, unless a message of it is still held.

    `settled` says that one is so no more.
    """
    row = of(tx, connection, lock=True)
    row.last_contact_at = at
    if row.failing_since is not None or settled:
        row.failing_since = None
        tx.flush()
        held_still = select(DeliveryRow.delivery).where(
            DeliveryRow.connection == connection, DeliveryRow.status == "held"
        )
        if not tx.scalar(select(held_still.exists())):
            company_exceptions.close_repaired(tx, [SUBJECT + connection], at=at)


def failed(
    tx: Session, connection: str, title: str, error: SourceUnavailable, company: Company, *, at: datetime
) -> None:
    """The vendor could not be asked. A person hears at once of what only a person can mend, else after `PATIENCE`."""
    row = of(tx, connection, lock=True)
    row.last_error, row.last_error_at = str(error)[:_LONGEST_TEXT], at
    row.failing_since = row.failing_since or at
    if isinstance(error, SourceFaulty) or at - row.failing_since >= PATIENCE:
        finding = Finding(
            code=ReasonCode.INTEGRATION_FAILING,
            message=f"{title}: {str(error)[:_LONGEST_TEXT]}",
            field=connection,
            left=title,
            right=f"failing since {row.failing_since.isoformat()}",  # accepted holds until it has worked again
        )
        company_exceptions.raise_one(tx, SUBJECT + connection, finding, company, at=at)


def objected(tx: Session, connection: str, why: str, *, at: datetime) -> None:
    """The vendor answered, and one record of it is not as agreed: told, and no failure of the system."""
    row = of(tx, connection, lock=True)
    row.last_contact_at = row.last_error_at = at
    row.last_error = why[:_LONGEST_TEXT]


def held(
    tx: Session, connection: str, title: str, delivery: str, why: str, company: Company, *, at: datetime
) -> None:
    """A message of the vendor waits for a person, who hears of it; accepted, that holds for this message."""
    row = of(tx, connection, lock=True)
    row.last_error, row.last_error_at = why[:_LONGEST_TEXT], at
    finding = Finding(
        code=ReasonCode.INTEGRATION_FAILING,
        message=f"{title}: delivery {delivery[:200]} is held: {why[:_LONGEST_TEXT]}",
        field=connection,
        left=title,
        right=delivery,
    )
    company_exceptions.raise_one(tx, SUBJECT + connection, finding, company, at=at)


def ask_again(tx: Session, connection: str) -> None:
    """Has the workers poll the connection at once, whatever its pause."""
    of(tx, connection, lock=True).polled_at = None


def refused(tx: Session, connection: str, why: str, *, at: datetime) -> None:
    """Somebody sent what is not genuine: counted, the last one told; its content is not kept."""
    row = of(tx, connection, lock=True)
    row.refused += 1
    row.last_refused_at, row.last_refusal = at, why[:_LONGEST_TEXT]


def all_of(tx: Session) -> Mapping[str, IntegrationRow]:
    """The state of every connection that was ever used, by its id."""
    return {each.connection: each for each in tx.scalars(select(IntegrationRow))}


def failing(tx: Session) -> int:
    """How many connections fail now."""
    query = select(func.count()).select_from(IntegrationRow).where(IntegrationRow.failing_since.is_not(None))
    return tx.scalar(query) or 0
