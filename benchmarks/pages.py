"""How fast the pages of the web app are among very many invoices, and how many queries each makes.

The more invoices, the longer the past: a hundred a day, of which those of the last weeks are open. So a page that takes
longer with more of them reads what it does not show.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import event, text
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from activities.ledger import company_records
from activities.ledger.database import Ledger, migrate
from benchmarks.money import ISSUER, draft_of
from billing.approval_policy import ApprovalPolicy, ApprovalTier
from billing.company import Client, Company
from billing.draft import Draft
from billing.dunning_policy import DunningPolicy
from billing.exceptions import ExceptionPolicy
from billing.one_off import OneOff, OneOffLine
from billing.parties import Person
from billing.payment_terms import PaymentTerms
from billing.request import BillingRequest
from billing.taxes.company_rules import TaxRules
from starter.local_stack import ports, service
from starter.local_stack.postgres import Cluster
from starter.local_stack.service import Child
from starter.web import create_app
from workers.settings import Settings

INVOICES = 100_000
A_DAY = 100
CLIENTS = 400
REPEATS = 15
ADDRESS = "https://billow.test"

PAGES = {
    "list": "/invoices",
    "list, deep": "/invoices?before={middle}",
    "list, by amount open": "/invoices?sort=-open",
    "list, by gross": "/invoices?sort=-gross",
    "list, by due date": "/invoices?sort=due",
    "list, by day of issue": "/invoices?sort=-issued&before={middle}",
    "list, by client": "/invoices?sort=client",
    "list, of a client": "/invoices?client=client-17",
    "list, late": "/invoices?status=late",
    "list, late, by due date": "/invoices?status=late&sort=due",
    "list, waiting": "/invoices?status=waiting",
    "list, disputed": "/invoices?status=disputed",
    "list, paid": "/invoices?status=paid",
    "list, issued in a month": "/invoices?issued_from={month}-01&issued_to={month}-28",
    "search, a number": "/invoices?q={number}",
    "search, a client": "/invoices?q=orchard%20q17z",
    "search, words of all": "/invoices?q=service",
    "search, nothing": "/invoices?q=zebra",
    "an invoice": "/invoices/{number}",
    "inbox": "/",
    "inbox, everybody": "/?for=all",
    "an approval": "/approvals/{approval}",
    "an exception": "/exceptions/{exception}",
    "a client": "/clients/client-17",
    "money, ageing": "/money",
    "clients": "/clients",
    "clients, late": "/clients?view=late",
}
"""What is measured besides every page of the app that needs no parameter: a name, and its address."""

BUDGET = 60
BUDGETS = {"inbox": 100, "inbox, everybody": 100, "money, ageing": 250, "a client": 100, "an approval": 100}
"""Milliseconds the median of a page may take on two cores that do nothing else. The inbox shows fifty drafts; what
clients owe and how they usually pay is reckoned afresh, from half a year of invoices."""


@dataclass(frozen=True)
class Timed:
    """A page: its median and slowest time in milliseconds, its queries, and its size in KB."""

    name: str
    median: float
    slowest: float
    queries: int
    size: float

    @property
    def budget(self) -> float:
        return BUDGETS.get(self.name, BUDGET)


@dataclass(frozen=True)
class Measured:
    """The pages among so many invoices, and how long it took to make those."""

    invoices: int
    seconds: float
    pages: tuple[Timed, ...]

    @property
    def over(self) -> list[str]:
        """The pages that take longer than they may."""
        return [each.name for each in self.pages if each.median > each.budget]

    def __str__(self) -> str:
        lines = [
            f"pages among {self.invoices:,} invoices (made in {self.seconds:.1f} s)",
            f"{'page':<28} {'median ms':>9} {'budget':>6} {'slowest':>8} {'queries':>7} {'KB':>6}",
            *(
                f"{each.name:<28} {each.median:>9.1f} {each.budget:>6.0f} {each.slowest:>8.1f}"
                f" {each.queries:>7} {each.size:>6.0f}"
                for each in self.pages
            ),
            f"over budget: {', '.join(self.over)}" if self.over else "every page is within its budget",
        ]
        return "\n".join(lines)


def measure(invoices: int = INVOICES, repeats: int = REPEATS) -> Measured:
    """Makes the invoices on a server of its own, and asks for every page so many times."""
    with tempfile.TemporaryDirectory(prefix="billow-pages-") as folder, database(Path(folder)) as url:
        migrate(url)
        ledger = Ledger(url)
        try:
            begin = time.perf_counter()
            fill(ledger, invoices)
            seconds = time.perf_counter() - begin
            settings = Settings(
                database_url=SecretStr(url),
                home=Path(folder),
                mailbox=Path(folder) / "mailbox",
                public_url=ADDRESS,
                development=True,
            )
            with visitor(create_app(settings, ledger)) as asked:
                timed = [
                    _timed(ledger, asked, name, path, repeats)
                    for name, path in addresses(asked.app, ledger).items()  # type: ignore[arg-type]
                ]
            return Measured(invoices, seconds, tuple(timed))
        finally:
            ledger.close()


@contextmanager
def visitor(app: Starlette) -> Iterator[TestClient]:
    """Somebody signed in who may see everything."""
    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False) as made:
        page = made.get("/sign-in").text
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token, "no form to sign in"
        answer = made.post("/session", data={"csrf": token[1], "person": "tom"})
        assert answer.status_code == 200, answer.text
        yield made


def addresses(app: Starlette, ledger: Ledger) -> dict[str, str]:
    """The addresses of all pages to look at: those of `PAGES`, and every route of the app without parameters."""
    with ledger.transaction() as tx:
        middle, number, day = tx.execute(
            text(
                "select id, number, issue_date from invoices where number is not null"
                " order by requested_at desc offset (select count(*) / 2 from invoices) limit 1"
            )
        ).one()
        approval = tx.scalar(text("select max(id) from approvals"))
        exception = tx.scalar(text("select max(id) from exceptions"))
    places = {
        "middle": middle,
        "number": number,
        "month": f"{day:%Y-%m}",
        "approval": approval,
        "exception": exception,
    }
    named = {name: path.format(**places) for name, path in PAGES.items()}
    plain = (
        route.path
        for route in app.routes
        if isinstance(route, Route) and "GET" in (route.methods or ()) and "{" not in route.path
    )
    left_out = {"/healthz", "/readyz", "/favicon.ico", "/invoices.csv", *named.values()}
    return named | {path: path for path in plain if path not in left_out and not path.startswith("/sign-in")}


@contextmanager
def queries(ledger: Ledger) -> Iterator[list[tuple[str, Any]]]:
    """The statements and parameters the ledger executes meanwhile."""
    seen: list[tuple[str, Any]] = []

    def noted(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(ledger.engine, "before_cursor_execute", noted)
    try:
        yield seen
    finally:
        event.remove(ledger.engine, "before_cursor_execute", noted)


def _timed(ledger: Ledger, asked: TestClient, name: str, path: str, repeats: int) -> Timed:
    for _ in range(3):
        answer = asked.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
    took = []
    for _ in range(repeats):
        begin = time.perf_counter()
        asked.get(path)
        took.append((time.perf_counter() - begin) * 1000)
    with queries(ledger) as seen:
        asked.get(path)
    return Timed(name, statistics.median(took), max(took), len(seen), len(answer.content) / 1024)


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """The URL of an empty database of a server that is gone afterwards."""
    folder.chmod(0o755)
    cluster = Cluster(folder / "data", ports.choose(29800, None, "a port"), durable=False)
    cluster.prepare()
    child = Child.start(cluster.service(), os.environ, folder)
    try:
        while not cluster.answers():
            assert child.exit_code is None, child.epitaph()
            time.sleep(0.05)
        yield cluster.create_database("pages")
    finally:
        service.stop([child])


def fill(ledger: Ledger, invoices: int, a_day: int = A_DAY, now: datetime | None = None) -> None:
    """Applies a company, and makes so many invoices of it with their payments and audit trails, by SQL alone."""
    at = now or datetime.now(UTC)
    company = _company()
    version = company_records.apply_company(ledger, company, "benchmark", "tom", at)
    draft = draft_of(0, TaxRules())
    content = Draft.model_validate_json(draft.model_dump_json()).model_dump(mode="json")
    values = {
        "invoices": invoices,
        "a_day": a_day,
        "clients": CLIENTS,
        "at": at,
        "version": version,
        "request": json.dumps(_request().model_dump(mode="json")),
        "draft": json.dumps(content),
        "net": draft.net,
        "tax": draft.tax,
    }
    with ledger.transaction() as tx:
        for statement in (_INVOICES, _PAYMENTS, _EVENTS, _APPROVALS, _EXCEPTIONS):
            tx.execute(text(statement), values)
    with ledger.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))


def _company() -> Company:
    return Company(
        name="Benchmark",
        people=(
            Person(id="tom", name="Tom Iversen", email="tom@issuer.example", roles=("admin",)),
            Person(id="lena", name="Lena Brandt", email="lena@issuer.example", roles=("operator",)),
        ),
        issuers=(ISSUER,),
        clients=tuple(
            Client(
                id=f"client-{number}",
                crm=f"crm-{number}",
                issuer=ISSUER.id,
                currency="EUR",
                zone="Europe/Berlin",
                calendar="DE",
                terms=PaymentTerms(net_days=14),
                dunning="standard",
                account_manager="lena",
            )
            for number in range(CLIENTS)
        ),
        approvals=ApprovalPolicy(
            tiers=(ApprovalTier(id="large", above={"EUR": Decimal(5000)}, approvers=("tom", "lena")),)
        ),
        exceptions=ExceptionPolicy(default_owner="lena"),
        dunning=(DunningPolicy(id="standard"),),
    )


def _request() -> BillingRequest:
    return BillingRequest(
        billing_key="manual/benchmark",
        trigger="manual",
        requested_by="lena",
        one_off=OneOff(
            client="client-0",
            currency="EUR",
            title="Service",
            reason="benchmark",
            lines=(OneOffLine(description="Work", quantity=Decimal(1), unit_price=Decimal(1)),),
        ),
    )


_INVOICES = """
with numbered as (
    select n, :invoices - n as age_of, cast(:at as timestamptz) - (:invoices - n) * interval '1 day' / :a_day as asked,
        'client-' || n % :clients as client, 1 + n % 97 / 10.0 as factor
    from generate_series(1, :invoices) n
), told as (
    -- the last 40 wait for somebody, those of 45 days are open, a part of those of two months disputed
    select *, age_of < 40 as drafted,
        age_of >= 40 and (age_of < 45 * :a_day or (age_of < 60 * :a_day and n % 20 = 0)) as unpaid
    from numbered
)
insert into invoices (
    billing_key, generation, rebill, request, trigger, requested_by, requested_at, took_part, company_version,
    document_status, payment_status, collection_status, client, issuer, title, currency, net, tax, gross, paid,
    credited, written_off, draft, draft_digest, accepted, overrides, number, issue_date, issued_at, due_date, late_from,
    delivered_at, disputed, rested_days, waits_for, "then", next_at, closed_at, audit_position, audit_hash
)
select 'bench/' || n, 1, false, cast(:request as jsonb), 'manual', 'lena', asked, array['lena'], :version,
    case when drafted then 'awaiting approval' else 'issued' end,
    case when drafted or unpaid then 'unpaid' else 'paid' end,
    case when drafted then 'not due' when unpaid and n % 20 = 0 then 'disputed'
        when unpaid and age_of < 14 * :a_day then 'not due' when unpaid then 'reminded' else 'closed' end,
    client, 'berlin', 'Service, part ' || n, 'EUR', round(:net * factor, 2), round(:tax * factor, 2),
    round(:net * factor, 2) + round(:tax * factor, 2),
    case when drafted or unpaid then 0 else round(:net * factor, 2) + round(:tax * factor, 2) end, 0, 0,
    cast(:draft as jsonb) || jsonb_build_object('billing_key', 'bench/' || n, 'client', client,
        'buyer',
        cast(:draft as jsonb) -> 'buyer' || jsonb_build_object('name', 'Orchard q' || n % :clients || 'z GmbH')),
    md5(n::text), '[]', '{}',
    case when not drafted then 'B-' || to_char(asked, 'YYYY') || '-' || to_char(n, 'FM000000') end,
    case when not drafted then asked::date end, case when not drafted then asked end,
    case when not drafted then asked::date + 14 end, case when not drafted then asked + interval '15 days' end,
    case when not drafted then asked end,
    case when unpaid and n % 20 = 0 then 'hours not recognised' end, 0,
    case when drafted then 'approval' when unpaid then 'payment' else '' end, '',
    case when drafted or unpaid then cast(:at as timestamptz) + interval '3 days' end,
    case when not drafted and not unpaid then asked + interval '20 days' end, 4, md5(n::text)
