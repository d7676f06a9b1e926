"""Credit of clients: what was paid too much is seen, used within one client, issuer and currency, and never lost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.ledger import (
    client_credit,
    commands,
    company_records,
    payment_commands,
    settling_commands,
    views,
)
from activities.ledger.exceptions import Resolution
from billing.approval_policy import Channel
from billing.errors import NotFound, Refused, WrongState
from billing.payment_policy import PaymentPolicy
from tests.activities.ledger.conftest import at_once, breaks, everything, rows, tamper
from tests.starter.web.story import COMPANY, NOW, Story


def said(by: str = "lena") -> dict[str, Any]:
    return {"by": by, "channel": Channel.CLI, "at": NOW}


def use(story: Story, source: str, number: str, amount: str | None = None, **changes: Any) -> str | None:
    """What was used."""
    given = {"amount": Decimal(amount) if amount else None, **said(), **changes}
    used = settling_commands.use_credit(story.ledger, source, number, **given)[1]
    return f"{used.amount:.2f}" if used else None


def credit(story: Story, client: str | None = None) -> list[tuple[str, str, str]]:
    """Client, where from, what is left."""
    with story.ledger.transaction() as tx:
        return [(each.client, each.name, f"{each.left.amount:.2f}") for each in client_credit.of(tx, client)]


def open_of(story: Story, *numbers: str) -> list[str]:
    with story.ledger.transaction() as tx:
        return [f"{story.invoice(tx, number).open_amount:.2f}" for number in numbers]


def kept(story: Story, amount: str = "100.00", key: str = "k1") -> int:
    payment, _ = commands.keep_unmatched(
        story.ledger,
        Decimal(amount),
        "EUR",
        key=key,
        payer="Nordlicht",
        received_on=NOW.date(),
        by="lena",
        at=NOW,
    )
    return payment


@pytest.fixture
def overpaid(story: Story) -> str:
    """An invoice over 8,500 euros for which 9,000 came."""
    number = story.issued("one")
    story.paid(number, "9000")
    return number


def test_it_is_seen(story: Story, overpaid: str) -> None:
    """What was paid too much is somebody's to decide until it is gone; more of it is the same question."""
    with story.ledger.transaction() as tx:
        (item,) = views.inbox(tx, "lena", NOW)
    assert (item.code, item.amount, item.subject) == ("overpaid", Decimal("500.00"), f"overpaid/{overpaid}")
    assert item.net is None and "paid EUR 500.00 too much" in item.why
    story.paid(overpaid, "1")
    with story.ledger.transaction() as tx:
        assert [each.amount for each in views.inbox(tx, "lena", NOW)] == [Decimal("501.00")]
    story.paid(overpaid, "-501")
    with story.ledger.transaction() as tx:
        assert views.inbox(tx, "lena", NOW) == []


def test_kept_as_credit(story: Story, overpaid: str) -> None:
    """Kept as credit, nobody is asked again while it is the same; when more comes, somebody is."""
    commands.resolve(story.ledger, 1, Resolution.ACCEPT, reason="for the next invoice", **said())
    with story.ledger.transaction() as tx:
        assert views.inbox(tx, None, NOW) == []
    assert credit(story) == [("nordlicht", overpaid, "500.00")]
    story.paid(overpaid, "1")
    with story.ledger.transaction() as tx:
        assert len(views.inbox(tx, None, NOW)) == 1


def test_paid_too_much_before_anybody_was_asked(story: Story, overpaid: str) -> None:
    """In a ledger of the release before, nobody was: somebody is now, once."""
    tamper(story.ledger, "delete from exceptions")
    for _ in "ab":
        with story.ledger.transaction() as tx:
            client_credit.attend(tx, at=NOW)
    with story.ledger.transaction() as tx:
        assert [each.subject for each in views.inbox(tx, None, NOW)] == [f"overpaid/{overpaid}"]


def test_used(story: Story, overpaid: str) -> None:
    """Used, it leaves one invoice and pays the other, as much as that needs; the two sum to what came."""
    other = story.issued("two")
    assert use(story, overpaid, other) == "500.00"
    assert open_of(story, overpaid, other) == ["0.00", "8000.00"]
    assert credit(story) == []
    assert rows(story.ledger, "select sum(amount)::numeric(9,2)::text from payments") == [("9000.00",)]
    assert breaks(story.ledger, overpaid) == breaks(story.ledger, other) == []
    small = story.issued("three", prices=("10.00",))
    story.paid(overpaid, "100")
    assert use(story, overpaid, small) == "11.90"
    assert credit(story, "nordlicht") == [("nordlicht", overpaid, "88.10")]


def test_used_twice(story: Story, overpaid: str) -> None:
    """The same again, also at once, is one use; for two invoices at once, no cent is used twice."""
    numbers = [story.issued(each) for each in ("two", "three")]
    assert [use(story, overpaid, numbers[0], "50") for _ in "ab"] == ["50.00", None]
    found = at_once(6, lambda place: use(story, overpaid, numbers[place % 2], key=f"k{place}"))
    assert [each for each in found if isinstance(each, str)] == ["450.00"]
    assert open_of(story, overpaid) == ["0.00"]


