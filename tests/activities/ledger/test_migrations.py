"""Migrations: an empty database becomes what the tables say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text

from activities.ledger import database, taken
from activities.ledger.database import Ledger, migrate
from activities.ledger.tables import Table
from billing.agreements import agreement_adapter
from billing.calendars import Calendar
from billing.due import due
from billing.periods import Period
from starter.local_stack.postgres import Cluster
from tests.activities.ledger.conftest import at_once, rows
from tests.company import retainer


def differences(ledger: Ledger) -> object:
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return compare_metadata(context, Table.metadata)


def test_from_nothing(ledger: Ledger) -> None:
    """Upgraded from nothing, the database is exactly what the tables say."""
    assert differences(ledger) == []


def test_again(ledger: Ledger) -> None:
    """Upgrading again changes nothing."""
    before = rows(ledger, "select * from alembic_version")
    migrate(ledger.url)
    assert rows(ledger, "select * from alembic_version") == before
    assert differences(ledger) == []


def test_at_once(postgres: Cluster) -> None:
    """Several processes that start at once and find nothing upgrade it once."""
    url = postgres.create_database("migrated_at_once")
    assert at_once(4, lambda _: migrate(url)) == [None] * 4
    ledger = Ledger(url)
    assert differences(ledger) == []
    ledger.close()


COMPANY = {
    "name": "Elbwerk IT",
    "people": [{"id": "lena", "name": "Lena", "email": "lena@elbwerk.example"}],
    "exceptions": {"default_owner": "lena"},
}

_numbers = count(1)

INVOICES: tuple[tuple[str, int, str, str | None, bool], ...] = (
    # billing key, generation, document status, last day of the period, to be billed again
    ("care/fee/2026-09-01", 1, "voided draft", "2026-09-30", True),
    ("care/fee/2026-09-01", 2, "issued", "2026-09-30", False),
    ("care/fee/2026-10-01", 1, "voided draft", "2026-10-31", False),
    ("moved/fee/2026-09-01", 1, "issued", "2026-09-30", False),
    ("moved/fee/2026-09-15", 1, "issued", "2026-10-14", False),
    ("moved/fee/2026-09-20", 1, "issued", "2026-10-10", False),
    ("shop/design", 1, "issued", None, False),
    ("manual/k1", 1, "draft", None, False),
)


def _request(key: str, last: str | None) -> dict[str, Any]:
    agreement, item, *start = key.split("/")
    if agreement == "manual":
        return {"billing_key": key, "trigger": "manual", "requested_by": "lena", "one_off": {}}
    period = {"start": start[0], "end": last} if last else None
    occasion = {"agreement": agreement, "item": item, "period": period}
    return {"billing_key": key, "trigger": "time", "requested_by": "calendar", "occasion": occasion}


@pytest.fixture
def first_release(postgres: Cluster) -> Iterator[Ledger]:
    """A database of the first release with something of everything that 0002 changes, brought up to date."""
    name = f"first_release_{next(_numbers)}"
    url = postgres.create_database(name)
    ledger = Ledger(url)
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with ledger.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with ledger.transaction() as tx:
        tx.execute(
            text(
                "insert into company_versions (applied_at, applied_by, folder, digest, company) "
                "values (now(), 'lena', 'company', 'd', :company)"
            ),
            {"company": json.dumps(COMPANY)},
        )
        for key, generation, status, last, rebill in INVOICES:
            values = {"key": key, "generation": generation, "status": status, "rebill": rebill}
            tx.execute(
                text(
                    "insert into invoices (billing_key, generation, rebill, request, trigger, requested_by, "
                    "requested_at, took_part, company_version, document_status, payment_status, collection_status, "
                    'client, title, paid, accepted, overrides, waits_for, "then", audit_position, audit_hash) '
                    "values (:key, :generation, :rebill, :request, 'time', 'lena', now(), '{}', 1, :status, "
                    "'unpaid', 'not due', 'acme', 'Work', 0, '[]', '{}', '', '', 0, '')"
                ),
                {**values, "request": json.dumps(_request(key, last))},
            )
        for statement in (
            "update invoices set gross = 119, disputed = 'hours', disputed_until = '2026-12-01' where id = 2",
            (
                "update invoices set gross = 100, promised_for = current_date + 3, collection_status = 'promised' "
                "where id = 4"
            ),
            "update invoices set gross = 100, paid = 40, promised_for = current_date - 3 where id = 5",
            (
                "insert into exceptions (invoice, code, finding, owner, raised_at, deadline, escalations) "
                "values (7, 'not-done', '{}', 'lena', now(), now(), 1)"
            ),
            (
                "insert into events (source, event, type, received_at, content, billing_key) values "
                "('/psa', 'e1', 'billow.milestone.signed_off', now(), '{}', 'shop/design'), "
                "('/psa', 'e2', 'billow.contract.signed', now(), '{}', null)"
            ),
            (
                "insert into billing_runs values ('run', now(), now(), 3, "
                '\'["care/fee/2026-09-01", "moved/fee/2026-09-01"]\', '
                '\'[{"billing_key": "other/fee/2026-09-01", "because": "not active"}]\'), '
                "('idle', now(), now(), 2, '[]', '[]')"
            ),
        ):
            tx.execute(text(statement))
    migrate(url)
    yield ledger
    ledger.close()


def test_from_the_first_release(first_release: Ledger) -> None:
    """What stood in a database of the first release stands in it after the upgrade, in its new place."""
    assert differences(first_release) == []
    assert rows(
        first_release,
        "select billing_key, generation, agreement, item, period_start::text, period_end::text "
        "from invoices order by id",
    ) == [
        ("care/fee/2026-09-01", 1, "care", "fee", "2026-09-01", "2026-09-30"),
        ("care/fee/2026-09-01", 2, "care", "fee", "2026-09-01", "2026-09-30"),
        ("care/fee/2026-10-01", 1, "care", "fee", "2026-10-01", "2026-10-31"),
        ("moved/fee/2026-09-01", 1, "moved", "fee", "2026-09-01", "2026-09-30"),
        ("moved/fee/2026-09-15", 1, "moved", "fee", "2026-10-01", "2026-10-14"),
        ("moved/fee/2026-09-20", 1, "moved", "fee", None, None),
        ("shop/design", 1, "shop", "design", None, None),
        ("manual/k1", 1, None, None, None, None),
    ]
    assert rows(first_release, "select invoice, subject, code, escalations from exceptions") == [
        (7, None, "not-done", 1)
    ]
    assert rows(first_release, "select event, billing_keys, status from events order by event") == [
        ("e1", ["shop/design"], "acted on"),
        ("e2", [], "nothing due"),
    ]
    assert rows(
        first_release, "select run, agreements, looked_at, triggered, held from billing_runs order by run"
    ) == [("idle", 2, 2, 0, 0), ("run", 3, 3, 2, 1)]
    assert rows(
        first_release, "select billing_key, agreement, outcome, because from billing_run_items order by 1"
    ) == [
        ("care/fee/2026-09-01", "care", "triggered", ""),
        ("moved/fee/2026-09-01", "moved", "triggered", ""),
        ("other/fee/2026-09-01", "other", "held", "not active"),
    ]


def test_nothing_of_the_first_release_is_billed_again(first_release: Ledger) -> None:
    """After the upgrade the calendar knows every day that was billed or waived before: only the rest is due."""

    def left(name: str) -> list[str]:
        agreement = agreement_adapter.validate_python(retainer(name, "acme", "100.00", start="2026-09-01"))
        with first_release.transaction() as tx:
            billed = taken.of_agreement(tx, name)
        found = due(agreement, date(2026, 10, 31), Calendar(zone="UTC"), billed)
        return [str(each.occasion.period) for each in found]

    assert left("care") == []
    assert left("moved") == [str(Period(start=date(2026, 10, 15), end=date(2026, 10, 31)))]


def test_disputes_and_promises_of_before(first_release: Ledger) -> None:
    """Who disputed or promised before has a row of its own: open with an owner, or broken where the day is past."""
    found = rows(
        first_release, "select invoice, code, reason, lines, owner, deadline::date, ended_at from disputes"
    )
    assert found == [(2, "other", "hours", [], "lena", date(2026, 12, 1), None)]
    promises = rows(first_release, "select invoice, amount::text, outcome from promises order by invoice")
    assert promises == [(4, "100.0000", None), (5, "60.0000", "broken")]
