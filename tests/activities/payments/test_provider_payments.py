"""Stripe's news in the ledger: each cent booked once, whatever is told twice, late, out of order or about nobody."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from activities.invoicing import polling, standing
from activities.ledger import (
    client_credit,
    commands,
    credit_notes,
    deliveries,
    inbox,
    integrations,
    invoices,
    outbox,
    settling_commands,
    unmatched_payments,
)
from activities.ledger.exceptions import Resolution
from activities.ledger.tables import (
    ExceptionRow,
    GivingUpRow,
    InvoiceRow,
    OutboxRow,
    PaymentRow,
    UnmatchedPaymentRow,
)
from activities.payments.stripe import Settings
from billing.approval_policy import Channel
from billing.credit_note import Selection
from billing.dunning_policy import DunningPolicy, Offset
from billing.payment_policy import Agreeing, PaymentPolicy
from tests.activities.ledger.conftest import rows
from tests.activities.payments.conftest import Till, connect
from tests.starter.web.story import COMPANY, NOW


def payments(till: Till) -> list[tuple[str, str, str | None, str]]:
    """Every payment as key, amount, fee and source."""
    with till.ledger.transaction() as tx:
        found = tx.scalars(select(PaymentRow).order_by(PaymentRow.id)).all()
        return [
            (each.key, f"{each.amount:.2f}", None if each.fee is None else f"{each.fee:.2f}", each.source)
            for each in found
        ]


def kept(till: Till) -> list[UnmatchedPaymentRow]:
    with till.ledger.transaction() as tx:
        return list(tx.scalars(select(UnmatchedPaymentRow).order_by(UnmatchedPaymentRow.id)))


def waiting(till: Till) -> list[ExceptionRow]:
    """Exceptions about chargebacks that wait for somebody."""
    with till.ledger.transaction() as tx:
        query = select(ExceptionRow).where(ExceptionRow.resolved_at.is_(None))
        return [each for each in tx.scalars(query) if (each.subject or "").startswith("chargeback/")]


@pytest.fixture
def number(till: Till) -> str:
    """An issued invoice over 8,500 euros."""
    return till.story.issued("one")


def test_paid_by_card(till: Till, number: str) -> None:
    """The page asks for what is open; paid, the invoice is paid on the day of the issuer's zone, the fee is noted."""
    page = till.start(number)
    assert till.site.sessions[page]["amount_total"] == 850000
    payment = till.site.pay(page, fee=1285)
    assert {status for status, _ in till.deliver()} == {"acted on"}
    assert till.standing(number) == ("paid", "0.00", "not due")
    assert payments(till) == [(f"stripe/{payment}", "8500.00", "12.85", "stripe")]
    assert till.events(number).count("payment received") == 1


@pytest.mark.parametrize("seed", range(12))
def test_in_any_order_and_repeated(till: Till, number: str, seed: int) -> None:
    """Paid, a part refunded, disputed and won, in whatever order it is told, all of it twice: the same ledger."""
    payment = till.site.pay(till.start(number))
    till.site.give_back(payment, 50000)
    dispute = till.site.dispute(payment, 800000)
    till.site.decide(dispute, "won")
    told = till.site.events * 2
    random.Random(seed).shuffle(told)
    till.deliver(told)
    assert till.standing(number) == ("partly paid", "500.00", "not due")
    assert sorted(amount for _, amount, _, _ in payments(till)) == [
        "-500.00",
        "-8000.00",
        "8000.00",
        "8500.00",
    ]
    assert not waiting(till)


@pytest.mark.parametrize("seed", range(6))
def test_told_as_it_happens(till: Till, number: str, seed: int) -> None:
    """The same when each is told before or after the next has happened."""
    chance, untold = random.Random(seed), 0
    payment = till.site.begin(till.start(number))

    def step(act: Any) -> None:
        nonlocal untold
        act()
        if chance.random() < 0.5:
            till.deliver(till.site.events[untold:])
            untold = len(till.site.events)

    step(lambda: till.site.settle(payment))
    step(lambda: till.site.give_back(payment, 100000))
    step(lambda: till.site.fail_refund(next(iter(till.site.refunds))))
    till.deliver(till.site.events[untold:])
    assert till.standing(number)[:2] == ("paid", "0.00")
    assert sum(Decimal(amount) for _, amount, _, _ in payments(till)) == Decimal("8500.00")


