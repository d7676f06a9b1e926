"""`billow einvoice`: the XML as it was sent, and files held against the rules."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from activities.einvoice.files import einvoice_files
from tests.activities.einvoice.valid import VALID
from tests.starter.cli.conftest import KEY_OF_ACME, Desk


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """An invoice whose gross is a cent too much, in a unit nobody knows."""
    made = einvoice_files(VALID["plain"])
    assert made is not None
    path = tmp_path / "wrong.xml"
    text = made.ubl.decode().replace("2156.88", "2156.89", 1).replace('unitCode="HUR"', 'unitCode="HOURS"')
    path.write_text(text)
    return path


def test_as_it_was_sent(desk: Desk) -> None:
    """Both files of an issued invoice are written byte for byte as stored, and each is valid."""
    number = desk.issue()
    stored = {each["kind"]: each["sha256"] for each in desk.read("show", number)["documents"]}
    for syntax in ("cii", "ubl"):
        target = desk.folder / f"{syntax}.xml"
        told = desk.read("einvoice", number, f"--{syntax}", "-o", target)
        assert told["sha256"] == stored[syntax] == sha256(target.read_bytes()).hexdigest()
        assert told["bytes"] == target.stat().st_size
        assert desk.read("einvoice", "--check", target)["breaches"] == []
    assert desk.type("einvoice", number, "-o", "-").stdout_bytes == (desk.folder / "cii.xml").read_bytes()


def test_in_the_pdf(desk: Desk) -> None:
    """The XML inside the PDF is the CII, and is checked there."""
    number = desk.issue()
    pdf, xml = desk.folder / "invoice.pdf", desk.folder / "invoice.xml"
    desk.type("pdf", number, "-o", pdf)
    desk.type("einvoice", number, "-o", xml)
    told = desk.read("einvoice", "--check", pdf)
    assert told == {**desk.read("einvoice", "--check", xml), "file": str(pdf)}
    assert told["syntax"] == "CII" and told["valid"]


def test_names(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file it is named by number and syntax, in a folder too; a file that is there stays."""
    number = desk.issue()
    monkeypatch.chdir(desk.folder)
    desk.type("einvoice", number)
    assert Path(f"{number}-cii.xml").is_file()
    assert "is there already" in desk.type("einvoice", number, code=1).stderr
    desk.type("einvoice", number, "--force")
    Path("out").mkdir()
    desk.type("einvoice", number, "--ubl", "-o", "out")
    assert Path(f"out/{number}-ubl.xml").is_file()


def test_none_yet(desk: Desk) -> None:
    """A draft has none, and an invoice of the system before has none: that is said."""
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    assert "only an issued invoice has one" in desk.type("einvoice", KEY_OF_ACME, code=1).stderr
    old = desk.opening_item()
    assert "no document" in desk.type("einvoice", old, code=1).stderr


def test_check(desk: Desk, wrong: Path) -> None:
    """What a file breaks is named by rule in 80 columns, and fatal breaches end with exit code 1."""
    shown = desk.type("einvoice", "--check", wrong, code=1).stdout
    assert "fatal  BR-CO-15  EN 16931 UBL" in shown and "fatal  BR-CL-23  EN 16931 UBL" in shown
    assert "2 fatal breaches." in shown or "3 fatal breaches." in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    told = desk.read("einvoice", "--check", wrong, code=1)
    assert {"BR-CO-15", "BR-CL-23"} <= {each["rule"] for each in told["breaches"]}
    assert (told["syntax"], told["valid"]) == ("UBL", False)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "give an INVOICE"),
        (["B-2026-00001", "--check", "wrong.xml"], 2, "one of the two"),
        (["--check", "wrong.xml", "-o", "x"], 2, "writes no file"),
        (["--check", "nowhere.xml"], 2, "No such file"),
        (["--check", "empty.xml"], 1, "no well-formed XML"),
        (["B-2026-00001", "-o", "-", "--json"], 2, "both write to stdout"),
    ],
)
def test_usage(
    desk: Desk,
    wrong: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    """What cannot be meant is refused with what to type instead."""
    (wrong.parent / "empty.xml").touch()
    monkeypatch.chdir(wrong.parent)
    assert said in " ".join(desk.type("einvoice", *arguments, code=code).stderr.split())
