"""What happens to money at the edges, each as the shortest story that shows it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.delivery.smtp import MailDeferred
from activities.ledger import (
    client_credit,
    commands,
    credit_commands,
    dispute_commands,
    settling_commands,
    views,
)
from billing.approval_policy import Channel
from billing.credit_note import WHOLE
from tests.invariants.test_regressions import events, issued
from tests.invariants.world import World


@pytest.fixture(autouse=True)
def alone(world: World) -> None:
    """One person may credit, refund and write off whatever it is."""
    anything = {"alone_up_to": {"EUR": "100000"}}
    asked = dict.fromkeys(("credit_notes", "refunds", "write_offs"), anything)
    world.company.company_file = {"payments": asked}
    world.apply()


def said(world: World) -> dict[str, Any]:
    return {"by": "pia", "channel": Channel.CLI, "at": world.now}


def number_of(world: World, key: str) -> str:
    return world.row(key).number or ""


def pay(world: World, key: str, amount: Decimal | str, name: str) -> None:
    commands.pay(
        world.ledger,
        number_of(world, key),
        Decimal(amount),
        "EUR",
        key=name,
        received_on=world.now.date(),
        **said(world),
    )


def credit_all(world: World, key: str) -> None:
    number = number_of(world, key)
    credit_commands.credit(
        world.ledger, number, selection=WHOLE, reason="Wrong", key=f"all of {number}", **said(world)
    )


def asked_of_people(world: World) -> list[str]:
    with world.ledger.transaction() as tx:
        return [each.subject or "" for each in views.inbox(tx, None, world.now)]


def test_credited_before_the_client_had_it(world: World) -> None:
    """An invoice credited while no mail server took it: the client gets the credit note, and its story ends."""
    world.post.next = ["deferred"]
    key = world.trigger("acme-care")
    with pytest.raises(MailDeferred):
        world.work(key)
    credit_all(world, key)
    assert world.work(key).state == "settled: credited"
    assert [mail.numbers for mail in world.post.taken] == [{number_of(world, key)}]
    assert events(world, key)[-4:] == ["credited", "credit note rendered", "sent", "settled"]
    assert world.row(key).closed_at == world.now


def test_credited_refunded_and_charged_back(world: World) -> None:
    """A client has its money twice: nobody is reminded of a credited invoice, and a person asks, until it is there."""
    key = issued(world)
    gross = world.row(key).gross or Decimal(0)
    pay(world, key, gross, "p1")
    credit_all(world, key)
    refund = settling_commands.refund(
        world.ledger, number_of(world, key), amount=None, reason="credited", **said(world)
    )
    settling_commands.refund_paid(world.ledger, refund.id, on=world.now.date(), **said(world))
    world.work(key)
    assert world.row(key).closed_at is not None
    pay(world, key, -gross, "charged back")
    for _ in range(4):
        plan = world.work(key)
        assert plan.state == "credited, and more went back than had come" and plan.at is not None
        world.pass_time(plan.at - world.now)
    row = world.row(key)
    assert (row.open_amount, row.closed_at) == (gross, None)
    assert not [each for each in events(world, key) if each.startswith("reminder")]
    assert f"owed-again/{row.number}" in asked_of_people(world)
    pay(world, key, gross, "p2")
    assert world.work(key).state == "settled: credited"
    assert f"owed-again/{row.number}" not in asked_of_people(world)


def test_credit_of_a_client_that_is_gone(world: World) -> None:
    """It stays in the list, to be refunded, and keeps nobody else's from being seen."""
    kept = {}
    for client in ("lyon", "acme"):
        kept[client], _ = commands.keep_unmatched(
            world.ledger, Decimal(100), "EUR", key=client, payer="Somebody", received_on=world.now.date(),
            by="pia", at=world.now,
        )  # fmt: skip
        settling_commands.keep_as_credit(world.ledger, kept[client], client, by="pia", at=world.now)
    world.company.clients = [each for each in world.company.clients if each["id"] != "lyon"]
    world.company.agreements = [each for each in world.company.agreements if each["client"] != "lyon"]
    world.apply()
    with world.ledger.transaction() as tx:
        assert [(each.client, each.left.amount) for each in client_credit.of(tx)] == [
            ("acme", Decimal(100)),
            ("lyon", Decimal(100)),
        ]
        client_credit.attend(tx, at=world.now)
    gone = f"payment {kept['lyon']}"
    assert settling_commands.refund(world.ledger, gone, amount=None, reason="gone", **said(world)).new


def test_a_plan_and_a_write_off(world: World) -> None:
    """What is written off pays the first parts of a plan; taken back since money came, none is reminded twice."""
    key = issued(world)  # 1,190.00
    number, today = number_of(world, key), world.now.date()
    parts = [
        (today + timedelta(days=20 * place), Decimal(part)) for place, part in ((1, 400), (2, 400), (3, 390))
    ]
    dispute_commands.agree_plan(world.ledger, number, parts=parts, reason="short of cash", **said(world))
    settling_commands.write_off(world.ledger, number, amount=Decimal(400), reason="goodwill", **said(world))
    assert world.row(key).agreed_due_date == parts[1][0]
    pay(world, key, "790", "p1")
    assert world.work(key).state == "settled: written off"
    pay(world, key, "400", "p2")
    assert world.work(key).state == "settled: paid"
    row = world.row(key)
    assert row.written_off == 0 and row.open_amount == 0 and row.payment_status == "paid"
    pay(world, key, "-790", "back")
    row = world.row(key)
    assert (row.open_amount, row.agreed_due_date, row.closed_at) == (Decimal(790), parts[1][0], None)
