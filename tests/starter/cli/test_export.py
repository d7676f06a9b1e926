"""`billow export`: the auditor gets everything in one zip, proves it without us, and is told what is missing."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from activities.ledger import company_records, dispute_files, disputes, invoices
from activities.ledger.dispute_files import SentFile
from activities.ledger.tables import DocumentRow
from billing.draft import digest_of
from tests.activities.bank.statements import file as bank_file
from tests.activities.bank.statements import paid
from tests.activities.ledger.conftest import tamper
from tests.starter.cli.conftest import Desk, today
from tests.starter.cli.test_documents import stored

YEAR = today().year
ALL = ("--from", f"{YEAR - 1}-01-01", "--to", f"{YEAR + 1}-12-31")


def export(desk: Desk, *arguments: str, name: str = "audit.zip", code: int = 0) -> tuple[Path, Any]:
    file = desk.folder / name
    return file, desk.read("export", *ALL, *arguments, "-o", file, code=code)


def unpacked(file: Path) -> Path:
    folder = file.with_suffix("")
    with zipfile.ZipFile(file) as opened:
        assert opened.testzip() is None
        opened.extractall(folder)
    return folder


def verified(folder: Path) -> subprocess.CompletedProcess[str]:
    """What the program inside the zip says, run by a Python that knows nothing of Billow."""
    program = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def letter(desk: Desk, data: bytes, at: datetime, name: str = "") -> str:
    """A statement of account of acme; its SHA-256."""
    sha256 = desk.effects.documents.put(data)
    with desk.effects.ledger.transaction() as tx:
        tx.add(
            DocumentRow(
                sha256=sha256,
                client="acme",
                kind="statement",
                media_type="application/pdf",
                name=name,
                size=len(data),
                made_with={},
                made_at=at,
            )
        )
    return sha256


def index(folder: Path) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO((folder / "index.csv").read_text("utf-8-sig")))]


@pytest.fixture
def number(desk: Desk) -> str:
    """An issued invoice, half paid."""
    number = desk.issue()
    desk.type("pay", number, "--amount", "100.00", "--date", today(), "--as", "pia")
    return number


def test_everything_is_in_it(desk: Desk, number: str) -> None:
    """PDF and XML as they were sent, what was approved, trail, payments, numbers, records; nothing is missing."""
    file, said = export(desk)
    assert (said["invoices"], said["documents"], said["missing"], said["bytes"]) == (
        1,
        3,
        [],
        file.stat().st_size,
    )
    folder = unpacked(file)
    (line,) = index(folder)
    assert (line["number"], line["client"], line["paid"], line["missing"]) == (number, "acme", "100.0000", "")
    inside = folder / line["folder"]
    assert (inside / f"{number}.pdf").read_bytes() == stored(desk).read_bytes()
    assert (inside / f"{number}-ubl.xml").read_bytes() == stored(desk, "ubl").read_bytes()
    approved = json.loads((inside / "approved.json").read_text())
    assert Decimal(approved["draft"]["gross"]) == Decimal(line["gross"])
    assert digest_of(approved["draft"]) == approved["digest"]
    assert "100.00" in (folder / "payments.csv").read_text("utf-8-sig")
    assert json.loads((folder / "numbers.json").read_text())["holds"] is True
    (record,) = (folder / "company").iterdir()
    assert [each["id"] for each in json.loads(record.read_text())["issuers"]] == ["berlin"]
    page = (folder / "index.html").read_text()
    assert f'href="invoices/{number}/{number}.pdf"' in page and "Missing" not in page


def test_verified_without_us(desk: Desk, number: str) -> None:
    """The program inside finds all whole; and each file that was changed, each event changed or left out."""
    folder = unpacked(export(desk)[0])
    whole = verified(folder)
    assert (whole.returncode, whole.stdout) == (0, "1 audit trail: all holds\n")
    trail = folder / "invoices" / number / "trail.jsonl"
    lines = trail.read_text().splitlines(keepends=True)
    for changed, says in (
        ([lines[0].replace("pia", "eve"), *lines[1:]], "event 1 was changed"),
        ([*lines[:1], *lines[2:]], "event 2 does not follow the one before it"),
        ([*lines[:-2], lines[-1]], f"ends with event {len(lines) - 2}, but should with {len(lines) - 1}"),
    ):
        trail.write_text("".join(changed))
        found = verified(folder)
        assert found.returncode == 1
        assert says in found.stdout and f"invoices/{number}/trail.jsonl was changed" in found.stdout
    trail.write_text("".join(lines))
    (folder / "invoices" / number / f"{number}.pdf").unlink()
    assert f"{number}.pdf is missing" in verified(folder).stdout


def test_the_same_bytes(desk: Desk, number: str) -> None:
    """The same ledger gives the same zip, to the byte."""
    assert export(desk)[0].read_bytes() == export(desk, name="again.zip")[0].read_bytes()


def test_what_is_missing_is_said(desk: Desk, number: str) -> None:
    """A document that cannot be read, and one of the system before, are named: on the terminal and inside."""
    desk.opening_item("OLD-1")
    stored(desk).unlink()
    file, said = export(desk, code=1)
    assert (len(said["missing"]), said["from_before"]) == (1, 1)
    folder = unpacked(file)
    by_number = {line["number"]: line["missing"] for line in index(folder)}
    assert by_number["OLD-1"] == "its document is in the system before Billow"
    assert "restore it from a backup" in by_number[number]
    assert "its document is in the system before Billow" in (folder / "index.html").read_text()
    assert f"{number}: " in (folder / "README.txt").read_text()
    assert verified(folder).returncode == 0
    shown = desk.type("export", *ALL, "-o", desk.folder / "x.zip", code=1).stdout
    assert f"missing: {number}: {number}.pdf: no document" in shown
    assert "1 opening item has its document in the system before." in shown


def test_numbers_that_do_not_hold(desk: Desk, number: str) -> None:
    """A gap in the numbers is in the zip, and ends the command with 1."""
    tamper(desk.effects.ledger, "update number_series set last = 3")
    file, said = export(desk, code=1)
    assert said["number_problems"] == 1
    assert "2 numbers" in json.loads((unpacked(file) / "numbers.json").read_text())["problems"][0]["reason"]


def test_of_a_time_and_of_a_client(desk: Desk, number: str) -> None:
    """Only invoices issued in the time, and of the client asked for, are in it; none at all is an empty zip."""
    desk.opening_item("OLD-1", late=40)
    _, said = export(desk, "--client", "acme", name="acme.zip")
    assert said["invoices"] == 2
    day = str(today())
    only = desk.read("export", "--from", day, "--to", day, "-o", desk.folder / "today.zip")
    assert only["invoices"] == 1
    none = desk.read("export", "--from", "2001-01-01", "--to", "2001-12-31", "-o", desk.folder / "none.zip")
    assert (none["invoices"], none["missing"]) == (0, [])
    assert verified(unpacked(desk.folder / "none.zip")).returncode == 0


def test_refused(desk: Desk, number: str) -> None:
    """A file that is there, a client nobody knows, a time that ends before it begins: refused, and nothing is left."""
    file, _ = export(desk)
    again = desk.type("export", *ALL, "-o", file, code=1)
    assert "is there already" in again.stderr
    assert (
        "no client 'acm'; did you mean 'acme'?"
        in desk.type("export", *ALL, "--client", "acm", "-o", "x.zip", code=1).stderr
    )
    assert (
        "there is no issuer 'x'" in desk.type("export", *ALL, "--issuer", "x", "-o", "x.zip", code=1).stderr
    )
    turned = desk.type("export", "--from", "2026-02-01", "--to", "2026-01-01", "-o", "x.zip", code=2)
    assert "exchange them" in turned.stderr
    assert [each.name for each in desk.folder.glob("*.zip")] == ["audit.zip"]
    assert not [*desk.folder.glob(".billow-*")]


def test_letters(desk: Desk, number: str) -> None:
    """A statement of the client's account is of no single invoice, and is in it too; of other days, it is not."""
    letter(desk, b"%PDF statement", datetime.now(UTC), name="statement.pdf")
    letter(desk, b"%PDF long ago", datetime(2001, 1, 1, tzinfo=UTC))
    file, said = export(desk)
    assert said["documents"] == 4
    (found,) = (unpacked(file) / "letters" / "acme").iterdir()
    assert found.read_bytes() == b"%PDF statement"
    assert found.name.startswith(f"{datetime.now(UTC):%Y-%m-%d}-statement-") and found.suffix == ".pdf"
    assert verified(file.with_suffix("")).returncode == 0


