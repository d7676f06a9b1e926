"""Mail that comes back to a real mailbox: what arrived, what never will, and nothing a stranger makes up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from activities.delivery.returned_mail.imap import Folder
from activities.invoicing import polling
from activities.ledger import audit_trail, company_records, invoices, notices
from activities.ledger.database import Ledger
from activities.ledger.tables import ExceptionRow, IntegrationRow, MessageRow
from billing.connections import Connection
from tests.activities.delivery.returned_mail.bounces import (
    BIG_PROVIDER,
    EXCHANGE,
    KIM,
    MESSAGE_ID,
    QMAIL,
    TOKEN,
    of,
    plain,
    report,
)
from tests.imap_server import PASSWORD, USER, ImapServer
from tests.starter.web.story import COMPANY, NOW, Story

BOSS = "boss@client.example"
OTHER_TOKEN = "f" * 24
FAILED = of("failed", "5.1.1", "550 user unknown")


class Mailroom:
    """An issued invoice that was mailed to two people, and the mailbox to which mail comes back."""

    def __init__(self, ledger: Ledger, server: ImapServer) -> None:
        self.ledger, self.server = ledger, server
        self.story = Story(ledger)
        self.number = self.story.issued("one")
        self.apply()
        self.sent("invoice-1/invoice", TOKEN, MESSAGE_ID, copies=[BOSS])

    def apply(self, bounces_to: str | None = "bounces@issuer.example") -> None:
        at = {"host": "127.0.0.1", "port": str(self.server.port), "security": "none"}
        record = {"id": "mb", "provider": "imap", "port": "returned mail", "settings": at}
        changes = {
            "connections": (Connection.model_validate(record),),
            "delivery": COMPANY.delivery.model_copy(update={"bounces_to": bounces_to}),
        }
        company_records.apply_company(self.ledger, COMPANY.model_copy(update=changes), "company", "lena", NOW)

    def sent(
        self, key: str, token: str | None, message_id: str, *, copies: list[str] | None = None, to: str = KIM
    ) -> None:
        with self.ledger.transaction() as tx:
            row = invoices.find(tx, self.number)
            tx.add(
                MessageRow(
                    key=key,
                    message_id=message_id,
                    invoice=row.id,
                    event="invoice",
                    audience=notices.STAFF if key.startswith("staff") else notices.CLIENT,
                    recipient=to,
                    copies_to=copies or [],
                    subject="",
                    body="",
                    html="",
                    facts={"invoices": [row.id]},
                    prepared_at=NOW,
                    attempts=1,
                    handed_over_at=NOW,
                    return_token=token,
                )
            )

    def poll(self, minutes: int = 0) -> polling.Polled:
        at = NOW + timedelta(minutes=minutes)
        (connection,) = polling.due(self.ledger, at, at_once=True)
        return polling.poll(self.ledger, connection, at)

    def comes(self, *mails: bytes) -> list[str]:
        """The mails come back, are read, and lead to these events."""
        before = len(self.events())
        self.server.deliver(*mails)
        assert self.poll().problem == ""
        return self.events()[before:]

    def events(self) -> list[str]:
        with self.ledger.transaction() as tx:
            trail = audit_trail.trail(tx, invoices.find(tx, self.number).id)
            return [each.event for each in trail]

    def exceptions(self) -> list[ExceptionRow]:
        with self.ledger.transaction() as tx:
            return list(tx.scalars(select(ExceptionRow).order_by(ExceptionRow.id)))

    def message(self, key: str = "invoice-1/invoice") -> MessageRow:
        with self.ledger.transaction() as tx:
            return tx.get_one(MessageRow, key)


@pytest.fixture(scope="module")
def running() -> Iterator[ImapServer]:
    with ImapServer() as server:
        yield server


@pytest.fixture
def room(running: ImapServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Mailroom:
    monkeypatch.setenv("BILLOW_MB_USERNAME", USER)
    monkeypatch.setenv("BILLOW_MB_PASSWORD", PASSWORD)
    with running.session() as session:
        session.select("INBOX")
        session.uid("STORE", "1:*", "+FLAGS.SILENT", "(\\Deleted)")
        session.expunge()
    return Mailroom(ledger, running)


def test_failed(room: Mailroom) -> None:
    """A report of failure is an exception, once, with the mail system's words; the invoice is woken."""
    assert room.comes(report(FAILED)) == ["bounced", "exception raised"]
    (found,) = room.exceptions()
    assert (found.code, found.owner) == ("bounced", "lena")
    assert f"invoice to {KIM} came back: 5.1.1 550 user unknown" in str(found.finding["message"])
    assert room.comes(report(of("failed", "5.4.7", "gave up"))) == ["bounced"]
    assert len(room.exceptions()) == 1
    assert all("\\Seen" in each for each in room.server.flags().values())


