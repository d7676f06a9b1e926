"""Interest on reminders as it is written in dunning.yaml."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from activities.company.folder import Reading, read_folder
from activities.company.problems import errors
from activities.company.sample import write_starter

NOVEMBER = date(2026, 11, 22)
POLICY = """\
- id: standard
  levels: [{days: 7}, {days: 14}]
  interest: print
  interest_from_level: 2
"""
ANNOUNCED = """\
  reference_rates:
    - reference: DE
      since: 2026-07-01
      until: 2026-12-31
      rate: 1.27
      source: Bundesanzeiger of 30 June 2026
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_starter(tmp_path, NOVEMBER)
    return tmp_path


def read(folder: Path, text: str, today: date | None = NOVEMBER) -> Reading:
    (folder / "dunning.yaml").write_text(text, "utf-8")
    return read_folder(folder, today)


def told(reading: Reading) -> list[tuple[int, bool, str]]:
    return [
        (each.line, each.warning, each.message) for each in reading.problems if each.file == "dunning.yaml"
    ]


def test_a_rate_to_look_up_is_a_warning_at_its_policy(folder: Path) -> None:
    """The line of `interest` is named, with what to look up and where to write it; the folder is let through."""
    reading = read(folder, POLICY)
    ((line, warning, message),) = told(reading)
    assert (line, warning) == (3, True)
    assert "German base rate is known until 2026-06-30" in message and "add it to reference_rates" in message
    assert not errors(reading.problems)


def test_announced_rates_are_read(folder: Path) -> None:
    """A rate written into the policy is in the company, exact, and nothing is asked any more."""
    reading = read(folder, POLICY + ANNOUNCED)
    assert told(reading) == []
    company = reading.company
    assert company is not None
    (policy,) = company.dunning
    assert (policy.interest, policy.interest_from_level) == ("print", 2)
    assert [(each.reference, str(each.rate)) for each in policy.reference_rates] == [("DE", "1.27")]


def test_a_contracts_fee_is_read(folder: Path) -> None:
    """A late fee by contract needs no rate to be looked up."""
    text = f"{POLICY}  late_fee: {{clause: clause 9, percent_a_month: 1.5}}\n"
    assert told(read(folder, text)) == []


def test_wrong_words_are_named(folder: Path) -> None:
    """A misspelt choice is refused at its line."""
    ((line, warning, _),) = told(read(folder, POLICY.replace("print", "printed")))
    assert (line, warning) == (3, False)


def test_without_a_day_nothing_is_asked(folder: Path) -> None:
    """Applying a folder asks for no review: that is what `billow check` is for."""
    assert told(read(folder, POLICY, None)) == []
