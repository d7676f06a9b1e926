"""Money of three decimals, dinars: credited, paid in parts, found at the bank, written off; no fils lost or made."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from activities.bank.importing import import_file
from activities.ledger import (
    credit_notes,
    dispute_commands,
    instalments,
    invoices,
    number_series,
    settling_commands,
)
from billing.credit_note import CreditedLine, Selection
from billing.draft import line
from billing.errors import Refused
from billing.instalments import monthly
from billing.money import Money
from billing.totals import breakdowns
from tests.activities.bank.statements import file, paid
from tests.activities.ledger.conftest import breaks
from tests.starter.web.story import COMPANY, DOMESTIC, NOW, Story

LENA: dict[str, Any] = {"by": "lena", "channel": "cli", "at": NOW}


@pytest.fixture
def number(story: Story) -> str:
    """1,000.125 and 0.005 dinars, 19 % tax of 1,000.130 is 190.0247, so 190.025: 1,190.155 together."""
    made = story.drafted("one")
    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, made)
        lines = tuple(
            line("Work", Decimal(1), "C62", Decimal(price), "KWD") for price in ("1000.125", "0.005")
        )
        (tax,) = breakdowns(lines, DOMESTIC, "KWD")
        figures = {"net": tax.taxable, "tax": tax.tax, "gross": tax.taxable + tax.tax}
        changed = {"currency": "KWD", "lines": lines, "taxes": (tax,), **figures}
        invoices.put_draft(tx, row, invoices.draft_of(row).model_copy(update=changed))
        number = number_series.issue(tx, row, at=NOW)
        row.document_status, row.delivered_at = "issued", NOW
        return number


def stands(story: Story, number: str) -> tuple[str, str]:
    """Payment status and what is open, as it is stored."""
    with story.ledger.transaction() as tx:
        row = story.invoice(tx, number)
        return row.payment_status, f"{row.open_amount.normalize():f}"


def test_to_the_last_fils(story: Story, number: str) -> None:
    """A line of 0.005 (0.006 with tax) is credited, the rest is agreed in three parts, one is paid by the bank, one by
    hand, and what is left is written off; figures worked by hand."""
    assert stands(story, number) == ("unpaid", "1190.155")
    line_two = Selection(lines=(CreditedLine(position=2),))
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        credit_notes.issue(tx, row, COMPANY, selection=line_two, reason="Wrong", key="1", **LENA)
    assert stands(story, number) == ("unpaid", "1190.149")
    parts = monthly(Money.of(Decimal("1190.149"), "KWD"), 3, date(2026, 12, 10))
    assert [str(amount) for _, amount in parts] == ["396.717", "396.716", "396.716"]
    dispute_commands.agree_plan(story.ledger, number, parts=parts, reason="cash is short", **LENA)
    statement = file([paid("396.717", number, bank="B1")], currency="KWD", opening="0.000")
    import_file(story.ledger, io.BytesIO(statement), file_name="a.xml", by="lena", channel="cli", at=NOW)
    assert stands(story, number) == ("partly paid", "793.432")
    story.paid(number, "396.715", "KWD")
    with story.ledger.transaction() as tx:
        row = story.invoice(tx, number)
        assert instalments.asked_amount(tx, row, date(2027, 1, 10)) == Decimal("0.001")
    with pytest.raises(Refused, match=r"KWD 396\.717 of .* are open"):
        settling_commands.write_off(story.ledger, number, amount=Decimal("396.718"), reason="gone", **LENA)
    asked = settling_commands.write_off(story.ledger, number, reason="gone", **LENA)
    assert str(asked.amount) == "KWD 396.717"
    settling_commands.agree(story.ledger, asked.id, **LENA | {"by": "tom"})
    assert stands(story, number) == ("written off", "0")
    assert breaks(story.ledger, number) == []
