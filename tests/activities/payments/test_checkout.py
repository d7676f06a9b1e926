"""A client pays on the provider's page: for what is open at that moment, and never twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from activities.invoicing import checkout
from activities.ledger import dispute_commands
from activities.ledger.tables import CheckoutRow
from activities.payments.stand_in import PATH
from activities.payments.stripe_account import StripeAccount
from billing.errors import Refused, SourceUnavailable, WrongState
from tests.activities.ledger.conftest import at_once
from tests.activities.payments.conftest import RETURN, Till, connect
from tests.activities.psa.counterpart import Answer
from tests.starter.web.story import COMPANY, NOW


def pages(till: Till) -> list[tuple[str, str]]:
    """Status and amount of every page, oldest first."""
    with till.ledger.transaction() as tx:
        rows = tx.scalars(select(CheckoutRow).order_by(CheckoutRow.session)).all()
        return [(each.status, f"{each.amount:.2f}") for each in rows]


@pytest.fixture
def number(till: Till) -> str:
    """An issued invoice over 8,500 euros."""
    return till.story.issued("one")


def test_a_second_click(till: Till, number: str) -> None:
    """It gets the same page, while that has enough time left; then a new one, and nobody can pay on the old one."""
    first = till.start(number)
    assert till.start(number) == first and till.site.made == 1
    till.site.now = NOW + timedelta(minutes=80)
    second = till.start(number, NOW + timedelta(minutes=80))
    assert second != first
    assert [till.site.sessions[each]["status"] for each in (first, second)] == ["expired", "open"]


def test_two_clicks_in_one_moment(till: Till, number: str) -> None:
    """Both get one page."""
    found = at_once(4, lambda _: till.start(number))
    assert len(set(found)) == 1 and till.site.made == 1
    assert pages(till) == [("open", "8500.00")]


def test_the_amount_has_changed(till: Till, number: str) -> None:
    """After a part is paid by bank, the next click asks for the rest, and the old page is ended."""
    first = till.start(number)
    till.story.paid(number, "500.00")
    second = till.start(number)
    assert till.site.sessions[second]["amount_total"] == 800000
    assert till.site.sessions[first]["status"] == "expired"
    assert pages(till) == [("expired", "8500.00"), ("open", "8000.00")]


def test_the_amount_changes_in_that_moment(till: Till, number: str) -> None:
    """A payment booked while Stripe makes the page: the page is ended, and the client is told to look again."""

    def adapter(*_: object) -> StripeAccount:
        till.story.paid(number, "500.00")
        return till.adapter

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkout, "_adapter", adapter)
        with pytest.raises(WrongState, match="has changed"):
            till.start(number)
    assert pages(till) == [("expired", "8500.00")]


def test_paid_by_bank_while_the_page_is_open(till: Till, number: str) -> None:
    """The worker ends pages whose amount is open no more, and those past their time; a page that fits stays."""
    till.start(number)
    assert checkout.close_outdated(till.ledger, at=NOW) == 0
    till.story.paid(number, "8500.00")
    assert checkout.close_outdated(till.ledger, at=NOW) == 1
    assert pages(till) == [("expired", "8500.00")] and checkout.close_outdated(till.ledger, at=NOW) == 0


PLAN = (
    (date(2026, 12, 10), Decimal("3000.00")),
    (date(2027, 1, 10), Decimal("3000.00")),
    (date(2027, 2, 10), Decimal("2500.00")),
)


def test_in_instalments(till: Till, number: str) -> None:
    """The first part is asked for, and the whole may be paid; a page for either stays until it fits no more."""
    dispute_commands.agree_plan(
        till.ledger, number, parts=PLAN, reason="cash is short", by="lena", channel="cli", at=NOW
    )
    part = till.start(number)
    assert checkout.close_outdated(till.ledger, at=NOW) == 0
    whole = till.start(number, whole=True)
    assert [till.site.sessions[each]["amount_total"] for each in (part, whole)] == [300000, 850000]
    assert checkout.close_outdated(till.ledger, at=NOW) == 0
    assert pages(till) == [("expired", "3000.00"), ("open", "8500.00")]
    part = till.start(number)
    till.story.paid(number, "1000.00")
    assert checkout.close_outdated(till.ledger, at=NOW) == 1
    rest = till.start(number)
    assert till.site.sessions[rest]["amount_total"] == 200000
    till.site.pay(rest)
    till.deliver()
    assert till.standing(number) == ("partly paid", "5500.00", "not due")


def test_two_parts_are_due(till: Till, number: str) -> None:
    """What is asked grows with the days: on the day of the second part both are asked for."""
    dispute_commands.agree_plan(
        till.ledger, number, parts=PLAN, reason="cash is short", by="lena", channel="cli", at=NOW
    )
    later = datetime(2027, 1, 10, 12, tzinfo=UTC)
    till.site.now = later
    assert till.site.sessions[till.start(number, later)]["amount_total"] == 600000


@pytest.mark.parametrize(
    ("lines", "asked", "whole"),
    [
        pytest.param((2,), 595000, 850000, id="a line: 5000 of 7142.86 net, with 19 % tax"),
        pytest.param((), 850000, 850000, id="all: nothing is asked, and nobody is kept from paying"),
    ],
)
def test_disputed(till: Till, number: str, lines: tuple[int, ...], asked: int, whole: int) -> None:
    """What is not disputed is asked for; all may be paid."""
    dispute_commands.dispute(
        till.ledger, number, reason="not agreed", lines=lines, by="lena", channel="cli", at=NOW
    )
    for is_whole, amount in ((False, asked), (True, whole)):
        assert till.site.sessions[till.start(number, whole=is_whole)]["amount_total"] == amount


def test_somebody_was_faster(till: Till, number: str) -> None:
    """A page that was paid before it could be ended is under way or paid, whatever the ledger knew."""
    page = till.start(number)
    till.site.pay(page)
    till.story.paid(number, "8500.00")
    checkout.close_outdated(till.ledger, at=NOW)
    assert pages(till) == [("paid", "8500.00")]
    till.deliver()
    assert till.standing(number)[:2] == ("overpaid", "-8500.00")


def test_stripe_is_away(till: Till, number: str) -> None:
    """The click says so; pages that cannot be ended now are ended in a later round."""
    till.start(number)
    till.story.paid(number, "8500.00")
    till.site.server.next_answers.append(Answer(403, {"error": {"type": "invalid_request_error"}}))
    checkout.close_outdated(till.ledger, at=NOW)
    assert pages(till) == [("open", "8500.00")]
    assert checkout.close_outdated(till.ledger, at=NOW) == 1
    till.site.server.next_answers += [Answer(500, {})] * 4
    other = till.story.issued("two")
    with pytest.raises(SourceUnavailable):
        till.start(other)


@pytest.mark.parametrize("state", ["paid", "under way", "a draft"])
def test_nothing_to_pay(till: Till, number: str, state: str) -> None:
    """Paid, under way, or not issued: no page, and the client is told why."""
    if state == "paid":
        till.story.paid(number, "8500.00")
    elif state == "under way":
        till.site.begin(till.start(number))
        till.deliver()
    else:
        till.story.drafted("two")
        number = "manual/two"
    made = till.site.made
    with pytest.raises(WrongState):
        till.start(number)
    assert till.site.made == made


def test_what_is_offered(till: Till, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A button only where it works: open, connected, for this issuer, with its key; asking takes no call."""
    assert checkout.offered(COMPANY.model_copy(update={"connections": (till.connection,)}), till.row(number))
    elsewhere = till.connection.model_copy(update={"settings": {"issuers": "vienna"}})
    assert not checkout.offered(COMPANY.model_copy(update={"connections": (elsewhere,)}), till.row(number))
    assert not checkout.offered(COMPANY, till.row(number))
    monkeypatch.delenv("BILLOW_CARDS_API_KEY")
    assert not checkout.offered(
        COMPANY.model_copy(update={"connections": (till.connection,)}), till.row(number)
    )
    assert not till.site.server.asked
    connect(till.ledger)
    with pytest.raises(Refused, match="bank transfer"):
        till.start(number)


def test_the_stand_in(till: Till, number: str) -> None:
    """In development, where no provider is connected, a page of our own stands in; with one, it does not."""
    assert checkout.offered(COMPANY, till.row(number), stand_in=True)
    connect(till.ledger)
    at = "http://127.0.0.1:8080"
    url = checkout.start(till.ledger, number, return_url=RETURN, stand_in=at, at=NOW)
    assert (
        url.startswith(f"{at}{PATH}stand-in-")
        and urlsplit(url).query == "back=https%3A%2F%2Fbillow.example%2Fi%2Ftoken"
    )
    connect(till.ledger, till.connection)
    assert "stripe" in checkout.start(till.ledger, number, return_url=RETURN, stand_in=at, at=NOW)
