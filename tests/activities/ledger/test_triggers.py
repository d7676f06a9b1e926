"""Triggers: what fires becomes an invoice by its billing key, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from activities.ledger import triggers
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from tests.company import TestCompany, retainer
from tests.starter.web.story import NOW


@pytest.fixture
def billing(ledger: Ledger, tmp_path: Path) -> Ledger:
    """A company with milestones, a fixed price, a prepaid block, and a retainer that began three months ago."""
    company = TestCompany(tmp_path)
    common = {"client": "acme", "project": "P-1", "title": "Work", "currency": "EUR", "start": "2026-01-01"}
    company.agreements = [
        {
            "id": "shop",
            "model": "milestone",
            "milestones": [
                {"id": "design", "title": "Design", "amount": "1000.00"},
                {"id": "launch", "title": "Launch", "amount": "2000.00"},
            ],
            **common,
        },
        {"id": "move", "model": "fixed price", "amount": "5000.00", **common},
        {"id": "hours", "model": "prepaid block", "hours": "10", "price": "1000.00", **common},
        retainer("care", "acme", "100.00", start="2026-09-01"),
    ]
    apply_company(ledger, company.company(), "company", "mara", NOW)
    return ledger


def test_by_hand(billing: Ledger) -> None:
    """By hand the oldest unbilled period is billed, one after the other, then the running one's invoice is shown."""

    def bill() -> tuple[str, bool]:
        with billing.transaction() as tx:
            got = triggers.by_agreement(tx, "care", None, by="pia", channel="cli", at=NOW)
            return got.invoice.billing_key, got.new

    months = [(f"care/fee/2026-{month:02d}-01", True) for month in (9, 10, 11)]
    assert [bill() for _ in range(4)] == [*months, ("care/fee/2026-11-01", False)]
