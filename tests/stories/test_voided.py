"""A draft is voided by hand, whatever it waits for: billed again under its key, or waived until somebody frees it."""

from __future__ import annotations

from typing import Any

import pytest

from activities.ledger import draft_commands
from billing.approval_policy import Channel, Verdict
from billing.errors import WrongState
from tests.company import retainer
from tests.stories.story import Story, now


@pytest.fixture
def large(story: Story) -> str:
    """A draft that waits for an approval."""
    story.company.agreements = [retainer("acme-large", "acme", "10000.00")]
    story.begin()
    return story.trigger("acme-large", by="noor")


def void(story: Story, key: str, *, rebill: bool) -> None:
    draft_commands.void(
        story.effects.ledger,
        key,
        rebill=rebill,
        reason="wrong month",
        by="pia",
        channel=Channel.CLI,
        at=now(),
    )


async def test_voided_to_be_billed_again(story: Story, large: str) -> None:
    """The run ends, nobody is asked any more, and the next trigger makes a second generation that is issued."""
    await story.waits(large, "approval")
    void(story, large, rebill=True)
    assert "billed again" in (await story.ends(large)).state
    await story.recorded(large, "voided-to-be-billed-again", actions=10, kilobytes=12)
    with pytest.raises(WrongState, match="voided already"):
        void(story, large, rebill=True)
    assert story.trigger("acme-large", by="noor") == large
    await story.waits(large, "approval")
    assert story.row(large).generation == 2
    story.decide(large, Verdict.APPROVE, "otto")
    await story.waits(large, "payment of EUR 11,900.00")
    assert (story.row(large).number or "").endswith("-00001"), "the voided draft burnt a number"


async def test_waived_then_billed_after_all(story: Story, large: str) -> None:
    """Waived, the key stays taken and the trigger makes nothing; freed on purpose, it makes the next generation."""
    await story.waits(large, "approval")
    void(story, large, rebill=False)
    assert (await story.ends(large)).state == "voided draft, waived"
    await story.recorded(large, "voided-and-waived", actions=10, kilobytes=12)
    story.trigger("acme-large", by="noor")
    assert story.row(large).generation == 1 and story.row(large).document_status == "voided draft"
    again: dict[str, Any] = {
        "reason": "the client wants it",
        "by": "pia",
        "channel": Channel.CLI,
        "at": now(),
    }
    draft_commands.bill_again(story.effects.ledger, large, **again)
    with pytest.raises(WrongState, match="may be billed again already"):
        draft_commands.bill_again(story.effects.ledger, large, **again)
    assert story.events(large)[-1] == "to be billed again"
    story.trigger("acme-large", by="noor")
    await story.waits(large, "approval")
    assert story.row(large).generation == 2
