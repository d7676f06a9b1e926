"""Billing runs as the ledger would hold them, for those who look at them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func

from activities.ledger import billing_run_records
from activities.ledger.billing_run_records import Outcome, RunItem
from activities.ledger.database import Ledger

AS_OF = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HELD = RunItem(
    billing_key="care/fee/2026-11-01",
    agreement="care",
    outcome=Outcome.HELD,
    code="client-inactive",
    because="client 'acme' is not <active> in the CRM; activate it, or end agreement 'care'",
    due_since=date(2026, 11, 1),
)
LATE = RunItem(
    billing_key="desk/fee/2026-09-01",
    agreement="desk",
    outcome=Outcome.TRIGGERED,
    because="caught up: due since 2026-09-01",
    due_since=date(2026, 9, 1),
    caught_up=True,
)
USUAL = RunItem(
    billing_key="host/fee/2026-11-20",
    agreement="host",
    outcome=Outcome.TRIGGERED,
    due_since=date(2026, 11, 20),
)


def finished(ledger: Ledger, name: str, *items: RunItem, by: str = "", hours: int = 0) -> str:
    """A run that has looked at five agreements; hours later than usual."""
    with ledger.transaction() as tx:
        row = billing_run_records.begin(tx, name, AS_OF + timedelta(hours=hours), by)
        billing_run_records.move(tx, row, looked_at=5, last="z", agreements=5, items=items)
        billing_run_records.finish(tx, row)
    return name


def under_way(ledger: Ledger, name: str, *, waits_for: str = "", minutes_ago: int = 0) -> str:
    """A run that has looked at 2,000 of 5,000 agreements."""
    with ledger.transaction() as tx:
        row = billing_run_records.begin(tx, name, AS_OF, "")
        billing_run_records.move(tx, row, looked_at=2000, last="m", agreements=5000, items=[LATE])
        row.waits_for, row.moved_at = waits_for, func.now() - timedelta(minutes=minutes_ago)
    return name
