"""What a client reads of an invoice in each of its states, and what it can pay there."""

from __future__ import annotations

import html
import re

import pytest
from starlette.testclient import TestClient

from activities.ledger.tables import CheckoutRow
from tests.starter.web.portal.clients import Clients
from tests.starter.web.portal.states import ALL, brought

_BUTTON = re.compile(r'<button class="button (?:main|quiet)"[^>]*>([^<]*(?:Pay|pay)[^<]*)</button>')

WHAT_IS_SAID = {
    # state: what the top of the page says, what it offers to pay online
    "open": (["Open", "Amount due", "€6,913.90"], ["Pay €6,913.90 online"]),
    "late": (["Overdue", "days late"], ["Pay €6,913.90 online"]),
    "part paid": (["Partly paid", "Still to pay", "€4,913.90"], ["Pay €4,913.90 online"]),
    # parts of 3,000, 2,000 and 1,913.90, the first is paid
    "plan": (["Next instalment", "€2,000.00"], ["Pay €2,000.00 online", "Pay all that is open: €3,913.90"]),
    "promised": (["Announced"], ["Pay €6,913.90 online"]),
    "disputed": (
        ["Being clarified", "Open amount", "Nothing is to be paid until then"],
        ["Pay €6,913.90 online"],
    ),
    # line 2: 1,260 net with 19 % tax are 1,499.40
    "line disputed": (
        ["Not objected to", "You object to", "−€1,499.40", "€5,414.50"],
        ["Pay €5,414.50 online", "Pay all that is open: €6,913.90"],
    ),
    "rejected": (["Open", "Order 4711 asks for it."], ["Pay €6,913.90 online"]),
    "credited in part": (["Still to pay", "€5,414.50"], ["Pay €5,414.50 online"]),
    "credited": (["Credited", "taken back by a credit note"], []),
    "paid": (["Paid", "This invoice is settled"], []),
    "overpaid": (["Paid", "You have paid €86.10 too much"], []),
    "paid, credited in part": (["Paid", "€1,499.40 of what you have paid is to your credit"], []),
    "part paid, credited": (["Credited", "€2,000.00 of what you have paid is to your credit"], []),
    "refunded": (["Paid", "We paid €86.10 back to you"], []),
    "written off": (["Closed", "Nothing is to be paid."], []),
    "handed over": (["Handed over"], ["Pay €6,913.90 online"]),
    "under way": (["Payment under way"], []),
}


def test_every_state_is_here() -> None:
    """A state that is added is also read."""
    assert WHAT_IS_SAID.keys() == ALL.keys()


@pytest.mark.parametrize("state", ALL)
def test_what_is_said(clients: Clients, browser: TestClient, state: str) -> None:
    """The page says where the invoice stands, asks for what is due now, and offers nothing that cannot be done."""
    number = brought(clients, state)
    page = browser.get(clients.path(number))
    assert page.status_code == 200
    said, offered = WHAT_IS_SAID[state]
    text = html.unescape(page.text)
    assert [each for each in said if each not in text] == []
    assert _BUTTON.findall(text) == offered
    assert ("button main" in text) is bool(offered and state != "disputed")
    assert ("IBAN" in text) is bool(offered)  # nobody shall pay twice, nor what is settled


@pytest.mark.parametrize(
    ("amount", "asked"), [({}, "2000.00"), ({"amount": "whole"}, "3913.90"), ({"amount": "1"}, "2000.00")]
)
def test_paying_a_part(clients: Clients, browser: TestClient, amount: dict[str, str], asked: str) -> None:
    """A click pays the part that is due, or all that is open if the client says so; no other amount."""
    number = brought(clients, "plan")
    path = clients.path(number)
    found = re.search(r'name="secret" value="([0-9a-f]{64})"', browser.get(path).text)
    assert found
    answer = browser.post(f"{path}/pay", data={"secret": found[1], **amount})
    assert answer.status_code == 200 and "stand-in-checkout" in answer.text
    with clients.ledger.transaction() as tx:
        (page,) = tx.query(CheckoutRow).all()
        assert f"{page.amount:.2f}" == asked