def test_delivered(room: Mailroom) -> None:
    """Sent is not delivered: that it is when the client's mail system says so, of the addressee."""
    assert room.message().delivered_at is None
    assert room.comes(report(of("delivered", "2.0.0", to=BOSS))) == ["delivered"]
    assert room.message().delivered_at is None
    assert room.comes(report(of("delivered", "2.0.0", "250 kept"))) == ["delivered"]
    assert room.message().delivered_at == NOW and room.exceptions() == []


@pytest.mark.parametrize(
    ("mail", "events"),
    [
        (report(of("delayed", "4.4.1")), ["delivery delayed"]),
        (report(of("relayed", "2.0.0")), ["delivery handed on"]),
        (report(of("expanded", "2.0.0")), ["delivery handed on"]),
        (report(of("failed", "5.1.1", to=BOSS)), ["copy came back"]),
        (report(FAILED, of("delivered", "2.0.0", to=BOSS)), ["bounced", "exception raised", "delivered"]),
        (plain(QMAIL, "failure notice"), ["bounced", "exception raised"]),
        (plain(BIG_PROVIDER, "Delivery Status Notification (Failure)"), ["bounced", "exception raised"]),
        (plain(EXCHANGE, "Undeliverable", kind="text/html"), ["bounced", "exception raised"]),
    ],
)
def test_told(room: Mailroom, mail: bytes, events: list[str]) -> None:
    """What each of them leads to."""
    assert room.comes(mail) == events


