"""Money comes in: in parts, too much, at the worst moment, and back out again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.message import EmailMessage
from typing import Any

import psycopg
import pytest

from activities.delivery.smtp import Handover, SmtpTransport
from activities.invoicing import instants, speaking, steps
from tests.stories.story import Story


async def test_paid_in_two_parts(story: Story) -> None:
    """After a part is paid, the next reminder asks for what is still owed; the second part settles the invoice."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    await story.until_next(key)
    await story.until(lambda: "reminder-1" in story.events(key), "the first reminder")
    await story.waits(key, "payment of EUR 1,190.00")
    story.pay(key, "400.00")
    await story.waits(key, "payment of EUR 790.00")
    assert story.row(key).payment_status == "partly paid"
    await story.until_next(key)
    await story.until(lambda: "reminder-2" in story.events(key), "the second reminder")
    await story.waits(key, "payment of EUR 790.00")
    _, first, second = story.mails("ap@client.example")
    assert "€1,190.00" in first.text and "790.00" not in first.text
    assert "€790.00" in second.text
    story.pay(key, "790.00")
    assert (await story.ends(key)).state == "settled: paid"
    assert story.row(key).payment_status == "paid"
    assert len(story.mails("ap@client.example")) == 3
    await story.recorded(key, "paid-in-two-parts", actions=19, kilobytes=24)


async def test_overpaid(story: Story) -> None:
    """Too much money settles the invoice, is told as overpaid, and nobody is reminded."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    story.pay(key, "1200.00")
    assert (await story.ends(key)).state == "settled: paid"
    row = story.row(key)
    assert (row.payment_status, row.collection_status) == ("overpaid", "closed")
    assert len(story.mails("ap@client.example")) == 1
    await story.recorded(key, "overpaid", actions=11, kilobytes=12)


@dataclass(frozen=True)
class Watched(SmtpTransport):
    """The mail server, with somebody who acts at the moments a message is on its way."""

    connecting: Callable[[], None] = lambda: None
    addressed: Callable[[], None] = lambda: None

    def send(self, message: EmailMessage, before_data: Any = None, returns: Any = None) -> Handover:
        self.connecting()

        def look() -> Any:
            self.addressed()
            return before_data() if before_data else None

        return super().send(message, look, returns)


@dataclass
class Moment:
    """Does something the first time it is reached, once armed."""

    act: Callable[[], object]
    armed: bool = False
    reached: int = 0

    def __call__(self, *_: Any) -> None:
        if self.armed:
            self.reached += 1
            if self.reached == 1:
                self.act()

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **changes: Any) -> Any:
            self()
            return function(*args, **changes)

        return wrapped

    def after(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **changes: Any) -> Any:
            result = function(*args, **changes)
            self()
            return result

        return wrapped


def end_sessions(story: Story) -> int:
    """What a restart of the database does to everybody: sessions end, and their locks with them."""
    url = story.effects.ledger.url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        ).rowcount


async def watch(
    story: Story, connecting: Callable[[], None] = lambda: None, addressed: Callable[[], None] = lambda: None
) -> None:
    """Starts the workers anew, with a mail server that is watched."""
    await story.stop_workers()
    mail = story.effects.mail
    watched = Watched(host=mail.host, port=mail.port, connecting=connecting, addressed=addressed)
    await story.start_workers(replace(story.effects, mail=watched))


MOMENTS = [
    "the step begins",
    "the rule has said: remind",
    "before it is written down",
    "after it is written down",
    "connecting",
    "addresses accepted",
    "the ledger has restarted meanwhile",
]


@pytest.mark.parametrize("moment", MOMENTS)
async def test_paid_while_a_reminder_is_prepared(
    story: Story, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A payment committed at any point before the mail server takes the content: no reminder goes out."""
    story.begin()
    pay = Moment(lambda: story.pay(story.keys[0], "1190.00"))
    restart = Moment(lambda: pay(end_sessions(story)))
    match moment:
        case "the step begins":
            monkeypatch.setattr(steps, "at_this_attempt", pay.before(instants.at_this_attempt))
        case "the rule has said: remind":
            monkeypatch.setattr(steps, "speak", pay.before(speaking.speak))
        case "before it is written down":
            monkeypatch.setattr(speaking, "_write_down", pay.before(speaking._write_down))
        case "after it is written down":
            monkeypatch.setattr(speaking, "_write_down", pay.after(speaking._write_down))
        case "connecting":
            await watch(story, connecting=pay)
        case "addresses accepted":
            await watch(story, addressed=pay)
        case "the ledger has restarted meanwhile":
            await watch(story, addressed=restart)
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    pay.armed = restart.armed = True
    await story.until_next(key)
    assert (await story.ends(key)).state == "settled: paid"
    assert pay.reached
    assert "reminder-1" not in story.events(key)
    assert len(story.mails()) == 1
    assert story.row(key).payment_status == "paid"


async def test_paid_while_a_reminder_is_taken(story: Story) -> None:
    """A payment that comes while the mail server takes the content waits for it, is booked right after, and settles."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment of EUR 1,190.00")
    payment = threading.Thread(target=story.pay, args=(key, "1190.00"))

    def arrived(_: object) -> None:
        story.smtp.before_data(None)
        payment.start()
        payment.join(0.3)
        assert payment.is_alive(), "the payment did not wait"

    story.smtp.before_data(arrived)
    await story.until_next(key)
    assert (await story.ends(key)).state == "settled: paid"
    assert story.events(key)[-4:] == ["sent", "reminder-1", "payment received", "settled"]
    assert len(story.mails("ap@client.example")) == 2


async def test_chargeback_after_closing(story: Story) -> None:
    """Money taken back wakes the closed invoice under its id; collection goes on at the level where it stood."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    await story.until_next(key)
    await story.until(lambda: "reminder-1" in story.events(key), "the first reminder")
    await story.waits(key, "payment")
    story.pay(key, "1190.00")
    first_run = (await story.handle(key).describe()).run_id
    assert (await story.ends(key)).state == "settled: paid"
    story.pay(key, "-1190.00", key="chargeback/1")
    row = await story.waits(key, "payment of EUR 1,190.00")
    assert (await story.handle(key).describe()).run_id != first_run
    assert (row.payment_status, row.closed_at, row.then) == ("unpaid", None, "reminder-2")
    await story.until_next(key)
    await story.until(lambda: "reminder-2" in story.events(key), "the second reminder")
    await story.waits(key, "payment")
    story.pay(key, "1190.00", key="again/1")
    assert (await story.ends(key)).state == "settled: paid"
    assert story.events(key).count("reminder-1") == story.events(key).count("issued") == 1
    assert len(story.mails("ap@client.example")) == 3
    assert story.row(key).collection_status == "closed"
    await story.recorded(key, "charged-back", actions=11, kilobytes=16)
