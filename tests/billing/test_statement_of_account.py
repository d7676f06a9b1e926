"""Statements of account and receipts, worked by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.money import Money, total
from billing.receipt import Receipt
from billing.statement_of_account import (
    BUCKETS,
    AccountInvoice,
    EntryKind,
    Movement,
    OpenItem,
    accounts,
)
from tests.activities.documents.samples import ISSUER

MARCH = (date(2026, 3, 1), date(2026, 3, 31))


def moved(day: date, amount: str, kind: EntryKind = EntryKind.PAYMENT) -> Movement:
    return Movement(on=day, amount=Decimal(amount), kind=kind)


def invoiced(
    number: str, issued: date, due: date, amount: str, *movements: Movement, currency: str = "EUR"
) -> AccountInvoice:
    return AccountInvoice(
        number=number,
        title="Wartung",
        issue_date=issued,
        due_date=due,
        amount=Money.of(amount, currency),
        movements=movements,
    )


BEFORE = invoiced("B-1", date(2026, 1, 5), date(2026, 2, 4), "1190.00", moved(date(2026, 2, 3), "1000.00"))
PAID = invoiced("B-2", date(2026, 2, 20), date(2026, 3, 6), "500.00", moved(date(2026, 3, 6), "500.00"))
OPEN = invoiced("B-3", date(2026, 3, 10), date(2026, 4, 9), "2380.00")
TOO_MUCH = invoiced("B-4", date(2026, 3, 12), date(2026, 3, 26), "100.00", moved(date(2026, 3, 20), "150.00"))
CREDITED = invoiced("C-1", date(2026, 3, 15), date(2026, 3, 15), "-80.00")
LATER = invoiced("B-5", date(2026, 4, 1), date(2026, 5, 1), "999.00")


def test_an_account_between_two_days() -> None:
    """190 + 500 brought forward; the invoices and payments of March by day, and what is open at its end."""
    (account,) = accounts([LATER, TOO_MUCH, CREDITED, OPEN, BEFORE, PAID], *MARCH)
    assert account.brought_forward == Decimal("690.00")
    assert [(each.on.day, each.kind, each.number, each.amount, each.balance) for each in account.entries] == [
        (6, EntryKind.PAYMENT, "B-2", Decimal("-500.00"), Decimal("190.00")),
        (10, EntryKind.INVOICE, "B-3", Decimal("2380.00"), Decimal("2570.00")),
        (12, EntryKind.INVOICE, "B-4", Decimal("100.00"), Decimal("2670.00")),
        (15, EntryKind.CREDIT_NOTE, "C-1", Decimal("-80.00"), Decimal("2590.00")),
        (20, EntryKind.PAYMENT, "B-4", Decimal("-150.00"), Decimal("2440.00")),
    ]
    assert account.balance == Decimal("2440.00")
    assert [(each.number, each.open, each.days_late) for each in account.items] == [
        ("B-1", Decimal("190.00"), 55),
        ("C-1", Decimal("-80.00"), 0),
        ("B-4", Decimal("-50.00"), 0),
        ("B-3", Decimal("2380.00"), 0),
    ]
    assert account.ageing == {
        "current": Decimal("2250.00"),
        "1-30": Decimal(0),
        "31-60": Decimal("190.00"),
        "61-90": Decimal(0),
        "90+": Decimal(0),
    }
    assert account.late == Decimal("190.00")


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0, "current"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (90, "61-90"), (91, "90+"),
     (4000, "90+")],
)  # fmt: skip
def test_buckets(days: int, bucket: str) -> None:
    """The due date itself is current; thirty days make a bucket."""
    amount = Decimal(1)
    day = date(2026, 1, 1)
    item = OpenItem(
        number="1", title="", issue_date=day, due_date=day, amount=amount, open=amount, days_late=days
    )
    assert item.bucket == bucket


def test_each_currency_is_an_account() -> None:
    """Francs and euros stand apart, by their codes; an account that never moved is left out."""
    francs = invoiced("B-6", date(2026, 3, 2), date(2026, 3, 9), "10.00", currency="CHF")
    settled = invoiced(
        "B-7", date(2025, 3, 2), date(2025, 3, 9), "10.00", moved(date(2025, 3, 9), "10.00"), currency="USD"
    )
    assert [each.currency for each in accounts([OPEN, settled, francs], *MARCH)] == ["CHF", "EUR"]
    assert accounts([settled], *MARCH) == ()


def test_money_before_its_invoice_is_the_clients() -> None:
    """Paid on the last day, invoiced on the next: the client has money with us."""
    early = invoiced("B-8", date(2026, 4, 1), date(2026, 4, 15), "70.00", moved(date(2026, 3, 31), "70.00"))
    (account,) = accounts([early], *MARCH)
    assert (account.balance, [each.open for each in account.items]) == (
        Decimal("-70.00"),
        [Decimal("-70.00")],
    )


def test_days_the_wrong_way_round() -> None:
    """A statement cannot end before it begins."""
    with pytest.raises(Refused, match="turn the two round"):
        accounts([], date(2026, 3, 2), date(2026, 3, 1))


days = st.dates(date(2026, 1, 1), date(2026, 6, 30))
cents = st.integers(-99_999, 99_999).map(lambda n: Decimal(n).scaleb(-2))


@given(
    st.lists(st.tuples(days, cents, st.lists(st.tuples(days, cents), max_size=4)), max_size=12), days, days
)
def test_the_balance_is_what_is_open(
    drawn: list[tuple[date, Decimal, list[tuple[date, Decimal]]]], one: date, other: date
) -> None:
    """Whatever happened: brought forward and entries make the balance, and so do the open items and the buckets."""
    invoices = [
        invoiced(f"B-{number}", issued, issued, str(amount), *(moved(on, str(paid)) for on, paid in payments))
        for number, (issued, amount, payments) in enumerate(drawn)
    ]
    for account in accounts(invoices, min(one, other), max(one, other)):
        assert account.brought_forward + total(each.amount for each in account.entries) == account.balance
        assert total(each.open for each in account.items) == account.balance
        assert total(account.ageing.values()) == account.balance
        assert set(account.ageing) == set(BUCKETS)
        assert not account.entries or account.entries[-1].balance == account.balance


@pytest.mark.parametrize(
    ("movements", "received", "waived", "left"),
    [
        (["1190.00"], "1190.00", "0", "0.00"),
        (["400.00", "300.00"], "700.00", "0", "490.00"),
        (["1190.00", "-190.00"], "1000.00", "0", "190.00"),
        (["1200.00"], "1200.00", "0", "-10.00"),
    ],
)
def test_receipts(movements: list[str], received: str, waived: str, left: str) -> None:
    """Money less what was given back is received; the rest is open, or was too much."""
    kinds = (EntryKind.PAYMENT, EntryKind.REPAYMENT)
    made = receipt(
        *(moved(date(2026, 3, n + 1), each, kinds[each < "0"]) for n, each in enumerate(movements))
    )
    assert (made.received, made.waived, made.open) == (
        Money.of(received, "EUR"),
        Decimal(waived),
        Money.of(left, "EUR"),
    )


def test_a_discount_is_waived_not_received() -> None:
    """Two per cent of 1,190.00 for paying early: 1,166.20 came, 23.80 are waived, nothing is open."""
    made = receipt(moved(date(2026, 3, 1), "1166.20"), moved(date(2026, 3, 1), "23.80", EntryKind.DISCOUNT))
    assert (str(made.received), made.waived, str(made.open)) == ("EUR 1,166.20", Decimal("23.80"), "EUR 0.00")


def receipt(*movements: Movement) -> Receipt:
    return Receipt(
        issuer=ISSUER,
        buyer=None,
        client_name="Acme",
        language="en",
        number="B-1",
        title="Wartung",
        issue_date=date(2026, 2, 1),
        due=Money.of("1190.00", "EUR"),
        movements=movements,
        as_of=date(2026, 3, 31),
    )
