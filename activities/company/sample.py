"""Company folders to begin with: a believable firm to try Billow out, and the smallest one that can bill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import Environment, StrictUndefined

from activities.company.sample_time import expenses_csv, time_csv
from activities.psa.time_csv import COLUMNS
from billing.periods import months_after

_AS_IT_IS = (".svg",)
"""Files of a sample in which no day is filled in."""

_TIME, _EXPENSES = Path("data/psa/time.csv"), Path("data/psa/expenses.csv")


def write_sample(folder: Path, today: date) -> None:
    """The firm Havelwerk IT. Its agreements begin so that a billing run on `today` finds fourteen
    periods to bill.

    A new folder appears whole or not at all; in one that is there, files of the same names are overwritten.
    Raises OSError where it cannot be written.
    """
    _write("havelwerk", folder, today, {_TIME: time_csv(today), _EXPENSES: expenses_csv(today)})


def write_starter(folder: Path, today: date) -> None:
    """The smallest company that can bill, with comments that guide: one issuer, client, retainer, approver.

    A new folder appears whole or not at all; in one that is there, files of the same names are overwritten.
    Raises OSError where it cannot be written.
    """
    _write("first", folder, today, {_TIME: ",".join(COLUMNS) + "\n"})


def _write(sample: str, folder: Path, today: date, records: Mapping[Path, str]) -> None:
    if folder.exists():
        _write_into(folder, sample, today, records)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".billow-") as temporary:
        whole = Path(temporary) / "company"
        _write_into(whole, sample, today, records)
        whole.rename(folder)


def _write_into(folder: Path, sample: str, today: date, records: Mapping[Path, str]) -> None:
    month = today.replace(day=1)
    # Plain text for people to edit, not a page for a browser: nothing to escape.
    templates = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    values = {
        "today": today,
        "month": month,
        "last_month": months_after(month, -1),
        "next_month": months_after(month, 1),
        "in_two_months": months_after(month, 2),
        "three_months_ago": months_after(month, -3),
        "day": lambda days: today + timedelta(days=days),
    }
    for template, path in _templates(files("activities.company") / "samples" / sample, Path()):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in _AS_IT_IS:
            target.write_bytes(template.read_bytes())
            continue
        text = templates.from_string(template.read_text(encoding="utf-8")).render(values)
        target.write_text(text, encoding="utf-8")
    for path, text in records.items():
        (folder / path).write_text(text, encoding="utf-8")


def _templates(place: Traversable, path: Path) -> list[tuple[Traversable, Path]]:
    found: list[tuple[Traversable, Path]] = []
    for each in sorted(place.iterdir(), key=lambda child: child.name):
        if each.is_dir():
            found += _templates(each, path / each.name)
        elif Path(each.name).suffix in (".yaml", *_AS_IT_IS):
            found.append((each, path / each.name))
    return found
