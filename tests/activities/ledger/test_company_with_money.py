"""A company with discounts and exchange rates is applied, read back, and its changes are told."""

from __future__ import annotations

from datetime import timedelta

from activities.ledger import company_records
from billing.company import Company
from tests.starter.web.story import COMPANY, NOW, Story


def test_discounts_and_exchange_rates_are_applied(story: Story) -> None:
    """Both come back as they were written; a discount is told by its id, the rates as one setting."""
    rate = {"base": "EUR", "quote": "USD", "rate": "1.08", "since": "2026-11-20", "source": "ECB"}
    changed = Company.model_validate(
        {
            **COMPANY.model_dump(),
            "discounts": [{"id": "spring", "title": "Spring", "percent": "5"}],
            "exchange_rates": {"rates": [rate]},
        }
    )
    changes = company_records.plan_changes(story.ledger, changed)
    assert [(each.kind, each.key, each.action) for each in changes] == [
        ("company", "exchange_rates", "change"),
        ("discounts", "spring", "add"),
    ]
    company_records.apply_company(story.ledger, changed, "company", "lena", NOW + timedelta(days=1))
    with story.ledger.transaction() as tx:
        assert company_records.current(tx).company == changed
    assert company_records.plan_changes(story.ledger, changed) == []
