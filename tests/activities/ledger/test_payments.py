"""Payments: each booked once, the open amount always right, whatever comes when."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from activities.ledger import invoices, payments
from activities.ledger.database import Ledger
from billing.errors import Conflicting, MoneyError, Refused, WrongState
from billing.money import Money
from tests.activities.ledger.conftest import at_once, breaks, events, everything, rows
from tests.starter.web.story import NOW, Story


def pay(
    ledger: Ledger, reference: str, amount: str, *, key: str = "p1", currency: str = "EUR", on: int = 20
) -> bool:
    with ledger.transaction() as tx:
        return payments.record(
            tx,
            invoices.find(tx, reference, lock=True),
            Money.of(amount, currency),
            key=key,
            received_on=date(2026, 11, on),
            source="bank",
            by="lena",
            channel="cli",
            at=NOW,
        )


def standing(ledger: Ledger, reference: str) -> tuple[str, str, str, str]:
    """Payment status, paid, open, collection status."""
    with ledger.transaction() as tx:
        row = invoices.find(tx, reference)
        return (
            row.payment_status,
            f"{row.paid:.2f}",
            f"{payments.open_amount(row):.2f}",
            row.collection_status,
        )


@pytest.fixture
def number(story: Story) -> str:
    """An issued invoice over 8,500 euros."""
    return story.issued("one")


@pytest.mark.parametrize(
    ("amounts", "status", "left"),
    [
        ([], "unpaid", "8500.00"),
        (["0.01"], "partly paid", "8499.99"),
        (["8500.00"], "paid", "0.00"),
        (["8499.99", "0.01"], "paid", "0.00"),
        (["8500.01"], "overpaid", "-0.01"),
        (["8500.00", "8500.00"], "overpaid", "-8500.00"),
        (["8500.00", "-8500.00"], "unpaid", "8500.00"),
        (["8500.00", "-0.01"], "partly paid", "0.01"),
        (["9000.00", "-500.00"], "paid", "0.00"),
    ],
)
def test_sums(story: Story, number: str, amounts: list[str], status: str, left: str) -> None:
    """The payment status follows from the sum of what was paid and taken back."""
    for place, amount in enumerate(amounts):
        assert pay(story.ledger, number, amount, key=f"p{place}")
    found = standing(story.ledger, number)
    assert (found[0], found[2]) == (status, left)
    told = ["payment received" if Decimal(each) > 0 else "payment taken back" for each in amounts]
    assert events(story.ledger, number)[2:] == told
    assert breaks(story.ledger, number) == []


def test_same_key_again(story: Story, number: str) -> None:
    """The same payment again changes nothing at all."""
    assert pay(story.ledger, number, "100.00")
    before = everything(story.ledger)
    assert not pay(story.ledger, number, "100.00")
    assert everything(story.ledger) == before


@pytest.mark.parametrize("change", [{"amount": "100.01"}, {"on": 21}, {"amount": "-100.00"}])
def test_same_key_other_figures(story: Story, number: str, change: dict[str, object]) -> None:
    """A key that was used for other figures is refused with those, and nothing changes."""
    pay(story.ledger, number, "100.00")
    before = everything(story.ledger)
    with pytest.raises(
        Conflicting, match=r"'p1' is booked already .* 100.00 EUR on 2026-11-20; use another key"
    ):
        pay(story.ledger, number, **{"amount": "100.00", **change})  # type: ignore[arg-type]
    assert everything(story.ledger) == before


def test_same_key_for_another_invoice(story: Story, number: str) -> None:
    """A key that was used for another invoice is refused, also when both are booked at once."""
    numbers = [number, story.issued("two")]
    got = at_once(2, lambda n: pay(story.ledger, numbers[n], "100.00"))
    assert sorted(type(each).__name__ for each in got) == ["Conflicting", "bool"], got
    with pytest.raises(Conflicting):
        pay(story.ledger, numbers[got.index(True) - 1], "100.00")
    assert rows(story.ledger, "select count(*) from payments") == [(1,)]


@pytest.mark.parametrize(
    ("reference", "amount", "currency", "error", "message"),
    [
        ("ELB-2026-00001", "100.00", "USD", Refused, "is in EUR, the payment in USD; convert it first"),
        ("ELB-2026-00001", "0.00", "EUR", Refused, "a payment of nothing"),
        ("ELB-2026-00001", "-0.01", "EUR", Refused, "only 0.00 EUR were paid"),
        ("ELB-2026-00001", "0.001", "EUR", MoneyError, "more decimals"),
        ("manual/draft", "100.00", "EUR", WrongState, "no number yet, so nobody can pay it"),
        ("manual/voided", "100.00", "EUR", WrongState, "is voided draft"),
    ],
)
def test_refused(
    story: Story,
    number: str,
    reference: str,
    amount: str,
    currency: str,
    error: type[Exception],
    message: str,
) -> None:
    """What cannot be booked is refused with the reason and changes nothing."""
    story.drafted("draft")
    story.drafted("voided")
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, "manual/voided", lock=True)
        invoices.void(tx, row, rebill=True, by="lena", channel="cli", reason="wrong", at=NOW)
    before = everything(story.ledger)
    with pytest.raises(error, match=message):
        pay(story.ledger, reference, amount, currency=currency)
    assert everything(story.ledger) == before


def test_currency_without_decimals(story: Story) -> None:
    """A refusal tells an amount with the decimals of its currency."""
    yen = story.issued("yen", client="kawa", prices=("150000",))
    pay(story.ledger, yen, "1000", currency="JPY")
    with pytest.raises(Conflicting, match=r"other figures: 1,000 JPY on"):
        pay(story.ledger, yen, "1001", currency="JPY")
    with pytest.raises(Refused, match=r"only 1,000 JPY were paid"):
        pay(story.ledger, yen, "-1001", currency="JPY", key="p2")


def test_at_once(story: Story, number: str) -> None:
    """Payments booked at once are all counted, each once."""
    got = at_once(12, lambda n: pay(story.ledger, number, "10.00", key=f"p{n % 6}"))
    assert sorted(map(str, got)) == ["False"] * 6 + ["True"] * 6
    assert standing(story.ledger, number)[:2] == ("partly paid", "60.00")
    assert breaks(story.ledger, number) == []


@pytest.mark.parametrize(("handed_over", "after"), [(False, "not due"), (True, "handed over")])
def test_taken_back_after_closing(story: Story, number: str, handed_over: bool, after: str) -> None:
    """Money taken back after closing opens the invoice again, where it stood, and wakes it."""
    pay(story.ledger, number, "8500.00")
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        row.collection_status, row.closed_at = "closed", NOW
        row.handed_over_at = NOW if handed_over else None
    woken = rows(story.ledger, "select count(*) from outbox")[0][0]
    pay(story.ledger, number, "-8500.00", key="p2")
    assert standing(story.ledger, number) == ("unpaid", "0.00", "8500.00", after)
    assert rows(story.ledger, "select count(*) from outbox") == [(woken + 1,)]
