"""The folder of bank statements: nothing is lost, nothing half-written is read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from activities.bank.folder import PATIENCE, StatementFolder
from tests.activities.bank.statements import file, paid
from tests.activities.ledger.conftest import rows
from tests.starter.web.story import NOW, Story

LATER = NOW + timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> StatementFolder:
    return StatementFolder(tmp_path)


def open_exceptions(story: Story) -> list[str]:
    found = rows(story.ledger, "select finding->>'message' from exceptions where resolved_at is null")
    return [message for (message,) in found]


def test_imported_and_moved(story: Story, folder: StatementFolder) -> None:
    """A file is imported at the second look that finds it alike, and moved; the same name again keeps both."""
    number = story.issued("one")
    for turn in range(2):
        (folder.folder / "a.xml").write_bytes(file([paid("10.00", number, bank=f"B{turn}")], id=str(turn)))
        assert folder.look(story.ledger, LATER).imported == []
        assert len(folder.look(story.ledger, LATER).imported) == 1
        assert not (folder.folder / "a.xml").exists()
    assert len(list((folder.folder / "done").iterdir())) == 2
    assert rows(story.ledger, "select recorded_by, source from payments order by id") == [
        ("bank folder", "bank statement 0"),
        ("bank folder", "bank statement 1"),
    ]


def test_half_written(story: Story, folder: StatementFolder) -> None:
    """A file that grows is left alone, and one that breaks off for a while; then it is imported as if nothing were."""
    number = story.issued("one")
    data = file([paid("10.00", number, bank="B1")])
    there = folder.folder / "a.xml"
    for size in (100, 200, 300):
        there.write_bytes(data[:size])
        looked = folder.look(story.ledger, LATER)
        assert (looked.imported, looked.faulty) == ([], [])
    folder.look(story.ledger, LATER + timedelta(minutes=5))
    assert there.exists()
    there.write_bytes(data)
    folder.look(story.ledger, LATER + timedelta(minutes=6))
    assert len(folder.look(story.ledger, LATER + timedelta(minutes=6)).imported) == 1
    assert open_exceptions(story) == []


def test_faulty(story: Story, folder: StatementFolder) -> None:
    """What cannot be imported goes to `faulty/` and to a person, once; a good one of that name mends it."""
    there = folder.folder / "a.xml"
    there.write_bytes(file([paid("10.00")])[:-100])
    folder.look(story.ledger, LATER)
    folder.look(story.ledger, LATER + PATIENCE - timedelta(seconds=1))
    assert there.exists()
    assert folder.look(story.ledger, LATER + PATIENCE).faulty == ["a.xml"]
    assert (folder.folder / "faulty" / "a.xml").exists()
    (said,) = open_exceptions(story)
    assert "a.xml: the file is no well-formed XML" in said
    there.write_bytes(file([]))
    for _ in range(2):
        folder.look(story.ledger, LATER)
    assert open_exceptions(story) == []


def test_account_of_nobody(story: Story, folder: StatementFolder) -> None:
    """A statement of an account that is no issuer's is faulty at once: waiting would not help."""
    (folder.folder / "a.xml").write_bytes(file([], account="FR7630006000011234567890189"))
    folder.look(story.ledger, LATER)
    assert folder.look(story.ledger, LATER).faulty == ["a.xml"]


@pytest.mark.parametrize("name", [".a.xml", "a.xml.part", "a.XML.tmp", "a.filepart"])
def test_left_alone(story: Story, folder: StatementFolder, name: str) -> None:
    """Hidden and unfinished files, folders and links are left alone."""
    (folder.folder / name).write_bytes(b"x")
    (folder.folder / "sub").mkdir()
    (folder.folder / "link.xml").symlink_to(folder.folder / name)
    for minutes in (0, 20, 40):
        looked = folder.look(story.ledger, LATER + timedelta(minutes=minutes))
        assert (looked.imported, looked.faulty) == ([], [])
    assert (folder.folder / name).exists()


def test_no_folder(story: Story, tmp_path: Path) -> None:
    """A folder that is not there is told once, and is well when it is."""
    missing = StatementFolder(tmp_path / "missing")
    for _ in range(2):
        missing.look(story.ledger, LATER)
    (said,) = open_exceptions(story)
    assert "cannot be read" in said
    (tmp_path / "missing").mkdir()
    missing.look(story.ledger, LATER)
    assert open_exceptions(story) == []
