"""`billow meter` and `billow meters`: files of entries, what they cross, where meters stand."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.metering import agreements
from tests.starter.cli.conftest import Desk, today

HEADER = "source,id,agreement,day,quantity,role,revision,deleted\n"


@pytest.fixture
def metered(empty_desk: Desk) -> Desk:
    """A desk with a block of ten hours, work billed at every 1,000, and milestones by progress."""
    empty_desk.company.agreements = [agreements.block(), agreements.spend(), agreements.milestones()]
    empty_desk.company.apply(empty_desk.effects.ledger)
    empty_desk.type("trigger", "--agreement", "acme-block", "--item", "block-1", "--as", "pia")
    return empty_desk


def written(desk: Desk, *lines: str, name: str = "hours.csv") -> Path:
    path = desk.folder / name
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return path


def test_hours_that_use_a_block_up(metered: Desk) -> None:
    """What was taken in, the line that was crossed, the invoice it made, and where the meter stands now."""
    day = today().isoformat()
    file = written(metered, f"clock,a,acme-block,{day},8,,,", f"clock,b,acme-block,{day},4.5,,,")
    said = metered.type("meter", file, "--as", "pia").output
    assert "Took in 2 entries: 2 new." in said
    assert "acme-block: block-2 reached; new invoice acme-block/block-2." in said
    assert "billow show acme-block/block-2" in said
    (row,) = [line for line in said.splitlines() if line.startswith("acme-block  ")]
    assert row.split() == ["acme-block", "12.5", "h", "██░░░░░░░░", "7.5", "h", "block-3", "in", "7.5", "h"]
    assert all(len(line) <= 80 for line in said.splitlines())


def test_the_same_file_again_changes_nothing(metered: Desk) -> None:
    """A second click takes nothing in and makes no invoice."""
    file = written(metered, f"clock,a,acme-block,{today()},11,,,")
    first, again = (metered.read("meter", file, "--as", "pia") for _ in range(2))
    assert [each["new"] for each in first["crossings"]] == [True]
    assert (again["known"], again["new"], again["crossings"]) == (1, 0, [])


def test_everything_wrong_is_named_by_line_and_nothing_taken_in(metered: Desk) -> None:
    """Unknown agreement, future day, negative hours, a twin, no figure: each with its line; the rest waits."""
    day, tomorrow = today(), today() + timedelta(days=1)
    file = written(
        metered,
        f"clock,good,acme-block,{day},1,,,",
        f"clock,a,acme-blok,{day},1,,,",
        f"clock,b,acme-block,{tomorrow},1,,,",
        f"clock,c,acme-block,{day},-1,,,",
        f"clock,good,acme-block,{day},2,,,",
        f"clock,d,acme-block,{day},many,,,",
        f"clock,e,acme-block,{day},,,,",
    )
    said = metered.type("meter", file, "--as", "pia", code=1).output
    expected = {
        3: "there is no agreement 'acme-blok'",
        4: "is still to come",
        5: "-1 hours: less than nothing",
        6: "stands in an earlier line",
        7: "'many' does not fit",
        8: "write day and quantity, or deleted: yes",
    }
    for line, words in expected.items():
        assert any(f"hours.csv:{line}:" in each and words in each for each in said.splitlines()), (line, said)
    (meter,) = [each for each in metered.read("meters")["meters"] if each["agreement"] == "acme-block"]
    assert meter["used"] == "0"


def test_json_is_read_as_well_and_its_lines_are_known(metered: Desk) -> None:
    """A JSON list is taken in; what is refused in it is named by the line its entry begins on."""
    entry: dict[str, Any] = {"source": "x", "id": "1", "agreement": "acme-build", "measure": "progress"}
    file = metered.folder / "progress.json"
    file.write_text(json.dumps([{**entry, "day": str(today()), "quantity": 81}], indent=1))
    crossed = metered.read("meter", file, "--as", "pia")["crossings"]
    assert [each["billing_key"] for each in crossed] == ["acme-build/plan", "acme-build/build"]
    file.write_text(
        json.dumps([{**entry, "day": str(today()), "quantity": each} for each in (5, 101)], indent=1)
    )
    said = metered.type("meter", file, "--as", "pia", code=1).output
    assert "progress.json:10: 1: 101 per cent done; write 0 to 100" in " ".join(said.split())


def test_hours_of_a_role_without_a_rate_are_kept(metered: Desk) -> None:
    """They are taken in, count nothing, and the command says so."""
    file = written(metered, f"clock,a,acme-spend,{today()},3,boss,,")
    said = metered.type("meter", file, "--as", "pia").output
    assert "Does not count yet: a of clock: role 'boss' has no rate" in " ".join(said.split())
    (meter,) = [each for each in metered.read("meters")["meters"] if each["agreement"] == "acme-spend"]
    assert ([each["id"] for each in meter["held"]], meter["unit"], meter["next"]["line"]) == (
        ["a"],
        "EUR",
        "spend-1",
    )


def test_meters_without_any(desk: Desk) -> None:
    """A company that meters nothing is told so, and an agreement without a meter."""
    assert "No agreement has a meter" in desk.type("meters").output
    assert "Agreement 'acme-care' has no meter" in desk.type("meters", "--agreement", "acme-care").output
    assert desk.read("meters")["meters"] == []
    assert "there is no agreement 'nobody'" in desk.type("meters", "--agreement", "nobody", code=1).output
