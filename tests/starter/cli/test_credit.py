"""`billow credit`: shown before, issued, made, written to a file, and told wherever the invoice is."""

from __future__ import annotations

import pytest

from tests.starter.cli.conftest import KEY_OF_ACME, Desk


@pytest.fixture
def number(desk: Desk) -> str:
    """An invoice over 1,190.00 EUR that the client has."""
    desk.company.company_file["payments"] = {"credit_notes": {"alone_up_to": {"EUR": "600"}}}
    desk.company.apply(desk.effects.ledger)
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    desk.work(KEY_OF_ACME)
    return str(desk.read("show", KEY_OF_ACME)["number"])


def test_shown_then_issued(desk: Desk, number: str) -> None:
    """What is tried out changes nothing; what is issued is told by show, timeline, pdf and einvoice."""
    wanted = ("credit", number, "--line", "1:500", "--reason", "Half of it", "--as", "pia")
    tried = desk.type(*wanted, "--dry-run").stdout
    assert "EUR 595.00" in tried and "Nothing was changed." in tried
    assert desk.read("show", number)["credit_notes"] == []
    made = desk.read(*wanted)
    assert (made["new"], made["gross"], made["open"]) == (True, "595.00", "595.00")
    again = desk.type(*wanted).stdout
    assert f"Credited already: {made['number']} over EUR 595.00. Nothing" in " ".join(again.split())
    assert desk.read(*wanted)["gross"] == "595.00"
    desk.work(KEY_OF_ACME)
    shown = desk.read("show", made["number"])
    (note,) = shown["credit_notes"]
    assert (shown["number"], note["number"], note["lines"]) == (number, made["number"], [1])
    assert note["document"] and note["delivered_at"]
    card = desk.type("show", number).stdout
    assert made["number"] in card and "Half of it" in card
    assert f"{made['number']} over" in " ".join(desk.type("timeline", number).stdout.split())
    desk.type("pdf", made["number"], "-o", desk.folder / "note.pdf")
    assert (desk.folder / "note.pdf").read_bytes().startswith(b"%PDF")
    desk.type("einvoice", made["number"], "--ubl", "-o", desk.folder / "note.xml")
    assert b"<CreditNote" in (desk.folder / "note.xml").read_bytes()
    assert desk.read("pdf", made["number"], "--verify")["holds"] is True
    numbers = desk.read("audit", "numbers")
    assert (numbers["problem_count"], numbers["credit_notes"]) == (0, 1)
    assert "1 invoice and 1 credit note in 2 series hold" in " ".join(
        desk.type("audit", "numbers").stdout.split()
    )


def test_another_person_is_asked(desk: Desk, number: str) -> None:
    """Above what one may credit alone it waits for somebody else, and says for whom."""
    asked = desk.type("credit", number, "--reason", "All wrong", "--as", "pia").stdout
    assert "Another person must agree" in asked
    item = desk.read("credit", number, "--reason", "All wrong", "--as", "pia")["item"]
    assert f"billow agree {item}" in asked
    desk.type("agree", item, "--as", "noor")
    assert desk.read("show", number)["document_status"] == "credited"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--line", "1", "--amount", "5"], "either --line or --amount"),
        (["--line", "1x"], "is no line"),
        (["--line", "0"], "is no line"),
        (["--line", "1", "--line", "1:5"], "name each --line once"),
        (["--amount", "-5"], "more than nothing"),
    ],
)
def test_wrong_usage(desk: Desk, number: str, options: list[str], said: str) -> None:
    """What cannot be meant is wrong usage."""
    assert said in " ".join(
        desk.type("credit", number, "--reason", "x", "--as", "pia", *options, code=2).stderr.split()
    )


def test_more_than_there_is(desk: Desk, number: str) -> None:
    """A rule refuses it, and says what is left."""
    refused = desk.type("credit", number, "--amount", "1190.01", "--reason", "x", "--as", "pia", code=1)
    assert f"only 1,190.00 EUR of {number} are left to credit" in " ".join(refused.stderr.split())
