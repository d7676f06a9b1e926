"""Prepayments as the ledger knows them: issued, of the milestones asked for, paid or not."""

from __future__ import annotations

from decimal import Decimal

from activities.ledger import invoices
from activities.ledger.billed import LedgerBilled
from billing.credit_note import Selection
from tests.activities.ledger.test_credit_notes import credit
from tests.starter.web.story import Story


def _billed_for(story: Story, number: str, item: str) -> None:
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        row.agreement, row.item = "shop", item


def test_issued_prepayments_are_found(story: Story) -> None:
    """Number, net and whether it is paid; a draft, another milestone and the invoice itself do not count."""
    first = story.issued("one", prices=("3000.00",))
    second = story.issued("two", prices=("2000.00",))
    other = story.issued("three", prices=("900.00",))
    story.drafted("four", prices=("50.00",))
    for number, item in ((first, "start"), (second, "half"), (other, "launch"), ("manual/four", "start")):
        _billed_for(story, number, item)
    story.paid(first, "3570.00")
    found = LedgerBilled(story.ledger).prepayments("shop", ["start", "half"])
    assert [(each.number, each.item, str(each.net), each.settled) for each in found] == [
        (first, "start", "3000.00", True),
        (second, "half", "2000.00", False),
    ]
    with story.ledger.transaction() as tx:
        own = invoices.find(tx, second).id
    assert [each.number for each in LedgerBilled(story.ledger, but=own).prepayments("shop", ["half"])] == []
    assert not LedgerBilled(story.ledger).prepayments("other", ["start"])


def test_credited_in_part(story: Story) -> None:
    """Of 3,000.00 net, 595.00 with 19 % are credited, 500.00 net: 2,500.00 are deducted; credited whole, nothing is."""
    number = story.issued("one", prices=("3000.00",))
    _billed_for(story, number, "start")
    credit(story, number, Selection(gross=Decimal("595.00")))
    (found,) = LedgerBilled(story.ledger).prepayments("shop", ["start"])
    assert (found.net, found.settled) == (Decimal("2500.00"), False)
    story.paid(number, "2975.00")
    (found,) = LedgerBilled(story.ledger).prepayments("shop", ["start"])
    assert (found.net, found.settled) == (Decimal("2500.00"), True)
    credit(story, number, key="2")
    assert not LedgerBilled(story.ledger).prepayments("shop", ["start"])
