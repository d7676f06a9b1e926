"""The examples of the page on money can be written as they stand."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from activities.company.folder import read_folder
from activities.company.problems import errors
from activities.company.sample import write_starter

PAGE = Path(__file__).parents[3] / "docs" / "money.md"


def test_examples_are_accepted(tmp_path: Path) -> None:
    """Discounts and exchange rates of the page make a folder without a mistake, and all of them are read."""
    discounts, rates = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    write_starter(tmp_path, date(2026, 11, 22))
    (tmp_path / "discounts.yaml").write_text(discounts)
    (tmp_path / "tax").mkdir(exist_ok=True)
    (tmp_path / "tax" / "exchange_rates.yaml").write_text(rates)
    reading = read_folder(tmp_path)
    assert not errors(reading.problems)
    assert reading.company is not None
    assert [each.id for each in reading.company.discounts] == ["volume", "loyal", "welcome", "spring"]
    assert len(reading.company.exchange_rates.rates) == 1
