"""A statement of 10,000 entries: bounded time and memory, each entry accounted for."""

from __future__ import annotations

import io
import os
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from activities.bank.importing import Imported, import_file
from activities.ledger import company_records
from activities.ledger.database import Ledger
from billing.payment_policy import PaymentPolicy
from tests.activities.bank.statements import Entry, Tx, document, paid, statement
from tests.activities.ledger.conftest import rows
from tests.starter.web.story import COMPANY, NOW, Story

ENTRIES = 10_000
INVOICES = 1_000
SECONDS = 120
MEBIBYTES = 200

pytestmark = pytest.mark.timeout(900)


def memory() -> int:
    """Resident memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def test_10_000_entries(ledger: Ledger) -> None:
    """Three currencies, batches, charges, repeats and 1,000 invoices: all accounted for, again in a fraction."""
    story = Story(ledger)
    policy = PaymentPolicy(accounts={"JP-1": "elbwerk", "US-1": "elbwerk"})
    company_records.apply_company(ledger, COMPANY.model_copy(update={"payments": policy}), "c", "lena", NOW)
    for number in range(20):
        story.issued(f"n{number}", prices=("100",))
    _copied(ledger, INVOICES - 20)
    numbers = [number for (number,) in rows(ledger, "select number from invoices order by id")]
    named = [paid("119.00", f"Rechnung {each}", bank=f"N{each}", name="Nordlicht") for each in numbers]
    batch = Entry(
        "3000.00", reference="BATCH", transactions=tuple(Tx("1.00", name=f"P{n}") for n in range(3000))
    )
    others = [paid("-3.00", f"Lieferant {n}", bank=f"O{n}") for n in range(ENTRIES - 3000 - INVOICES - 1000)]
    foreign = [paid("5000", f"order {n}", bank=f"J{n}") for n in range(500)]
    dollars = [paid("50.00", f"order {n}", bank=f"U{n}") for n in range(500)]
    data = document(
        statement([*named, batch, *others]),
        statement(foreign, currency="JPY", account="JP-1", opening="0"),
        statement(dollars, currency="USD", account="US-1"),
    )
    before, began = memory(), time.monotonic()
    made = _take(ledger, data)
    took, grown = time.monotonic() - began, memory() - before
    began = time.monotonic()
    again = _take(ledger, data)
    took_again = time.monotonic() - began
    print(f"{ENTRIES:,} entries: {took:.1f} s, {grown} MiB; again {took_again:.1f} s")  # noqa: T201
    assert sum(sum(each.outcomes.values()) for each in made) == ENTRIES
    assert sum(each.known for each in again) == ENTRIES
    assert rows(ledger, "select count(*), sum(amount) from payments") == [(INVOICES, Decimal(119 * INVOICES))]
    assert rows(ledger, "select count(*) from bank_entries where outcome = ''") == [(0,)]
    assert took < SECONDS
    assert took_again < SECONDS / 5
    assert grown < MEBIBYTES


def _take(ledger: Ledger, data: bytes) -> list[Imported]:
    at = NOW + timedelta(days=1)
    return import_file(ledger, io.BytesIO(data), file_name="big.xml", by="lena", channel="cli", at=at)


def _copied(ledger: Ledger, more: int) -> None:
    """More invoices like the first one, made in the database: issuing 1,000 takes minutes."""
    columns = [
        name
        for (name,) in rows(
            ledger,
            "select column_name from information_schema.columns where table_name = 'invoices' "
            "and column_name not in ('id', 'billing_key', 'number')",
        )
    ]
    names = ", ".join(f'"{name}"' for name in columns)
    with ledger.transaction() as tx:
        tx.connection().exec_driver_sql(
            f"insert into invoices ({names}, billing_key, number) "
            f"select {names}, 'copy/' || n, 'ELB-2026-9' || lpad(n::text, 5, '0') "
            f"from invoices, generate_series(1, {more}) as n where id = 1"
        )
