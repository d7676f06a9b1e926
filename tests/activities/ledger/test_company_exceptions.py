"""Exceptions without an invoice: one open a subject, its owner told once, asked until decided, accepted for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.invoicing import staff_mail
from activities.ledger import commands, company_exceptions, views
from activities.ledger.database import Ledger
from activities.ledger.exceptions import Resolution
from activities.ledger.tables import MessageRow
from billing.approval_policy import Channel
from billing.company import Company
from billing.errors import NotAllowed, NotFound, Refused, WrongState
from billing.exceptions import ExceptionPolicy, Finding, ReasonCode
from billing.money import Money
from tests.activities.ledger.conftest import at_once, everything, rows
from tests.mail_server import MailServer
from tests.starter.web.story import COMPANY, NOW, Story
from workers.assembly import effects
from workers.settings import Settings

HOURS = COMPANY.exceptions.decide_within_hours
SUBJECT = "agreement/care/not-signed"
UNSIGNED = Finding(code=ReasonCode.NOT_SIGNED, message="care is not signed", field="contract", left="K-1")


def raise_one(
    ledger: Ledger, subject: str = SUBJECT, finding: Finding = UNSIGNED, **changes: Any
) -> int | None:
    given: dict[str, Any] = {"client": "nordlicht", "at_stake": Money.of("8500", "EUR"), "at": NOW, **changes}
    company = given.pop("company", COMPANY)
    with ledger.transaction() as tx:
        raised = company_exceptions.raise_one(tx, subject, finding, company, **given)
        return raised.id if raised else None


def resolve(
    ledger: Ledger, resolution: Resolution, exception: int = 1, by: str = "lena", reason: str = ""
) -> str:
    return commands.resolve(ledger, exception, resolution, by=by, channel=Channel.WEB, reason=reason, at=NOW)


def attend(ledger: Ledger, at: datetime) -> None:
    with ledger.transaction() as tx:
        company_exceptions.attend(tx, COMPANY, at=at)


def told(ledger: Ledger) -> list[tuple[Any, ...]]:
    """Whom the outbox has been given a mail for, and which."""
    query = "select m.recipient, m.key from messages m join outbox o on o.subject = m.key order by o.id"
    return rows(ledger, query)


def test_raised(story: Story) -> None:
    """It waits in its owner's inbox with client, amount at stake and deadline, and the owner gets one mail."""
    assert raise_one(story.ledger) == 1
    with story.ledger.transaction() as tx:
        [item] = views.inbox(tx, "lena", NOW)
        assert views.inbox(tx, "tom", NOW) == []
        counts = views.counts(tx, NOW, "lena")
    assert (item.kind, item.subject, item.client, str(item.amount)) == (
        "exception",
        SUBJECT,
        "nordlicht",
        "8500.00",
    )
    assert (item.why, item.resolutions) == ("care is not signed", ("accept",))
    assert item.deadline == NOW + timedelta(hours=HOURS)
    assert (counts.exceptions, counts.mine, counts.waiting) == (1, 1, 1)
    assert told(story.ledger) == [("lena@elbwerk.example", "exception-1/0")]


def test_open_already(story: Story) -> None:
    """Raised again, also at once, it says what was found last; nobody is told again, and the deadline stays."""
    assert at_once(6, lambda _: raise_one(story.ledger)) == [1] * 6
    worse = UNSIGNED.model_copy(update={"message": "care is not signed, since two months"})
    later = NOW + timedelta(hours=1)
    assert raise_one(story.ledger, finding=worse, at_stake=Money.of("17000", "EUR"), at=later) == 1
    with story.ledger.transaction() as tx:
        [item] = views.inbox(tx, None, later)
    assert (item.why, str(item.amount), item.since) == (worse.message, "17000.00", NOW)
    assert len(told(story.ledger)) == 1


