"""`billow absence` and `absences`."""

from __future__ import annotations

from datetime import timedelta

from tests.starter.cli.conftest import Desk, today
from tests.starter.cli.test_events import check_width


def test_absences(desk: Desk) -> None:
    """An absence is set, listed and ended; who may not, or cannot, is told why."""
    first, last = today() + timedelta(days=1), today() + timedelta(days=5)
    days = ("--from", first, "--to", last)
    assert "Nobody is away" in desk.type("absences").stdout
    assert (
        "set by an admin"
        in desk.type("absence", "set", "noor", "--delegate", "otto", *days, "--as", "pia", code=1).stderr
    )
    assert (
        "role operator"
        in desk.type("absence", "set", "noor", "--delegate", "pia", *days, "--as", "noor", code=1).stderr
    )
    said = desk.type(
        "absence", "set", "noor", "--delegate", "mara", *days, "--reason", "holidays", "--as", "noor"
    )
    assert "mara decides for noor from" in said.stdout
    listed = desk.type("absences").stdout
    check_width(listed)
    assert "noor" in listed and "holidays" in listed
    [row] = desk.read("absences")["absences"]
    assert (row["person"], row["delegate"], row["first_day"], row["last_day"], row["set_by"]) == (
        "noor", "mara", first.isoformat(), last.isoformat(), "noor",
    )  # fmt: skip
    assert "ended by an admin" in desk.type("absence", "end", row["absence"], "--as", "otto", code=1).stderr
    ended = desk.read("absence", "end", row["absence"], "--as", "mara")
    assert (ended["ended_by"], ended["ended_at"] is not None) == ("mara", True)
    assert "over already" in desk.type("absence", "end", row["absence"], "--as", "mara", code=1).stderr
    assert desk.read("absences")["absences"] == []
    assert "ended" in desk.type("absences", "--all").stdout