def test_by_debit(till: Till, number: str) -> None:
    """A debit is under way for days: nothing is booked, nobody pays twice; then the money is there."""
    payment = till.site.begin(till.start(number))
    till.deliver()
    assert till.standing(number)[0] == "unpaid"
    assert "payment under way" in till.events(number)
    till.site.settle(payment)
    till.deliver()
    assert till.standing(number)[0] == "paid"
    assert till.events(number).count("payment under way") == 1


def coming(till: Till, number: str, at: datetime) -> tuple[str, str, datetime]:
    """What collection does next, why, and when."""
    with till.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        step = standing.upcoming(tx, row, standing.pinned(tx, row), at)
        return step.name, step.why, step.at


def test_nobody_is_reminded_of_what_is_under_way(till: Till) -> None:
    """While a debit is under way reminders wait, three weeks at most; once it fails they go on."""
    reminded = DunningPolicy(id="standard", levels=(Offset(days=5),), around_the_clock=True)
    connect(till.ledger, till.connection, dunning=(reminded,))
    number = till.story.issued("two")
    till.site.now = late = NOW + timedelta(days=60)
    page = till.start(number, at=late)
    assert coming(till, number, late)[0] == "reminder-1"
    payment = till.site.begin(page)
    till.deliver(at=late)
    assert coming(till, number, late) == ("wait", "payment under way", late + timedelta(days=21))
    assert coming(till, number, late + timedelta(days=21))[0] == "reminder-1"
    till.site.fail(payment)
    before = woken(till, number)
    till.deliver(at=late)
    assert coming(till, number, late)[0] == "reminder-1"
    assert woken(till, number) > before


def woken(till: Till, number: str) -> int:
    """How often the invoice was told to look at the ledger again."""
    with till.ledger.transaction() as tx:
        kind = (OutboxRow.kind == outbox.WAKE, OutboxRow.invoice == invoices.find(tx, number).id)
        return len(tx.scalars(select(OutboxRow).where(*kind)).all())


def test_a_debit_that_fails(till: Till, number: str) -> None:
    """It is told once with the bank's reason, and the client can pay on a new page."""
    first = till.start(number)
    payment = till.site.begin(first)
    till.deliver()
    till.site.fail(payment)
    till.deliver()
    till.deliver()
    assert till.standing(number)[0] == "unpaid"
    assert till.events(number).count("payment failed") == 1
    assert till.start(number) != first


def test_the_fee_comes_later(till: Till, number: str) -> None:
    """It is noted with the payment once Stripe knows it; one in another currency is not reckoned back."""
    payment = till.site.begin(till.start(number))
    till.site.settle(payment, fee=None)
    till.deliver()
    assert [fee for _, _, fee, _ in payments(till)] == [None]
    till.site.tell_fee(payment, 1500, "usd")
    till.deliver()
    assert [fee for _, _, fee, _ in payments(till)] == [None]
    till.site.tell_fee(payment, 1285)
    till.deliver()
    assert [fee for _, _, fee, _ in payments(till)] == ["12.85"]


def test_a_chargeback_reopens(till: Till, number: str) -> None:
    """Lost, the money stays away and the invoice is owed; whoever must answer is asked until it is decided."""
    payment = till.site.pay(till.start(number))
    till.deliver()
    dispute = till.site.dispute(payment)
    till.deliver()
    assert till.standing(number)[:2] == ("unpaid", "8500.00")
    assert payments(till)[-1][1:] == ("-8500.00", "15.00", "chargeback")
    (asked,) = waiting(till)
    assert asked.code == "payment-reversed" and number in asked.finding["message"]
    assert "2026-11-27 09:30 UTC" in asked.finding["message"]
    till.site.decide(dispute, "lost")
    till.deliver()
    assert not waiting(till) and till.standing(number)[0] == "unpaid"


