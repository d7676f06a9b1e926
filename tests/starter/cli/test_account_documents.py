"""`billow statement`, `receipt`, `reminder-letter` and `preview`, on a real ledger."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from activities.company.sample import write_sample
from activities.documents.look import LookFiles
from activities.documents.preview import is_preview
from activities.ledger.company_records import apply_company
from billing.looks import Look
from tests.starter.cli.conftest import KEY_OF_ACME, Desk, today


def test_a_statement_of_a_client(desk: Desk) -> None:
    """1,190 twelve days late, 400 paid of it, and a newer one not due: 790 and 1,190 are open, and add up."""
    old, new = desk.opening_item("OLD-1", late=12), desk.opening_item("OLD-2")
    desk.type("pay", old, "--amount", "400", "--date", today(), "--as", "pia")
    found = desk.read("statement", "acme", "--from", today() - timedelta(days=60))
    (account,) = found["accounts"]
    assert (found["client"], found["issuer"], account["currency"]) == ("acme", "berlin", "EUR")
    assert [(each["number"], each["kind"], each["amount"]) for each in account["entries"]] == [
        (old, "invoice", "1190.00"),
        (new, "invoice", "1190.00"),
        (old, "payment", "-400.00"),
    ]
    assert (account["brought_forward"], account["balance"], account["late"]) == ("0.00", "1980.00", "790.00")
    assert (account["ageing"]["1-30"], account["ageing"]["31-60"]) == ("790.00", "0.00")
    shown = desk.type("statement", "acme").output
    assert "brought forward" in shown and "0.00" in shown
    assert "OLD-1" in shown and "1,980.00" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_statement_as_pdf(desk: Desk) -> None:
    """Written where it is asked for, named after client and day; never over a file that is there."""
    desk.opening_item(late=3)
    desk.type("statement", "acme", "-o", desk.folder)
    path = desk.folder / f"statement-acme-{today()}.pdf"
    assert path.read_bytes().startswith(b"%PDF")
    assert "--force" in desk.type("statement", "acme", "-o", desk.folder, code=1).output
    desk.type("statement", "acme", "-o", desk.folder, "--force")


def test_a_statement_of_nothing_and_nobody(desk: Desk) -> None:
    """An account that never moved is empty and no fault; an unknown client, and days turned round, are told."""
    assert desk.read("statement", "acme")["accounts"] == []
    assert "nothing is open" in desk.type("statement", "acme").output
    assert "no client 'acmee'" in desk.type("statement", "acmee", code=1).output
    told = desk.type("statement", "acme", "--from", "2026-02-01", "--to", "2026-01-01", code=1).output
    assert "turn the two round" in " ".join(told.split())


def test_a_receipt(desk: Desk) -> None:
    """What was paid, in parts, and what is left; before any money came there is nothing to confirm."""
    number = desk.opening_item()
    assert "nothing was paid" in desk.type("receipt", number, code=1).output
    desk.type("pay", number, "--amount", "190", "--date", today(), "--as", "pia")
    desk.type("pay", number, "--amount", "500", "--date", today(), "--as", "pia")
    found = desk.read("receipt", number, "-o", desk.folder / "receipt.pdf")
    assert (found["received"], found["open"]) == ("690.00", "500.00")
    assert (desk.folder / "receipt.pdf").read_bytes().startswith(b"%PDF")
    assert "open: EUR 500.00" in desk.type("receipt", number).output


@pytest.mark.parametrize(("late", "level", "code"), [(0, None, 0), (0, 1, 1), (12, None, 0), (12, 3, 0)])
def test_a_reminder_letter(desk: Desk, late: int, level: int | None, code: int) -> None:
    """The level that fits, or the one asked for; nobody is reminded of what is not late."""
    number = desk.opening_item(late=late)
    asked = [] if level is None else ["--level", level]
    if code:
        assert "is not late" in desk.type("reminder-letter", number, *asked, code=1).output
        return
    found = desk.read("reminder-letter", number, *asked, "-o", desk.folder)
    assert found["level"] == (level if level is not None else int(late > 0))
    assert Path(found["file"]).name == f"reminder-{found['level']}-{number}.pdf"
    assert Path(found["file"]).read_bytes().startswith(b"%PDF")


def test_nothing_to_remind_of(desk: Desk) -> None:
    """What is paid is not reminded of; writing letters changes nothing in the ledger."""
    number = desk.opening_item(late=12)
    before = desk.read("timeline", number)
    desk.type("reminder-letter", number)
    assert desk.read("timeline", number) == before
    desk.type("pay", number, "--amount", "1190", "--date", today(), "--as", "pia")
    assert "nothing to remind of" in desk.type("reminder-letter", number, code=1).output


def test_letters_are_in_the_look_that_was_applied(desk: Desk) -> None:
    """A look in the ledger is used without any company folder; a broken block is told with its file."""
    look = LookFiles(Look(id="berlin"), {"blocks/foot.html": b"{{ nobody }}"})
    number = desk.opening_item(late=12)
    apply_company(
        desk.effects.ledger, desk.company.company(), "elsewhere", "mara", datetime.now(UTC), {"berlin": look}
    )
    told = desk.type("reminder-letter", number, "-o", desk.folder, code=1).output
    assert "'nobody' is undefined" in " ".join(told.split())


def test_preview_of_the_sample(desk: Desk) -> None:
    """A company folder is enough: the PDF is a preview, pictures lie beside it, and only previews are written over."""
    folder, target = desk.folder / "company", desk.folder / "look.pdf"
    write_sample(folder, date(2026, 11, 22))
    pictures = ["--png"] if shutil.which("pdftoppm") else []
    said = desk.type(
        "preview", folder, "-o", target, "--document", "statement", "--issuer", "vienna", *pictures
    )
    assert is_preview(target.read_bytes())
    assert bool(pictures) is (desk.folder / "look-1.png").exists()
    assert "look.pdf" in said.output and "ms" in said.output
    desk.type("preview", folder, "-o", target, "--client", "rheinblick", "--look", "bold")
    other = desk.folder / "mine.pdf"
    other.write_bytes(b"mine")
    assert "is no preview" in desk.type("preview", folder, "-o", other, code=1).output
    assert other.read_bytes() == b"mine"
    assert (
        "there is no issuer 'rome'"
        in desk.type("preview", folder, "-o", target, "--issuer", "rome", code=1).output
    )


def test_preview_of_an_invoice(desk: Desk) -> None:
    """A draft and an issued invoice of the ledger, as they are; nothing is issued or stored by it."""
    desk.type("trigger", "--agreement", "acme-care", "--as", "mara")
    target = desk.folder / "real.pdf"
    told = desk.type("preview", "--invoice", KEY_OF_ACME, "-o", target, code=1).output
    assert "has no draft" in " ".join(told.split())
    desk.work(KEY_OF_ACME)
    before = desk.read("timeline", KEY_OF_ACME)
    desk.type("preview", "--invoice", KEY_OF_ACME, "-o", target, "--language", "fr")
    assert is_preview(target.read_bytes())
    assert desk.read("timeline", KEY_OF_ACME) == before


def test_preview_again_on_save(desk: Desk, tmp_path: Path) -> None:
    """It renders on start and on every save, tells a broken block by file and line, goes on, and ends with Ctrl-C."""
    folder, target, log = tmp_path / "watched", tmp_path / "look.pdf", tmp_path / "log"
    write_sample(folder, date(2026, 11, 22))
    block = folder / "templates/blocks/foot.html"
    block.parent.mkdir()
    command = [
        sys.executable,
        "-c",
        "from starter.cli import main; main()",
        "preview",
        str(folder),
        "-o",
        str(target),
        "--watch",
    ]
    with log.open("w") as out:
        watching = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=dict(os.environ))
        try:
            wait_for(log, " ms, ")
            block.write_text("one\n{{ isuer.name }}\n")
            wait_for(log, "templates/blocks/foot.html:2: invoice: 'isuer' is undefined")
            block.write_text("{{ issuer.name }}\n")
            wait_for(log, " ms, ", times=2)
            watching.send_signal(signal.SIGINT)
            assert watching.wait(60) == 0
        finally:
            watching.kill()
            watching.wait()
    assert "Traceback" not in log.read_text()


def wait_for(log: Path, text: str, times: int = 1) -> None:
    """Until the text stands in the log so often, wherever its lines are broken; a minute at the most."""
    until = time.monotonic() + 60
    while " ".join(log.read_text().split()).count(text) < times:
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
