"""Bank statements at the terminal: imported, listed, and what is left allocated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.activities.bank.statements import Entry, file, paid
from tests.starter.cli.conftest import Desk

DAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


@pytest.fixture
def account(desk: Desk) -> str:
    from activities.ledger import company_records

    with desk.effects.ledger.transaction() as tx:
        return company_records.current(tx).company.issuers[0].bank_account.iban


def written(desk: Desk, account: str, entries: list[Entry], name: str = "a.xml") -> Path:
    there = desk.folder / name
    there.write_bytes(file(entries, account="".join(account.split()), day=DAY))
    return there


def test_import(desk: Desk, account: str) -> None:
    """A statement is imported, listed and shown; again, nothing is changed."""
    number = desk.opening_item()
    entries = [
        paid("1190.00", f"Rechnung {number}", bank="B1", name="Acme", day=DAY),
        paid("77.00", "Danke", bank="B2", day=DAY),
        paid("-5.00", "Miete", bank="B3", day=DAY),
    ]
    there = written(desk, account, entries)
    told = desk.type("import-statement", there, "--as", "pia").stdout
    for part in (
        "3 entries",
        "1  booked",
        "1  unmatched",
        "1  outgoing",
        "billow bank show 1",
        "billow inbox",
    ):
        assert part in told
    again = " ".join(desk.type("import-statement", there, "--as", "pia").stdout.split())
    assert "known already. Nothing was changed." in again
    (statement,) = desk.read("bank")["statements"]
    assert (statement["closing"], statement["complete"], statement["problems"]) == ("2262.00", True, [])
    assert statement["outcomes"] == {"booked": 1, "outgoing": 1, "unmatched": 1}
    shown = desk.read("bank", "show", "1")["entries_shown"]
    assert [each["outcome"] for each in shown] == ["booked", "unmatched", "outgoing"]
    assert [each["amount"] for each in desk.read("bank", "entries", "--outcome", "unmatched")["entries"]] == [
        "77.00"
    ]
    for arguments in (["bank"], ["bank", "show", "1"], ["bank", "entries"]):
        assert max(map(len, desk.type(*arguments).stdout.splitlines())) <= 80
    assert desk.read("show", number)["payment_status"] == "paid"


def test_nothing_yet(desk: Desk) -> None:
    """Without any statement the lists say so, and what to type."""
    assert "No bank statement was imported." in desk.type("bank").stdout
    assert desk.read("bank") == {"statements": [], "more": False}
    assert "there is no statement 7" in desk.type("bank", "show", "7", code=1).stderr


def test_refused(desk: Desk, account: str) -> None:
    """A file that cannot be read is refused with its reason, and the others are imported."""
    broken, good = desk.folder / "broken.xml", written(desk, account, [])
    broken.write_bytes(good.read_bytes()[:-50])
    answer = desk.type("import-statement", broken, good, "--as", "pia", code=1)
    assert "broken.xml: the file is no well-formed XML" in " ".join(answer.stderr.split())
    assert len(desk.read("bank")["statements"]) == 1
    assert "nobody" in desk.type("import-statement", good, "--as", "nobody", code=1).stderr


def test_allocate_over_several(desk: Desk, account: str) -> None:
    """A payment that names nothing is booked for two invoices; what is left stays in the inbox."""
    one, two = desk.opening_item("OLD-1"), desk.opening_item("OLD-2")
    desk.type(
        "import-statement",
        written(desk, account, [paid("1500.00", "Danke", bank="B1", day=DAY)]),
        "--as",
        "pia",
    )
    assert (
        "EUR 1,500.00 are left"
        in desk.type("allocate", "1", f"{one}=2000", two, "--as", "pia", code=1).stderr
    )
    assert "named twice" in desk.type("allocate", "1", one, one, "--as", "pia", code=1).stderr
    done = desk.read("allocate", "1", f"{one}=200.00", two, "--as", "pia")
    assert done["invoices"] == [{"number": one, "amount": "200.00"}, {"number": two, "amount": "1190.00"}]
    assert (done["amount"], done["left"]) == ("1390.00", "110.00")
    (item,) = desk.read("inbox")["items"]
    assert (item["kind"], item["amount"]) == ("payment", "110.00")
    assert "Booked payment 1, EUR 110.00" in desk.type("allocate", "1", one, "--as", "pia").stdout
    assert desk.read("inbox")["items"] == []


def test_set_aside_the_rest(desk: Desk, account: str) -> None:
    """Setting aside what is left of a payment tells how much that is, not what came."""
    number = desk.opening_item()
    desk.type(
        "import-statement",
        written(desk, account, [paid("500.00", "Danke", bank="B1", day=DAY)]),
        "--as",
        "pia",
    )
    desk.type("allocate", "1", f"{number}=200.00", "--as", "pia")
    aside = ("allocate", "1", "--set-aside", "--reason", "not ours", "--as", "pia")
    assert "Set aside EUR 300.00 of payment 1" in desk.type(*aside).stdout
    assert "is decided already" in desk.type(*aside, code=1).stderr
