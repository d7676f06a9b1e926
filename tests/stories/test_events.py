"""Events from outside, out of order and over and over, with crashes in between: one invoice each, and none is lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from activities.ledger import events
from activities.ledger.events import EventStatus
from activities.ledger.tables import InvoiceRow
from tests.company import first_of_month, retainer
from tests.starter.web.programs import SECRET, client_of, signed, text_of
from tests.stories.story import Story
from workers.settings import Settings

ACTS_AND_DIES = """
import os, signal, sys
from datetime import UTC, datetime
from activities.ledger import events, invoices
from activities.ledger.database import Ledger

invoices.wake = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # asked for, and not committed
with Ledger(sys.argv[1]).transaction() as tx:
    events.act(tx, "/psa", sys.argv[2], at=datetime.now(UTC))
"""


def cloud_event(id_: str, kind: str, **data: str) -> dict[str, Any]:
    return {"specversion": "1.0", "id": id_, "source": "/psa", "type": f"billow.{kind}", "data": data}


MILESTONES = [
    cloud_event(f"m-{each}", "milestone.signed_off", project="P-1", milestone=each)
    for each in ("plan", "done")
]
WON = cloud_event("won", "deal.won", deal="D-1")
SIGNED = cloud_event("signed", "contract.signed", contract="K-2")
COMPLETED = cloud_event("completed", "project.completed", project="P-3")


@pytest.fixture
def billed(story: Story) -> list[str]:
    """The keys of what the events make due, once the agreement of the completed project is written down, too."""
    common = {"client": "acme", "title": "Work", "currency": "EUR", "start": first_of_month()}
    story.company.agreements = [
        {
            "id": "build",
            "model": "milestone",
            "project": "P-1",
            "milestones": [
                {"id": "plan", "title": "Plan", "amount": "200.00"},
                {"id": "done", "title": "Done", "amount": "700.00"},
            ],
            **common,
        },
        {
            "id": "move",
            "model": "fixed price",
            "project": "P-2",
            "deal": "D-2",
            "contract": "K-2",
            "amount": "500.00",
            "trigger": "contract signed",
            **common,
        },
        retainer("care", "acme", "100.00", deal="D-1"),
    ]
    today = datetime.now(UTC).date().isoformat()
    story.company.projects = [
        {
            "id": "P-1",
            "name": "Build",
            "client": "C-1",
            "milestones": [{"id": "plan", "signed_off": today}, {"id": "done", "signed_off": today}],
        },
        *({"id": each, "name": "Move", "client": "C-1", "completed": today} for each in ("P-2", "P-3")),
    ]
    story.company.deals = [
        {"id": deal, "client": "C-1", "value": value, "currency": "EUR"}
        for deal, value in (("D-1", "100.00"), ("D-2", "500.00"))
    ]
    story.company.contracts = [{**story.company.deals[1], "id": "K-2", "signed_on": today}]
    story.begin()
    return ["build/done", "build/plan", f"care/fee/{first_of_month()}", "move/price", "rest/price"]


def write_down_the_agreement(story: Story) -> None:
    """The agreement of the project that was completed before anybody wrote it down."""
    story.company.agreements.append(
        {
            "id": "rest",
            "model": "fixed price",
            "project": "P-3",
            "amount": "300.00",
            "client": "acme",
            "title": "Work",
            "currency": "EUR",
            "start": first_of_month(),
        }
    )
    story.begin()


def deliver(sender: TestClient, *stream: dict[str, Any]) -> list[int]:
    answers = []
    for each in stream:
        body = text_of(each)
        answers.append(sender.post("/webhooks/events", content=body, headers=signed(body)).status_code)
    return answers


def statuses(story: Story) -> dict[str, str]:
    with story.effects.ledger.transaction() as tx:
        return {row.event: row.status for row in events.listed(tx, None, 100)}


def keys(story: Story) -> list[str]:
    with story.effects.ledger.transaction() as tx:
        return list(tx.scalars(select(InvoiceRow.billing_key).order_by(InvoiceRow.billing_key)))


async def test_any_order_and_crashes(story: Story, settings: Settings, billed: list[str]) -> None:
    """Each event comes three times, shuffled, while nobody acts and one who does is killed: one invoice each."""
    stream = [*MILESTONES, WON, SIGNED, COMPLETED] * 3
    random.Random(4).shuffle(stream)
    await story.stop_carrying()
    with client_of(settings, story.effects.ledger, SECRET) as sender:
        answers = await asyncio.to_thread(deliver, sender, *stream)
        assert sorted(answers) == [200] * 10 + [202] * 5
        assert set(statuses(story).values()) == {EventStatus.WAITING} and keys(story) == []

        killed = await asyncio.to_thread(act_and_die, settings, "signed")
        assert killed == -signal.SIGKILL
        assert statuses(story)["signed"] == EventStatus.WAITING and keys(story) == []

        story.carry_wake_ups()
        await story.until(
            lambda: EventStatus.WAITING not in statuses(story).values(), "the events to be acted on"
        )
        assert statuses(story)["completed"] == EventStatus.HELD
        write_down_the_agreement(story)
        assert events.act_on_waiting(story.effects.ledger, datetime.now(UTC)) == 1
        assert await asyncio.to_thread(deliver, sender, *stream) == [200] * 15
    assert keys(story) == billed
    for key in billed:
        await story.waits(key, "payment")
    assert len({story.row(key).number for key in billed}) == 5
    assert len(story.mails("ap@client.example")) == 5
    assert set(statuses(story).values()) == {EventStatus.ACTED_ON}


def act_and_die(settings: Settings, event: str) -> int:
    """Acts on an event in a process that is killed before it commits; its exit code."""
    url = settings.database_url.get_secret_value()
    command = [sys.executable, "-c", ACTS_AND_DIES, url, event]
    return subprocess.run(command, check=False, timeout=60, env={**os.environ}).returncode


async def test_within_seconds(story: Story, settings: Settings, billed: list[str]) -> None:
    """What is received is acted on at once by the dispatcher, without a billing run."""
    with client_of(settings, story.effects.ledger, SECRET) as sender:
        assert await asyncio.to_thread(deliver, sender, SIGNED) == [202]
    assert "move/price" in billed
    await story.until(lambda: keys(story), "the invoice")
    await story.waits("move/price", "payment of EUR 595.00")
    assert keys(story) == ["move/price"]