@pytest.mark.parametrize("client", ["ateliers", "kawa"])
def test_never_across(story: Story, overpaid: str, client: str) -> None:
    """Another client's invoice, or one in another currency, is never paid with it; nothing changes."""
    other = story.issued("two", client=client)
    before = everything(story.ledger)
    with pytest.raises(Refused, match="credit never moves across these"):
        use(story, overpaid, other)
    with pytest.raises(Refused, match="cannot be paid with what it was paid too much itself"):
        use(story, overpaid, overpaid)
    assert everything(story.ledger) == before


def test_refused(story: Story, overpaid: str) -> None:
    """More than is there or open, nothing, what is set apart for a refund: refused, and nothing changes."""
    other = story.issued("two")
    settling_commands.refund(story.ledger, overpaid, amount=Decimal(400), reason="asked for", **said())
    before = everything(story.ledger)
    for amount in ("100.01", "0", "-5"):
        with pytest.raises(Refused, match=r"EUR 100\.00 are left of"):
            use(story, overpaid, other, amount)
    with pytest.raises(WrongState, match="nothing of it is open"):
        use(story, other, overpaid)
    with pytest.raises(NotFound):
        use(story, "payment 7", other)
    assert everything(story.ledger) == before


def test_a_payment_without_invoice(story: Story) -> None:
    """Kept of a client, an unmatched payment is decided, is its credit, and is used in parts."""
    payment, number = kept(story), story.issued("one")
    with pytest.raises(Refused, match="nobody's credit is payment 1"):
        use(story, "payment 1", number)
    assert (
        settling_commands.keep_as_credit(story.ledger, payment, "nordlicht", by="lena", at=NOW).amount == 100
    )
    with pytest.raises(WrongState, match="decided already: kept as credit of nordlicht"):
        settling_commands.keep_as_credit(story.ledger, payment, "kawa", by="lena", at=NOW)
    assert use(story, "payment 1", number, "30") == "30.00"
    assert credit(story) == [("nordlicht", "payment 1", "70.00")]
    assert use(story, "1", number) == "70.00"
    assert (credit(story), open_of(story, number)) == ([], ["8400.00"])


def test_undone(story: Story, overpaid: str) -> None:
    """Used for the wrong invoice, it goes back once, and that invoice is owed again."""
    other = story.issued("two", prices=("100",))
    use(story, overpaid, other)
    (booking,) = rows(story.ledger, "select id from payments where source = 'credit' and amount > 0")[0]
    settling_commands.undo(story.ledger, booking, reason="wrong one", **said())
    assert open_of(story, overpaid, other) == ["-500.00", "119.00"]
    with pytest.raises(WrongState, match="taken back already"):
        settling_commands.undo(story.ledger, booking, reason="wrong one", **said())
    with pytest.raises(Refused, match="came from no credit"):
        settling_commands.undo(story.ledger, 1, reason="wrong one", **said())


def test_an_allocation_undone(story: Story) -> None:
    """An unmatched payment booked for the wrong invoice waits for a decision again, and can be booked for another."""
    number, other = story.issued("one"), story.issued("two")
    payment = kept(story, "8500")
    payment_commands.allocate(story.ledger, payment, [(number, None)], **said())
    (booking,) = rows(story.ledger, "select id from payments")[0]
    settling_commands.undo(story.ledger, booking, reason="theirs", **said())
    assert open_of(story, number) == ["8500.00"]
    with story.ledger.transaction() as tx:
        assert [each.kind for each in views.inbox(tx, "lena", NOW)] == ["payment"]
    payment_commands.allocate(story.ledger, payment, [(other, None)], **said())
    assert open_of(story, number, other) == ["8500.00", "0.00"]


@pytest.mark.parametrize("policy", ["ask", "at once"])
def test_before_the_next_invoice_is_sent(story: Story, overpaid: str, policy: str) -> None:
    """Policy says whether credit pays the next invoice by itself, or somebody is asked; the question ends with it."""
    company = COMPANY.model_copy(update={"payments": PaymentPolicy(use_credit=policy)})  # type: ignore[arg-type]
    company_records.apply_company(story.ledger, company, "company", "lena", NOW - timedelta(days=1))
    other = story.issued("two")
    for _ in range(2):
        client_credit.at_delivery(story.ledger, "manual/two", at=NOW)
    if policy == "at once":
        assert open_of(story, overpaid, other) == ["0.00", "8000.00"]
        return
    assert open_of(story, other) == ["8500.00"]
    with story.ledger.transaction() as tx:
        asked = [each for each in views.inbox(tx, "lena", NOW) if each.subject == f"credit/{other}"]
    assert [each.amount for each in asked] == [Decimal("500.00")]
    use(story, overpaid, other)
    with story.ledger.transaction() as tx:
        client_credit.attend(tx, at=NOW)
        assert views.inbox(tx, None, NOW) == []
