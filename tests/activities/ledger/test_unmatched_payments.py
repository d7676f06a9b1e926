"""Payments nobody can match: each kept once, asked about until decided, booked at most once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from activities.invoicing import billing_runs, staff_mail
from activities.ledger import invoices, payments, unmatched_payments, views
from activities.ledger.database import Ledger
from activities.ledger.tables import MessageRow
from billing.errors import Conflicting, NotAllowed, NotFound, Refused, WrongState
from billing.exceptions import ExceptionPolicy, ReasonCode
from billing.money import Money
from tests.activities.ledger.conftest import at_once, breaks, events, everything, rows
from tests.mail_server import MailServer
from tests.starter.web.story import COMPANY, NOW, Story
from workers.assembly import effects
from workers.settings import Settings

HOURS = COMPANY.exceptions.decide_within_hours


def keep(
    ledger: Ledger, amount: str = "8500", currency: str = "EUR", *, key: str = "k1", on: int = 20
) -> int | None:
    with ledger.transaction() as tx:
        made = unmatched_payments.record(
            tx,
            Money.of(amount, currency),
            key=key,
            received_on=date(2026, 11, on),
            payer="Nordlicht Holding",
            reference="R 1",
            source="bank",
            by="lena",
            company=COMPANY,
            at=NOW,
        )
        return made.id if made else None


def allocate(ledger: Ledger, payment: int, reference: str, by: str = "lena") -> None:
    with ledger.transaction() as tx:
        row = invoices.find(tx, reference, lock=True)
        unmatched_payments.allocate(tx, payment, row, COMPANY, by=by, channel="cli", at=NOW)


def set_aside(ledger: Ledger, payment: int, reason: str = "not ours", by: str = "tom") -> None:
    with ledger.transaction() as tx:
        unmatched_payments.set_aside(tx, payment, COMPANY, reason=reason, by=by, at=NOW)


def attend(ledger: Ledger, at: datetime) -> None:
    with ledger.transaction() as tx:
        unmatched_payments.attend(tx, COMPANY, at=at)


def told(ledger: Ledger) -> list[tuple[Any, ...]]:
    """Whom the outbox has been given a mail for, and which."""
    query = "select m.recipient, m.key from messages m join outbox o on o.subject = m.key order by o.id"
    return rows(ledger, query)


def test_kept(story: Story) -> None:
    """A payment is kept with owner and deadline, and its owner gets one mail."""
    assert keep(story.ledger) == 1
    assert rows(story.ledger, "select owner, deadline, resolved_at from unmatched_payments") == [
        ("lena", NOW + timedelta(hours=HOURS), None)
    ]
    assert told(story.ledger) == [("lena@elbwerk.example", "unmatched-payment-1/0")]


def test_owner_by_code() -> None:
    """The company may name an owner for payments nobody can match."""
    policy = ExceptionPolicy(default_owner="lena", owners={ReasonCode.UNMATCHED_PAYMENT: "tom"})
    assert policy.owner(ReasonCode.UNMATCHED_PAYMENT) == "tom"


def test_same_key_again(story: Story) -> None:
    """The same payment again, also at once, is one payment and one mail; other figures under its key are refused."""
    assert sorted(map(str, at_once(5, lambda _: keep(story.ledger)))).count("None") == 4
    before = everything(story.ledger)
    assert keep(story.ledger) is None
    for change in ({"amount": "8499"}, {"currency": "CHF"}, {"on": 19}):
        with pytest.raises(
            Conflicting, match=r"kept already with other figures: EUR 8,500\.00 on 2026-11-20"
        ):
            keep(story.ledger, **change)
    assert everything(story.ledger) == before


def test_key_of_a_booked_payment(story: Story) -> None:
    """A payment that is booked for an invoice cannot be kept as unmatched under the same key."""
    number = story.issued("one")
    with story.ledger.transaction() as tx:
        payments.record(
            tx,
            invoices.find(tx, number, lock=True),
            Money.of("1", "EUR"),
            key="k1",
            received_on=NOW.date(),
            source="bank",
            by="lena",
            channel="cli",
            at=NOW,
        )
    with pytest.raises(Conflicting, match=f"booked for {number} already"):
        keep(story.ledger)


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_only_money_that_came_in(story: Story, amount: str) -> None:
    """Nothing, or money taken back, is not kept."""
    with pytest.raises(Refused, match="only money that came in"):
        keep(story.ledger, amount)
    assert rows(story.ledger, "select 1 from unmatched_payments") == []


def test_allocate(story: Story) -> None:
    """Booked for an invoice, the payment is on its trail with where it came from, and the invoice is woken."""
    number = story.issued("one")
    keep(story.ledger)
    with story.ledger.transaction() as tx:
        tx.connection().exec_driver_sql("delete from outbox")
    allocate(story.ledger, 1, number)
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        assert row.payment_status == "paid"
        assert views.inbox(tx, None, NOW) == []
        entry = views.timeline(tx, number)[-1]
    assert (entry.event, entry.actor) == ("payment received", "lena")
    assert entry.facts["source"] == "unmatched payment 1, bank"
    assert entry.facts["reference"] == "Nordlicht Holding · R 1"
    assert breaks(story.ledger, number) == []
    assert rows(story.ledger, "select kind, subject from outbox") == [("wake", "manual/one")]
    assert rows(story.ledger, "select key, received_on from payments") == [
        ("unmatched/k1", date(2026, 11, 20))
    ]
    done = rows(
        story.ledger, "select resolution, resolved_by, resolved_at, allocated_to from unmatched_payments"
    )
    assert done == [(f"booked for {number}", "lena", NOW, 1)]


def test_at_once(story: Story) -> None:
    """Allocated to several invoices and set aside at once, one of them wins and the others are told."""
    numbers = [story.issued(key) for key in ("one", "two", "three")]
    keep(story.ledger)

    def decide(place: int) -> None:
        set_aside(story.ledger, 1) if place == 3 else allocate(story.ledger, 1, numbers[place])

    outcomes = at_once(4, decide)
    assert outcomes.count(None) == 1
    assert {type(each) for each in outcomes if each} == {WrongState}
    assert rows(story.ledger, "select count(*) from payments") == [(0 if outcomes[3] is None else 1,)]


def test_refused(story: Story) -> None:
    """Another currency, no number, no such payment, a stranger or no reason: refused, and nothing is changed."""
    number = story.issued("one")
    story.drafted("draft")
    keep(story.ledger, currency="CHF")
    before = everything(story.ledger)
    with pytest.raises(Refused, match="is in EUR, the payment in CHF"):
        allocate(story.ledger, 1, number)
    with pytest.raises(WrongState, match="no number yet"):
        allocate(story.ledger, 1, "manual/draft")
    for unknown in (2, 0, 2**70):
        with pytest.raises(NotFound, match="there is no unmatched payment"):
            allocate(story.ledger, unknown, number)
    with pytest.raises(NotAllowed, match="'mallory' is not a person"):
        allocate(story.ledger, 1, number, by="mallory")
    with pytest.raises(NotAllowed, match="'mallory' is not a person"):
        set_aside(story.ledger, 1, by="mallory")
    with pytest.raises(Refused, match="needs a reason"):
        set_aside(story.ledger, 1, reason=" ")
    assert everything(story.ledger) == before


def test_decided_once(story: Story) -> None:
    """What is set aside or booked is decided: neither is done a second time, and nobody is asked again."""
    number = story.issued("one")
    keep(story.ledger, key="k1")
    keep(story.ledger, key="k2")
    set_aside(story.ledger, 1, reason="paid back")
    allocate(story.ledger, 2, number)
    before = everything(story.ledger)
    with pytest.raises(WrongState, match="decided already: set aside: paid back, by tom"):
        allocate(story.ledger, 1, number)
    with pytest.raises(WrongState, match=f"decided already: booked for {number}, by lena"):
        set_aside(story.ledger, 2)
    attend(story.ledger, NOW + timedelta(days=30))
    assert everything(story.ledger) == before
    assert events(story.ledger, number).count("payment received") == 1


def test_closed_invoice(story: Story) -> None:
    """An invoice that is paid already takes the payment: it is overpaid then, and somebody sees it."""
    number = story.issued("one")
    story.paid(number, "8500.00")
    keep(story.ledger)
    allocate(story.ledger, 1, number)
    with story.ledger.transaction() as tx:
        assert invoices.find(tx, number).payment_status == "overpaid"


def test_attend(story: Story) -> None:
    """The owner is reminded half-way to the deadline, once; past it somebody further up owns the payment."""
    keep(story.ledger)
    half, whole = NOW + timedelta(hours=HOURS / 2), NOW + timedelta(hours=HOURS)
    attend(story.ledger, half - timedelta(seconds=1))
    assert len(told(story.ledger)) == 1
    for _ in range(2):
        attend(story.ledger, half)
    assert told(story.ledger)[1:] == [("lena@elbwerk.example", "unmatched-payment-1/0/reminder")]
    for _ in range(2):
        attend(story.ledger, whole)
    assert told(story.ledger)[2:] == [("tom@elbwerk.example", "unmatched-payment-1/1")]
    attend(story.ledger, whole + timedelta(hours=HOURS / 2))
    attend(story.ledger, whole + timedelta(hours=HOURS))
    assert told(story.ledger)[3:] == [
        ("tom@elbwerk.example", "unmatched-payment-1/1/reminder"),
        ("lena@elbwerk.example", "unmatched-payment-1/2"),
    ]


def test_billing_run_attends(story: Story) -> None:
    """The billing run looks after payments nobody has matched."""
    keep(story.ledger)
    billing_runs.run(story.ledger, "run", NOW + timedelta(hours=HOURS))
    assert told(story.ledger)[1:] == [("tom@elbwerk.example", "unmatched-payment-1/1")]


def test_mail(story: Story, settings: Settings, smtp: MailServer) -> None:
    """The owner's mail says amount, payer, reference, day and deadline, once, and leads to the inbox."""
    keep(story.ledger)
    outside = effects(settings)
    for _ in range(2):
        with outside.ledger.transaction() as tx:
            staff_mail.send(
                tx, tx.get_one(MessageRow, "unmatched-payment-1/0", with_for_update=True), outside
            )
    outside.ledger.close()
    (mail,) = smtp.messages()
    assert mail.subject.replace("\N{NO-BREAK SPACE}", " ") == (
        "Please decide: €8,500.00 received, for no invoice we know"
    )
    for part in ("Hello Lena Brandt", "€8,500.00", "Payer: Nordlicht Holding", "Reference: R 1", "2026-11-20",
                 "Answer until", "https://billow.test/"):  # fmt: skip
        assert part in mail.text
    assert not any(word in mail.text for word in ("None", "Client:", "Invoice:"))


