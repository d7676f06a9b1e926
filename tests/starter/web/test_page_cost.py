"""What pages cost among few and among many invoices: as many queries, and as many rows read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from activities.ledger.database import Ledger
from benchmarks import pages
from starter.local_stack.postgres import Cluster
from starter.web import create_app
from workers.settings import Settings

FEW, MANY, A_DAY = 2_000, 6_000, 8
"""Invoices: the more, the longer the past; those of the last weeks are open in both."""

MOST_QUERIES = {
    "an invoice": 24,
    "an approval": 21,
    "an exception": 20,
    "a client": 25,
    "inbox": 16,
    "inbox, everybody": 16,
}
MOST_QUERIES_OF_A_LIST = 14

Cost = tuple[int, int]
"""Queries, and rows read from tables and indices."""


@pytest.fixture(scope="module")
def costs(
    postgres: Cluster, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Cost, Cost]]:
    """For each page what it costs among few and among many."""
    few, many = (
        dict(_costs(postgres, template_database, tmp_path_factory, invoices)) for invoices in (FEW, MANY)
    )
    return {name: (few[name], many[name]) for name in few}


def _costs(
    postgres: Cluster, template: str, folders: pytest.TempPathFactory, invoices: int
) -> Iterator[tuple[str, Cost]]:
    ledger = Ledger(postgres.create_database(f"pages_{invoices}", template))
    try:
        pages.fill(ledger, invoices, A_DAY)
        home = folders.mktemp("home")
        settings = Settings(
            database_url=SecretStr(ledger.url),
            home=home,
            mailbox=home / "mailbox",
            public_url=pages.ADDRESS,
            development=True,
        )
        app = create_app(settings, ledger)
        with pages.visitor(app) as asked:
            for name, path in pages.addresses(app, ledger).items():
                yield name, _cost(ledger, asked, path)
    finally:
        ledger.close()


def _cost(ledger: Ledger, asked: TestClient, path: str) -> Cost:
    asked.get(path)  # what a process reads once and keeps
    with pages.queries(ledger) as seen:
        answer = asked.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return len(seen), sum(_rows_read(ledger, *each) for each in seen)


def _rows_read(ledger: Ledger, statement: str, parameters: Any) -> int:
    if not statement.lstrip().lower().startswith(("select", "with")):
        return 0
    with ledger.engine.connect() as connection:
        found = connection.exec_driver_sql(
            f"explain (analyze, format json, timing off, summary off) {statement}", parameters
        )
        return _scanned(found.scalar_one()[0]["Plan"])


def _scanned(node: dict[str, Any]) -> int:
    below = sum(_scanned(each) for each in node.get("Plans", ()))
    if "Scan" not in node["Node Type"]:
        return below
    rows = sum(
        node.get(part, 0)
        for part in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    )
    return below + int(rows * node["Actual Loops"])


def test_queries(costs: dict[str, tuple[Cost, Cost]]) -> None:
    """A page makes as many queries among many invoices as among few, and not many."""
    grown = {name: (few[0], many[0]) for name, (few, many) in costs.items() if few[0] != many[0]}
    assert grown == {}
    large = {
        name: many[0]
        for name, (_, many) in costs.items()
        if many[0] > MOST_QUERIES.get(name, MOST_QUERIES_OF_A_LIST)
    }
    assert large == {}


def test_rows(costs: dict[str, tuple[Cost, Cost]]) -> None:
    """No page reads more rows for three times the invoices; a few more where a search finds more."""
    grown = {name: (few[1], many[1]) for name, (few, many) in costs.items() if many[1] > 1.3 * few[1] + 150}
    assert grown == {}


def test_all_pages(costs: dict[str, tuple[Cost, Cost]]) -> None:
    """The list, the search, the inbox and the pages of one thing are among what is measured."""
    assert {"list", "list, late", "search, a client", "inbox", "money, ageing", "clients"} <= costs.keys()
    assert {"an invoice", "an approval", "an exception", "a client"} <= costs.keys()
