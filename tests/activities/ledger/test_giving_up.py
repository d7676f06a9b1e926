"""Giving up: one person asks, another agrees, nobody waits in vain, and no more is given up than was agreed to."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.invoicing import billing_runs, staff_mail
from activities.ledger import (
    company_records,
    giving_up,
    invoices,
    refunds,
    settling_commands,
    unmatched_payments,
    views,
)
from activities.ledger.records.listing import Wanted
from activities.ledger.records.payments import list_payments, read_payment
from activities.ledger.settling_commands import Item
from activities.ledger.tables import MessageRow
from billing.approval_policy import Channel
from billing.errors import Conflicting, NotAllowed, NotFound, Refused, WrongState
from billing.money import Money
from billing.payment_policy import Agreeing, PaymentPolicy
from tests.activities.ledger.conftest import at_once, breaks, events, everything, rows
from tests.mail_server import MailServer
from tests.starter.web.story import COMPANY, NOW, Story
from workers.assembly import effects
from workers.settings import Settings

GIVING = PaymentPolicy(
    write_offs=Agreeing(approvers=("tom", "rosa"), alone_up_to={"EUR": Decimal(10)}),
    refunds=Agreeing(approvers=("rosa",), decide_within_hours=24),
)


@pytest.fixture
def number(story: Story) -> str:
    """An issued invoice over 8,500 euros of a company with a policy for giving up."""
    company = COMPANY.model_copy(update={"payments": GIVING})
    company_records.apply_company(story.ledger, company, "company", "lena", NOW - timedelta(days=1))
    return story.issued("one")


def said(by: str = "lena") -> dict[str, Any]:
    return {"by": by, "channel": Channel.CLI, "at": NOW}


def write_off(story: Story, number: str, amount: str | None = None, **changes: Any) -> Item:
    given = {"amount": Decimal(amount) if amount else None, "reason": "insolvent", **said(), **changes}
    return settling_commands.write_off(story.ledger, number, **given)


def refund(story: Story, number: str, amount: str | None = None, **changes: Any) -> Item:
    given = {"amount": Decimal(amount) if amount else None, "reason": "paid twice", **said(), **changes}
    return settling_commands.refund(story.ledger, number, **given)


def standing(story: Story, number: str) -> tuple[str, str, str]:
    """Payment status, what is written off, what is open."""
    with story.ledger.transaction() as tx:
        row = story.invoice(tx, number)
        return row.payment_status, f"{row.written_off:.2f}", f"{row.open_amount:.2f}"


def test_a_viewer_is_not_asked(story: Story, number: str) -> None:
    """Whom the policy names, but whose role lets them change nothing, is not asked, and may agree by no channel."""
    named = GIVING.model_copy(update={"write_offs": Agreeing(approvers=("vito", "rosa"))})
    company = COMPANY.model_copy(update={"payments": named})
    company_records.apply_company(story.ledger, company, "company", "lena", NOW)
    asked = write_off(story, number)
    assert asked.waits_for == ("rosa",)
    with pytest.raises(NotAllowed, match="asked are: rosa"):
        settling_commands.agree(story.ledger, asked.id, **said("vito"))


def test_written_off_once_another_agrees(story: Story, number: str) -> None:
    """Asked for, nothing is given up; agreed to by another, what was open is; net and tax of it are on the trail."""
    asked = write_off(story, number)
    assert (asked.status, asked.waits_for) == ("asked", ("tom", "rosa"))
    assert standing(story, number) == ("unpaid", "0.00", "8500.00")
    done = settling_commands.agree(story.ledger, asked.id, **said("tom"))
    assert (done.status, done.waits_for) == ("done", ())
    assert standing(story, number) == ("written off", "8500.00", "0.00")
    assert events(story.ledger, number)[-3:] == ["write-off asked", "write-off agreed", "written off"]
    with story.ledger.transaction() as tx:
        facts = views.timeline(tx, number)[-1].facts
    # 8,500.00 with 19 % in it: 8,500 x 19 / 119 = 1,357.14
    assert (facts["net"], facts["tax"], facts["asked_by"]) == ("7142.86", "1357.14", "lena")
    assert breaks(story.ledger, number) == []


def test_small_amounts_alone(story: Story, number: str) -> None:
    """Up to what the company lets one give up alone, nobody else is asked; a cent more, and somebody is."""
    assert write_off(story, number, "10.00").status == "done"
    assert standing(story, number) == ("unpaid", "10.00", "8490.00")
    assert write_off(story, number, "10.01").status == "asked"


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("lena", "lena asked for write-off 1; another person must agree"),
        ("mallory", "'mallory' is not a person"),
    ],
)
def test_four_eyes(story: Story, number: str, by: str, message: str) -> None:
    """Who asks never agrees, nor does who is not asked; nothing changes."""
    write_off(story, number)
    before = everything(story.ledger)
    for decide in (settling_commands.agree, settling_commands.refuse):
        with pytest.raises(NotAllowed, match=message):
            decide(story.ledger, 1, comment="no", **said(by))
    assert everything(story.ledger) == before


def test_only_those_asked_agree(story: Story, number: str) -> None:
    """A refund is for Rosa to agree to; Tom is not asked."""
    story.paid(number, "9000")
    refund(story, number)
    with pytest.raises(NotAllowed, match="tom is not asked about refund 1; asked are: rosa"):
        settling_commands.agree(story.ledger, 1, **said("tom"))


def test_nobody_else_is_there(story: Story) -> None:
    """Without approvers the owner of exceptions or whoever is above agrees; with nobody left, it is refused at once."""
    company_records.apply_company(story.ledger, COMPANY, "company", "lena", NOW - timedelta(days=1))
    number = story.issued("two")
    assert write_off(story, number).waits_for == ("tom",)
    alone = COMPANY.model_copy(update={"people": COMPANY.people[:1]})
    company_records.apply_company(story.ledger, alone, "company", "lena", NOW)
    with pytest.raises(Refused, match="nobody but lena may agree to this write-off"):
        write_off(story, story.issued("three"))


def test_a_second_click(story: Story, number: str) -> None:
    """The same again, also at once, is one question; another amount is told to wait, or what is asked is withdrawn."""
    outcomes = at_once(4, lambda _: write_off(story, number))
    assert [each.new for each in outcomes if isinstance(each, Item)].count(True) == 1
    assert rows(story.ledger, "select count(*) from giving_up") == [(1,)]
    with pytest.raises(Conflicting, match=r"write-off 1 of EUR 8,500\.00 waits already"):
        write_off(story, number, "100")
    settling_commands.withdraw(story.ledger, 1, comment="too early", **said())
    again = write_off(story, number)
    assert (again.id, again.new) == (2, True)
    settling_commands.refuse(story.ledger, 2, comment="they will pay", **said("rosa"))
    with pytest.raises(WrongState, match="write-off 2 is refused already by rosa"):
        settling_commands.agree(story.ledger, 2, **said("tom"))


def test_agreed_to_at_once(story: Story, number: str) -> None:
    """Agreed to by two at once, it is done once."""
    write_off(story, number)
    found = at_once(2, lambda place: settling_commands.agree(story.ledger, 1, **said(("tom", "rosa")[place])))
    assert {type(each) for each in found} == {Item, WrongState}
    assert standing(story, number) == ("written off", "8500.00", "0.00")


def test_paid_meanwhile(story: Story, number: str) -> None:
    """No more is written off than is open by then; paid in full, the question ends by itself."""
    write_off(story, number)
    story.paid(number, "8000")
    settling_commands.agree(story.ledger, 1, **said("tom"))
    assert standing(story, number) == ("written off", "500.00", "0.00")
    other = story.issued("two")
    write_off(story, other)
    story.paid(other, "8500")
    with pytest.raises(WrongState, match="write-off 2 is withdrawn already by billow"):
        settling_commands.agree(story.ledger, 2, **said("tom"))


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        ("500", ("written off", "8000.00", "0.00")),
        ("8500", ("paid", "0.00", "0.00")),
        ("9000", ("overpaid", "0.00", "-500.00")),
    ],
)
def test_money_comes_after_all(story: Story, number: str, paid: str, expected: tuple[str, str, str]) -> None:
    """Money that comes for what was written off takes the write-off back by as much, and only then is too much."""
    settling_commands.agree(story.ledger, write_off(story, number).id, **said("tom"))
    story.paid(number, paid)
    assert standing(story, number) == expected
    assert "write-off taken back" in events(story.ledger, number)


def test_what_came_after_all_goes_back(story: Story, number: str) -> None:
    """A payment of what was written off is taken back: nobody is reminded of what was given up, somebody is asked;
    written off again, the question ends."""
    settling_commands.agree(story.ledger, write_off(story, number).id, **said("tom"))
    story.paid(number, "500")
    story.paid(number, "-500")
    assert standing(story, number) == ("unpaid", "8000.00", "500.00")
    with story.ledger.transaction() as tx:
        row = story.invoice(tx, number)
        (asked,) = invoices.open_exceptions(tx, row)
        assert asked.code == "paid-back" and "EUR 500.00 is open again" in asked.finding["message"]
    again = write_off(story, number, "500")
    settling_commands.agree(story.ledger, again.id, **said("tom"))
    assert standing(story, number) == ("written off", "8500.00", "0.00")
    with story.ledger.transaction() as tx:
        assert invoices.open_exceptions(tx, story.invoice(tx, number)) == []
    assert breaks(story.ledger, number) == []


def test_all_of_it_twice_a_day(story: Story, number: str) -> None:
    """All that is open was given up, and some of it came back: to give up all again is another question that day, and
    a second click on that is the same one."""
    first = settling_commands.agree(story.ledger, write_off(story, number).id, **said("tom"))
    again = write_off(story, number)
    assert (again.id, again.new) == (first.id, False)
    story.paid(number, "500")
    story.paid(number, "-500")
    second = write_off(story, number)
    assert (second.new, str(second.amount)) == (True, "EUR 500.00")
    assert write_off(story, number).id == second.id
    settling_commands.agree(story.ledger, second.id, **said("tom"))
    assert write_off(story, number).id == second.id
    assert standing(story, number) == ("written off", "8500.00", "0.00")
    assert breaks(story.ledger, number) == []


def test_refunded_twice_a_day(story: Story, number: str) -> None:
    """Too much came, went back, and too much came again: all of it once more is another refund."""
    for _ in range(2):
        story.paid(number, "9000" if standing(story, number)[0] == "unpaid" else "500")
        asked = refund(story, number)
        assert asked.new
        settling_commands.agree(story.ledger, asked.id, **said("rosa"))
        settling_commands.refund_paid(story.ledger, asked.id, on=date(2026, 11, 20), **said())
        assert not refund(story, number).new
    assert standing(story, number) == ("paid", "0.00", "0.00")
    assert breaks(story.ledger, number) == []


def test_what_was_never_given_up_goes_back(story: Story, number: str) -> None:
    """A payment that is taken back of an ordinary invoice asks nobody: it is owed again."""
    story.paid(number, "500")
    story.paid(number, "-500")
    with story.ledger.transaction() as tx:
        assert invoices.open_exceptions(tx, story.invoice(tx, number)) == []


def test_refused(story: Story, number: str) -> None:
    """More than is open or too much, nothing, another currency's decimals, no reason: refused, and nothing changes."""
    story.drafted("draft")
    before = everything(story.ledger)
    with pytest.raises(Refused, match=r"EUR 8,500\.00 of .* are open"):
        write_off(story, number, "8500.01")
    for amount in ("-1", "0"):
        with pytest.raises(Refused):
            write_off(story, number, amount)
    with pytest.raises(Refused, match="needs a reason"):
        write_off(story, number, reason=" ")
    with pytest.raises(WrongState, match="only what was issued"):
        write_off(story, "manual/draft")
    with pytest.raises(WrongState, match="it is not paid too much"):
        refund(story, number)
    for unknown in (1, 0, 2**70):
        with pytest.raises(NotFound, match="nobody has asked"):
            settling_commands.agree(story.ledger, unknown, **said("tom"))
    assert everything(story.ledger) == before


