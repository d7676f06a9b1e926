"""A ledger of the test's own, and ways to make trouble in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, create_engine, event, text

from activities.ledger import audit_trail, invoices
from activities.ledger.audit_trail import Break
from activities.ledger.database import Ledger
from billing.one_off import OneOff, OneOffLine
from billing.request import BillingRequest
from starter.local_stack.postgres import Cluster
from tests.emptying import emptied
from tests.starter.web.story import Story

T = TypeVar("T")


@pytest.fixture(scope="session")
def one_database(postgres: Cluster, template_database: str) -> Iterator[Engine]:
    engine = create_engine(postgres.create_database("ledger", template_database))
    yield engine
    engine.dispose()


@pytest.fixture
def database_url(one_database: Engine) -> str:
    """The SQLAlchemy URL of an empty database."""
    return emptied(one_database)


@pytest.fixture
def story(ledger: Ledger) -> Story:
    return Story(ledger)


def tamper(ledger: Ledger, statement: str, **values: Any) -> None:
    """Changes the database behind Billow's back."""
    with ledger.transaction() as tx:
        tx.execute(text("set local session_replication_role = replica"))
        tx.execute(text(statement), values)


def rows(ledger: Ledger, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with ledger.transaction() as tx:
        return [tuple(row) for row in tx.execute(text(statement), values)]


def everything(ledger: Ledger, *, but: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table except those named, as text: two of these are equal if nothing was changed."""
    tables = rows(ledger, "select tablename from pg_tables where schemaname = 'public' order by tablename")
    return {
        name: rows(ledger, f"select t::text from {name} as t order by 1")
        for (name,) in tables
        if name not in but
    }


def events(ledger: Ledger, reference: str) -> list[str]:
    """The audit trail of an invoice, as names."""
    with ledger.transaction() as tx:
        return [each.event for each in audit_trail.trail(tx, invoices.find(tx, reference).id)]


def breaks(ledger: Ledger, reference: str) -> list[Break]:
    with ledger.transaction() as tx:
        return audit_trail.verify(tx, invoices.find(tx, reference).id)


def at_once(count: int, act: Callable[[int], T]) -> list[T | Exception]:
    """What each of so many threads got or raised, all of them let go in one instant."""
    from threading import Barrier

    barrier = Barrier(count)

    def take_part(number: int) -> T | Exception:
        barrier.wait(timeout=60)
        try:
            return act(number)
        except Exception as error:  # noqa: BLE001 what went wrong is the result
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(take_part, range(count)))


def one_off(key: str, by: str = "lena", client: str = "nordlicht") -> BillingRequest:
    """A request to bill something once."""
    return BillingRequest(
        billing_key=f"manual/{key}",
        trigger="manual",
        requested_by=by,
        one_off=OneOff(
            client=client,
            currency="EUR",
            title="Work",
            reason="asked for",
            lines=(OneOffLine(description="Work", quantity=Decimal(1), unit_price=Decimal(1)),),
        ),
    )


def during(ledger: Ledger, statement: str, act: Callable[[], None]) -> None:
    """Has something else happen, committed, just before the first statement that begins like this."""

    happened = False

    def before(_connection: object, _cursor: object, executed: str, *_: object) -> None:
        nonlocal happened
        if executed.startswith(statement) and not happened:
            happened = True
            act()

    event.listen(ledger.engine, "before_cursor_execute", before)