FORGED = {
    "another token": report(FAILED, to=f"bounces+{OTHER_TOKEN}@issuer.example", envid=OTHER_TOKEN),
    "only the Message-ID": report(FAILED, to="bounces@issuer.example", envid=None),
    "another recipient": report(of("failed", "5.1.1", to="someone@else.example")),
    "no recipient": report(),
    "a bounce that names nobody of ours": plain("550 5.1.1 <x@else.example> unknown", "failure notice"),
    "a bounce to the mailbox": plain(QMAIL, "failure notice", to="bounces@issuer.example"),
    "a token of nothing": report(FAILED, to="bounces+%@issuer.example", envid="%"),
    "a person": plain(QMAIL, "failure notice", sender="Mallory <m@else.example>"),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged(room: Mailroom, name: str) -> None:
    """A report that does not know token and recipient leads to nothing; a person may look at it."""
    assert room.comes(FORGED[name]) == []
    assert room.exceptions() == [] and room.message().delivered_at is None
    assert [each for each in room.server.flags().values() if "\\Flagged" in each and "\\Seen" not in each]


def test_out_of_office(room: Mailroom) -> None:
    """An automatic answer is no bounce, and nothing for a person."""
    away = plain(
        "550 5.1.1 I am away", "Out of office", f"Kim <{KIM}>", headers="Auto-Submitted: auto-replied\n"
    )
    assert room.comes(away) == [] and room.exceptions() == []
    assert [set(each) - {"\\Recent"} for each in room.server.flags().values()] == [{"\\Seen"}]


def test_without_return_paths(room: Mailroom) -> None:
    """Where mail comes back to the sender's own address, Message-ID and recipient must fit."""
    room.apply(bounces_to=None)
    wrong = report(
        FAILED, to="billing@issuer.example", envid=None, message_id="<invoice-2.invoice@issuer.example>"
    )
    stranger = report(of("failed", "5.1.1", to="x@else.example"), to="billing@issuer.example", envid=None)
    assert room.comes(wrong, stranger, plain(QMAIL, "failure notice", to="billing@issuer.example")) == []
    assert room.comes(report(FAILED, to="billing@issuer.example", envid=None)) == [
        "bounced",
        "exception raised",
    ]


def test_never_sent(room: Mailroom) -> None:
    """A message that was prepared and not handed over cannot come back."""
    room.sent("invoice-1/reminder-1", OTHER_TOKEN, "<r1@issuer.example>")
    with room.ledger.transaction() as tx:
        tx.get_one(MessageRow, "invoice-1/reminder-1").handed_over_at = None
    room.apply(bounces_to=None)
    mail = report(FAILED, to="billing@issuer.example", envid=None, message_id="<r1@issuer.example>")
    assert room.comes(mail) == []


def test_our_own_people(room: Mailroom) -> None:
    """A notice to one of us that comes back is an exception about the person; one that arrives ends it."""
    room.sent("staff/one", OTHER_TOKEN, "<s1@issuer.example>", to="tom@elbwerk.example")
    room.sent("staff/two", "e" * 24, "<s2@issuer.example>", to="tom@elbwerk.example")

    def about(token: str, action: str) -> bytes:
        fate = of(action, "5.1.1", to="tom@elbwerk.example")
        return report(fate, to=f"bounces+{token}@issuer.example", envid=token)

    assert room.comes(about(OTHER_TOKEN, "failed"), about("e" * 24, "failed")) == []
    (found,) = room.exceptions()
    assert (found.subject, found.resolved_at) == ("mail/tom@elbwerk.example", None)
    assert "correct the address in people.yaml" in str(found.finding["message"])
    room.comes(about("e" * 24, "delivered"))
    assert [each.resolution for each in room.exceptions()] == ["repaired"]


def test_numbered_anew(room: Mailroom) -> None:
    """A server that numbers its mails anew has all of them read again; nothing is told twice."""
    mails = [report(FAILED), report(of("delivered", "2.0.0", to=BOSS)), report(of("delayed", "4.0.0"))]
    told = room.comes(*mails)
    assert len(told) == 4
    room.server.restart()
    assert room.comes(report(of("relayed", "2.0.0")), *mails) == ["delivery handed on"]


def test_killed_before_it_is_noted(room: Mailroom) -> None:
    """A worker killed when it has read, before what it read is noted, leaves no trace: the next one notes it once."""
    room.server.deliver(report(FAILED))
    program = (
        "import os, sys; from datetime import datetime; from sqlalchemy import event\n"
        "from activities.ledger.database import Ledger; from activities.invoicing import polling\n"
        "ledger, at = Ledger(sys.argv[1]), datetime.fromisoformat(sys.argv[2])\n"
        "def die(_c, _u, statement, *_): statement.startswith('INSERT INTO exceptions') and os.kill(os.getpid(), 9)\n"
        "event.listen(ledger.engine, 'after_cursor_execute', die)\n"
        "(c,) = polling.due(ledger, at, at_once=True); polling.poll(ledger, c, at)"
    )
    child = subprocess.run(
        [sys.executable, "-c", program, room.ledger.url, NOW.isoformat()],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    before = room.events()
    assert "bounced" not in before and room.exceptions() == []
    assert room.poll().events == 1
    assert room.events()[len(before) :] == ["bounced", "exception raised"]


def test_killed_before_it_is_marked(room: Mailroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is noted and not marked in the mailbox is not told again."""

    class Killed(BaseException):
        """The worker."""

    def die(*_: object) -> None:
        raise Killed

    room.server.deliver(report(FAILED))
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "flag", die)
        with pytest.raises(Killed):
            room.poll()
    before = room.events()
    assert before[-2:] == ["bounced", "exception raised"]
    assert room.poll().events == 0 and room.events() == before


def test_a_thousand(room: Mailroom) -> None:
    """A mailbox full of mails is read in parts, and each once; a report behind them is not lost."""
    spam = [plain(f"Buy {n}", "Cheap", "Mallory <m@else.example>") for n in range(1000)]
    room.server.deliver(*spam, report(FAILED))
    polls = [room.poll() for _ in range(3)]
    assert [each.problem for each in polls] == ["there is more; it is read at the next poll"] * 2 + [""]
    assert [each.events for each in polls] == [0, 0, 1]
    assert room.events()[-2:] == ["bounced", "exception raised"]


def test_hostile_among_others(room: Mailroom) -> None:
    """What cannot be read keeps nothing else back."""
    odd = plain("550 5.1.1 user unknown", "=?x?q?=?= failure", kind="text/plain; charset=hex")
    huge = report(of("delayed", "4.0.0")).replace(b"Dear Kim", b"x" * 5_000_000)
    assert room.comes(odd, huge, report(FAILED)) == [
        "delivery delayed",
        "bounced",
        "exception raised",
    ]


def test_mailbox_away(room: Mailroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Away for half an hour or locked out, the mailbox is an exception; reached again, it is closed."""
    room.server.down()
    try:
        assert "takes no connections (Connection refused)" in room.poll().problem
        assert room.exceptions() == []
        room.poll(31)
        (found,) = room.exceptions()
        assert (found.code, found.subject) == ("integration-failing", "integration/mb")
    finally:
        room.server.up()
    monkeypatch.setenv("BILLOW_MB_PASSWORD", "wrong-password")
    assert "refuses the login; correct user name and password" in room.poll(32).problem
    assert "wrong-password" not in str(room.exceptions()[-1].finding)
    monkeypatch.setenv("BILLOW_MB_PASSWORD", PASSWORD)
    assert room.poll(33).problem == ""
    assert all(each.resolved_at for each in room.exceptions())
    with room.ledger.transaction() as tx:
        assert tx.get_one(IntegrationRow, "mb").last_contact_at == NOW + timedelta(minutes=33)


def test_polled_on_its_schedule(room: Mailroom) -> None:
    """The mailbox is read as often as integrations.yaml says."""
    assert [each.id for each in polling.due(room.ledger, NOW)] == ["mb"]
    room.poll()
    assert polling.due(room.ledger, NOW + timedelta(minutes=4)) == []
    assert [each.id for each in polling.due(room.ledger, NOW + timedelta(minutes=5))] == ["mb"]


def test_password_for_everybody_to_read(room: Mailroom) -> None:
    """Without encryption the password goes nowhere but to this machine."""
    at = {"host": "imap.issuer.example", "security": "none"}
    record = {"id": "mb", "provider": "imap", "port": "returned mail", "settings": at}
    connection = Connection.model_validate(record)
    assert "set security to tls or starttls" in polling.poll(room.ledger, connection, NOW).problem
