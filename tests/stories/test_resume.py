"""The story run again from the top resumes anywhere: same end, same number, no effect twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.ledger import audit_trail, commands, invoices
from activities.ledger.tables import InvoiceRow
from billing.approval_policy import Channel, Verdict
from tests.company import client, crm_client, retainer
from tests.conftest import empty_temporal
from tests.stories.story import Story, now

STEPS = [
    "assembled",
    "approval asked",
    "issued",
    "rendered",
    "sent",
    "reminder-1",
    "escalation",
    "hand-over",
]
LIFE = ["triggered", *STEPS[:2], "approved", *STEPS[2:5], "sent", *STEPS[5:]]
"""Everything that happens to an invoice nobody pays, each once."""


class Killed(Exception):
    """The worker dies before its transaction is committed."""


class Strikes:
    """Terminates the workflow the first time each step is recorded: just before its commit, or just after."""

    def __init__(self, story: Story, key: str, moments: dict[str, str]) -> None:
        self._story, self._key, self._moments = story, key, moments
        self._loop = asyncio.get_running_loop()
        self._record = audit_trail.record
        self.fired: list[str] = []
        self.pending = False
        story.patches.setattr(audit_trail, "record", self.record)

    def record(self, tx: Session, row: InvoiceRow, name: str, **facts: Any) -> None:
        self._record(tx, row, name, **facts)
        if row.billing_key != self._key or name in self.fired or name not in self._moments:
            return
        self.fired.append(name)
        if self._moments[name] == "unrecorded":
            self._terminate()
            raise Killed(name)
        event.listen(tx, "after_commit", lambda _: self._terminate(), once=True)

    def _terminate(self) -> None:
        asyncio.run_coroutine_threadsafe(
            self._story.handle(self._key).terminate("by force"), self._loop
        ).result()
        self.pending = True


def start_again(story: Story) -> int:
    """What `billow rebuild` does: every invoice that is not closed is woken; returns how many."""
    with story.effects.ledger.transaction() as tx:
        rows = tx.scalars(select(InvoiceRow).where(InvoiceRow.closed_at.is_(None))).all()
        for row in rows:
            invoices.wake(tx, row, now())
        return len(rows)


async def live(story: Story, key: str, strikes: Strikes) -> None:
    """Lets the invoice live to its end: approved when asked, never paid, started again when it was struck."""
    async with asyncio.timeout(200):
        while True:
            await asyncio.sleep(0.01)
            runs = await is_running(story, key)
            if strikes.pending:
                strikes.pending = False
                start_again(story)
            elif not runs and story.row(key).closed_at is not None:
                return
            elif runs and await story.is_asleep(key):
                await go_on(story, key)


async def is_running(story: Story, key: str) -> bool:
    if not await is_known(story, key):
        return False
    return (await story.handle(key).describe()).status == WorkflowExecutionStatus.RUNNING


async def go_on(story: Story, key: str) -> None:
    """Approves, or lets time pass up to what comes next; the workflow may be terminated meanwhile."""
    row = story.row(key)
    if "approval" in row.waits_for and "approved" not in story.events(key):
        story.decide(key, Verdict.APPROVE, "otto")
    elif "payment" in row.waits_for:
        with suppress(RPCError, TimeoutError):
            await asyncio.wait_for(story.until_next(key), 10)


def unpaid_life(story: Story) -> str:
    """An invoice that is approved, reminded, escalated and handed over, unless it is paid."""
    story.company.agreements = [retainer("acme-large", "acme", "10000.00")]
    story.company.dunning = [
        {
            "id": "standard",
            "levels": [{"days": 5}],
            "escalate_after_due": {"days": 12},
            "hand_over_after_due": {"days": 20},
        }
    ]
    story.begin()
    return story.trigger("acme-large", by="noor")


@pytest.mark.parametrize("moment", ["unrecorded", "recorded"])
async def test_terminated_at_every_step(story: Story, moment: str) -> None:
    """Terminated by force at each step, just before or just after it is recorded, and started again: one life, once."""
    key = unpaid_life(story)
    strikes = Strikes(story, key, dict.fromkeys(STEPS, moment))
    await live(story, key, strikes)
    assert strikes.fired == STEPS
    assert story.events(key) == LIFE
    row = story.row(key)
    assert row.number is not None and row.number.endswith("-00001")
    assert (row.collection_status, row.payment_status) == ("handed over", "unpaid")
    await story.until(lambda: len(story.mails("@issuer.example")) == 3, "the notices")
    assert len(story.mails("otto@issuer.example")) == 1 and len(story.mails("pia@issuer.example")) == 2
    mails = Counter(mail.message_id for mail in story.mails("ap@client.example"))
    # What the mail server took just before the crash is repeated under its own Message-ID, never under another.
    assert sorted(mails.values()) == ([1, 1] if moment == "recorded" else [2, 2])


@pytest.mark.parametrize("step", ["assembled", "issued", "rendered", "sent", "reminder-1"])
async def test_terminated_again_and_again(story: Story, step: str) -> None:
    """A workflow terminated while it sleeps after any step, three times over, does nothing it has done before."""
    story.begin()
    key = story.trigger("acme-care")
    strikes = Strikes(story, key, {step: "recorded"})
    if step == "reminder-1":
        await story.waits(key, "payment")
        await story.until_next(key)
    await story.until(lambda: strikes.pending, "the strike")
    start_again(story)
    for _ in range(3):
        await story.waits(key, "payment")
        await story.handle(key).terminate()
        start_again(story)
    await story.waits(key, "payment")
    events = story.events(key)
    assert [events.count(each) for each in ("assembled", "issued", "rendered")] == [1, 1, 1]
    assert len(story.mails()) == events.count("sent") == (2 if step == "reminder-1" else 1)
    story.pay(key, "1190")
    assert (await story.ends(key)).state == "settled: paid"


async def is_known(story: Story, key: str) -> bool:
    """Whether Temporal knows a workflow of that invoice."""
    try:
        await story.handle(key).describe()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


CONTACTS: dict[str, Any] = {"no-contact": None, "refused": {"name": "Kim", "email": "kim@bounce.test"}}
AMOUNTS = {"asked": "9000.00", "void": "9000.00"}
WAITING = {
    "no-contact": "decision on: no-contact",
    "refused": "decision on: not-delivered",
    "asked": "approval",
    "early": "payment of EUR 1,190.00",
    "late": "payment of EUR 1,190.00",
    "held": "on hold",
    "disputed": "disputed",
    "promised": "promised",
}
ENDED = ("paid", "void", "gone")


async def one_in_every_state(story: Story) -> dict[str, str]:
    """A client, an agreement and an invoice for each state; returns the billing keys."""
    names = [*WAITING, *ENDED]
    kim = {"name": "Kim", "email": "kim@client.example"}
    company = story.company
    company.clients = [
        client(name, name, dunning="short" if name == "gone" else "standard") for name in names
    ]
    company.dunning = [*company.dunning, {"id": "short", "hand_over_after_due": {"days": 1}}]
    company.crm = [
        crm_client(name, f"{name} GmbH", billing_contact=CONTACTS.get(name, dict(kim))) for name in names
    ]
    company.agreements = [retainer(f"for-{name}", name, AMOUNTS.get(name, "1000.00")) for name in names]
    story.begin()
    keys = {name: story.trigger(f"for-{name}", by="noor") for name in names}
    asked = {"no-contact": "no-contact", "refused": "not-delivered", "asked": "approval", "void": "approval"}
    for name, key in keys.items():
        await story.waits(key, asked.get(name, "payment"))
    await story.until_next(keys["late"])
    await story.until_next(keys["gone"])
    await story.until(lambda: "reminder-1" in story.events(keys["late"]), "the reminder")
    given: dict[str, Any] = {"by": "pia", "channel": Channel.CLI, "at": now()}
    ledger = story.effects.ledger
    commands.hold(ledger, keys["held"], until=now() + timedelta(days=90), reason="moving", **given)
    commands.dispute(ledger, keys["disputed"], reason="too much", **given)
    commands.promise(ledger, keys["promised"], on=now().date() + timedelta(days=50), **given)
    story.pay(keys["paid"], "1190.00")
    story.decide(keys["void"], Verdict.REJECT, "otto", comment="wrong")
    for name in ENDED:
        await story.ends(keys[name])
    await all_wait(story, keys)
    return keys


async def all_wait(story: Story, keys: dict[str, str]) -> None:
    for name, what in WAITING.items():
        await story.waits(keys[name], what)


def standing(story: Story, keys: dict[str, str]) -> dict[str, Any]:
    """What the ledger says about all of them."""
    return {name: (story.row(key).number, story.events(key)) for name, key in keys.items()}


async def test_empty_temporal(story: Story) -> None:
    """Every history is lost with invoices in every state: the open ones are started again, and everything goes on."""
    keys = await one_in_every_state(story)
    before, mails = standing(story, keys), len(story.mails("client.example"))
    known = story.env
    async with await empty_temporal() as empty:
        await story.move_to(empty)
        assert start_again(story) == len(WAITING)
        await all_wait(story, keys)
        assert standing(story, keys) == before and len(story.mails("client.example")) == mails
        assert not [name for name in ENDED if await is_known(story, keys[name])]
        await goes_on(story, keys)
        await story.move_to(known)


async def goes_on(story: Story, keys: dict[str, str]) -> None:
    """Exceptions are repaired, the draft is approved, all are paid: each is settled, once."""
    kim = {"name": "Kim", "email": "kim@client.example"}
    story.company.crm = [{**each, "billing_contact": dict(kim)} for each in story.company.crm]
    story.company.write_sources()
    story.retry(keys["no-contact"], "no-contact")
    story.retry(keys["refused"], "not-delivered")
    story.decide(keys["asked"], Verdict.APPROVE, "otto")
    for name in ("no-contact", "refused", "asked"):
        await story.waits(keys[name], "payment")
    settled = [name for name in keys if name not in ("paid", "void")]
    for name in settled:
        story.pay(keys[name], "10710.00" if name == "asked" else "1190.00")
    await story.until(
        lambda: all(story.row(keys[name]).collection_status == "closed" for name in settled), "all settled"
    )
    for name in settled:
        events = story.events(keys[name])
        assert [events.count(each) for each in ("issued", "settled")] == [1, 1], (name, events)
        assert events.count("sent") == (2 if name == "late" else 1), (name, events)
    numbers = [story.row(keys[name]).number for name in keys if name != "void"]
    assert len(set(numbers)) == len(numbers) and None not in numbers
