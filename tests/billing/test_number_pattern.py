"""Patterns of number series: what they write, in which year, within which country's limits, and never twice."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from billing.document_kind import DocumentKind, NumberSeries
from billing.errors import NumberingError
from billing.number_limits import NumberPatternText, limit_of
from billing.number_pattern import NumberPattern, meeting, pattern, pattern_of
from billing.numbering import SeriesState, take_number
from billing.parties import Issuer
from tests.billing.properties import examples
from tests.company import ISSUER as WRITTEN

ISSUER = Issuer.model_validate(WRITTEN)
NEW = SeriesState(year=0, last=0)
ACCEPTED: TypeAdapter[str] = TypeAdapter(NumberPatternText)


def own(text: str, country: str = "DE", starts: int = 1) -> NumberPattern:
    return pattern("X", {"invoice": text}, starts, country, NumberSeries.INVOICE)


def test_which_kinds_share_a_series() -> None:
    """What asks for money with tax shares the series of invoices; a credit note and a pro forma have their own."""
    assert {kind.value: kind.series.value for kind in DocumentKind} == {
        "invoice": "invoice",
        "corrected invoice": "invoice",
        "prepayment invoice": "invoice",
        "final invoice": "invoice",
        "credit note": "credit note",
        "pro forma invoice": "pro forma invoice",
    }


def test_patterns_follow_the_prefix() -> None:
    """An issuer that says nothing has numbers after its prefix, none longer than 16 characters, none twice."""
    issuer = ISSUER.model_copy(update={"number_prefix": "BER-26"})
    patterns = {kind: pattern_of(issuer, kind) for kind in DocumentKind}
    written = {kind.value: each.number(2026, 7) for kind, each in patterns.items()}
    assert written["invoice"] == written["final invoice"] == "BER-262026-00007"
    assert (written["credit note"], written["pro forma invoice"]) == ("BER-26CN26-00007", "BER-26PF26-00007")
    assert not any(each.complaint for each in patterns.values())


def test_a_pattern_of_its_own() -> None:
    """A pattern by kind replaces the one after the prefix; the other kinds still follow it."""
    issuer = ISSUER.model_copy(
        update={"number_prefix": "BER-", "numbers": {NumberSeries.CREDIT_NOTE: "BER-CN-{year}-{number:03}"}}
    )
    assert pattern_of(issuer, DocumentKind.CREDIT_NOTE).number(2026, 7) == "BER-CN-2026-007"
    assert pattern_of(issuer, DocumentKind.CREDIT_NOTE).number(2026, 1234) == "BER-CN-2026-1234"
    assert pattern_of(issuer).number(2026, 7) == "BER-2026-00007"


@pytest.mark.parametrize(
    "text",
    [
        "BER-{year}-00001",
        "BER-{number:05}",
        "BER-{year}-{number}",
        "BER-{year}-{number:5}",
        "BER-{year}-{number:05}-{number:05}",
        "BER-{year}-{yy}-{number:05}",
        "BER-{month}-{year}-{number:05}",
        "BER-{year-{number:05}",
        "ber-{year}-{number:05}",
        "Ü{year}-{number:05}",
        " B{year}-{number:05}",
        "-{year}-{number:05}",
        "B{year}-{number:05}|",
        "",
    ],
)
def test_what_is_no_pattern(text: str) -> None:
    """Without year or count the numbers of two years would meet; other braces, and characters, mean nothing."""
    with pytest.raises(ValidationError, match=r"must have|may have"):
        ACCEPTED.validate_python(text)


@pytest.mark.parametrize("text", ["{number:04}/{year}", "FV {number:01}/{yy}", "A.B_C {year}/{number:09}"])
def test_what_is_a_pattern(text: str) -> None:
    """Year and count stand in any order, with blanks, dots, dashes, slashes between."""
    assert ACCEPTED.validate_python(text) == text


@pytest.mark.parametrize(
    ("country", "text", "complaint"),
    [
        # by hand: the count of full length is 99999, or as many nines as the pattern has digits
        ("IN", "HAVEL/{yy}/{number:06}", ""),  # HAVEL/26/999999: 15 characters
        ("IN", "HAVEL/{year}/{number:06}", "HAVEL/2026/999999 is longer than 16 characters"),
        ("IN", "HW.{yy}-{number:05}", "HW.26-99999 is not made of letters, digits, '-' and '/'"),
        ("IT", "HAVELWERK/{year}/{number:05}", ""),  # 20 characters
        ("IT", "HAVELWERKE/{year}/{number:05}", "HAVELWERKE/2026/99999 is longer than 20 characters"),
        ("FR", "HW_{year}/{number:05}", ""),
        (
            "FR",
            "HW {year}/{number:05}",
            "HW 2026/99999 is not made of letters, digits, '+', '-', '_' and '/'",
        ),
        ("PT", "FT {year}/{number:05}", ""),
        ("PT", "FT-{year}/{number:05}", "FT-2026/99999 is not made of a document type, a blank, a series"),
        ("PL", "FV {number:01}/{year}", ""),
        ("ES", "HW-{year}-{number:05}", ""),
        ("DE", "HAVELWERKE-IT-{year}-{number:05}", ""),  # 21 letters and digits
        ("DE", "HAVELWERKEN-IT-{year}-{number:05}", "has more than 21 letters and digits"),
        ("US", "{year}.{number:09}", ""),
    ],
)
def test_the_limits_of_countries(country: str, text: str, complaint: str) -> None:
    """Numbers of full length must pass what the country asks; the complaint names number, limit and source."""
    said = own(text, country).complaint
    assert said.startswith(complaint) or complaint in said
    assert bool(said) == bool(complaint)
    assert not said or limit_of(country).source in said or "ISO 11649" in said


def test_a_number_that_may_not_be_given() -> None:
    """The count grows as far as the country lets it; then the series says so instead of giving the number."""
    indian = own("HAVEL/{yy}/{number:06}", "IN")
    assert indian.number(2026, 9_999_999) == "HAVEL/26/9999999"
    with pytest.raises(NumberingError, match=r"longer than 16 characters .* write another pattern"):
        indian.number(2026, 10_000_000)


@pytest.mark.parametrize(
    ("starts", "day", "year", "number"),
    [
        (4, date(2026, 3, 31), 2025, "2025-1"),
        (4, date(2026, 4, 1), 2026, "2026-1"),
        (4, date(2027, 3, 31), 2026, "2026-1"),
        (1, date(2026, 1, 1), 2026, "2026-1"),
        (12, date(2026, 11, 30), 2025, "2025-1"),
    ],
)
def test_fiscal_years(starts: int, day: date, year: int, number: str) -> None:
    """The year of a number is the one in which the issuer's fiscal year begins: India's from April to March."""
    taken = take_number(own("{year}-{number:01}", starts=starts), NEW, day)
    assert (taken.state.year, taken.number, taken.issue_date) == (year, number, day)


def test_a_fiscal_year_that_is_moved() -> None:
    """Years that begin in another month from now on give no number again: the year waits until it is due."""
    by_calendar, by_april = own("{year}-{number:02}"), own("{year}-{number:02}", starts=4)
    state = SeriesState(year=2026, last=9, last_date=date(2026, 2, 9))
    february = take_number(by_april, state, date(2026, 2, 10))
    assert february.number == "2026-10"
    assert take_number(by_april, february.state, date(2026, 4, 1)).number == "2026-11"
    assert take_number(by_april, february.state, date(2027, 4, 1)).number == "2027-01"
    assert take_number(by_calendar, february.state, date(2027, 1, 1)).number == "2027-01"


PATTERNS = st.builds(
    lambda parts, sep, head, tail: f"{head}{parts[0]}{sep}{parts[1]}{tail}",
    st.permutations(["{year}", "{number:03}"]) | st.permutations(["{yy}", "{number:01}"]),
    st.sampled_from(["", "-", "/", " ", "1"]),
    st.from_regex(r"[A-Z0-9]{1,3}", fullmatch=True),
    st.sampled_from(["", "/A", "7"]),
)


@given(
    PATTERNS,
    st.lists(st.integers(-500, 900), min_size=1, max_size=30),
    st.lists(st.integers(1, 12), min_size=1),
)
@examples(150)
def test_no_gap_and_no_double(text: str, offsets: list[int], starts: list[int]) -> None:
    """Whatever the pattern, the dates and the moves of the fiscal year: each number once, each year from one on."""
    state, seen, counts, dates = NEW, set[str](), dict[int, int](), [date(1, 1, 1)]
    for position, offset in enumerate(offsets):
        written = own(text, starts=starts[position * len(starts) // len(offsets)])
        taken = take_number(written, state, date(2026, 6, 16) + timedelta(days=offset))
        state = taken.state
        counts[state.year] = counts.get(state.year, 0) + 1
        assert state.last == counts[state.year] == written.count_of(taken.number, state.year)
        assert taken.number not in seen
        seen.add(taken.number)
        dates.append(taken.issue_date)
    assert all(before <= after for before, after in pairwise(dates))
    assert list(counts) == sorted(counts)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("BER-{year}-{number:05}", "BER-{year}-{number:05}", True),
        ("BER-{year}-{number:05}", "BER-CN-{year}-{number:05}", False),
        ("A{year}{number:03}", "A{year}1{number:02}", True),  # A2026100
        ("A{year}-{number:03}", "A{yy}-{number:03}", False),
        ("A{yy}{number:03}", "A{year}{number:01}", True),  # A20261
        ("A{number:01}/{year}", "A1{number:01}/{year}", True),  # A12/2026
        ("A{yy}{number:05}", "B{yy}{number:05}", False),
    ],
)
def test_patterns_that_meet(one: str, other: str, meet: bool) -> None:
    """Two patterns that can write one number are found, and only those."""
    assert own(one).meets(own(other)) is own(other).meets(own(one)) is meet
    assert [*meeting({"one": own(one), "other": own(other)})] == [("one", "other")] * meet


@given(PATTERNS, PATTERNS, st.integers(1, 1200), st.integers(2020, 2030))
@examples(150)
def test_meeting_is_never_missed(one: str, other: str, count: int, year: int) -> None:
    """Whatever number one pattern writes: if another's shape matches it, they meet."""
    number = own(one).written(year, count)
    shape = re.escape(other).replace(r"\{year\}", "[0-9]{4}").replace(r"\{yy\}", "[0-9]{2}")
    shape = re.sub(r"\\\{number:0([1-9])\\\}", r"[0-9]{\1,}", shape)
    if re.fullmatch(shape, number):
        assert own(one).meets(own(other))