def test_owner() -> None:
    """Whose it is follows the policy as for invoices: the client's owner, the code's, else the default."""
    policy = ExceptionPolicy(
        default_owner="lena", owners={ReasonCode.NOT_SIGNED: "tom"}, client_owners={"kawa": "rosa"}
    )
    assert [policy.owner(ReasonCode.NOT_SIGNED, client) for client in ("", "nordlicht", "kawa")] == [
        "tom",
        "tom",
        "rosa",
    ]
    assert policy.owner(ReasonCode.EVENT_HELD) == "lena"


@pytest.mark.parametrize(
    ("client", "owner", "expected"),
    [("nordlicht", None, "tom"), ("kawa", None, "rosa"), ("kawa", "lena", "lena"), (None, None, "tom")],
)
def test_owned_by(story: Story, client: str | None, owner: str | None, expected: str) -> None:
    """The owner raised for is the policy's, unless somebody is named."""
    policy = ExceptionPolicy(
        default_owner="lena", owners={ReasonCode.NOT_SIGNED: "tom"}, client_owners={"kawa": "rosa"}
    )
    company: Company = COMPANY.model_copy(update={"exceptions": policy})
    raise_one(story.ledger, client=client, owner=owner, company=company)
    assert rows(story.ledger, "select owner from exceptions") == [(expected,)]


def test_repaired(story: Story) -> None:
    """What is gone is closed as repaired, and comes up as a new question if it is there again."""
    raise_one(story.ledger)
    raise_one(story.ledger, "agreement/shop/not-signed")
    raise_one(story.ledger, "leak/time/1")
    with story.ledger.transaction() as tx:
        assert company_exceptions.open_subjects(tx, "agreement/") == {SUBJECT, "agreement/shop/not-signed"}
        assert company_exceptions.open_subjects(tx, "agreement/%") == frozenset()
        company_exceptions.close_repaired(tx, [SUBJECT], at=NOW)
        company_exceptions.close_repaired(tx, [], at=NOW)
    closed = rows(
        story.ledger, "select subject, resolution, resolved_by from exceptions where resolved_at is not null"
    )
    assert closed == [(SUBJECT, "repaired", "billow")]
    assert raise_one(story.ledger) == 4
    assert len(told(story.ledger)) == 4


def test_accepted(story: Story) -> None:
    """Accepted with a reason, the same finding is not raised again; another one about the subject is."""
    raise_one(story.ledger)
    assert resolve(story.ledger, Resolution.ACCEPT, by="tom", reason=" a friend ") == SUBJECT
    decided = rows(story.ledger, "select resolution, resolved_by, resolved_at from exceptions")
    assert decided == [("accepted: a friend", "tom", NOW)]
    in_other_words = UNSIGNED.model_copy(update={"message": "still unsigned"})
    assert raise_one(story.ledger, finding=in_other_words) is None
    with story.ledger.transaction() as tx:
        assert company_exceptions.was_accepted(tx, SUBJECT)
        assert not company_exceptions.was_accepted(tx, "agreement/shop/not-signed")
        assert views.inbox(tx, None, NOW) == []
        assert company_exceptions.outcome(tx, 1) == "Accepted as it is; it is not raised again."
    assert raise_one(story.ledger, finding=UNSIGNED.model_copy(update={"left": "K-2"})) == 2
    assert raise_one(story.ledger, "agreement/shop/not-signed") == 3


def test_retried(story: Story) -> None:
    """Trying again changes nothing but for an event: it closes when Billow looks again and it is gone."""
    raise_one(story.ledger)
    before = everything(story.ledger)
    assert resolve(story.ledger, Resolution.RETRY) == SUBJECT
    assert everything(story.ledger) == before
    with story.ledger.transaction() as tx:
        assert "look again now" in (company_exceptions.outcome(tx, 1) or "")


