"""The company of the leak tests, billed once a test process; each test gets a copy of its ledger."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from starter.local_stack.postgres import Cluster
from tests.company import TestCompany
from tests.leakage.world import World
from workers.assembly import effects
from workers.settings import Settings

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def billed_company(
    postgres: Cluster, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of a database in which everything is billed that ought to be."""
    folder = tmp_path_factory.mktemp("billed")
    url = postgres.create_database("billed", template_database)
    outside = effects(Settings(database_url=SecretStr(url), home=folder))
    World(outside, TestCompany(folder / "company")).live()
    outside.ledger.close()
    return "billed"


@pytest.fixture
def database_url(postgres: Cluster, billed_company: str) -> Iterator[str]:
    name = f"leaks_{next(_numbers)}"
    yield postgres.create_database(name, billed_company)
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """The company with a ledger of the test's own."""
    outside = effects(Settings(database_url=SecretStr(database_url), home=tmp_path))
    made = World(outside, TestCompany(tmp_path / "company"))
    made.apply()
    yield made
    outside.ledger.close()
