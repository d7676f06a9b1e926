"""The real servers the tests run against. Each is started when the first test asks for it."""

import gc
import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from activities.ledger.database import Ledger
from starter.local_stack import ports, service, temporal_server
from starter.local_stack.postgres import Cluster
from starter.local_stack.service import Child
from tests.mail_server import MailServer
from workers.settings import Settings

TEMPLATE = "template_billow"
NOT_RUN = "NOT RUN:"
"""A test that is skipped with a reason that begins so stands in the summary: something that matters was not shown."""

ROOM = 4 * 2**30
"""Bytes that must be free before databases are kept in memory; they take some hundred megabytes a process."""

_numbers = itertools.count(1)


def forgetful_folder() -> str | None:
    """A folder in memory, where there is one with room.

    A database is a thousand files, and every test makes and drops one. A file system on a disk may keep what was
    deleted from being used again for minutes, and looks through all of it for each new file (ext4 without a journal
    does): a database that took 50 ms at first then takes a second.
    """
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK | os.X_OK)):
        return None
    return str(memory) if shutil.disk_usage(memory).free > ROOM else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server of this test process; its data is forgotten with it."""
    with tempfile.TemporaryDirectory(prefix="billow-postgres-", dir=forgetful_folder()) as folder:
        # test processes start at the same time: each looks for a free port in a range of its own
        first = 20000 + os.getpid() % 500 * 10
        cluster = Cluster(Path(folder) / "data", ports.choose(first, None, "a port"), durable=False)
        cluster.prepare()
        child = Child.start(cluster.service(), os.environ, Path(folder))
        try:
            while not cluster.answers():
                assert child.exit_code is None, child.epitaph()
            yield cluster
        finally:
            service.stop([child])


@pytest.fixture(scope="session")
def template_database(postgres: Cluster) -> str:
    """The name of a database with all tables and nothing in them."""
    from activities.ledger.database import migrate

    migrate(postgres.create_database(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(postgres: Cluster, template_database: str) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh, migrated database of this test's own."""
    name = f"test_{next(_numbers)}"
    yield postgres.create_database(name, template_database)
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A fresh ledger of this test's own."""
    made = Ledger(database_url)
    yield made
    made.close()


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[MailServer]:
    """A mail server that keeps what it is sent, and fails when told to."""
    with MailServer(tmp_path / "mailbox") as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, database_url: str, smtp: MailServer) -> Settings:
    """Settings that point to this test's own database, mail server and folders."""
    return Settings(
        database_url=SecretStr(database_url),
        home=tmp_path,
        smtp_host=smtp.host,
        smtp_port=smtp.port,
        mailbox=smtp.folder,
        public_url="https://billow.test",
        development=True,
    )


@pytest.fixture(scope="session")
async def temporal_env() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal server on which time is skipped only by `fast_forward`, one clock a workflow."""
    async with await empty_temporal() as environment:
        yield environment


async def empty_temporal() -> WorkflowEnvironment:
    """Starts a Temporal server that knows nothing yet."""
    from workers.sandbox import BillowPlugin
    from workflows.identifiers import SEARCH_ATTRIBUTES

    registered = [
        part for name, kind in SEARCH_ATTRIBUTES.items() for part in ("--search-attribute", f"{name}={kind}")
    ]
    return await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        plugins=[BillowPlugin()],
        dev_server_existing_path=temporal_server.program(),
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            *registered,
        ],
    )


def pytest_collection_finish() -> None:
    """Thousands of tests and all they import stay to the end: the collector need not look through them."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says loudly what could not be run here."""
    reasons = [str(each.longrepr[-1]) for each in terminalreporter.stats.get("skipped", ())]
    missing = Counter(reason[reason.index(NOT_RUN) :] for reason in reasons if NOT_RUN in reason)
    if missing:
        terminalreporter.section("what this run has not shown", sep="!", red=True, bold=True)
    for reason, count in missing.items():
        terminalreporter.line(f"{reason} ({count} test{'s' if count > 1 else ''})", red=True, bold=True)
