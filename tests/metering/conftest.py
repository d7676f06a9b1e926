"""A company with meters on a ledger of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, select, update

from activities.invoicing import metering
from activities.ledger import company_records, meters
from activities.ledger.database import Ledger
from activities.ledger.meters import Intake
from activities.ledger.tables import ExceptionRow, InvoiceRow, MeterCrossingRow
from billing.company import Company
from billing.meter_entries import MeterEntry
from billing.metering import MeterStanding
from starter.local_stack.postgres import Cluster
from tests.company import TestCompany
from tests.emptying import emptied

NOW = datetime(2026, 6, 15, 9, tzinfo=UTC)
HEADER = "id,project,person,role,day,hours,approved,billable,note\n"


class Desk:
    """Takes in what sources say, and looks at what came of it."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger, self.now = ledger, NOW
        self.folder = TestCompany(folder)
        self.folder.projects = [{"id": "P-1", "name": "Work", "client": "C-1"}]

    def apply(self, *metered: dict[str, Any]) -> None:
        """Makes this the company that runs."""
        if metered:
            self.folder.agreements = list(metered)
        self.folder.write_sources()
        self.company: Company = self.folder.company()
        company_records.apply_company(self.ledger, self.company, str(self.folder.folder), "mara", self.now)

    def psa(self, *lines: str, **projects: Any) -> metering.TakenIn:
        """The PSA has these lines (id, role, day, hours, approved) now, and a billing run takes them in."""
        said = [line.split(",") for line in lines]
        self.folder.time = HEADER + "".join(
            f"{key},P-1,Ada,{role},{day},{hours},{approved},yes,\n"
            for key, role, day, hours, approved in said
        )
        self.folder.write_sources()
        return self.run()

    def run(self) -> metering.TakenIn:
        return metering.take_in(self.ledger, self.now)

    def take(self, *entries: MeterEntry, **more: Any) -> Intake:
        with self.ledger.transaction() as tx:
            return meters.take_in(tx, entries, self.company, by="pia", channel="cli", at=self.now, **more)

    def standing(self, agreement: str) -> MeterStanding:
        with self.ledger.transaction() as tx:
            found = self.company.agreement(agreement)
            assert found is not None
            stands = meters.standing(tx, found, self.company, self.now)
            assert stands is not None
            return stands

    def keys(self) -> list[str]:
        with self.ledger.transaction() as tx:
            return sorted(tx.scalars(select(InvoiceRow.billing_key)))

    def invoice(self, key: str) -> int:
        """The id of the invoice of that billing key."""
        with self.ledger.transaction() as tx:
            return tx.scalars(select(InvoiceRow.id).where(InvoiceRow.billing_key == key)).one()

    def change(self, invoice: int, **values: Any) -> None:
        """Leaves an invoice as something that is no matter of meters would."""
        with self.ledger.transaction() as tx:
            tx.execute(update(InvoiceRow).where(InvoiceRow.id == invoice).values(**values))

    def crossed(self) -> dict[str, str]:
        """Every line that was crossed, and what came of it."""
        with self.ledger.transaction() as tx:
            rows = tx.execute(
                select(MeterCrossingRow.agreement, MeterCrossingRow.line, MeterCrossingRow.outcome)
            )
            return {f"{agreement}/{line}": outcome for agreement, line, outcome in rows}

    def open_exceptions(self) -> dict[str, ExceptionRow]:
        with self.ledger.transaction() as tx:
            rows = tx.scalars(select(ExceptionRow).where(ExceptionRow.resolved_at.is_(None)))
            return {row.subject or "": row for row in rows}


def hours(key: str, quantity: str, agreement: str = "acme-block", **changes: Any) -> MeterEntry:
    """Hours of 1 June."""
    given = {"day": date(2026, 6, 1), "quantity": Decimal(quantity), "role": "dev", **changes}
    return MeterEntry(source="clock", id=key, agreement=agreement, **given)


@pytest.fixture(scope="session")
def metered_database(postgres: Cluster, template_database: str) -> Iterator[Engine]:
    engine = create_engine(postgres.create_database("metering", template_database))
    yield engine
    engine.dispose()


@pytest.fixture
def database_url(metered_database: Engine) -> str:
    """The SQLAlchemy URL of an empty database."""
    return emptied(metered_database)


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    ledger = Ledger(database_url)
    yield Desk(ledger, tmp_path)
    ledger.close()
