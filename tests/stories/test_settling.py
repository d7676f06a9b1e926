"""Money given up, paid too much, used for the next invoice and paid back: the ledger decides, the workflow follows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from activities.ledger import inbox, settling_commands
from billing.approval_policy import Channel
from tests.company import retainer
from tests.stories.story import Story, now

PAYMENTS = {
    "write_offs": {"approvers": ["noor"]},
    "refunds": {"approvers": ["noor"]},
    "use_credit": "at once",
}


def said(by: str = "pia") -> dict[str, Any]:
    return {"by": by, "channel": Channel.CLI, "at": now()}


def waiting(story: Story) -> list[tuple[str, tuple[str, ...]]]:
    """What waits in the inbox, and for whom."""
    with story.effects.ledger.transaction() as tx:
        return [(each.code, each.who) for each in inbox.inbox(tx, None, now())]


async def test_written_off(story: Story) -> None:
    """A rest nobody will pay is written off once another person agrees, and the invoice ends; money that comes after
    all takes the write-off back."""
    story.company.company_file = {"payments": PAYMENTS}
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    story.pay(key, "1000.00")
    await story.waits(key, "payment of EUR 190.00")
    asked = settling_commands.write_off(story.effects.ledger, key, reason="insolvent", **said())
    assert (asked.status, asked.waits_for) == ("asked", ("noor",))
    assert waiting(story) == [("write-off", ("noor",))]
    settling_commands.agree(story.effects.ledger, asked.id, comment="so be it", **said("noor"))
    assert (await story.ends(key)).state == "settled: written off"
    row = story.row(key)
    assert (row.payment_status, row.collection_status, row.written_off) == (
        "written off",
        "closed",
        Decimal(190),
    )
    assert story.events(key)[-4:] == ["write-off asked", "write-off agreed", "written off", "settled"]
    assert waiting(story) == []
    story.pay(key, "190.00", key="after-all")
    await story.happens(key, "write-off taken back")
    row = story.row(key)
    assert (row.payment_status, row.written_off, row.open_amount) == ("paid", Decimal(0), Decimal(0))
    assert len(story.mails("ap@client.example")) == 1
    await story.recorded(key, "written-off", actions=12, kilobytes=10)


async def test_overpayment_used_for_the_next_invoice(story: Story) -> None:
    """What was paid too much is seen, waits for somebody, and pays the next invoice before that is sent; its mail says
    what is left, and the rest settles it."""
    story.company.company_file = {"payments": PAYMENTS}
    story.company.agreements += [retainer("acme-hosting", "acme", "500.00")]
    story.begin()
    first = story.trigger("acme-care")
    await story.waits(first, "payment of EUR 1,190.00")
    story.pay(first, "1390.00")
    assert (await story.ends(first)).state == "settled: paid"
    assert story.row(first).payment_status == "overpaid"
    assert waiting(story) == [("overpaid", ("pia",))]
    second = story.trigger("acme-hosting")
    await story.waits(second, "payment of EUR 395.00")
    assert (story.row(first).payment_status, story.row(second).payment_status) == ("paid", "partly paid")
    assert waiting(story) == []
    assert story.events(first)[-1] == "credit used"
    mail = " ".join(story.mails("ap@client.example")[-1].text.replace("\N{NO-BREAK SPACE}", " ").split())
    assert "We have used €200.00 that you had paid us before. What is left to pay is €395.00." in mail
    story.pay(second, "395.00")
    assert (await story.ends(second)).state == "settled: paid"
    await story.recorded(second, "paid-in-part-by-credit", actions=11, kilobytes=10)


async def test_refunded(story: Story) -> None:
    """What was paid too much goes back once another person agrees and somebody says that it went out; the invoice stays
    paid and nobody is reminded."""
    story.company.company_file = {"payments": PAYMENTS}
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    story.pay(key, "1390.00")
    assert (await story.ends(key)).state == "settled: paid"
    refund = settling_commands.refund(story.effects.ledger, key, reason="paid twice in part", **said())
    assert waiting(story) == [("refund", ("noor",))]
    settling_commands.agree(story.effects.ledger, refund.id, **said("noor"))
    assert (waiting(story), story.row(key).payment_status) == ([("refund", ("pia",))], "overpaid")
    settling_commands.refund_paid(story.effects.ledger, refund.id, on=now().date(), **said())
    await story.until(lambda: story.row(key).payment_status == "paid", "the refund is booked")
    assert (await story.ends(key)).state == "settled: paid"
    assert story.row(key).collection_status == "closed"
    assert story.events(key)[-3:] == ["refund asked", "refund agreed", "refunded"]
    assert waiting(story) == []
    assert len(story.mails("ap@client.example")) == 1
    await story.recorded(key, "refunded", actions=11, kilobytes=10)
