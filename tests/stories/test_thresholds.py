"""Thresholds: work is logged, a meter crosses a line, an invoice goes out; whoever dies in between."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from activities.invoicing import metering
from activities.ledger import company_records, events, meters
from activities.ledger.meters import Intake
from activities.ledger.tables import InvoiceRow
from billing.events import BillingEvent
from billing.meter_entries import Measure, MeterEntry
from billing.metering import MeterStanding
from tests.metering import agreements
from tests.stories.story import Story, now

START = (now().date() - timedelta(days=60)).replace(day=1)
"""When the metered agreements begin: far enough back that there are days to work on."""


def work(story: Story, *hours: tuple[str, str], role: str = "dev") -> None:
    """What the PSA says now: id and hours of approved entries, yesterday's."""
    day = now().date() - timedelta(days=1)
    header = "id,project,person,role,day,hours,approved,billable,note\n"
    story.company.time = header + "".join(
        f"{key},P-1,Ada,{role},{day},{worked},yes,yes,\n" for key, worked in hours
    )
    story.company.write_sources()


def run(story: Story) -> metering.TakenIn:
    """A billing run takes in what the PSA says."""
    return metering.take_in(story.effects.ledger, now())


def standing(story: Story, agreement: str) -> MeterStanding:
    with story.effects.ledger.transaction() as tx:
        company = company_records.current(tx).company
        found = company.agreement(agreement)
        assert found is not None
        (stands,) = meters.standings(tx, found, company, now())
        return stands


def report(story: Story, agreement: str, percent: int, day: date | None = None) -> Intake:
    """Somebody says how far a project is."""
    entry = MeterEntry(
        source="tracker",
        id="progress",
        agreement=agreement,
        measure=Measure.PROGRESS,
        day=day or now().date(),
        quantity=Decimal(percent),
    )
    with story.effects.ledger.transaction() as tx:
        company = company_records.current(tx).company
        return meters.take_in(tx, [entry], company, by="pia", channel="cli", at=now())


def keys(story: Story) -> list[str]:
    with story.effects.ledger.transaction() as tx:
        return sorted(tx.scalars(select(InvoiceRow.billing_key)))


def begin(story: Story, *metered: dict[str, object]) -> None:
    story.company.agreements = [{**each, "start": START} for each in metered]
    story.company.projects = [{"id": "P-1", "name": "Work", "client": "C-1"}]
    story.begin()


async def test_a_block_is_used_up(story: Story) -> None:
    """Hours are logged and approved, the block is used up, and the next one is mailed, its hours counted from there."""
    begin(story, agreements.block())
    first = story.trigger("acme-block")
    await story.waits(first, "payment of EUR 1,190.00")
    work(story, ("t1", "9.5"))
    assert run(story).crossings == []
    assert len(story.mails("ap@client.example")) == 1
    work(story, ("t1", "9.5"), ("t2", "2.25"))
    (crossing,) = run(story).crossings
    assert crossing.billing_key == "acme-block/block-2" and crossing.new
    row = await story.waits("acme-block/block-2", "payment of EUR 1,190.00")
    assert (row.trigger, row.request["reason"]) == ("threshold", "block-2: 11.75 h of 10 h")
    assert len(story.mails("ap@client.example")) == 2
    stands = standing(story, "acme-block")
    assert stands.blocks is not None and stands.blocks.left == Decimal("8.25")
    assert run(story).crossings == [], "the next run sees the same, and does nothing"
    assert keys(story) == ["acme-block/block-1", "acme-block/block-2"]


async def test_one_entry_crosses_two_lines(story: Story) -> None:
    """A project is 85 % done at once: the milestones at 30 and at 80 % are billed, each by an invoice of its own."""
    begin(story, agreements.milestones())
    crossed = report(story, "acme-build", 85).crossings
    assert [each.billing_key for each in crossed] == ["acme-build/plan", "acme-build/build"]
    await story.waits("acme-build/plan", "payment of EUR 2,380.00")
    await story.waits("acme-build/build", "payment of EUR 4,760.00")
    assert len(story.mails("ap@client.example")) == 2


async def test_spend_far_beyond_a_line(story: Story) -> None:
    """Of two lines of spend crossed at once the later one bills all the work; no empty invoice is left behind."""
    begin(story, agreements.spend())
    work(story, ("t1", "24.5"))
    outcomes = {each.line.name: each.outcome for each in run(story).crossings}
    assert outcomes == {"spend-1": "billed with spend-2", "spend-2": "invoice asked for"}
    await story.waits("acme-spend/spend-2", "payment of EUR 2,915.50")
    assert keys(story) == ["acme-spend/spend-2"]


async def test_hours_are_taken_back(story: Story) -> None:
    """Hours are deleted in the PSA after the next block went out: the meter moves back, the invoice stays, and the same
    line does not fire again when the hours return."""
    begin(story, agreements.block())
    story.trigger("acme-block")
    work(story, ("t1", "6"), ("t2", "6"))
    run(story)
    row = await story.waits("acme-block/block-2", "payment")
    work(story, ("t1", "6"))
    run(story)
    stands = standing(story, "acme-block")
    assert stands.used == 6 and stands.blocks is not None and stands.blocks.left == 14
    assert stands.next is not None and stands.next.name == "block-3"
    work(story, ("t1", "6"), ("t3", "9"))
    assert run(story).crossings == []
    again = story.row("acme-block/block-2")
    assert (again.number, again.document_status) == (row.number, "issued")
    assert len(keys(story)) == 2


async def test_everything_dies_between_the_hours_and_the_invoice(story: Story) -> None:
    """The workers and wake-ups are gone when the line is crossed: once they are back it is billed, once."""
    begin(story, agreements.block())
    await story.waits(story.trigger("acme-block"), "payment")
    await story.stop_carrying()
    await story.stop_workers()
    work(story, ("t1", "10"))
    run(story)
    run(story)
    assert story.row("acme-block/block-2").number is None
    await story.start_workers()
    story.carry_wake_ups()
    await story.waits("acme-block/block-2", "payment of EUR 1,190.00")
    told = story.events("acme-block/block-2")
    assert [told.count(each) for each in ("triggered", "issued", "sent")] == [1, 1, 1]
    assert len(story.mails("ap@client.example")) == 2


async def test_the_block_event_and_the_meter_meet_in_one_key(story: Story) -> None:
    """The PSA says that block 1 is used up, then its hours say the same, then a person: one invoice."""
    begin(story, agreements.block())
    story.trigger("acme-block")
    used_up = BillingEvent.model_validate(
        {
            "specversion": "1.0",
            "id": "e-1",
            "source": "/psa",
            "type": "billow.block.used_up",
            "data": {"agreement": "acme-block", "block": 1},
        }
    )
    for new in (True, False):
        acted = events.take_in(story.effects.ledger, used_up, channel="webhook", at=now())
        assert [(each.invoice.billing_key, each.new) for each in acted.invoices] == [
            ("acme-block/block-2", new)
        ]
    work(story, ("t1", "10"))
    (crossing,) = run(story).crossings
    assert (crossing.billing_key, crossing.new, crossing.outcome) == (
        "acme-block/block-2",
        False,
        "billed already",
    )
    assert story.trigger("acme-block", item="block-2") == "acme-block/block-2"
    assert run(story).crossings == []
    await story.waits("acme-block/block-2", "payment")
    assert keys(story) == ["acme-block/block-1", "acme-block/block-2"]
    assert story.row("acme-block/block-2").trigger == "event billow.block.used_up"