from told
"""

_PAYMENTS = """
insert into payments (invoice, key, amount, currency, received_on, source, reference, recorded_at, recorded_by)
select id, 'bench/' || id, gross, 'EUR', due_date, 'bank', number, closed_at, 'billow'
from invoices where payment_status = 'paid'
"""

_EVENTS = """
insert into audit_events (invoice, position, at, event, actor, channel, facts, previous, hash)
select id, position, requested_at, event, 'billow', 'workflow', '{}', md5(id::text), md5(id::text || position)
from invoices, unnest(array['triggered', 'assembled', 'approved', 'issued']) with ordinality as told (event, position)
"""

_APPROVALS = """
insert into approvals (invoice, digest, tier, asked, asked_at, deadline, escalations, approved_by, status)
select id, draft_digest, 'large', array['tom', 'lena'], requested_at, cast(:at as timestamptz) + interval '1 day', 0,
    '{}', 'waiting'
from invoices where document_status = 'awaiting approval'
"""

_EXCEPTIONS = """
insert into exceptions (invoice, code, finding, owner, raised_at, deadline, escalations)
select id, 'bounced', '{"code": "bounced", "message": "the address does not exist"}', 'tom', :at,
    cast(:at as timestamptz) + interval '2 days', 0
from invoices where number is not null order by requested_at desc limit 10
"""
