"""Events, one-off invoices and open items from files: read whole, or refused by line."""

import json
from pathlib import Path

import pytest

from activities.company.opening_items import read_opening_items
from activities.company.single_files import read_event, read_one_off
from billing.events import EventType

EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/psa",
    "type": "billow.milestone.signed_off",
    "time": "2026-11-22T10:00:00+01:00",
    "datacontenttype": "application/json",
    "data": {"agreement": "portal", "milestone": "concept"},
}


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_an_event_is_read_from_json_and_yaml(tmp_path: Path, indent: int | str | None) -> None:
    """A CloudEvent is taken as JSON however it is indented; unknown attributes are left alone."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(EVENT, indent=indent))
    reading = read_event(path)
    assert not reading.problems
    assert reading.value is not None
    assert reading.value.type is EventType.MILESTONE_SIGNED_OFF
    assert reading.value.time is not None
    assert reading.value.time.isoformat() == "2026-11-22T10:00:00+01:00"
    assert (reading.value.data.agreement, reading.value.data.milestone) == ("portal", "concept")


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        ({"type": "billow.milestone.signed"}, 5, "did you mean 'billow.milestone.signed_off'?"),
        ({"type": "stripe.paid"}, 5, "write billow.deal.won, billow.milestone.signed_off, "),
        ({"specversion": "0.3"}, 2, "'0.3' is not known here"),
        ({"id": ""}, 3, "is empty"),
        ({"time": "2026-11-22T10:00:00"}, 6, "does not fit"),
        ({"data": {}}, 1, "write data.agreement, deal, contract or project"),
        ({"data": {"agreement": "a"}}, 1, "write data.milestone"),
        ({"data": {"agreement": "a"}, "type": "billow.block.used_up"}, 1, "write data.block"),
        ({"data": {"agreement": "a", "mile": "b"}}, 10, "did you mean 'milestone'?"),
        ({"data": "a"}, 8, "keys and values"),
    ],
)
def test_an_event_that_cannot_be_used_says_where_and_why(
    tmp_path: Path, change: dict[str, object], line: int, says: str
) -> None:
    """An unknown type names the known ones; anything else wrong is told by line."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(EVENT | change, indent=2))
    reading = read_event(path)
    assert reading.value is None
    assert [(each.line, says in each.message) for each in reading.problems] == [(line, True)], (
        reading.problems
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ('{"id": 1,\n', "broken JSON"),
        ("[]", "a list stands where keys and values belongs"),
    ],
)
def test_a_file_that_is_no_event_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """Empty, broken and misshapen files end in one sentence."""
    path = tmp_path / "event.json"
    path.write_text(text)
    reading = read_event(path)
    assert reading.value is None
    assert [says in each.message for each in reading.problems] == [True], reading.problems


def test_a_missing_file_is_told() -> None:
    """A path that is wrong ends in one sentence, not in a traceback."""
    reading = read_one_off(Path("/nowhere/one-off.yaml"))
    assert [each.message for each in reading.problems] == ["cannot be read: No such file or directory"]


def test_a_one_off_is_exact(tmp_path: Path) -> None:
    """Quantities and prices keep every digit; what is missing is told by line."""
    path = tmp_path / "one-off.yaml"
    path.write_text(
        "client: acme\ncurrency: EUR\ntitle: Call-out\nreason: asked by phone\n"
        "lines:\n  - {description: Work, quantity: 0.1, unit_price: 0.30}\n"
    )
    value = read_one_off(path).value
    assert value is not None
    assert str(value.lines[0].quantity * value.lines[0].unit_price) == "0.030"
    path.write_text(
        "client: acme\ncurrency: EUR\ntitle: Call-out\nlines:\n  - {description: Work, quantity: 0}\n"
    )
    problems = [(each.line, each.where) for each in read_one_off(path).problems]
    assert problems == [(1, "reason"), (5, "lines[1].quantity"), (5, "lines[1].unit_price")]


def test_open_items_are_read_whole_or_not_at_all(tmp_path: Path) -> None:
    """One wrong item refuses the file; an empty file means there are none."""
    path = tmp_path / "opening_items.yaml"
    path.write_text("# none\n")
    assert read_opening_items(path).value == ()
    item = (
        "- {number: R-1, client: acme, title: T, issue_date: 2026-01-01, due_date: 2026-01-15,"
        " currency: EUR, net: 10, tax: 1.90, gross: 11.90}\n"
    )
    path.write_text(item)
    value = read_opening_items(path).value
    assert value is not None
    assert str(value[0].gross) == "11.90"
    path.write_text(item + item)
    reading = read_opening_items(path)
    assert reading.value is None
    assert [(each.line, each.where) for each in reading.problems] == [(2, "R-1.number")]
