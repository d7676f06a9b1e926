"""What was billed is shown in CRM and PSA: once the fact is there, in order, whatever the vendor or a worker does."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from activities.invoicing import writing_back
from activities.invoicing.writing_back import Round, tell
from activities.ledger import audit_trail, commands, company_records, invoices, number_series, write_backs
from activities.ledger.database import Ledger
from activities.ledger.exceptions import Resolution
from activities.ledger.tables import BilledItemRow, ExceptionRow, IntegrationRow, MessageRow, WriteBackRow
from billing.agreements import agreement_adapter
from billing.approval_policy import Channel
from billing.connections import Connection
from billing.hours import TIME
from billing.status import DocumentStatus, PaymentStatus
from tests.activities.crm.hubspot_account import DEAL, TOKEN, HubSpotAccount
from tests.activities.psa.counterpart import Answer, Asked, limited
from tests.activities.psa.test_redmine import KEY, Tracker
from tests.company import retainer
from tests.starter.web.story import COMPANY, NOW, Story
from workers.write_backs import watch

WEB = "https://billow.test"
LATER = timedelta(hours=2)


class Vendors:
    """A company whose CRM and PSA are connected; its one agreement stands for a deal."""

    def __init__(self, ledger: Ledger) -> None:
        self.crm, self.psa = HubSpotAccount().example(), Tracker()
        self.psa.project(1, "acme")
        self.story = Story(ledger)
        self.ledger = ledger

    def apply(self) -> None:
        def out(ours: str, theirs: str) -> dict[str, str]:
            return {"ours": ours, "theirs": theirs, "direction": "out"}

        shown = [out(f"deal.invoice_{each}", f"deal.invoice_{each}") for each in ("number", "status", "link")]
        self.crm.define("deals", "invoice_number", "invoice_status", "invoice_link")
        crm = {"id": "hs", "provider": "hubspot", "port": "crm", "base_url": self.crm.server.url}
        psa = {"id": "pm", "provider": "redmine", "port": "psa", "base_url": self.psa.server.url}
        records = (
            crm | {"fields": shown},
            psa | {"fields": [out("time_entry.invoice", "custom_fields.Invoice")]},
        )
        care = agreement_adapter.validate_python(retainer("care", "nordlicht", "1.00", deal=DEAL))
        changes = {"connections": tuple(map(Connection.model_validate, records)), "agreements": (care,)}
        company_records.apply_company(
            self.ledger, COMPANY.model_copy(update=changes), "company", "lena", NOW - timedelta(days=1)
        )

    def billed(self, key: str, *entries: str, agreement: str | None = "care") -> str:
        """An issued invoice of those time entries; its number."""
        made = self.story.drafted(key)
        with self.ledger.transaction() as tx:
            invoices.locked(tx, made).agreement = agreement
            for each in entries:
                tx.add(BilledItemRow(source=TIME, item=each, invoice=made))
        with self.ledger.transaction() as tx:
            return number_series.issue(tx, invoices.locked(tx, made), at=NOW)

    def tell(self, connection: str, at: datetime = NOW) -> Round:
        found = [each for each in writing_back.due(self.ledger, at) if each.id == connection]
        return tell(self.ledger, found[0], WEB, at) if found else Round(connection, 0, "nothing is due")

    def pay(self, number: str, amount: str, key: str | None = None) -> None:
        commands.pay(
            self.ledger,
            number,
            Decimal(amount),
            "EUR",
            received_on=NOW.date(),
            by="lena",
            channel=Channel.CLI,
            at=NOW,
            **({"key": key} if key else {}),
        )

    def becomes(self, number: str, event: str, **columns: str) -> None:
        """A fact of that name, with its status."""
        with self.ledger.transaction() as tx:
            row = invoices.find(tx, number, lock=True)
            for name, value in columns.items():
                setattr(row, name, value)
            audit_trail.record(tx, row, event, at=NOW)

    def shown(self) -> tuple[str, str, str]:
        deal = self.crm.objects["deals"][DEAL]
        return deal.get("invoice_number", ""), deal.get("invoice_status", ""), deal.get("invoice_link", "")

    def marks(self) -> list[str]:
        return [each["custom_fields"][0]["value"] or "" for each in self.psa.entries]

    def row(self, connection: str = "pm") -> WriteBackRow:
        with self.ledger.transaction() as tx:
            return tx.scalars(select(WriteBackRow).where(WriteBackRow.connection == connection)).one()

    def rows(self) -> list[WriteBackRow]:
        """What the PSA is told, oldest invoice first."""
        with self.ledger.transaction() as tx:
            query = select(WriteBackRow).where(WriteBackRow.connection == "pm").order_by(WriteBackRow.invoice)
            return list(tx.scalars(query))

    def exceptions(self) -> list[ExceptionRow]:
        with self.ledger.transaction() as tx:
            return list(tx.scalars(select(ExceptionRow).where(ExceptionRow.resolved_at.is_(None))))


@pytest.fixture
def vendors(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    monkeypatch.setenv("BILLOW_HS_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("BILLOW_PM_API_KEY", KEY)
    vendors = Vendors(ledger)
    with ExitStack() as servers:
        servers.enter_context(vendors.crm.server)
        servers.enter_context(vendors.psa.server)
        vendors.apply()
        yield vendors
    assert vendors.crm.server.refused == vendors.psa.server.refused == []


def test_life_of_an_invoice(vendors: Vendors) -> None:
    """The deal shows number, status and link at each step; nothing is called where nothing has changed."""
    number = vendors.billed("one")
    statuses = []

    def step() -> None:
        assert vendors.tell("hs").problem == ""
        statuses.append(vendors.shown()[1])

    step()
    assert vendors.shown() == (number, "issued", f"{WEB}/invoices/manual/one")
    vendors.pay(number, "500.00", "p1")
    step()
    vendors.pay(number, "8000.00", "p2")
    step()
    vendors.pay(number, "-8000.00", "p3")
    step()
    vendors.becomes(number, "written off", payment_status=PaymentStatus.WRITTEN_OFF)
    step()
    vendors.becomes(number, "credited", document_status=DocumentStatus.CREDITED)
    step()
    assert statuses == ["issued", "partly paid", "paid", "partly paid", "written off", "credited"]
    asked = len(vendors.crm.server.asked)
    vendors.becomes(number, "credited", document_status=DocumentStatus.CREDITED)
    assert vendors.tell("hs") == Round("hs", 0, "nothing is due")
    assert len(vendors.crm.server.asked) == asked


def test_entries_are_marked_and_set_free(vendors: Vendors) -> None:
    """Time entries bear the number of the invoice that bills them, also where the ledger has freed them since."""
    for n in (1, 2, 3):
        vendors.psa.entry(n, 1, 2)
    number = vendors.billed("one", "1", "2")
    assert vendors.tell("pm") == Round("pm", 1)
    assert vendors.marks() == [number, number, ""]
    with vendors.ledger.transaction() as tx:
        for each in tx.scalars(select(BilledItemRow)):
            tx.delete(each)
    vendors.becomes(number, "credited", document_status=DocumentStatus.CREDITED)
    assert vendors.tell("pm") == Round("pm", 1)
    assert vendors.marks() == ["", "", ""]


def test_nothing_to_tell(vendors: Vendors) -> None:
    """No deal and no entries: no row. A draft, and a company of files: none either."""
    vendors.billed("one", agreement=None)
    vendors.story.drafted("two")
    with vendors.ledger.transaction() as tx:
        assert write_backs.open_by_connection(tx) == {}
    before = Story(vendors.ledger)
    company_records.apply_company(vendors.ledger, COMPANY, "company", "lena", NOW)
    before.issued("three")
    with vendors.ledger.transaction() as tx:
        assert write_backs.open_by_connection(tx) == {}


def test_with_the_fact(vendors: Vendors) -> None:
    """A fact that is taken back leaves nothing to tell."""
    made = vendors.story.drafted("one")
    with vendors.ledger.transaction() as tx:
        fact = tx.begin_nested()
        row = invoices.locked(tx, made)
        row.agreement = "care"
        number_series.issue(tx, row, at=NOW)
        assert write_backs.open_by_connection(tx) == {"hs": 1}
        fact.rollback()
        assert write_backs.open_by_connection(tx) == {}


def test_newer_while_told(vendors: Vendors) -> None:
    """A payment booked while the vendor is told does not wait for it, and is told right after: the newest stays."""
    vendors.psa.entry(1, 1, 2)
    number = vendors.billed("one", "1")
    answer = vendors.psa.server._answer
    credited: list[bool] = []

    def slow(asked: Asked) -> Answer:
        if asked.method == "PUT" and not credited:
            credited.append(True)
            vendors.becomes(number, "credited", document_status=DocumentStatus.CREDITED)
            assert vendors.tell("pm").problem == "another worker tells it right now"
        return answer(asked)

    vendors.psa.server._answer = slow
    assert vendors.tell("pm") == Round("pm", 2)
    assert credited and vendors.marks() == [""]
    assert vendors.row().revision == 2 and vendors.row().done_at is not None


def test_killed_between_call_and_note(vendors: Vendors) -> None:
    """A worker killed once the vendor has taken it leaves the row; the next one tells the same again, to no effect."""
    vendors.psa.entry(1, 1, 2)
    number = vendors.billed("one", "1")
    program = (
        "import sys; from datetime import datetime; from activities.ledger.database import Ledger\n"
        "from activities.invoicing import writing_back as w\n"
        "ledger, at = Ledger(sys.argv[1]), datetime.fromisoformat(sys.argv[2])\n"
        "(c,) = [c for c in w.due(ledger, at) if c.id == 'pm']; w.tell(ledger, c, 'https://billow.test', at)"
    )
    answer, started = vendors.psa.server._answer, threading.Event()
    pid: list[int] = []

    def deadly(asked: Asked) -> Answer:
        answered = answer(asked)
        if asked.method == "PUT" and pid:
            started.wait(60)
            os.kill(pid.pop(), signal.SIGKILL)
        return answered

    vendors.psa.server._answer = deadly
    pid.append(0)
    command = [sys.executable, "-c", program, vendors.ledger.url, NOW.isoformat()]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}) as child:
        pid[0] = child.pid
        started.set()
        assert child.wait(60) == -signal.SIGKILL
    assert vendors.marks() == [number] and vendors.row().done_at is None
    puts = sum(each.method == "PUT" for each in vendors.psa.server.asked)
    assert vendors.tell("pm") == Round("pm", 1)
    assert vendors.marks() == [number] and vendors.row().done_at is not None
    assert sum(each.method == "PUT" for each in vendors.psa.server.asked) == puts == 1


def test_vendor_away(vendors: Vendors) -> None:
    """One call a round is made while a vendor is away, ever more seldom; a person hears after half an hour, once."""
    for n in range(1, 6):
        vendors.psa.entry(n, 1, 2)
        vendors.billed(f"i{n}", str(n))
    vendors.psa.server.next_answers = [limited()] * 4
    assert "Redmine cannot be asked now: HTTP 429" in vendors.tell("pm").problem
    assert vendors.psa.server.next_answers == [] and vendors.exceptions() == []
    assert vendors.tell("pm", NOW + timedelta(seconds=9)).problem == "nothing is due"
    for minutes in (31, 62, 93):
        vendors.psa.server.next_answers = [limited()] * 4
        vendors.tell("pm", NOW + timedelta(minutes=minutes))
    (found,) = vendors.exceptions()
    assert (found.code, found.subject, found.owner) == ("integration-failing", "integration/pm", "lena")
    with vendors.ledger.transaction() as tx:
        assert write_backs.open_by_connection(tx) == {"hs": 5, "pm": 5}
    assert vendors.tell("pm", NOW + LATER) == Round("pm", 5)
    assert "" not in vendors.marks() and vendors.exceptions() == []


def test_other_vendors_go_on(vendors: Vendors) -> None:
    """A PSA that is away keeps nothing from the CRM."""
    vendors.psa.entry(1, 1, 2)
    number = vendors.billed("one", "1")
    vendors.psa.server.next_answers = [limited()] * 4
    vendors.tell("pm")
    assert vendors.tell("hs") == Round("hs", 1) and vendors.shown()[0] == number


def test_token_expired(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    """One exception a connection, at once, however many invoices wait; mended and retried, all of them are told."""
    monkeypatch.setenv("BILLOW_PM_API_KEY", "expired")
    for n in range(1, 9):
        vendors.psa.entry(n, 1, 2)
        vendors.billed(f"i{n}", str(n))
    assert "HTTP 401" in vendors.tell("pm").problem
    assert len(vendors.psa.server.asked) == 3, (
        "a vendor that refuses everything is not asked for every invoice"
    )
    (found,) = vendors.exceptions()
    assert (found.subject, found.owner) == ("integration/pm/write-back", "lena")
    assert "Redmine does not show what was billed" in str(found.finding["message"])
    assert "expired" not in str(found.finding)
    vendors.tell("pm", NOW + timedelta(minutes=5))
    assert [each.id for each in vendors.exceptions()] == [found.id]
    with vendors.ledger.transaction() as tx:
        assert len(tx.scalars(select(MessageRow)).all()) == 1
    monkeypatch.setenv("BILLOW_PM_API_KEY", KEY)
    commands.resolve(
        vendors.ledger,
        found.id,
        Resolution.RETRY,
        by="lena",
        channel=Channel.CLI,
        at=NOW + timedelta(minutes=6),
    )
    assert vendors.tell("pm", NOW + timedelta(minutes=6)) == Round("pm", 8)
    assert "" not in vendors.marks() and vendors.exceptions() == []


def test_one_invoice_refused(vendors: Vendors) -> None:
    """An entry the vendor will not have marked holds no other invoice back; the exception stays until it is."""
    for n in (1, 2):
        vendors.psa.entry(n, 1, 2)
        vendors.billed(f"i{n}", str(n))
    answer = vendors.psa.server._answer
    closed = [True]

    def refusing(asked: Asked) -> Answer:
        if asked.method == "PUT" and "/1." in asked.path and closed[0]:
            return Answer(422, {"errors": ["closed"]})
        return answer(asked)

    vendors.psa.server._answer = refusing
    assert vendors.tell("pm").told == 1
    assert vendors.marks()[0] == "" != vendors.marks()[1]
    assert [each.subject for each in vendors.exceptions()] == ["integration/pm/write-back"]
    vendors.psa.entry(3, 1, 2)
    vendors.billed("i3", "3")
    assert vendors.tell("pm").told == 1 and len(vendors.exceptions()) == 1
    closed[0] = False
    assert vendors.tell("pm", NOW + LATER).told == 1
    assert "" not in vendors.marks() and vendors.exceptions() == []


def test_connection_taken_out(vendors: Vendors) -> None:
    """What a connection was to be told waits while it is not in the company folder."""
    vendors.psa.entry(1, 1, 2)
    number = vendors.billed("one", "1")
    company_records.apply_company(vendors.ledger, COMPANY, "company", "lena", NOW)
    assert writing_back.due(vendors.ledger, NOW) == []
    vendors.apply()
    assert vendors.tell("pm").told == 1 and vendors.marks() == [number]


async def test_worker(vendors: Vendors) -> None:
    """The worker tells all vendors by itself, one that is slow delays no other; told to stop, it stops in between."""
    for n in (1, 2):
        vendors.psa.entry(n, 1, 2)
    number = vendors.billed("one", "1")
    vendors.billed("two", "2", agreement=None)
    answer, waits, goes_on = vendors.psa.server._answer, threading.Event(), threading.Event()

    def slow(asked: Asked) -> Answer:
        if asked.method == "PUT":
            waits.set()
            assert goes_on.wait(60)
        return answer(asked)

    vendors.psa.server._answer = slow
    worker = asyncio.create_task(watch(vendors.ledger, WEB))
    async with asyncio.timeout(60):
        while not waits.is_set() or vendors.shown()[0] != number:  # noqa: ASYNC110 the servers tell nobody
            await asyncio.sleep(0.01)
    worker.cancel()
    await asyncio.wait([worker], timeout=60)
    assert worker.cancelled() and vendors.marks() == ["", ""]
    goes_on.set()
    async with asyncio.timeout(60):
        while [each.done_at is not None for each in vendors.rows()] != [True, False]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert vendors.marks() == [number, ""]


def test_contact_is_noted(vendors: Vendors) -> None:
    """The state of the connection shows that it was reached."""
    vendors.psa.entry(1, 1, 2)
    vendors.billed("one", "1")
    vendors.tell("pm")
    with vendors.ledger.transaction() as tx:
        state: Any = tx.get(IntegrationRow, "pm")
        assert (state.last_contact_at, state.failing_since) == (NOW, None)
