"""What the simulation says is billed, and when, is what billing runs then bill."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from activities.invoicing import billing_runs
from activities.ledger.database import Ledger
from activities.ledger.tables import InvoiceRow
from billing.simulation import outcome
from billing.simulation.loop import next_run
from billing.simulation.outcome import Assumptions
from tests.simulation.sample import Sample, simulated

HOURLY = 60


@pytest.mark.parametrize(
    "start",
    [datetime(2026, 2, 27, 15, 20, tzinfo=UTC), datetime(2026, 9, 30, 21, 59, tzinfo=UTC)],
    ids=["over the end of February and the clocks going forward", "over the clocks going back"],
)
def test_every_key_at_its_run(ledger: Ledger, sample: Sample, start: datetime) -> None:
    """Runs before, at and after every instant of the simulation ask for its billing keys, each at its instant."""
    sample.write(start, every_minutes=HOURLY)
    version = sample.apply(ledger, start)
    expected = simulated(ledger, version, start, Assumptions())
    acts = (outcome.BILLED, outcome.HELD, outcome.SKIPPED)
    wanted = {
        (each.at, each.billing_key)
        for each in expected.steps
        if each.act in acts and each.billing_key.count("/") == 2
    }
    assert len(wanted) > 60
    hour = timedelta(minutes=HOURLY)
    instants = {at + distance for at, _ in wanted for distance in (-hour, timedelta(0), hour)}
    for at in sorted(instants):
        if next_run(start, HOURLY) <= at < expected.until:
            billing_runs.run(ledger, at.isoformat(), at)
    with ledger.transaction() as tx:
        found = {(at, key) for at, key in tx.execute(select(InvoiceRow.requested_at, InvoiceRow.billing_key))}
    assert found == wanted