def test_a_chargeback_won(till: Till, number: str) -> None:
    """The money comes back, and the invoice is paid again."""
    payment = till.site.pay(till.start(number))
    dispute = till.site.dispute(payment)
    till.deliver()
    till.site.decide(dispute, "won")
    till.deliver()
    assert till.standing(number)[:2] == ("paid", "0.00")
    assert not waiting(till)


def test_an_inquiry(till: Till, number: str) -> None:
    """The bank asks and takes nothing: somebody must answer, and the invoice stays paid."""
    payment = till.site.pay(till.start(number))
    till.site.dispute(payment, inquiry=True)
    till.deliver()
    assert till.standing(number)[0] == "paid" and len(waiting(till)) == 1


def test_refunded_in_the_dashboard(till: Till, number: str) -> None:
    """What was owed and is refunded is owed again; what was paid too much and is refunded settles."""
    payment = till.site.pay(till.start(number))
    till.deliver()
    till.story.paid(number, "100.00")
    till.site.give_back(payment, 10000)
    till.deliver()
    assert till.standing(number)[:2] == ("paid", "0.00")
    assert payments(till)[-1][1:] == ("-100.00", None, "refund")
    till.site.give_back(payment, 2500)
    till.deliver()
    assert till.standing(number)[:2] == ("partly paid", "25.00")


def test_nobody_is_reminded_of_what_was_given_back(till: Till, number: str) -> None:
    """Who gave it back says why first: reminders wait for an owner, and go on once the client is said to owe it."""
    payment = till.site.pay(till.start(number))
    till.deliver()
    for _ in range(2):
        till.site.give_back(payment, 2500)
    till.deliver()
    with till.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        (asked,) = invoices.open_exceptions(tx, row)
        assert (asked.code, asked.owner) == ("paid-back", "lena")
        assert "EUR 25.00 of ELB-2026-00001 went back to the client" in asked.finding["message"]
        row.delivered_at = NOW
        plan = standing.plan(tx, row, standing.pinned(tx, row), NOW)
        assert (plan.waits_for, plan.owner) == ("decision on: paid-back", "lena")
    given: dict[str, Any] = {"by": "lena", "channel": Channel.CLI, "reason": "a slip of ours", "at": NOW}
    commands.resolve(till.ledger, asked.id, Resolution.ACCEPT, **given)
    with till.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        assert standing.plan(tx, row, standing.pinned(tx, row), NOW).waits_for.startswith(
            "payment of EUR 50.00"
        )


@pytest.mark.parametrize("way", ["credited", "paid again"])
def test_what_was_given_back_is_settled(till: Till, number: str, way: str) -> None:
    """A credit note, or the money once more, is the answer: nobody is asked any more."""
    payment = till.site.pay(till.start(number))
    till.deliver()
    till.site.give_back(payment, 2500)
    till.deliver()
    if way == "credited":
        given: dict[str, Any] = {"reason": "goodwill", "key": "1", "by": "lena", "channel": "cli", "at": NOW}
        with till.ledger.transaction() as tx:
            row = invoices.find(tx, number, lock=True)
            credit_notes.issue(tx, row, COMPANY, selection=Selection(gross=Decimal(25)), **given)
    else:
        till.story.paid(number, "25.00")
    assert till.standing(number)[:2] == ("paid", "0.00")
    with till.ledger.transaction() as tx:
        assert invoices.open_exceptions(tx, invoices.find(tx, number)) == []
    assert "exception repaired" in till.events(number)