def test_refund(story: Story, number: str) -> None:
    """Agreed to, a refund waits to be paid; paid, it is booked once and does not reopen the invoice."""
    story.paid(number, "9000")
    assert refund(story, number, "200").waits_for == ("rosa",)
    with pytest.raises(Refused, match=r"EUR 300\.00 of .* are there to be paid back"):
        refund(story, number, "300.01")
    with pytest.raises(WrongState, match="must be agreed to before"):
        settling_commands.refund_paid(story.ledger, 1, on=date(2026, 11, 20), **said())
    settling_commands.agree(story.ledger, 1, **said("rosa"))
    assert standing(story, number) == ("overpaid", "0.00", "-500.00")
    assert [
        settling_commands.refund_paid(story.ledger, 1, on=date(2026, 11, 20), **said())[1] for _ in "ab"
    ] == [
        True,
        False,
    ]
    assert standing(story, number) == ("overpaid", "0.00", "-300.00")
    paid = rows(story.ledger, "select amount::numeric(9,2)::text, source from payments order by id")
    assert paid == [("9000.00", "manual"), ("-200.00", "refund")]


def test_charged_back_before_it_is_refunded(story: Story, number: str) -> None:
    """Money that was taken back is not refunded, too: what was agreed to is withdrawn before anybody pays it."""
    story.paid(number, "9000")
    refund(story, number)
    settling_commands.agree(story.ledger, 1, **said("rosa"))
    with story.ledger.transaction() as tx:
        assert [each.id for each in refunds.to_pay(tx)] == [1]
    story.paid(number, "-9000")
    with story.ledger.transaction() as tx:
        assert refunds.to_pay(tx) == []
    assert rows(story.ledger, "select status, comment from giving_up") == [
        ("withdrawn", "no longer paid too much")
    ]
    assert standing(story, number) == ("unpaid", "0.00", "8500.00")


