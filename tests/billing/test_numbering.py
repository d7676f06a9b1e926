"""Invoice numbers and payment references."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from billing.document_kind import NumberSeries
from billing.errors import NumberingError
from billing.number_pattern import MAX_LENGTH, NumberPattern, pattern
from billing.numbering import NumberTaken, SeriesState, payment_reference
from billing.numbering import take_number as take_by
from tests.billing.properties import examples

NEW = SeriesState(year=0, last=0)
"""A series from which nothing was taken, as the ledger begins it."""


def following(prefix: str, year_starts: int = 1) -> NumberPattern:
    return pattern(prefix, {}, year_starts, "DE", NumberSeries.INVOICE)


def take_number(prefix: str, state: SeriesState, day: date) -> NumberTaken:
    return take_by(following(prefix), state, day)


def numbers(prefix: str, state: SeriesState, *days: date) -> list[tuple[str, date]]:
    taken = []
    for day in days:
        number = take_number(prefix, state, day)
        taken.append((number.number, number.issue_date))
        state = number.state
    return taken


def test_a_year_of_numbers() -> None:
    """Numbers count up from one, begin again with the year, and show the year they count in."""
    assert numbers(
        "BER-",
        NEW,
        date(2026, 3, 1),
        date(2026, 3, 1),
        date(2026, 12, 31),
        date(2027, 1, 1),
        date(2027, 1, 2),
    ) == [
        ("BER-2026-00001", date(2026, 3, 1)),
        ("BER-2026-00002", date(2026, 3, 1)),
        ("BER-2026-00003", date(2026, 12, 31)),
        ("BER-2027-00001", date(2027, 1, 1)),
        ("BER-2027-00002", date(2027, 1, 2)),
    ]


def test_a_clock_that_runs_backwards() -> None:
    """The issue date is never before the series' last, also over New Year: numbers stay in order of date."""
    assert numbers("B", NEW, date(2027, 1, 1), date(2026, 12, 31), date(2027, 1, 2)) == [
        ("B2027-00001", date(2027, 1, 1)),
        ("B2027-00002", date(2027, 1, 1)),
        ("B2027-00003", date(2027, 1, 2)),
    ]


def test_a_series_taken_over_goes_on() -> None:
    """A series that stood at 416 in another program goes on with 417, anew next year, and never in an earlier one."""
    taken_over = SeriesState(year=2026, last=416)
    assert numbers("B", taken_over, date(2026, 6, 16)) == [("B2026-00417", date(2026, 6, 16))]
    assert numbers("B", taken_over, date(2027, 1, 4)) == [("B2027-00001", date(2027, 1, 4))]
    assert numbers("B", taken_over, date(2025, 12, 31), date(2026, 1, 2)) == [
        ("B2026-00417", date(2026, 1, 1)),
        ("B2026-00418", date(2026, 1, 2)),
    ]


@pytest.mark.parametrize(
    ("prefix", "last", "number"),
    [
        ("BER-26", 0, "BER-262026-00001"),  # 16 characters: rule 46(b) CGST Rules 2017, the strictest
        ("B", 99_998, "B2026-99999"),
        ("B", 99_999, "B2026-100000"),  # more than five digits where there is room
        ("BER-2", 99_999, "BER-22026-100000"),
    ],
)
def test_sixteen_characters(prefix: str, last: int, number: str) -> None:
    """A number has at most sixteen characters and grows a digit when it must."""
    state = SeriesState(year=2026, last=last, last_date=date(2026, 1, 1))
    taken = take_number(prefix, state, date(2026, 6, 16)).number
    assert taken == number and len(taken) <= MAX_LENGTH


@pytest.mark.parametrize(("prefix", "last"), [("BERLIN-", 0), ("BERLIN", 99_999)])
def test_a_number_that_would_be_too_long(prefix: str, last: int) -> None:
    """Before a number of seventeen characters is given the series says what to do."""
    with pytest.raises(NumberingError, match="longer than 16 characters; choose a shorter number_prefix"):
        take_number(prefix, SeriesState(year=2026, last=last), date(2026, 6, 16))


@given(st.lists(st.integers(-400, 800), min_size=1, max_size=40))
@examples(150)
def test_gapless_and_in_order_whatever_the_dates(offsets: list[int]) -> None:
    """In whatever order days are asked for: one to n without gap in each year, dates rising, year and date agree."""
    days = [date(2026, 6, 16) + timedelta(days=offset) for offset in offsets]
    taken = numbers("B", NEW, *days)
    dates = [issued for _, issued in taken]
    assert dates == sorted(dates)
    assert [number for number, _ in taken] == sorted({number for number, _ in taken})
    for year in {issued.year for issued in dates}:
        counted = [number for number, issued in taken if issued.year == year]
        assert counted == [f"B{year}-{n:05d}" for n in range(1, len(counted) + 1)]
    assert all(issued >= day for (_, issued), day in zip(taken, days, strict=True))


@pytest.mark.parametrize(
    ("number", "reference"),
    [
        # by hand: 539007547034 RF00 → 539007547034271500 mod 97 = 80 → 98 - 80 = 18 (the example of ISO 11649)
        ("539007547034", "RF18539007547034"),
        ("539-0075-47034", "RF18539007547034"),  # only letters and digits count
    ],
)
def test_the_references_of_the_standard(number: str, reference: str) -> None:
    """The structured creditor reference carries the check digits ISO 11649 prescribes."""
    assert payment_reference(number) == reference
    iso11649.validate(reference)


@given(
    st.from_regex(r"[A-Z0-9][A-Z0-9/-]{0,5}", fullmatch=True), st.integers(1, 99_999), st.integers(2020, 2099)
)
@examples(200)
def test_every_number_has_a_valid_reference(prefix: str, last: int, year: int) -> None:
    """The reference of any number an issuer can give passes the check of another implementation, and banks take it."""
    number = take_number(prefix, SeriesState(year=year, last=last - 1), date(year, 6, 16)).number
    reference = payment_reference(number)
    assert iso11649.is_valid(reference)
    assert len(reference) <= 25 and reference.isascii() and reference.isalnum()
    assert reference[4:] == "".join(each for each in number if each.isalnum())


@pytest.mark.parametrize("number", ["re-2025-0042", "Rechnung 42/2025", "2025/Ä17", "№ 42", "42²", "٤٢-1"])
def test_numbers_of_the_system_before(number: str) -> None:
    """Opening items bring any number: the letters and digits banks know make the reference."""
    reference = payment_reference(number)
    assert iso11649.is_valid(reference) and reference.isascii()


@pytest.mark.parametrize("number", ["", "---", "ÄÖÜ", "INVOICE-2025-BERLIN-NORTH-000042"])
def test_numbers_that_make_no_reference(number: str) -> None:
    """A number without a letter or digit banks know, or with more than 21 of them, has no structured reference."""
    assert payment_reference(number) == ""
