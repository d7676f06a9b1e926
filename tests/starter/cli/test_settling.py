"""Commands about money given up, paid too much or left over: what they ask, say and refuse."""

from __future__ import annotations

import pytest

from tests.starter.cli.conftest import Desk, today


@pytest.fixture
def four_eyes(desk: Desk) -> Desk:
    """A company in which Noor agrees, and an invoice over 1,190 euros is open."""
    agreeing = {"approvers": ["noor"], "alone_up_to": {"EUR": "5"}}
    desk.company.company_file = {"payments": {"write_offs": agreeing, "refunds": agreeing}}
    desk.company.apply(desk.effects.ledger)
    desk.opening_item()
    return desk


def test_write_off(four_eyes: Desk) -> None:
    """Asked for, it stands in the inbox of who may agree, with the command; agreed to, nothing is open."""
    desk = four_eyes
    asked = desk.type("write-off", "OLD-1", "--reason", "insolvent", "--as", "pia").stdout
    assert "Asked for: write-off 1 of EUR 1,190.00, OLD-1; another person must agree." in " ".join(
        asked.split()
    )
    assert "billow agree 1 --as noor" in asked
    assert (
        "Asked for already" in desk.type("write-off", "OLD-1", "--reason", "insolvent", "--as", "pia").stdout
    )
    shown = desk.type("inbox", "--as", "noor").stdout
    for part in (
        "Write-off 1:",
        "EUR 1,190.00",
        "Pia Sommer asks for a write-off",
        "billow agree 1 --as noor",
    ):
        assert part in " ".join(shown.split())
    assert "Nothing waits for" in desk.type("inbox", "--as", "otto").stdout
    assert "four eyes" in desk.type("agree", "1", "--as", "pia", code=1).stderr
    assert desk.read("agree", "1", "--as", "noor")["status"] == "done"
    assert desk.read("show", "OLD-1")["payment_status"] == "written off"
    assert "written off" in desk.type("timeline", "OLD-1").stdout


def test_small_write_off(four_eyes: Desk) -> None:
    """What one may give up alone is done at once."""
    done = four_eyes.read("write-off", "OLD-1", "--amount", "5", "--reason", "fees", "--as", "pia")
    assert (done["status"], done["amount"], done["waits_for"]) == ("done", "5.00", [])
    assert four_eyes.read("show", "OLD-1")["open"] == "1185.00"


def test_refund(four_eyes: Desk) -> None:
    """What was paid too much is listed, asked back, agreed to, paid and noted; refused and withdrawn, too."""
    desk = four_eyes
    assert "No client has credit." in desk.type("credit-balance").stdout
    desk.type("pay", "OLD-1", "--amount", "1290", "--as", "pia")
    shown = " ".join(desk.type("inbox").stdout.split())
    assert "OLD-1 is paid EUR 100.00 too much" in shown and "billow refund OLD-1 --as pia" in shown
    listed = desk.type("credit-balance").stdout
    assert "OLD-1" in listed and "EUR 100.00" in listed
    assert desk.read("credit-balance", "acme")["credit"][0]["left"] == "100.00"
    desk.type("refund", "OLD-1", "--amount", "40", "--reason", "asked for", "--as", "pia")
    assert desk.read("refuse", "1", "--comment", "later", "--as", "noor")["status"] == "refused"
    desk.type("refund", "OLD-1", "--reason", "asked for", "--as", "pia")
    assert "must be agreed" in desk.type("refund-paid", "2", "--as", "pia", code=1).stderr
    assert "billow refund-paid 2" in desk.type("agree", "2", "--as", "noor").stdout
    assert "TO BE REFUNDED" in desk.type("credit-balance").stdout
    assert (
        "in the future" in desk.type("refund-paid", "2", "--date", "2199-01-01", "--as", "pia", code=1).stderr
    )
    assert "Noted as paid" in desk.type("refund-paid", "2", "--date", today(), "--as", "pia").stdout
    assert "Noted already" in desk.type("refund-paid", "2", "--as", "pia").stdout
    assert desk.read("show", "OLD-1")["payment_status"] == "paid"
    assert "is done already" in desk.type("withdraw", "2", "--comment", "no", "--as", "pia", code=1).stderr


def test_credit_is_used_and_given_back(four_eyes: Desk) -> None:
    """Credit pays another invoice of the client, once, and is taken from it again."""
    desk = four_eyes
    desk.opening_item("OLD-2")
    desk.type("pay", "OLD-1", "--amount", "1290", "--as", "pia")
    assert (
        "Used EUR 100.00 of OLD-1 for OLD-2."
        in desk.type("use-credit", "OLD-1", "OLD-2", "--as", "pia").stdout
    )
    assert desk.read("use-credit", "OLD-1", "OLD-2", "--as", "pia")["new"] is False
    (booking,) = (each["id"] for each in desk.read("show", "OLD-2")["payments"])
    taken = desk.type("unallocate", booking, "--reason", "wrong one", "--as", "pia").stdout
    assert "Took EUR 100.00 from OLD-2 again." in taken
    assert desk.read("show", "OLD-2")["open"] == "1190.00"


def test_keep_credit(four_eyes: Desk) -> None:
    """A payment nobody can match is kept as a client's credit, and pays its invoice."""
    desk = four_eyes
    desk.type("pay", "--unmatched", "--amount", "90", "--currency", "eur", "--as", "pia")
    kept = desk.type("keep-credit", "1", "acme", "--as", "pia").stdout
    assert "Kept EUR 90.00 of payment 1 as credit of acme." in kept
    assert "there is no client 'nobody'" in desk.type("credit-balance", "nobody", code=1).stderr
    desk.type("use-credit", "payment 1", "OLD-1", "--as", "pia")
    assert desk.read("show", "OLD-1")["open"] == "1100.00"
