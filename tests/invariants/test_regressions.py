"""What the state machine has found, each as the shortest story that shows it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities.ledger import audit_trail, commands, invoices
from activities.ledger.exceptions import Resolution
from activities.ledger.tables import MessageRow
from billing.approval_policy import Channel, Verdict
from tests.invariants import rules
from tests.invariants.rules import Memory
from tests.invariants.world import TIERS, Crash, World
from workflows.messages import HeardClaim, Plan, Step


def events(world: World, key: str) -> list[str]:
    with world.ledger.transaction() as tx:
        return [each.event for each in audit_trail.trail(tx, invoices.find(tx, key).id)]


def notices(world: World, event: str) -> list[str]:
    """Whom the notices of that kind are written to, oldest first."""
    with world.ledger.transaction() as tx:
        found = tx.query(MessageRow).filter_by(event=event).order_by(MessageRow.prepared_at, MessageRow.key)
        return [each.facts["person"] for each in found]


def decide(world: World, key: str, by: str, verdict: Verdict = Verdict.APPROVE) -> None:
    commands.decide(world.ledger, key, verdict, by=by, channel=Channel.WEB, at=world.now)


def fetch_again(world: World, key: str, by: str) -> None:
    commands.fetch_again(world.ledger, key, by=by, channel=Channel.WEB, at=world.now)


def resolve(world: World, key: str, resolution: Resolution, by: str = "pia") -> None:
    for exception, _ in world.open_exceptions(key):
        commands.resolve(
            world.ledger, exception, resolution, by=by, channel=Channel.WEB, reason="agreed", at=world.now
        )


def issued(world: World, agreement: str = "acme-care") -> str:
    """An invoice below the limit that was sent to the client."""
    key = world.trigger(agreement)
    assert world.work(key).due
    return key


def until_due(world: World, key: str) -> Plan:
    """Lets time pass up to the instant the invoice waits for, and takes what is due then."""
    plan = world.look(key)
    assert plan.at is not None and plan.step is not None
    world.pass_time(max(plan.at - world.now, timedelta(0)))
    return world.work(key, plan.step)


def test_draft_falls_below_the_limit_while_it_waits(world: World) -> None:
    """A draft that needs no approval any more is issued; the question about the earlier draft is withdrawn."""
    world.company.agreements[0]["amount"] = "2000.00"
    world.apply()
    key = world.trigger("acme-care")
    assert world.work(key).state == "awaiting approval"
    world.company.agreements[0]["amount"] = "1000.00"
    world.apply()
    fetch_again(world, key, "mara")
    assert world.work(key).state == "awaiting payment"
    assert "approval withdrawn" in events(world, key)


def test_limit_lifted_while_a_draft_waits(world: World) -> None:
    """The same draft under a policy that asks nobody any more does not wait for an answer nobody may give."""
    key = world.one_off("3000", "a")
    assert world.work(key).state == "awaiting approval"
    world.company.tiers = TIERS["none"]
    world.apply()
    fetch_again(world, key, "mara")
    assert world.work(key).state == "awaiting payment"


def test_nobody_may_approve_goes_up_the_line(world: World) -> None:
    """The exception that no approver is left stays one exception: reminded, then escalated, not raised anew."""
    both = {"approvers": ["noor", "otto"], "needed": "all"}
    world.company.tiers = [{"id": "large", "above": {"EUR": "1500"}, **both}]
    world.apply()
    key = world.one_off("3000", "a", by="noor")
    assert world.work(key).waits_for == "decision on: no-approver"
    until_due(world, key)
    until_due(world, key)
    told = [each for each in events(world, key) if each.startswith("exception")]
    assert told == ["exception raised", "exception reminded", "exception escalated"]
    assert notices(world, "exception") == ["pia", "pia", "noor"]


def test_a_tier_without_anybody_left_asks_up_the_line(world: World) -> None:
    """The only approver asked for the invoice: their superior is asked in their place."""
    world.company.tiers = [{"id": "large", "above": {"EUR": "1500"}, "approvers": ["noor"]}]
    world.apply()
    key = world.one_off("3000", "a", by="noor")
    assert world.work(key).owner == "mara"
    assert "exception raised" not in events(world, key)


def test_those_asked_again_are_told_again(world: World) -> None:
    """A draft that changes and changes back is a new question: the approvers are written to each time."""
    key = world.one_off("3000", "a")
    world.work(key)
    for street in ("New street 1", "Weg 2"):
        world.company.crm[0]["address"]["street"] = street
        world.company.write_sources()
        fetch_again(world, key, "mara")
        world.work(key)
    assert events(world, key).count("approval asked") == 3
    assert sorted(notices(world, "approval-request")) == ["noor"] * 3 + ["otto"] * 3
    plan = until_due(world, key)
    assert plan.name == "approval-deadline" and len(notices(world, "approval-reminder")) == 2


def test_silent_approvers_are_told_each_time(world: World) -> None:
    """Asked, reminded half-way, told of the escalation, reminded half-way again: those asked first as well."""
    key = world.one_off("3000", "a", by="mara")
    world.work(key)
    for _ in range(5):
        until_due(world, key)
    told = [*notices(world, "approval-request"), *notices(world, "approval-reminder")]
    assert (told.count("noor"), told.count("otto")) == (6, 6)


def test_approver_who_takes_part_later(world: World) -> None:
    """Who approved a draft and then decided about an exception of it is no second pair of eyes any more."""
    key = world.trigger("acme-large")
    world.work(key)
    decide(world, key, "noor")
    assert "board" in world.work(key).waits_for
    world.company.deals[0]["value"] = "8500.00"
    world.company.write_sources()
    fetch_again(world, key, "pia")
    world.work(key)
    resolve(world, key, Resolution.ACCEPT, by="noor")
    assert "tier large" in world.work(key).waits_for


def test_step_fails_while_approval_waits(world: World) -> None:
    """A step that failed for good is repaired by the next one that works: the invoice is issued once approved."""
    key = world.one_off("3000", "a")
    world.work(key)
    world.report_failure(key, Step.APPROVE)
    decide(world, key, "noor")
    assert world.work(key).state == "awaiting payment"
    rules.check(world, Memory())


def test_refused_invoice_waits_for_a_person(world: World) -> None:
    """A mail refused for good is tried again when somebody is reminded, not without end; undecided, it goes up."""
    world.post.next = ["refused"] * 9
    key = world.trigger("acme-care")
    assert world.work(key).waits_for == "decision on: not-delivered"
    until_due(world, key)
    until_due(world, key)
    told = [each for each in events(world, key) if each.startswith("exception")]
    assert told == ["exception raised", "exception reminded", "exception escalated"]
    assert len(world.post.next) == 6


def test_process_dies_with_a_message_for_several(world: World) -> None:
    """The server has a reminder for two invoices and nobody could note it: the other's turn repeats it under the same
    Message-ID, and speaks only of what is still open."""
    one, two = issued(world, "lyon-one"), issued(world, "lyon-two")
    world.post.next = ["crash after"]
    with pytest.raises(Crash):
        until_due(world, one)
    commands.pay(
        world.ledger, one, world.open_amount(one), "EUR",
        received_on=world.now.date(), by="pia", channel=Channel.WEB, at=world.now,
    )  # fmt: skip
    world.work(two, Step.COLLECT)
    first, second = [mail for mail in world.post.taken if "reminder" in mail.message_id]
    assert first.message_id == second.message_id
    assert (len(first.numbers), len(second.numbers)) == (2, 1)
    assert "reminder-1" in events(world, two) and "reminder-1" not in events(world, one)
    rules.check(world, Memory())


def test_fetched_again_just_before_issue(world: World) -> None:
    """Somebody wants the approved draft made anew: the step that was to issue it leaves it alone."""
    key = world.one_off("3000", "a")
    world.work(key)
    decide(world, key, "noor")
    fetch_again(world, key, "mara")
    assert world.take(key, Step.ISSUE).step is Step.ASSEMBLE
    assert world.row(key).number is None


def test_issue_out_of_turn(world: World) -> None:
    """A draft with an open exception is neither asked about nor issued, and one without a draft is left alone."""
    key = world.trigger("acme-large")
    world.take(key, Step.ISSUE)
    world.company.deals[0]["value"] = "8500.00"
    world.company.write_sources()
    assert world.work(key).state == "exception"
    assert world.take(key, Step.ISSUE).state == "exception"
    assert world.row(key).document_status == "draft"


def test_dispute_nobody_decides(world: World) -> None:
    """After a week the account manager is told again, then each week whom they report to."""
    key = issued(world)
    commands.dispute(world.ledger, key, reason="hours", by="pia", channel=Channel.WEB, at=world.now)
    world.work(key)
    for _ in range(3):
        until_due(world, key)
    assert events(world, key).count("dispute brought up again") == 3
    assert notices(world, "dispute") == ["pia", "noor", "mara"]


def test_claim_nested_without_end(world: World) -> None:
    """Brackets a thousand deep are refused like any other nonsense."""
    key = world.one_off("3000", "a")
    world.work(key)
    claim = HeardClaim(id="1", signal="approve", content="[" * 1000 + "]" * 1000)
    assert world.take(key, Step.APPROVE, heard=(claim,)).state == "awaiting approval"
    assert "signal refused" in events(world, key)


def test_bounced_after_hand_over(world: World) -> None:
    """An exception raised after hand-over still has an owner who is told again, until it is decided."""
    key = issued(world, "lyon-one")
    mail = next(each for each in world.post.taken if "client.example" in each.to)
    plans = [until_due(world, key) for _ in range(3)]
    assert plans[-1].state == "handed over to collection"
    commands.bounced(
        world.ledger, mail.message_id, reason="full", by="mail server", channel="mail", at=world.now
    )
    assert world.work(key).waits_for == "decision on: bounced"
    until_due(world, key)
    assert "exception reminded" in events(world, key)
    resolve(world, key, Resolution.ACCEPT)
    assert world.work(key).state == "handed over to collection"


@pytest.mark.parametrize("ended", ["voided", "settled"])
def test_step_fails_after_the_end(world: World, ended: str) -> None:
    """A step that fails on an invoice that has ended leaves nobody waiting."""
    if ended == "voided":
        key = world.one_off("3000", "a")
        world.work(key)
        decide(world, key, "noor", Verdict.REJECT)
    else:
        key = issued(world)
        commands.pay(
            world.ledger, key, world.open_amount(key), "EUR",
            received_on=world.now.date(), by="pia", channel=Channel.WEB, at=world.now,
        )  # fmt: skip
    assert world.work(key).step is None
    world.report_failure(key, Step.COLLECT)
    world.take(key, Step.COLLECT)
    assert world.open_exceptions(key) == [] and world.look(key).step is None


def test_period_to_be_billed_again_is_the_oldest(world: World) -> None:
    """A period voided to be billed again is what billing by hand takes next."""
    key = world.trigger("acme-hours")
    world.company.time += "t9,P-1,Bo,dev,2026-02-12,5,no,yes,\n"
    world.company.write_sources()
    world.work(key)
    (exception, _), *_ = world.open_exceptions(key)
    commands.resolve(
        world.ledger, exception, Resolution.VOID, by="pia", channel=Channel.WEB, reason="hours missing",
        rebill=True, at=world.now,
    )  # fmt: skip
    assert world.trigger("acme-hours") == key
    assert world.row(key).generation == 2
