"""Prepayments as the ledger knows them: issued, of the milestones asked for, paid or not."""

from __future__ import annotations

from activities.ledger import invoices
from activities.ledger.billed import LedgerBilled
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
