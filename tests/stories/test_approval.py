"""Above the limit of a tier somebody must agree, and not the one who asked."""

import pytest

from activities.ledger import commands
from billing.approval_policy import Channel, Verdict
from billing.errors import NotAllowed
from tests.company import retainer
from tests.stories.story import Story, now


@pytest.fixture
def large(story: Story) -> str:
    """An invoice over EUR 11,900.00, asked for by one of the two approvers."""
    story.company.agreements = [retainer("acme-large", "acme", "10000.00")]
    story.begin()
    return story.trigger("acme-large", by="noor")


async def test_approved_and_reminded_once(story: Story, large: str) -> None:
    """The other approver agrees in the web; the invoice is issued, reminded once and paid."""
    waiting = await story.waits(large, "approval of EUR 11,900.00, tier large")
    assert waiting.number is None
    with pytest.raises(NotAllowed, match="four eyes"):
        story.decide(large, Verdict.APPROVE, "noor")
    with pytest.raises(NotAllowed, match="not an approver"):
        story.decide(large, Verdict.APPROVE, "pia")
    story.decide(large, Verdict.APPROVE, "otto")
    await story.waits(large, "payment of EUR 11,900.00")
    await story.until_next(large)
    await story.until(lambda: "reminder-1" in story.events(large), "the first reminder")
    await story.waits(large, "payment")
    story.pay(large, "11900.00")
    assert (await story.ends(large)).state == "settled: paid"
    assert [mail.subject for mail in story.mails("ap@client.example")][1].lower().count("remind") == 1
    assert story.events(large).count("decision refused") == 2
    await story.recorded(large, "approved-and-reminded", actions=15, kilobytes=20)


async def test_approved_by_signal(story: Story, large: str) -> None:
    """The Temporal UI's plain JSON signal approves; claims that do not count are audited and change nothing."""
    await story.waits(large, "approval")
    handle = story.handle(large)
    await handle.signal("approve", {"approver": "stranger"})
    await handle.signal("approve", {"approver": "otto", "draft_digest": "0" * 64})
    await handle.signal("approve", {"approver": "otto", "comment": "fine"})
    await handle.signal("approve", {"approver": "otto", "comment": "again"})
    await story.waits(large, "payment")
    refused = [each.facts["because"] for each in story.trail(large) if each.event == "decision refused"]
    assert [reason.split(":")[0].split(";")[0] for reason in refused] == [
        "'stranger' is not a person of this company",
        "the draft has changed since",
        "nothing to decide",
    ]
    await handle.terminate()


async def test_rejected(story: Story, large: str) -> None:
    """A rejected draft is voided with its reason, burns no number, and its key stays taken."""
    await story.waits(large, "approval")
    commands.decide(
        story.effects.ledger,
        large,
        Verdict.REJECT,
        by="otto",
        channel=Channel.WEB,
        comment="wrong month",
        at=now(),
    )
    assert (await story.ends(large)).state == "voided draft, waived"
    row = story.row(large)
    assert row.number is None and row.document_status == "voided draft"
    assert story.trail(large)[-1].facts["reason"] == "wrong month"
    assert not story.mails("ap@client.example")
    await story.recorded(large, "rejected", actions=8, kilobytes=12)


async def test_rejected_to_be_billed_again(story: Story, large: str) -> None:
    """Rejected with rebill, the next trigger makes a second generation under the same key and workflow id."""
    await story.waits(large, "approval")
    story.decide(large, Verdict.REJECT, "otto", comment="price", rebill=True)
    assert "billed again" in (await story.ends(large)).state
    assert story.trigger("acme-large", by="noor") == large
    await story.waits(large, "approval")
    assert story.row(large).generation == 2


async def test_silence_goes_up_the_line(story: Story, large: str) -> None:
    """Past the deadline the approver's superior is asked too, and may decide."""
    await story.waits(large, "approval")
    await story.until_next(large)
    await story.until(lambda: "approval escalated" in story.events(large), "the escalation")
    row = await story.waits(large, "approval")
    await story.until(lambda: len(story.mails("mara@issuer.example")) == 1, "the mail to the superior")
    story.decide(large, Verdict.APPROVE, "mara")
    await story.waits(large, "payment")
    assert row.number is None