@pytest.mark.parametrize(
    ("resolution", "change", "error", "message"),
    [
        (Resolution.ACCEPT, {}, Refused, "`accept` needs a reason"),
        (Resolution.VOID, {"reason": "no"}, Refused, "has no invoice to void"),
        (Resolution.OVERRIDE, {"reason": "no"}, Refused, "has no invoice to override"),
        (Resolution.ACCEPT, {"by": "mallory", "reason": "no"}, NotAllowed, "'mallory' is not a person"),
        (Resolution.RETRY, {"exception": 2}, NotFound, "there is no exception 2"),
    ],
)
def test_refused(
    story: Story, resolution: Resolution, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    """No reason, a stranger, what only an invoice allows, or no such exception: refused, and nothing is changed."""
    raise_one(story.ledger)
    before = everything(story.ledger)
    with pytest.raises(error, match=message):
        resolve(story.ledger, resolution, **change)
    assert everything(story.ledger) == before


def test_decided_twice(story: Story) -> None:
    """Of decisions made at once one counts, and the others are told who was faster."""
    raise_one(story.ledger)
    got = at_once(4, lambda _: resolve(story.ledger, Resolution.ACCEPT, reason="fine"))
    assert got.count(SUBJECT) == 1
    assert {type(each) for each in got if each != SUBJECT} == {WrongState}


def test_asked_until_decided(story: Story) -> None:
    """Half-way to the deadline its owner is reminded, then it goes up the line, and never ends with nobody."""
    raise_one(story.ledger)
    half = timedelta(hours=HOURS / 2)
    attend(story.ledger, NOW + half - timedelta(seconds=1))
    assert len(told(story.ledger)) == 1
    attend(story.ledger, NOW + half)
    attend(story.ledger, NOW + half * 1.5)
    assert told(story.ledger)[1:] == [("lena@elbwerk.example", "exception-1/0/reminder")]
    attend(story.ledger, NOW + 2 * half)
    assert told(story.ledger)[2:] == [("tom@elbwerk.example", "exception-1/1")]
    for step in range(3, 9):
        attend(story.ledger, NOW + step * half)
    assert rows(story.ledger, "select owner, escalations from exceptions") == [("lena", 4)]
    resolve(story.ledger, Resolution.ACCEPT, reason="fine")
    before = everything(story.ledger)
    attend(story.ledger, NOW + timedelta(days=90))
    assert everything(story.ledger) == before


def test_mail(story: Story, settings: Settings, smtp: MailServer) -> None:
    """What one night finds for one person is one mail, with all of it; the rest of the messages are done with it."""
    for number in range(1, 4):
        found = UNSIGNED.model_copy(update={"message": f"agreement {number} is not signed"})
        raise_one(story.ledger, f"agreement/{number}/not-signed", found)
    raise_one(story.ledger, "agreement/4/not-signed", owner="tom")
    outside = effects(settings)
    for key in ("exception-1/0", "exception-2/0", "exception-3/0", "exception-4/0"):
        with outside.ledger.transaction() as tx:
            staff_mail.send(tx, tx.get_one(MessageRow, key, with_for_update=True), outside)
    outside.ledger.close()
    together, alone = smtp.messages()
    assert (together.subject, alone.subject) == (
        "Please decide: 3 exceptions",
        "Please decide: not signed: agreement/4/not-signed",
    )
    for number in (1, 2, 3):
        assert f"- nordlicht · EUR 8,500.00 · agreement {number} is not signed" in together.text
    for part in ("Hello Tom Iversen", "Client: nordlicht", "€8,500.00", "care is not signed", "Answer until"):
        assert part in " ".join(alone.text.split())
    for mail in (together, alone):
        assert not any(word in mail.text for word in ("None", "Invoice:"))
    assert rows(story.ledger, "select count(*) from messages where handed_over_at is null") == [(0,)]


def test_mail_names_its_kind_once(story: Story, settings: Settings, smtp: MailServer) -> None:
    """A subject that begins with the reason code, as that of an overpayment does, is not said twice in the mail's."""
    raise_one(story.ledger, "not-signed/agreement/4")
    outside = effects(settings)
    with outside.ledger.transaction() as tx:
        staff_mail.send(tx, tx.get_one(MessageRow, "exception-1/0", with_for_update=True), outside)
    outside.ledger.close()
    (mail,) = smtp.messages()
    assert mail.subject == "Please decide: not signed: agreement/4"
