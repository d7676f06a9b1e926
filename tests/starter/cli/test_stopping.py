"""What stops reminders, typed: disputes by line, promises moved and withdrawn, payment plans, credit holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from billing.dispute import DisputeCode
from starter.cli.disputes import CODES
from tests.starter.cli.conftest import KEY_OF_ACME, Desk, today

BY_PIA = ("--as", "pia")


def issued(desk: Desk) -> str:
    """The number of an invoice over 1,190 euros with one line."""
    desk.type("trigger", "--agreement", "acme-care", *BY_PIA)
    desk.work(KEY_OF_ACME)
    number: str = desk.read("show", KEY_OF_ACME)["number"]
    return number


def test_codes() -> None:
    """The kinds of dispute one can type are those the rules know."""
    assert list(CODES) == [each.value for each in DisputeCode]


def test_dispute_by_line(desk: Desk) -> None:
    """A line is disputed, once; a line that is not there is refused; rejected, the client is told the answer."""
    number = issued(desk)
    assert (
        "lines 1 to 1" in desk.type("dispute", number, "--line", 2, "--reason", "x", *BY_PIA, code=1).stderr
    )
    told = desk.read("dispute", number, "--line", 1, "--reason", "wrong", "--code", "price", *BY_PIA)
    assert (told["lines"], told["code"], told["owner"], told["amount"]) == ([1], "price", "pia", "1190.00")
    assert desk.read("show", number)["disputed_amount"] is None, "its only line is the whole invoice"
    assert "disputed already" in desk.type("dispute", number, "--reason", "again", *BY_PIA, code=1).stderr
    assert "the client is told" in desk.type("dispute", number, "--rejected", "as agreed", *BY_PIA).stdout
    assert "rejected: as agreed" in desk.type("timeline", number).stdout
    assert desk.read("show", number)["disputed"] is None


def test_promise_moved_and_withdrawn(desk: Desk) -> None:
    """A promise moved is remembered and told with the next one; a withdrawn one stops nothing."""
    desk.opening_item()
    first, second = today() + timedelta(days=5), today() + timedelta(days=9)
    assert "So far" not in desk.type("promise", "OLD-1", "--on", first, *BY_PIA).stdout
    desk.type("promise", "OLD-1", "--on", second, *BY_PIA)
    told = desk.read("promise", "OLD-1", "--on", second + timedelta(days=1), *BY_PIA)
    assert told["record"] == {"kept": 0, "broken": 0, "moved": 1}
    assert "nothing is promised" in desk.type("promise", "OLD-1", "--withdrawn", "typo", *BY_PIA).stdout
    assert desk.read("show", "OLD-1")["promised_for"] is None


def test_plan(desk: Desk) -> None:
    """A plan of equal parts adds up to what is open, is shown with what is covered, and ends when somebody says so."""
    number = issued(desk)
    assert "has no instalments" in desk.type("plan", number).stdout
    first = today() + timedelta(days=10)
    given = ("--in", 3, "--from", first, "--reason", "cash is short", *BY_PIA)
    parts: list[dict[str, Any]] = desk.read("plan", number, *given)["parts"]
    assert [each["amount"] for each in parts] == ["396.67", "396.67", "396.66"]
    desk.type("pay", number, "--amount", "500", *BY_PIA)
    shown = desk.read("plan", number)
    assert [each["open"] for each in shown["parts"]] == ["0.00", "293.34", "396.66"]
    assert "cash is short" in desk.type("plan", number).stdout
    odd = ("--part", f"{first}=100", "--part", f"{first + timedelta(days=1)}=100", "--reason", "r", *BY_PIA)
    assert "but EUR 690.00 are open" in desk.type("plan", number, *odd, code=1).stderr
    assert "due today" in desk.type("plan", number, "--end", "--reason", "missed", *BY_PIA).stdout
    assert "has no instalments" in desk.type("plan", number).stdout
    assert "no payment plan" in desk.type("plan", number, "--end", "--reason", "r", *BY_PIA, code=1).stderr


def test_credit_hold(desk: Desk) -> None:
    """A client is put on hold, listed with who did it and why, and taken off it; nobody's id is refused."""
    assert "No client is on credit hold" in desk.type("credit-hold").stdout
    assert "there is no client" in desk.type("credit-hold", "nobody", "--reason", "r", *BY_PIA, code=1).stderr
    assert "on credit hold now" in desk.type("credit-hold", "acme", "--reason", "rumours", *BY_PIA).stdout
    assert "already" in desk.type("credit-hold", "acme", "--reason", "again", *BY_PIA).stdout
    (item,) = desk.read("credit-hold")["items"]
    assert (item["client"], item["by"], item["reason"]) == ("acme", "pia", "rumours")
    assert "made no promise before" in desk.type("credit-hold", "acme").stdout
    assert "no longer" in desk.type("credit-hold", "acme", "--lift", *BY_PIA).stdout
    assert "acme is not on credit hold" in desk.type("credit-hold", "acme").stdout
