"""Above the limit of a tier somebody must agree, and not the one who asked."""

from datetime import timedelta
from typing import Any

import pytest

from activities.ledger import commands
from billing.approval_policy import Channel, Verdict
from billing.errors import NotAllowed
from tests.company import client, crm_client, retainer
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
    await story.recorded(large, "rejected", actions=10, kilobytes=12)


async def test_rejected_to_be_billed_again(story: Story, large: str) -> None:
    """Rejected with rebill, the next trigger makes a second generation under the same key and workflow id."""
    await story.waits(large, "approval")
    story.decide(large, Verdict.REJECT, "otto", comment="price", rebill=True)
    assert "billed again" in (await story.ends(large)).state
    assert story.trigger("acme-large", by="noor") == large
    await story.waits(large, "approval")
    assert story.row(large).generation == 2


async def test_silent_approver_is_reminded_then_it_goes_up_the_line(story: Story) -> None:
    """Half-way to the deadline those asked are reminded, a delegate among them; past it the superior is asked too."""
    today = now().date()
    story.company.people = [
        {**person, "away_from": today, "away_until": today + timedelta(days=9), "delegate": "pia"}
        if person["id"] == "otto"
        else {**person, "roles": ["approver"]}
        if person["id"] == "pia"
        else person
        for person in story.company.people
    ]
    story.company.agreements = [retainer("acme-large", "acme", "10000.00")]
    story.begin()
    key = story.trigger("acme-large", by="noor")
    row = await story.waits(key, "approval")
    assert row.number is None
    await story.until(lambda: story.mails("pia@issuer.example"), "the delegate is asked")
    await story.until_next(key)
    await story.until(lambda: "approval reminded" in story.events(key), "the reminder to the approvers")
    await story.waits(key, "approval")
    await story.until_next(key)
    await story.until(lambda: "approval escalated" in story.events(key), "the escalation")
    await story.waits(key, "approval")
    await story.until(lambda: len(story.mails("mara@issuer.example")) == 1, "the mail to the superior")
    assert [each.event for each in story.trail(key)].count("approval reminded") == 1
    story.decide(key, Verdict.APPROVE, "mara")
    await story.waits(key, "payment")
    story.pay(key, "11900")
    await story.ends(key)
    await story.recorded(key, "approver-silent", actions=21, kilobytes=24)


async def test_delegate_approves_while_the_approver_is_away(story: Story) -> None:
    """Whoever stands in for an absent approver may decide, and is the one the audit trail names."""
    today = now().date()
    story.company.people[2] = {**story.company.people[2], "away_from": today, "delegate": "pia"}
    story.company.people[3] = {**story.company.people[3], "roles": ["approver"]}
    story.company.agreements = [retainer("acme-large", "acme", "10000.00")]
    story.begin()
    key = story.trigger("acme-large", by="noor")
    await story.waits(key, "approval")
    story.decide(key, Verdict.APPROVE, "pia")
    await story.waits(key, "payment")
    assert next(each for each in story.trail(key) if each.event == "approved").actor == "pia"


async def test_two_tiers(story: Story) -> None:
    """The second tier is asked once the first has agreed, each about one draft; all of a tier if it says so."""
    story.company.tiers = [
        {"id": "leads", "above": {"EUR": "5000"}, "approvers": ["noor", "otto"], "needed": "all"},
        {"id": "board", "above": {"EUR": "10000"}, "approvers": ["mara"]},
    ]
    story.company.agreements = [retainer("acme-large", "acme", "10000.00")]
    story.begin()
    key = story.trigger("acme-large", by="pia")
    await story.waits(key, "tier leads")
    with pytest.raises(NotAllowed, match="not an approver of tier 'leads'"):
        story.decide(key, Verdict.APPROVE, "mara")
    story.decide(key, Verdict.APPROVE, "noor")
    with pytest.raises(NotAllowed, match="decided already"):
        story.decide(key, Verdict.APPROVE, "noor")
    story.decide(key, Verdict.APPROVE, "otto")
    await story.waits(key, "tier board")
    story.decide(key, Verdict.APPROVE, "mara")
    await story.waits(key, "payment")
    digests = {each.facts["draft_digest"] for each in story.trail(key) if each.event == "approved"}
    assert len(digests) == 1
    story.pay(key, "11900")
    await story.ends(key)
    await story.recorded(key, "two-tiers", actions=22, kilobytes=20)


async def test_approval_while_the_draft_changes(story: Story, large: str) -> None:
    """A draft made anew with another amount asks again; an approval of the old one counts for nothing."""
    await story.waits(large, "approval of EUR 11,900.00")
    old = story.row(large).draft_digest
    story.company.agreements = [retainer("acme-large", "acme", "12000.00")]
    story.company.apply(story.effects.ledger)
    commands.fetch_again(story.effects.ledger, large, by="pia", channel=Channel.CLI, at=now())
    with pytest.raises(NotAllowed):
        story.decide(large, Verdict.APPROVE, "otto", draft_digest=old)
    await story.waits(large, "approval of EUR 14,280.00")
    with pytest.raises(NotAllowed, match="draft has changed"):
        story.decide(large, Verdict.APPROVE, "otto", draft_digest=old)
    assert "pia" in story.row(large).took_part
    story.decide(large, Verdict.APPROVE, "otto", draft_digest=story.row(large).draft_digest)
    await story.waits(large, "payment of EUR 14,280.00")


@pytest.mark.parametrize(
    ("tier", "agreement"),
    [
        ({"discount_above": "10"}, {"discount": "15"}),
        ({"non_standard_terms": True}, {"terms": {"net_days": 60}}),
        ({"clients": ["acme"]}, {}),
        ({"triggers": ["manual"]}, {}),
    ],
    ids=["discount", "terms", "client", "trigger"],
)
async def test_tiers_by_other_than_amount(
    story: Story, tier: dict[str, Any], agreement: dict[str, Any]
) -> None:
    """A tier is asked for its discount, terms, client or trigger, however small the amount."""
    story.company.tiers = [{"id": "special", "approvers": ["noor"], **tier}]
    story.company.agreements = [
        retainer("acme-care", "acme", "100.00", **agreement),
        retainer("other-care", "other", "100.00"),
    ]
    story.company.clients = [client("acme", "C-1"), client("other", "C-2")]
    story.company.crm = [crm_client("C-1", "Acme GmbH"), crm_client("C-2", "Other GmbH")]
    story.begin()
    await story.waits(story.trigger("acme-care"), "tier special")
    if "triggers" not in tier:
        await story.waits(story.trigger("other-care"), "payment of EUR 119.00")


async def test_billed_again_after_a_void_goes_all_the_way(story: Story, large: str) -> None:
    """The second generation of a key is numbered, delivered and found by its key, not the voided one before it."""
    await story.waits(large, "approval")
    story.decide(large, Verdict.REJECT, "otto", comment="price", rebill=True)
    await story.ends(large)
    story.trigger("acme-large", by="noor")
    await story.waits(large, "approval")
    story.decide(large, Verdict.APPROVE, "otto")
    row = await story.waits(large, "payment")
    assert (row.generation, row.document_status) == (2, "issued")
    assert len(story.mails("ap@client.example")) == 1