FORMULAS = ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", " =1+1", "＝1+1"]


def test_formulas_stay_text(desk: Desk) -> None:
    """A title that a spreadsheet would run is text in the index; amounts stay figures, also negative ones."""
    for place, title in enumerate(FORMULAS):
        desk.opening_item(f"OLD-{place}", title=title)
    tamper(desk.effects.ledger, "update invoices set net = -5")
    lines = index(unpacked(export(desk)[0]))
    assert [line["title"] for line in lines] == [f"'{title}" for title in FORMULAS]
    assert {Decimal(line["net"]) for line in lines} == {-5}


def test_a_page_that_is_no_program(desk: Desk) -> None:
    """Whatever a client or title is called, the page of the index shows it and runs nothing of it; amounts have the
    decimals of their currency."""
    evil = "<script>alert(1)</script>\"'><img src=x>"
    desk.opening_item(
        "OLD-1",
        title=evil,
        currency="BHD",
        net=Decimal("1.000"),
        tax=Decimal("0.195"),
        gross=Decimal("1.195"),
    )
    page = (unpacked(export(desk)[0]) / "index.html").read_text()
    assert "<script>" not in page and "<img" not in page and "&lt;script&gt;" in page
    assert "BHD 1.195" in page


def test_after_issue(desk: Desk, number: str) -> None:
    """Files of disputes, what was written off and every movement of the bank are in it, and the sums hold."""
    with desk.effects.ledger.transaction() as tx:
        company = company_records.current(tx).company
        row = invoices.find(tx, number, lock=True)
        said: dict[str, Any] = {"by": "pia", "channel": "cli", "at": datetime.now(UTC)}
        dispute = disputes.open(tx, row, company, reason="too much", **said)
        sent = SentFile(desk.effects.documents.put(b"scan"), "../scan 1.pdf", "application/pdf", 4)
        dispute_files.keep(tx, row, dispute, [sent], **said)
        iban = company.issuers[0].bank_account.iban
    desk.type("write-off", number, "--amount", "5.00", "--reason", "too small", "--as", "pia")
    entries = [paid("77.00", "=1+1", bank="B1", day=today().isoformat())]
    statement = desk.folder / "a.xml"
    statement.write_bytes(bank_file(entries, account="".join(iban.split()), day=today().isoformat()))
    desk.type("import-statement", statement, "--as", "pia")
    saved = desk.read("dispute-files", number, "-o", desk.folder / "from client")["files"]
    assert [Path(each["file"]).read_bytes() for each in saved] == [b"scan"]
    assert Path(saved[0]["file"]).name == f"{dispute.id}-{sent.sha256[:8]}--scan-1.pdf"
    assert (
        "there already"
        in desk.type("dispute-files", number, "-o", desk.folder / "from client", code=1).stderr
    )
    assert desk.read("show", number)["disputes"][0]["files"][0]["name"] == "../scan 1.pdf"
    file, _ = export(desk)
    folder = unpacked(file)
    assert verified(folder).returncode == 0
    (there,) = (folder / "invoices" / number).glob("disputed-*")
    assert there.read_bytes() == b"scan" and there.name in index(folder)[0]["documents"]
    (given,) = csv.DictReader(io.StringIO((folder / "given-up.csv").read_text("utf-8-sig")))
    assert (given["invoice"], given["kind"], given["amount"]) == (number, "write-off", "5.00")
    (moved,) = csv.DictReader(io.StringIO((folder / "bank.csv").read_text("utf-8-sig")))
    assert (moved["amount"], moved["outcome"], moved["text"]) == ("77.00", "unmatched", "'=1+1")
    (lost,) = table(folder, "payments-without-invoice.csv")
    assert (lost["amount"], lost["reference"], lost["decision"]) == ("77.00", "'=1+1", "")
    ours = unpacked(export(desk, "--client", "acme", name="acme.zip")[0])
    assert not (ours / "bank.csv").exists() and table(ours, "payments-without-invoice.csv") == []


