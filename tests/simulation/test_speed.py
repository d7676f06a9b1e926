"""A simulation is quick enough to be asked for while one edits."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from activities.invoicing import simulating
from activities.ledger.company_records import CompanyVersion
from activities.ledger.database import Ledger
from billing.simulation.outcome import Assumptions
from tests.company import TestCompany, client, crm_client, retainer

AGREEMENTS, YEAR = 100, timedelta(days=365)

BUDGET = 6.0
"""Seconds of computing for so many agreements: thirty for five hundred."""


def test_hundred_agreements_over_a_year(database_url: str, tmp_path: Path) -> None:
    """A hundred monthly agreements, a year, every reminder sent: some six seconds of computing at most."""
    company = TestCompany(tmp_path / "company")
    company.clients = [client(f"c{n}", f"C-{n}") for n in range(AGREEMENTS)]
    company.crm = [crm_client(f"C-{n}", f"Client {n} GmbH") for n in range(AGREEMENTS)]
    company.agreements = [retainer(f"a{n}", f"c{n}", "1000.00") for n in range(AGREEMENTS)]
    company.write_sources()
    ledger, start = Ledger(database_url), datetime.now(UTC)
    version = CompanyVersion(0, company.company(), str(company.folder))
    begun = time.process_time()
    with ledger.transaction() as tx:
        simulating.read_only(tx)
        found = simulating.simulated(tx, version, start, start + YEAR, Assumptions(pay_after=None))
    spent = time.process_time() - begun
    ledger.close()
    assert sum(each.act == "issued" for each in found.steps) >= 12 * AGREEMENTS
    assert spent < BUDGET
