"""`number_series.take`: a number of any kind of document, in the caller's transaction."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from activities.ledger import number_series
from activities.ledger.database import Ledger
from activities.ledger.tables import NumberSeriesRow
from billing.document_kind import DocumentKind, NumberSeries
from billing.errors import NumberingError
from tests.activities.ledger.conftest import at_once
from tests.activities.ledger.test_number_audit import opening_item
from tests.starter.web.story import COMPANY, NOW, Story

ISSUER = COMPANY.issuers[0]


def take(ledger: Ledger, kind: DocumentKind = DocumentKind.CREDIT_NOTE, at: datetime = NOW) -> str:
    with ledger.transaction() as tx:
        return number_series.take(tx, ISSUER, kind, at).number


def test_each_kind_counts_for_itself(story: Story) -> None:
    """Credit notes and invoices each count from one; what shares a series goes on in it."""
    kinds = (DocumentKind.CREDIT_NOTE, DocumentKind.FINAL, DocumentKind.CREDIT_NOTE, DocumentKind.INVOICE)
    assert [take(story.ledger, kind) for kind in kinds] == [
        "ELB-CN26-00001",
        "ELB-2026-00001",
        "ELB-CN26-00002",
        "ELB-2026-00002",
    ]
    with story.ledger.transaction() as tx:
        stand = {each.document_type: each.last for each in tx.scalars(select(NumberSeriesRow))}
    assert stand == {"credit note": 2, "invoice": 2}


def test_a_number_is_given_back(story: Story) -> None:
    """A transaction that fails gives its number back: the next one gets it."""

    def fail_after_taking() -> None:
        with story.ledger.transaction() as tx:
            assert number_series.take(tx, ISSUER, DocumentKind.CREDIT_NOTE, NOW).number == "ELB-CN26-00001"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_taking()
    assert take(story.ledger) == "ELB-CN26-00001"


def test_all_at_once(story: Story) -> None:
    """Whoever asks at one instant gets a number of its own, and none is left out."""
    assert sorted(map(str, at_once(8, lambda _: take(story.ledger)))) == [
        f"ELB-CN26-{n:05}" for n in range(1, 9)
    ]


def test_a_pattern_of_its_own_in_a_fiscal_year(story: Story) -> None:
    """The issuer's pattern and fiscal year decide: in March 2027, 2026 still counts."""
    issuer = ISSUER.model_copy(
        update={"numbers": {NumberSeries.CREDIT_NOTE: "GS{year}/{number:03}"}, "fiscal_year_starts": 4}
    )
    days = (
        datetime(2026, 4, 1, 8, tzinfo=UTC),
        datetime(2027, 3, 31, 8, tzinfo=UTC),
        datetime(2027, 4, 1, 8, tzinfo=UTC),
    )
    with story.ledger.transaction() as tx:
        taken = [number_series.take(tx, issuer, DocumentKind.CREDIT_NOTE, at) for at in days]
    assert [each.number for each in taken] == ["GS2026/001", "GS2026/002", "GS2027/001"]


def test_a_number_of_the_system_before(story: Story) -> None:
    """A number that stands on an opening item is not given again, and none is left out for it: somebody must act."""
    opening_item(story.ledger, "ELB-CN26-00001")
    with pytest.raises(NumberingError, match="was given by the system before already"):
        take(story.ledger)
