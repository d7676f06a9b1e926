"""`billow check --readiness`: the list to clean data by."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from activities.company.sample import write_sample, write_starter
from starter.cli import main


def checked(*arguments: object, code: int) -> Result:
    result = CliRunner().invoke(main, ["check", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    write_sample(tmp_path / "sample", date(2026, 11, 22))
    return tmp_path / "sample"


NEEDED = {
    ("alsterkontor", "value"),
    ("atelier", "VAT id or tax facts"),
    ("thameside", "billing contact"),
}
"""What the sample company has wrong on purpose."""


def test_for_people(sample: Path) -> None:
    """By client, at most 80 columns, with counts at the end and exit code 1."""
    lines = checked("--readiness", sample, code=1).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    names = [each for each in lines if each and each[0] not in " !·" and "." not in each]
    assert names == sorted(names) and {each for each, _ in NEEDED} <= set(names)
    assert "3 gaps at 3 clients" in "\n".join(lines)


def test_for_programs(sample: Path) -> None:
    """One document with every gap."""
    found = json.loads(checked("--readiness", sample, "--json", code=1).stdout)
    assert {(each["client"], each["missing"]) for each in found["gaps"] if each["needed"]} == NEEDED
    assert (found["ready"], found["clients_not_ready"], found["clients"]) == (False, 3, 14)


def test_as_csv(sample: Path, tmp_path: Path) -> None:
    """The same as CSV; what a spreadsheet would compute is kept as text."""
    file = tmp_path / "gaps.csv"
    told = checked("--readiness", sample, "-o", file, code=1).stdout
    assert "The list is in" in told and "atelier" not in told
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert {(each["client"], each["missing"]) for each in rows if each["needed"] == "yes"} == NEEDED
    assert not [cell for each in rows for cell in each.values() if cell.startswith(("=", "+", "-", "@"))]


def test_ready(tmp_path: Path) -> None:
    """A company that can bill: exit code 0."""
    write_starter(tmp_path, date(2026, 11, 22))
    assert "Nothing that is needed is missing; 1 client, 1 agreement looked at." in (
        checked("--readiness", tmp_path, code=0).stdout
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--readiness", "--live"), "ask for one at a time"),
        (("--live", "-o", "x.csv"), "-o takes the list of --readiness"),
        (("-o", "x.csv"), "-o takes the list of --readiness"),
    ],
)  # fmt: skip
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    """Options that say nothing together are refused."""
    assert says in checked(*arguments, tmp_path, code=2).stderr


def test_a_file_that_cannot_be_written(sample: Path, tmp_path: Path) -> None:
    """Where the list cannot be written, that is said in one line."""
    assert (
        "name another file with -o"
        in checked("--readiness", sample, "-o", tmp_path / "no/x.csv", code=1).stderr
    )
