"""What `billow up` does once everything runs: the sample company, its first triggers, and where to look.

Doing it again changes nothing: a company that is applied stays, and triggers, opening items and events are
known by their keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session
from temporalio.client import Client

from activities.company.folder import read_folder
from activities.company.opening_items import read_opening_items
from activities.company.problems import errors
from activities.company.sample import write_sample
from activities.company.single_files import read_event, read_one_off
from activities.ledger import billing_run_records, company_records, events, opening_items, triggers
from activities.ledger.company_records import CompanyVersion, apply_company
from activities.ledger.database import Ledger
from activities.ledger.tables import InvoiceRow, OutboxRow
from billing.company import Company
from billing.errors import BillowError, NotFound
from starter.cli import temporal
from starter.local_stack.errors import StackError
from starter.local_stack.up import Stack
from workers import schedules
from workflows.messages import BillingRunInput

FIRST_EVENTS = ("project-completed.yaml", "milestone-signed-off.yaml")
FIRST_ONE_OFF = "one-off.yaml"

LOADED_BY = "lena"
"""Who counts as having loaded the sample: a finance operator of the sample company."""

PATIENCE = 120.0
"""Seconds within which the first triggers must have been worked off, or something is wrong."""


def fill(stack: Stack) -> None:
    """Loads the company where none runs yet, fires the first triggers, follows them, says where to look."""
    ledger = Ledger(stack.settings.database_url.get_secret_value())
    try:
        try:
            with ledger.transaction() as tx:
                version = company_records.current(tx)
        except NotFound:
            with stack.step("Company"):
                version = _load(stack, ledger)
        with stack.step("First triggers: a billing run, two events, a one-off"):
            _fire(stack, ledger, version)
        _follow(stack, ledger)
        _show(stack, ledger, version)
    finally:
        ledger.close()


def _load(stack: Stack, ledger: Ledger) -> CompanyVersion:
    """Applies the company folder; without one, the sample, written beside the state to be edited."""
    folder = stack.settings.company or stack.settings.home / "company"
    now = datetime.now(UTC)
    if not folder.exists():
        write_sample(folder, now.astimezone().date())
    reading = read_folder(folder)
    if reading.company is None or errors(reading.problems):
        raise StackError(f"{folder} has problems and was not loaded; see them with: billow check {folder}")
    apply_company(ledger, reading.company, str(folder.resolve()), _by(reading.company), now, reading.looks)
    with ledger.transaction() as tx:
        return company_records.current(tx)


def _by(company: Company) -> str:
    return LOADED_BY if LOADED_BY in company.people_by_id else company.people[0].id


def _fire(stack: Stack, ledger: Ledger, version: CompanyVersion) -> None:
    folder, now, by = Path(version.folder), datetime.now(UTC), _by(version.company)
    opening = folder / "data" / "opening_items.yaml"
    if opening.exists():
        for item in read_opening_items(opening).value or ():
            with ledger.transaction() as tx:
                opening_items.import_opening_item(tx, item, version.company, version.version, by=by, at=now)
    for name in FIRST_EVENTS:
        path = folder / "events" / name
        event = read_event(path).value if path.exists() else None
        if event is not None:
            acted = events.take_in(ledger, event, channel="cli", at=now)
            if acted.status is events.EventStatus.HELD:
                _warn(stack, acted.outcome)
    path = folder / "events" / FIRST_ONE_OFF
    one_off = read_one_off(path).value if path.exists() else None
    if one_off is not None:
        _try(
            stack, ledger, partial(triggers.one_off, one_off=one_off, key=None, by=by, channel="cli", at=now)
        )
    run = temporal.ask(lambda client: _begin(client, ledger, version.company, by))
    stack.wait_for(lambda: _finished(ledger, run), PATIENCE, "the billing run")


async def _begin(client: Client, ledger: Ledger, company: Company, by: str) -> str:
    """Puts the schedules into Temporal and does not wait for them; the name of the first run."""
    await schedules.sync(client, ledger, company, by=by)
    return await schedules.start_run(client, BillingRunInput(requested_by=by), datetime.now(UTC))


def _finished(ledger: Ledger, run: str) -> bool:
    with ledger.transaction() as tx:
        found = billing_run_records.find_run(tx, run)
        return found is not None and found.finished_at is not None


def _try(stack: Stack, ledger: Ledger, trigger: Callable[[Session], object]) -> None:
    """Fires a trigger of an edited company folder, which may name what is not there any more."""
    try:
        with ledger.transaction() as tx:
            trigger(tx)
    except BillowError as error:
        _warn(stack, str(error))


def _warn(stack: Stack, text: str) -> None:
    stack.console.print(f"[yellow]![/] {escape(text)}", soft_wrap=True, highlight=False)


@dataclass(frozen=True)
class _Counts:
    asked_for: int
    settled_down: int
    mailed: int
    for_people: int


def _counts(ledger: Ledger) -> _Counts:
    """How many invoices there are, and how many sleep or have ended."""
    with ledger.transaction() as tx:
        asleep = or_(InvoiceRow.next_at.is_not(None), InvoiceRow.closed_at.is_not(None))
        mailed = InvoiceRow.delivered_at.is_not(None)
        found = tx.execute(
            select(
                func.count(),
                func.count().filter(asleep),
                func.count().filter(mailed, InvoiceRow.draft.is_not(None)),
                func.count().filter(InvoiceRow.number.is_(None), InvoiceRow.next_at.is_not(None)),
            ).select_from(InvoiceRow)
        ).one()
        carrying = (
            tx.scalar(select(func.count()).select_from(OutboxRow).where(OutboxRow.done_at.is_(None))) or 0
        )
    return _Counts(found[0], found[1] if not carrying else min(found[1], found[0] - 1), found[2], found[3])


def _follow(stack: Stack, ledger: Ledger) -> None:
    """Shows the invoices on their way until each is mailed or waits for somebody."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=stack.console, transient=True) as progress:
        task = progress.add_task("Invoices", total=None)

        def settled_down() -> bool:
            counts = _counts(ledger)
            progress.update(task, total=counts.asked_for, completed=counts.settled_down)
            return 0 < counts.asked_for == counts.settled_down

        if _counts(ledger).asked_for:
            stack.wait_for(settled_down, PATIENCE, "the first invoices to be worked off")
    counts = _counts(ledger)
    stack.console.print(
        f"[green]✓[/] {counts.asked_for} {_plural(counts.asked_for, 'invoice', 'invoices')}: {counts.mailed} "
        f"mailed by Billow, {counts.for_people} {_plural(counts.for_people, 'waits', 'wait')} for a person",
        highlight=False,
    )


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _show(stack: Stack, ledger: Ledger, version: CompanyVersion) -> None:
    """The short table of where to look."""
    settings = stack.settings
    with ledger.transaction() as tx:
        number = tx.scalar(
            select(InvoiceRow.number)
            .where(InvoiceRow.document.is_not(None))
            .order_by(InvoiceRow.issued_at)
            .limit(1)
        )
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_row("Web app", f"{settings.web_url}/")
    table.add_row("Invoices", f"{settings.web_url}/invoices")
    if settings.mailbox:
        table.add_row("Mailbox", f"{settings.web_url}/mailbox")
    if settings.temporal_ui_url:
        table.add_row("Temporal UI", settings.temporal_ui_url)
    if number:
        table.add_row("A PDF", f".venv/bin/billow pdf {number} -o {number}.pdf")
    table.add_row("Company", version.folder)
    stack.console.print()
    stack.console.print(table, highlight=False, soft_wrap=True)
    stack.console.print()
    stack.console.print(
        "In another terminal: .venv/bin/billow inbox, agreements, why, invoices, show …  Ctrl-C stops everything.",
        highlight=False,
        soft_wrap=True,
    )
