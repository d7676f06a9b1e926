"""`billow pdf --verify` and `billow documents verify`: what was stored is what was issued."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from sqlalchemy import text

from activities.documents.look import PLAIN
from activities.documents.s3_store import S3Store
from tests.activities.documents.s3_server import s3_server, use
from tests.activities.ledger.conftest import tamper
from tests.starter.cli.conftest import KEY_OF_ACME, Desk


def stored(desk: Desk, kind: str = "invoice") -> Path:
    """The file of the only document of that kind."""
    with desk.effects.ledger.transaction() as tx:
        sha256 = str(
            tx.execute(text("select sha256 from documents where kind = :kind"), {"kind": kind}).scalar_one()
        )
    return Path(desk.effects.documents.place) / sha256[:2] / sha256[2:4] / sha256


def spoil(file: Path, data: bytes = b"forged") -> None:
    file.chmod(0o644)
    file.write_bytes(data)


def test_rendered_again(desk: Desk) -> None:
    """The same look and versions give the same bytes, in PDF and XML; that is said, and how it was proved."""
    number = desk.issue()
    found = desk.read("pdf", number, "--verify")
    assert (found["holds"], found["rendered_again"], found["same_bytes"]) == (True, True, True)
    assert (found["moved_on"], found["differences"]) == ([], [])
    assert "the XML inside is the one recorded" in found["checked"]
    said = desk.type("pdf", number, "--verify").stdout
    assert "rendered again, every byte is the same" in said
    assert f"The document of {number} holds: SHA-256 {found['sha256']}" in " ".join(said.split())


def test_versions_that_moved_on(desk: Desk) -> None:
    """A renderer of another version is named, then and now; the stored bytes are checked by their hash instead."""
    number = desk.issue()
    tamper(desk.effects.ledger, """update documents set made_with = made_with || '{"weasyprint": "60.1"}'""")
    found = desk.read("pdf", number, "--verify")
    assert (found["holds"], found["rendered_again"], found["same_bytes"]) == (True, False, None)
    assert [(each["what"], each["then"]) for each in found["moved_on"]] == [("weasyprint", "60.1")]
    said = desk.type("pdf", number, "--verify").stdout
    assert "Not rendered again, for what made it has moved on since" in said
    assert "weasyprint 60.1, now 7" in said
    assert "the PDF has its SHA-256" in said


def test_a_look_that_is_gone(desk: Desk) -> None:
    """A document in a look nobody knows any more is not rendered in another one."""
    number = desk.issue()
    tamper(
        desk.effects.ledger,
        """update documents set made_with = made_with || '{"look": "abcdef0123456789"}'""",
    )
    assert desk.read("pdf", number, "--verify")["moved_on"] == [
        {"what": "look", "then": "abcdef012345", "now": ""}
    ]
    assert "look abcdef012345: it is not known here" in desk.type("pdf", number, "--verify").stdout


def test_a_look_by_the_beginning_of_its_digest(desk: Desk) -> None:
    """The whole digest is recorded; documents of before, which have 16 figures of it, are rendered again too."""
    number = desk.issue()
    with desk.effects.ledger.transaction() as tx:
        recorded = tx.execute(text("select distinct made_with ->> 'look' from documents")).scalar_one()
    assert recorded == PLAIN.digest
    tamper(
        desk.effects.ledger,
        "update documents set made_with = made_with || jsonb_build_object('look', left(made_with ->> 'look', 16))",
    )
    assert desk.read("pdf", number, "--verify")["same_bytes"] is True


def test_a_changed_file(desk: Desk) -> None:
    """A file that was changed is a difference, exit code 1, by both commands; put right, all holds again."""
    number = desk.issue()
    file = stored(desk)
    before = file.read_bytes()
    spoil(file)
    found = desk.read("pdf", number, "--verify", code=1)
    assert not found["holds"] and "was changed or damaged" in found["differences"][0]
    said = desk.type("pdf", number, "--verify", code=1).stdout
    assert f"The document of {number} does not hold in 1 place" in said
    faults = desk.read("documents", "verify", code=1)
    assert (faults["fault_count"], [each["of"] for each in faults["faults"]]) == (1, [number])
    spoil(file, before)
    assert desk.read("pdf", number, "--verify")["holds"]
    assert desk.read("documents", "verify")["holds"]


def test_another_data(desk: Desk) -> None:
    """A ledger that says something else than the document was made from is told apart from it, fact by fact."""
    number = desk.issue()
    tamper(desk.effects.ledger, "update invoices set due_date = '2031-01-01'")
    (difference,) = desk.read("pdf", number, "--verify", code=1)["differences"]
    assert difference.startswith("the ledger says due date 2031-01-01, but the document was made with 20")
    tamper(desk.effects.ledger, """update invoices set draft = jsonb_set(draft, '{note}', '"Thank you"')""")
    found = desk.read("pdf", number, "--verify", code=1)
    assert found["same_bytes"] is False
    assert "rendered again, the PDF has other bytes" in found["differences"]


def test_kept_in_s3(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands find documents in a bucket as they do in a folder."""
    number = desk.issue()
    with s3_server() as endpoint:
        use(monkeypatch, endpoint)
        boto3.Session().resource("s3").create_bucket(
            Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        bucket: Any = {"BILLOW_DOCUMENTS": "s3://archive/billow"}
        missing = desk.type("pdf", number, "-o", desk.folder / "x.pdf", code=1, **bucket)
        assert "restore it from a backup of that bucket" in " ".join(missing.stderr.split())
        there = S3Store.at("s3://archive/billow")
        for kind in ("invoice", "cii", "ubl"):
            there.put(stored(desk, kind).read_bytes())
        desk.type("pdf", number, "-o", desk.folder / "x.pdf", **bucket)
        assert (desk.folder / "x.pdf").read_bytes() == stored(desk).read_bytes()
        said = " ".join(desk.type("documents", "verify", **bucket).stdout.split())
        assert said.startswith(f"3 documents in s3://archive/billow at {endpoint} hold")
    assert "does not answer" in desk.type("pdf", number, "--verify", code=1, **bucket).stderr


def test_another_document_of_the_ledger(desk: Desk) -> None:
    """A document row exchanged for another does not agree with the audit trail."""
    number = desk.issue()
    forged = desk.effects.documents.put(b"%PDF forged")
    tamper(desk.effects.ledger, f"update documents set sha256 = '{forged}' where kind = 'invoice'")
    tamper(desk.effects.ledger, f"update invoices set document = '{forged}'")
    found = desk.read("pdf", number, "--verify", code=1)
    assert any(each.startswith("the audit trail says") for each in found["differences"])


def test_missing_files(desk: Desk) -> None:
    """A document that is gone is named with its invoice and what to do; XML counts like PDF."""
    number = desk.issue()
    stored(desk, "ubl").unlink()
    said = " ".join(desk.type("documents", "verify", code=1).stdout.split())
    assert f"{number}, ubl: no document" in said and "restore it from a backup" in said
    assert "does not hold" in said


def test_nothing_to_verify(desk: Desk) -> None:
    """Without documents there is nothing to verify, and that is said; a draft has none to prove."""
    assert (
        desk.type("documents", "verify").stdout
        == "No document is stored yet, so there is nothing to verify.\n"
    )
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    refused = desk.type("pdf", KEY_OF_ACME, "--verify", code=1)
    assert "so there is nothing to verify" in " ".join(refused.stderr.split())


def test_wrong_usage(desk: Desk) -> None:
    """Proving writes no file, so a file to write to is wrong usage."""
    assert "--verify writes no file" in desk.type("pdf", "X-1", "--verify", "-o", "x.pdf", code=2).stderr


def test_a_folder_that_takes_no_file(desk: Desk) -> None:
    """A folder that is not there, or is a file, is refused with the name that was given and the reason."""
    number = desk.issue()
    (desk.folder / "taken").touch()
    for target, reason in (("nowhere/a.pdf", "no such file"), ("taken/a.pdf", "not a directory")):
        refused = desk.type("pdf", number, "-o", desk.folder / target, code=1)
        said = " ".join(refused.stderr.split())
        assert f"{target} cannot be written: {reason}" in said and ".billow-" not in said


MOVED_ON = """update documents set made_with = made_with || '{"weasyprint": "60.1"}'"""

CHANGES = [
    ("delete from documents where kind = 'cii'", "the CII is not in the ledger any more"),
    ("delete from documents where kind = 'ubl'", "the UBL is not in the ledger any more"),
    (
        """update documents set made_from = made_from || '{"payment_reference": "RF18"}'
           where kind = 'invoice'""",
        "what the document was made from was changed since",
    ),
    ("update documents set made_from = null", "what the document was made from was changed since"),
    (
        """update invoices set draft = jsonb_set(draft, '{note}', '"Thank you"')""",
        "the stored draft is not the one that was issued",
    ),
    ("delete from audit_events where event = 'rendered'", "no event says which document was rendered"),
    (
        """update audit_events set facts = facts || '{"size": 1}' where event = 'rendered'""",
        "'rendered' was changed after it was written",
    ),
    ("update invoices set audit_hash = repeat('0', 64)", "is not the event with which the invoice says"),
]


def test_nothing_is_changed_unseen(desk: Desk) -> None:
    """Whatever was changed beside the bytes is found, also where the document cannot be rendered again."""
    number, ledger, tables = desk.issue(), desk.effects.ledger, ("documents", "invoices", "audit_events")
    tamper(ledger, MOVED_ON)
    for table in tables:
        tamper(ledger, f"create table kept_{table} as table {table}")
    for change, says in CHANGES:
        assert desk.read("pdf", number, "--verify")["holds"]
        tamper(ledger, change)
        found = desk.read("pdf", number, "--verify", code=1)
        assert any(says in each for each in found["differences"]), (change, found["differences"])
        for table in tables:
            tamper(ledger, f"delete from {table}")
            tamper(ledger, f"insert into {table} overriding system value select * from kept_{table}")