@pytest.mark.parametrize(
    ("currency", "metadata", "said"),
    [("eur", {}, "a shop's payment"), ("eur", {"billow_invoice": "manual/none"}, "an unknown invoice")],
)
def test_for_no_invoice(till: Till, number: str, currency: str, metadata: dict[str, str], said: str) -> None:
    """Money that is for no invoice of ours is kept, once, for a person to decide; none is booked."""
    payment = till.site.intent(4200, currency, metadata, name="Somebody")
    till.site.settle(payment)
    till.deliver()
    till.deliver()
    (found,) = kept(till)
    assert (found.key, f"{found.amount:.2f}", found.payer) == (f"stripe/{payment}", "42.00", "Somebody"), said
    assert till.standing(number)[0] == "unpaid"


def test_in_another_currency(till: Till, number: str) -> None:
    """Money for an invoice in another currency than its own is kept, and says for which."""
    payment = till.site.intent(4200, "jpy", {"billow_invoice": "manual/one"})
    till.site.settle(payment)
    till.deliver()
    (found,) = kept(till)
    assert (f"{found.amount:.0f}", found.currency) == ("4200", "JPY")
    assert f"for {number}, which is in EUR" in found.reference


def test_others_are_ignored(till: Till, number: str) -> None:
    """Where the account serves a shop, too, its payments are none of ours; those for invoices are."""
    assert Settings().others == "keep"
    connection = till.connection.model_copy(update={"settings": {"others": "ignore"}})
    connect(till.ledger, connection)
    till.site.settle(till.site.intent(4200))
    assert till.deliver() == [("nothing due", "it says nothing that bills anything")] * 2
    assert not kept(till)


def test_refunded_before_it_was_allocated(till: Till, number: str) -> None:
    """Refunded whole, money nobody has allocated is closed; in part, the message waits until somebody has."""
    whole, part = (till.site.intent(amount) for amount in (4200, 850000))
    till.site.settle(whole)
    till.site.settle(part)
    till.deliver()
    till.site.events.clear()
    till.site.give_back(whole, 4200)
    till.deliver()
    first, second = kept(till)
    assert first.resolution is not None and "taken back by Stripe" in first.resolution
    till.site.events.clear()
    till.site.give_back(part, 1000)
    assert [status for status, _ in till.deliver()] == ["held", "held"]
    with till.ledger.transaction() as tx:
        row = tx.scalars(select(InvoiceRow).where(InvoiceRow.number == number).with_for_update()).one()
        unmatched_payments.allocate(tx, second.id, row, COMPANY, by="lena", channel=Channel.WEB, at=NOW)
    till.deliver(at=NOW + timedelta(minutes=1))
    assert till.standing(number)[:2] == ("partly paid", "10.00")


def allocate(till: Till, payment: int, number: str, amount: str) -> None:
    with till.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        unmatched_payments.allocate(
            tx, payment, row, COMPANY, amount=Decimal(amount), by="lena", channel=Channel.WEB, at=NOW
        )


def test_charged_back_whole_when_allocated_in_part(till: Till, number: str) -> None:
    """What stands on the invoice is taken from it, and the rest is nobody's any more; other money stays."""
    payment = till.site.intent(10000)
    till.site.settle(payment)
    till.deliver()
    (found,) = kept(till)
    till.story.paid(number, "500.00")
    allocate(till, found.id, number, "60")
    dispute = till.site.dispute(payment)
    till.deliver()
    till.deliver()
    assert till.standing(number)[:2] == ("partly paid", "8000.00")
    (found,) = kept(till)
    assert found.resolution is not None and "taken back by Stripe" in found.resolution
    till.site.decide(dispute, "won")
    till.deliver()
    till.deliver()
    assert till.standing(number)[1] == "7940.00"
    assert kept(till)[-1].amount == Decimal(40)


def test_charged_back_after_an_allocation_was_undone(till: Till, number: str) -> None:
    """It is taken from nobody's invoice: the one it was taken from again keeps what is its own."""
    payment = till.site.intent(10000)
    till.site.settle(payment)
    till.deliver()
    (found,) = kept(till)
    till.story.paid(number, "500.00")
    allocate(till, found.id, number, "100")
    booked = rows(till.ledger, "select id from payments where received_as is not null")[0][0]
    settling_commands.undo(till.ledger, booked, reason="wrong", by="lena", channel=Channel.WEB, at=NOW)
    till.site.dispute(payment)
    till.deliver()
    assert till.standing(number)[1] == "8000.00"
    assert (kept(till)[0].resolution or "").startswith("taken back by Stripe")


