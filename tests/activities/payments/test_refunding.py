"""Refunds through Stripe: agreed to, paid once, booked once, and told where they cannot be paid."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from activities.invoicing import refunding
from activities.ledger import invoices, refunds
from activities.ledger.tables import GivingUpRow, UnmatchedPaymentRow
from billing.money import Money
from billing.payment_policy import Agreeing, PaymentPolicy
from tests.activities.payments.conftest import Till, connect
from tests.activities.psa.counterpart import Answer
from tests.starter.web.story import COMPANY, NOW
from workers.payment_provider import Refunds

LARGE = PaymentPolicy(refunds=Agreeing(alone_up_to={"EUR": Decimal(100000)}))


@pytest.fixture
def number(till: Till) -> str:
    """An invoice over 8,500 euros, of which 500 came by bank before all of it was paid by Stripe."""
    connect(till.ledger, till.connection, payments=LARGE)
    number = till.story.issued("one")
    page = till.start(number)
    till.story.paid(number, "500.00")
    till.site.pay(page)
    till.deliver()
    till.site.events.clear()
    assert till.standing(number)[:2] == ("overpaid", "-500.00")
    return number


def ask(till: Till, number: str, amount: str = "500.00") -> int:
    """A refund that nobody else need agree to."""
    with till.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        company = COMPANY.model_copy(update={"connections": (till.connection,), "payments": LARGE})
        found, _ = refunds.ask(
            tx,
            row,
            company,
            amount=Money.of(amount, "EUR"),
            reason="paid twice",
            method="stripe",
            key=None,
            by="lena",
            channel="cli",
            at=NOW,
        )
        return found.id


def status(till: Till, item: int) -> tuple[str, str | None]:
    with till.ledger.transaction() as tx:
        found = tx.get_one(GivingUpRow, item)
        return found.status, found.last_error


def test_paid_back(till: Till, number: str) -> None:
    """The money goes back by Stripe, the invoice is settled; what Stripe tells of it then changes nothing."""
    item = ask(till, number)
    assert refunding.pay(till.ledger, item, at=NOW) == f"refund {item} is done"
    assert (status(till, item)[0], till.standing(number)[:2]) == ("done", ("paid", "0.00"))
    till.deliver()
    assert refunding.pay(till.ledger, item, at=NOW) == f"refund {item} is done"
    assert till.standing(number)[:2] == ("paid", "0.00") and len(till.site.refunds) == 1
    assert till.events(number).count("refunded") == 1


def test_the_webhook_is_faster(till: Till, number: str) -> None:
    """A crash after Stripe has paid: its own news book the refund, and it is not paid again."""
    item = ask(till, number)
    payment = next(iter(till.site.intents))
    till.adapter.refund(payment, Money.of("500.00", "EUR"), item=item)
    till.deliver()
    assert status(till, item)[0] == "done"
    refunding.pay(till.ledger, item, at=NOW)
    assert len(till.site.refunds) == 1 and till.standing(number)[:2] == ("paid", "0.00")


def test_a_crash_before_it_was_booked(till: Till, number: str) -> None:
    """Tried again, the refund that was made is found, and booked."""
    item = ask(till, number)
    till.adapter.refund(next(iter(till.site.intents)), Money.of("500.00", "EUR"), item=item)
    till.site._keys.clear()
    refunding.pay(till.ledger, item, at=NOW)
    assert len(till.site.refunds) == 1 and till.standing(number)[:2] == ("paid", "0.00")


def test_refused(till: Till, number: str) -> None:
    """What Stripe will never do is told to its owner, and nothing is booked."""
    till.site.give_back(next(iter(till.site.intents)), 850000)
    item = ask(till, number)
    refunding.pay(till.ledger, item, at=NOW)
    state, why = status(till, item)
    assert state == "failed" and why and "greater than unrefunded" in why
    assert till.standing(number)[:2] == ("overpaid", "-500.00")


def test_it_comes_back(till: Till, number: str) -> None:
    """The client's bank does not take it: the money is there again, and is paid too much as before."""
    item = ask(till, number)
    refunding.pay(till.ledger, item, at=NOW)
    till.deliver()
    till.site.fail_refund(next(iter(till.site.refunds)))
    till.deliver()
    assert till.standing(number)[:2] == ("overpaid", "-500.00")
    assert till.events(number)[-1] == "refund came back"


def test_no_payment_covers_it(till: Till) -> None:
    """Paid by bank, it cannot go back by Stripe; the owner pays it otherwise."""
    connect(till.ledger, till.connection, payments=LARGE)
    number = till.story.issued("one")
    till.story.paid(number, "8600.00")
    item = ask(till, number, "100.00")
    refunding.pay(till.ledger, item, at=NOW)
    assert status(till, item)[0] == "failed" and not till.site.refunds


def test_money_for_no_invoice(till: Till) -> None:
    """A shop's payment that was kept goes back, too, and is closed."""
    connect(till.ledger, till.connection, payments=LARGE)
    till.site.settle(till.site.intent(4200))
    till.deliver()
    with till.ledger.transaction() as tx:
        kept = tx.scalars(select(UnmatchedPaymentRow).with_for_update()).one()
        company = COMPANY.model_copy(update={"connections": (till.connection,), "payments": LARGE})
        item = refunds.ask(
            tx,
            kept,
            company,
            amount=None,
            reason="not ours",
            method="stripe",
            key=None,
            by="lena",
            channel="cli",
            at=NOW,
        )[0].id
    refunding.pay(till.ledger, item, at=NOW)
    till.deliver()
    assert status(till, item)[0] == "done" and len(till.site.refunds) == 1


def test_rounds(till: Till, number: str) -> None:
    """A refund Stripe cannot be asked about waits a minute, then two; another one is paid meanwhile."""
    first = ask(till, number, "100.00")
    worker = Refunds(till.ledger)
    till.site.server.next_answers += [Answer(409, {"error": {"type": "api_error", "message": "busy"}})]
    worker.pay_due(NOW)
    assert status(till, first)[0] == "agreed"
    second = ask(till, number, "50.00")
    worker.pay_due(NOW + timedelta(seconds=30))
    assert [status(till, each)[0] for each in (first, second)] == ["agreed", "done"]
    till.site.server.next_answers += [Answer(409, {"error": {"type": "api_error", "message": "busy"}})]
    worker.pay_due(NOW + timedelta(seconds=61))
    worker.pay_due(NOW + timedelta(seconds=150))
    assert status(till, first)[0] == "agreed"
    worker.pay_due(NOW + timedelta(seconds=190))
    assert status(till, first)[0] == "done"
    assert till.standing(number)[:2] == ("overpaid", "-350.00")