def test_gone_all_the_same(story: Story, number: str) -> None:
    """A refund that was under way when the payment was charged back is booked: the money is gone, and owed."""
    story.paid(number, "9000")
    refund(story, number)
    settling_commands.agree(story.ledger, 1, **said("rosa"))
    story.paid(number, "-9000")
    settling_commands.refund_paid(story.ledger, 1, on=date(2026, 11, 20), **said())
    assert standing(story, number) == ("unpaid", "0.00", "9000.00")


def test_failed(story: Story, number: str) -> None:
    """A refund the provider could not pay is its owner's again, with what was said, and can be paid otherwise."""
    story.paid(number, "9000")
    refund(story, number, method="stripe")
    settling_commands.agree(story.ledger, 1, **said("rosa"))
    with story.ledger.transaction() as tx:
        (found,) = refunds.to_pay(tx, "stripe")
        assert refunds.to_pay(tx, "bank transfer") == []
        company = company_records.current(tx).company
        refunds.failed(tx, found, story.invoice(tx, number), company, error="card closed", at=NOW)
    with story.ledger.transaction() as tx:
        (item,) = (each for each in views.inbox(tx, "lena", NOW) if each.kind == "giving-up")
    assert "it failed: card closed" in item.why and item.resolutions == ("paid", "withdraw")
    settling_commands.refund_paid(story.ledger, 1, on=date(2026, 11, 20), **said())
    assert standing(story, number)[0] == "paid"