def test_charged_back_and_won_when_kept_as_credit(till: Till, number: str) -> None:
    """It comes back as money nobody has said what it is for, once however often it is told."""
    payment = till.site.intent(4200)
    till.site.settle(payment)
    till.deliver()
    (found,) = kept(till)
    settling_commands.keep_as_credit(till.ledger, found.id, "nordlicht", by="lena", at=NOW)
    dispute = till.site.dispute(payment)
    till.deliver()
    till.site.decide(dispute, "won")
    till.deliver()
    till.deliver()
    assert [(each.amount, each.client, each.resolved_at is None) for each in kept(till)] == [
        (Decimal(42), "nordlicht", False),
        (Decimal(42), "nordlicht", True),
    ]


def test_refunded_and_charged_back(till: Till) -> None:
    """Whoever has its money back and takes it back once more is asked for it by a person."""
    alone = PaymentPolicy(refunds=Agreeing(alone_up_to={"EUR": Decimal(100)}))
    connect(till.ledger, till.connection, payments=alone)
    payment = till.site.intent(4200)
    till.site.settle(payment)
    till.deliver()
    (found,) = kept(till)
    said: dict[str, Any] = {"by": "lena", "channel": Channel.WEB, "at": NOW}
    asked = settling_commands.refund(
        till.ledger, f"payment {found.id}", amount=Decimal(10), reason="sent twice", **said
    )
    settling_commands.refund_paid(till.ledger, asked.id, on=NOW.date(), **said)
    till.site.dispute(payment)
    till.deliver()
    with till.ledger.transaction() as tx:
        subject = f"paid-back-twice/{found.id}"
        told = [each.why for each in inbox.inbox(tx, None, NOW) if each.subject == subject]
    assert len(told) == 1 and "EUR 10.00 of it had been paid back before" in told[0]
    assert kept(till)[0].resolved_at is not None


def test_charged_back_when_kept_as_credit(till: Till, number: str) -> None:
    """Credit of a client whose payment is taken back is no credit any more, nor is it refunded."""
    payment = till.site.intent(4200)
    till.site.settle(payment)
    till.deliver()
    (found,) = kept(till)
    settling_commands.keep_as_credit(till.ledger, found.id, "nordlicht", by="lena", at=NOW)
    asked = settling_commands.refund(
        till.ledger,
        f"payment {found.id}",
        amount=Decimal(10),
        reason="x",
        by="lena",
        channel=Channel.WEB,
        at=NOW,
    )
    till.site.dispute(payment)
    till.deliver()
    with till.ledger.transaction() as tx:
        assert client_credit.of(tx) == []
        assert tx.get_one(GivingUpRow, asked.id).status == "withdrawn"


def test_asked_for_what_was_not_delivered(till: Till, number: str) -> None:
    """Events of the hours without an endpoint are asked for, page by page, and acted on once with those delivered."""
    assert polling.poll(till.ledger, till.connection, NOW).problem == ""
    till.site.now = NOW + timedelta(minutes=2)
    payment = till.site.pay(till.start(number))
    for _ in range(120):
        till.site.tell_fee(payment, 59)
    delivered = till.site.events[:2]
    till.deliver(delivered, at=till.site.now)
    polled = polling.poll(till.ledger, till.connection, NOW + timedelta(minutes=5))
    assert (polled.problem, polled.events) == ("", len(till.site.events) - len(delivered))
    again = polling.poll(till.ledger, till.connection, NOW + timedelta(minutes=10))
    assert (again.problem, again.events) == ("", 0)
    with till.ledger.transaction() as tx:
        for event in till.site.events:
            deliveries.act(tx, "cards", event["id"], at=NOW + timedelta(minutes=6))
        assert not integrations.of(tx, "cards").failing_since
    assert till.standing(number)[0] == "paid" and len(payments(till)) == 1
