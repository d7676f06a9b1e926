"""An invoice paid early, in the ledger: the discount settles it, and goes again when the money does."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from activities.ledger import invoices, number_series, payments
from activities.ledger.tables import AuditEventRow, PaymentRow
from billing.errors import Refused
from billing.money import Money
from billing.payment_terms import PaymentTerms
from billing.status import DocumentStatus
from tests.activities.ledger.conftest import breaks, events
from tests.starter.web.story import NOW, Story

TWO_TEN = PaymentTerms.model_validate({"net_days": 30, "early_payment": {"percent": "2", "days": 10}})
LAST = date(2026, 11, 30)
"""The last day of ten after the 20th of November."""


@pytest.fixture
def number(story: Story) -> str:
    """An issued invoice over 100.00 and 19 % VAT: 119.00, of which 116.62 are enough until the 30th."""
    made = story.drafted("early", prices=("100.00",))
    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, made)
        draft = invoices.draft_of(row).model_copy(update={"terms": TWO_TEN})
        invoices.put_draft(tx, row, draft)
        number = number_series.issue(tx, row, at=NOW)
        row.document_status = DocumentStatus.ISSUED
    assert row.issue_date == date(2026, 11, 20)
    return number


def pay(story: Story, number: str, amount: str, on: date, key: str = "p1") -> bool:
    with story.ledger.transaction() as tx:
        return payments.record(
            tx,
            invoices.find(tx, number, lock=True),
            Money.of(amount, "EUR"),
            key=key,
            received_on=on,
            source="bank",
            by="lena",
            channel="cli",
            at=NOW,
        )


def standing(story: Story, number: str) -> tuple[str, str, list[str]]:
    """Payment status, open, and the discounts that stand in the books."""
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        waived = select(PaymentRow.amount).where(
            PaymentRow.invoice == row.id, PaymentRow.source == payments.EARLY_PAYMENT
        )
        amounts = [f"{each:.2f}" for each in tx.scalars(waived.order_by(PaymentRow.id))]
        return row.payment_status, f"{payments.open_amount(row):.2f}", amounts


@pytest.mark.parametrize(
    ("paid", "on", "expected"),
    [
        ("116.62", LAST, ("paid", "0.00", ["2.38"])),
        ("117.00", LAST, ("paid", "0.00", ["2.00"])),
        ("119.00", LAST, ("paid", "0.00", [])),
        ("116.61", LAST, ("partly paid", "2.39", [])),
        ("116.62", date(2026, 12, 1), ("partly paid", "2.38", [])),
        ("120.00", LAST, ("overpaid", "-1.00", [])),
    ],
)
def test_one_payment(
    story: Story, number: str, paid: str, on: date, expected: tuple[str, str, list[str]]
) -> None:
    """Enough by the last day settles the invoice with a row of its own; a cent less or a day later does not."""
    assert pay(story, number, paid, on)
    assert standing(story, number) == expected
    assert breaks(story.ledger, number) == []


def test_in_two_parts(story: Story, number: str) -> None:
    """Two payments in time that are enough together settle it."""
    pay(story, number, "100.00", date(2026, 11, 25))
    assert standing(story, number)[0] == "partly paid"
    pay(story, number, "16.62", LAST, key="p2")
    assert standing(story, number) == ("paid", "0.00", ["2.38"])


def test_paid_in_full_after_all(story: Story, number: str) -> None:
    """Who pays the discount later after all has no discount: it is taken back, and nothing is overpaid."""
    pay(story, number, "116.62", LAST)
    pay(story, number, "2.38", date(2026, 12, 20), key="p2")
    assert standing(story, number) == ("paid", "0.00", ["2.38", "-2.38"])
    assert events(story.ledger, number)[2:] == [
        "payment received",
        "early payment discount",
        "payment received",
        "early payment discount",
    ]


def test_money_taken_back_takes_the_discount_along(story: Story, number: str) -> None:
    """A charge-back leaves all open; more than came cannot be taken back, and paid again too late it earns none."""
    pay(story, number, "116.62", LAST)
    with pytest.raises(Refused, match=r"only 116.62 EUR were paid"):
        pay(story, number, "-119.00", LAST, key="back")
    pay(story, number, "-116.62", date(2026, 12, 10), key="back")
    assert standing(story, number) == ("unpaid", "119.00", ["2.38", "-2.38"])
    pay(story, number, "116.62", date(2026, 12, 20), key="again")
    assert standing(story, number)[:2] == ("partly paid", "2.38")


def test_what_came_too_much_can_go_back(story: Story, number: str) -> None:
    """Paid early and once more by mistake: whoever gets the second payment back keeps the discount."""
    pay(story, number, "116.62", LAST)
    pay(story, number, "116.62", date(2026, 12, 10), key="twice")
    assert standing(story, number)[:2] == ("overpaid", "-114.24")
    pay(story, number, "-116.62", date(2026, 12, 15), key="back")
    assert standing(story, number) == ("paid", "0.00", ["2.38", "-2.38", "2.38"])


def test_the_audit_says_what_the_tax_is_less(story: Story, number: str) -> None:
    """2.38 are 2.00 net and 0.38 VAT: what the VAT return must be corrected by (§ 17(1) UStG)."""
    pay(story, number, "116.62", LAST)
    with story.ledger.transaction() as tx:
        event = tx.scalars(select(AuditEventRow).where(AuditEventRow.event == payments.EARLY_PAYMENT)).one()
        facts = event.facts
    assert {key: Decimal(str(facts[key])) for key in ("amount", "net", "tax")} == {
        "amount": Decimal("2.38"),
        "net": Decimal("2.00"),
        "tax": Decimal("0.38"),
    }
    assert [(each["category"], Decimal(each["rate"]), Decimal(each["tax"])) for each in facts["taxes"]] == [
        ("S", Decimal(19), Decimal("0.38"))
    ]
    assert facts["last_day"] == "2026-11-30"


def test_the_same_payment_again(story: Story, number: str) -> None:
    """Booked twice, the payment counts once, and so does the discount."""
    assert pay(story, number, "116.62", LAST)
    assert not pay(story, number, "116.62", LAST)
    assert standing(story, number) == ("paid", "0.00", ["2.38"])