def test_money_without_an_invoice(desk: Desk, number: str) -> None:
    """What was kept as credit of a client and paid back in part stands with that client; another one's does not."""
    desk.company.company_file = {"payments": {"refunds": {"alone_up_to": {"EUR": "100"}}}}
    desk.company.apply(desk.effects.ledger)
    desk.type("pay", "--unmatched", "--amount", "90", "--currency", "EUR", "--date", today(), "--as", "pia")
    desk.type("keep-credit", "1", "acme", "--as", "pia")
    desk.type("refund", "payment 1", "--amount", "30", "--reason", "asked for", "--as", "pia")
    desk.type("refund-paid", "1", "--as", "pia")
    for arguments in ((), ("--client", "acme")):
        folder = unpacked(export(desk, *arguments, name=f"all{len(arguments)}.zip")[0])
        assert verified(folder).returncode == 0
        (lost,) = table(folder, "payments-without-invoice.csv")
        assert (lost["amount"], lost["client"], lost["decision"]) == (
            "90.00",
            "acme",
            "kept as credit of acme",
        )
        (given,) = table(folder, "given-up.csv")
        assert (given["invoice"], given["payment"], given["kind"], given["amount"]) == (
            "",
            "1",
            "refund",
            "30.00",
        )
    before = ("--from", f"{YEAR - 1}-01-01", "--to", f"{YEAR - 1}-12-31")
    desk.read("export", *before, "-o", desk.folder / "before.zip")
    earlier = unpacked(desk.folder / "before.zip")
    assert table(earlier, "payments-without-invoice.csv") == table(earlier, "given-up.csv") == []


def table(folder: Path, name: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO((folder / name).read_text("utf-8-sig")))]