def test_never_with_nobody(story: Story, number: str) -> None:
    """Those asked are reminded half-way, once; past the deadline it goes up the line, never to who asked."""
    story.paid(number, "9000")
    refund(story, number, by="tom")
    half, whole = NOW + timedelta(hours=12), NOW + timedelta(hours=24)

    def told() -> list[str]:
        query = "select key from messages where event = 'agreement-wanted' order by prepared_at, key"
        return [key for (key,) in rows(story.ledger, query)]

    def attend(at: Any) -> None:
        with story.ledger.transaction() as tx:
            giving_up.attend(tx, company_records.current(tx).company, at=at)

    assert told() == ["giving-up-1/asked/rosa/0"]
    kinds = "select facts ->> 'kind' from messages where event = 'agreement-wanted'"
    assert rows(story.ledger, kinds) == [("refund",)]
    for _ in range(2):
        attend(half)
    assert told()[1:] == ["giving-up-1/asked/rosa/0/reminder"]
    billing_runs.run(story.ledger, "run", whole)
    assert told()[2:] == ["giving-up-1/asked/lena/1", "giving-up-1/asked/rosa/1"]
    with story.ledger.transaction() as tx:
        assert views.counts(tx, whole + timedelta(days=9), "lena").given_up == 1
    settling_commands.agree(story.ledger, 1, **said("lena"))


def test_mail(story: Story, number: str, settings: Settings, smtp: MailServer) -> None:
    """Whoever must agree reads what is asked for, by whom and why, and where to decide."""
    write_off(story, number)
    outside = effects(settings)
    with outside.ledger.transaction() as tx:
        message = tx.get_one(MessageRow, "giving-up-1/asked/tom/0", with_for_update=True)
        staff_mail.send(tx, message, outside)
    outside.ledger.close()
    (mail,) = smtp.messages()
    for part in ("Hello Tom Iversen", number, "Nordlicht", "https://billow.test/"):
        assert part in mail.text
    said_so = " ".join(mail.text.split())
    assert "Lena Brandt asks for write-off 1 of EUR 8,500.00: insolvent" in said_so


def test_what_is_refunded_is_not_left(story: Story, number: str) -> None:
    """Of a payment without invoice nothing is left once it is to be paid back: a list and the one say the same."""
    with story.ledger.transaction() as tx:
        unmatched_payments.record(
            tx,
            Money.of(Decimal(77), "EUR"),
            key="b1",
            received_on=NOW.date(),
            payer="Jemand",
            reference="?",
            source="bank",
            by="lena",
            company=company_records.current(tx).company,
            at=NOW,
        )
    refund(story, "payment 1", "70")
    with story.ledger.transaction() as tx:
        (listed,) = list_payments(tx, Wanted())
        assert (str(listed.left), read_payment(tx, listed.id)) == ("7.00", listed)
