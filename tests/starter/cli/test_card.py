"""What `billow show` says of an invoice about which something was agreed, disputed or given up."""

from __future__ import annotations

from datetime import timedelta

from tests.starter.cli.conftest import Desk, today


def said(desk: Desk, number: str) -> str:
    """The card in one line, which fits a terminal."""
    shown = desk.type("show", number).output
    assert max(map(len, shown.splitlines())) <= 80
    return " ".join(shown.split())


def test_a_plan_with_its_days(desk: Desk) -> None:
    """Each part with its day, and what of it is open: 590 of the first are paid, 10 are left."""
    first, last = today() + timedelta(days=20), today() + timedelta(days=50)
    number = desk.opening_item()
    desk.type(
        "plan", number, "--part", f"{first}=600", "--part", f"{last}=590", "--reason", "cash is short",
        "--as", "pia",
    )  # fmt: skip
    desk.type("pay", number, "--amount", "590", "--as", "pia")
    card = said(desk, number)
    assert f"by {first} EUR 600.00 open, EUR 10.00 of it" in card
    assert f"by {last} EUR 590.00 open" in card and "cash is short" in card
    assert desk.read("show", number)["parts"] == [
        {"due_date": first.isoformat(), "amount": "600.00", "open": "10.00"},
        {"due_date": last.isoformat(), "amount": "590.00", "open": "590.00"},
    ]
    desk.type("pay", number, "--amount", "10", "--as", "pia")
    assert f"by {first} EUR 600.00 settled" in said(desk, number)


def test_whose_dispute_until_when(desk: Desk) -> None:
    """An open dispute is with somebody, until a day; decided, the card says from when reminders go on."""
    number = desk.opening_item(late=12)
    desk.type("dispute", number, "--reason", "wrong hours", "--as", "pia")
    (open_one,) = desk.read("show", number)["disputes"]
    assert f"with {open_one['owner']}, to be decided by" in said(desk, number)
    desk.type("dispute", number, "--rejected", "the hours stand", "--as", "pia")
    card = said(desk, number)
    assert "No reminder before" in card and "since a dispute was decided" in card
    assert desk.read("show", number)["notice_until"] is not None


def test_what_was_given_up(desk: Desk) -> None:
    """A write-off that waits says for whom; once it is done the card says how much is written off."""
    agreeing = {"approvers": ["noor"], "alone_up_to": {"EUR": "5"}}
    desk.company.company_file = {"payments": {"write_offs": agreeing}}
    desk.company.apply(desk.effects.ledger)
    number = desk.opening_item()
    desk.type("write-off", number, "--amount", "90", "--reason", "not worth a quarrel", "--as", "pia")
    card = said(desk, number)
    assert "1 write-off EUR 90.00 asked: with noor, until" in card and "not worth a quarrel" in card
    desk.type("agree", "1", "--as", "noor")
    card = said(desk, number)
    assert "Written off EUR 90.00" in card and "done by noor" in card
    assert [each["status"] for each in desk.read("show", number)["given_up"]] == ["done"]