def test_inbox(story: Story) -> None:
    """It stands in its owner's inbox among the rest, oldest deadline first, and is counted."""
    story.raised("before", ReasonCode.EMPTY, "nothing to bill", at=NOW - timedelta(hours=1))
    keep(story.ledger)
    story.raised("after", ReasonCode.EMPTY, "nothing to bill", at=NOW + timedelta(hours=1))
    late = NOW + timedelta(hours=HOURS)
    with story.ledger.transaction() as tx:
        items = views.inbox(tx, "lena", late)
        assert views.inbox(tx, "tom", late) == []
        counts = views.counts(tx, late, "lena")
    assert [item.kind for item in items] == ["exception", "payment", "exception"]
    payment = items[1]
    assert (payment.payer, payment.reference, payment.overdue) == ("Nordlicht Holding", "R 1", True)
    assert Money.of(payment.amount or 0, payment.currency or "") == Money.of("8500", "EUR")
    assert (counts.exceptions, counts.payments, counts.mine, counts.waiting) == (2, 1, 3, 3)


def test_many_in_one_mail(story: Story, settings: Settings, smtp: MailServer) -> None:
    """What a bank statement leaves unmatched is one mail to its owner, not one a payment."""
    for number in range(1, 4):
        keep(story.ledger, f"{number}.00", key=f"k{number}")
    outside = effects(settings)
    for number in range(1, 4):
        with outside.ledger.transaction() as tx:
            message = tx.get_one(MessageRow, f"unmatched-payment-{number}/0", with_for_update=True)
            staff_mail.send(tx, message, outside)
    outside.ledger.close()
    (mail,) = smtp.messages()
    assert mail.subject == "Please decide: 3 payments received, for no invoice we know"
    for part in ("payment 1 · EUR 1.00 · 2026-11-20 · Nordlicht Holding · R 1", "payment 3 · EUR 3.00"):
        assert part in mail.text
