"""What a deal shows of its invoices."""

from __future__ import annotations

from itertools import permutations

import pytest

from activities.crm.hubspot_invoices import ALL, LINK, NUMBER, STATUS, changes
from activities.providers.provider import Told

EMPTY = {NUMBER: "", STATUS: "", LINK: "", ALL: ""}


def told(number: str, status: str = "issued", amount: str = "119.00") -> Told:
    return Told(f"care/fee/{number}", number, status, amount, "EUR", f"https://billow.test/{number}", ("1",))


def shown(*invoices: Told) -> dict[str, str]:
    """What stands in the deal after these were written back, one by one."""
    now = dict(EMPTY)
    for each in invoices:
        now |= changes(now, each)
    return now


def test_the_first() -> None:
    """The first invoice fills all four fields."""
    assert changes(EMPTY, told("B-2026-9")) == {
        NUMBER: "B-2026-9",
        STATUS: "issued",
        LINK: "https://billow.test/B-2026-9",
        ALL: "B-2026-9 | issued | 119.00 EUR | https://billow.test/B-2026-9",
    }


def test_twice() -> None:
    """Told twice, it changes nothing; a new status changes that and its line."""
    now = shown(told("B-1"))
    assert changes(now, told("B-1")) == {}
    assert set(changes(now, told("B-1", "paid"))) == {STATUS, ALL}


@pytest.mark.parametrize("order", list(permutations(["B-9", "B-10", "B-2"])))
def test_any_order(order: tuple[str, ...]) -> None:
    """In whatever order invoices are told, the newest number stands in front, and each has its line."""
    now = shown(*map(told, order))
    assert (now[NUMBER], now[STATUS]) == ("B-10", "issued")
    assert [each.split(" | ")[0] for each in now[ALL].splitlines()] == ["B-10", "B-9", "B-2"]


def test_late_news_of_an_old_one() -> None:
    """An old invoice that is paid changes its own line and nothing of the newest."""
    now = shown(told("B-9"), told("B-10"))
    assert set(changes(now, told("B-9", "paid"))) == {ALL}


@pytest.mark.parametrize("mapped", [{NUMBER}, {STATUS}, {NUMBER, LINK}, {ALL}, set()])
def test_what_is_mapped(mapped: set[str]) -> None:
    """Only fields that are mapped are written."""
    assert set(changes(dict.fromkeys(mapped, ""), told("B-1"))) == mapped


def test_no_number_yet() -> None:
    """What has no number is not shown."""
    assert changes(EMPTY, told("", "draft")) == {}


def test_words_of_people() -> None:
    """What somebody wrote into the list stays there."""
    now = {**EMPTY, ALL: "call before sending\nB-1 | issued | 5.00 EUR | x"}
    assert changes(now, told("B-1", "paid", "5.00"))[ALL].splitlines() == [
        "call before sending",
        "B-1 | paid | 5.00 EUR | https://billow.test/B-1",
    ]


def test_the_oldest_goes() -> None:
    """A list that would be longer than a property holds loses its oldest lines."""
    now = {ALL: "\n".join(f"B-{n} | paid | 1.00 EUR | {'x' * 60}" for n in range(800, 0, -1))}
    lines = changes(now, told("B-801"))[ALL]
    assert len(lines) <= 60_000 and lines.startswith("B-801 | ") and "\nB-1 | " not in lines
