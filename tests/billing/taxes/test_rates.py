"""Rates by place and day: found, changing, contradictory, due for review."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from billing.taxes import rates, taxability
from billing.taxes.facts import ServiceKind
from billing.taxes.rates import RateTable, TaxRate, published


def row(rate: str, since: str, until: str | None = None, **more: str) -> TaxRate:
    """A rate of an invented country, reviewed at the end of 2026."""
    fields = {
        "country": "XX",
        "tax": "VAT",
        "rate": rate,
        "since": since,
        "until": until,
        "source": "§ 1",
        "reviewed": "2026-11-22",
        "review_by": "2027-06-30",
    }
    return TaxRate.model_validate({**fields, **more})


def listed(*rows: TaxRate) -> list[str]:
    return list(rates.problems(rows))


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (date(2019, 12, 31), None),
        (date(2020, 1, 1), 10),
        (date(2020, 6, 30), 10),
        (date(2020, 7, 1), 12),
        (date(2021, 12, 31), 12),
        (date(2022, 1, 1), None),
    ],
)
def test_first_and_last_day_belong_to_a_rate(day: date, found: int | None) -> None:
    """A rate holds from its first to its last day; before and after there is none, which is not zero."""
    table = RateTable((row("12", "2020-07-01", "2021-12-31"), row("10", "2020-01-01", "2020-06-30")))
    rate = table.find(day, "XX")
    assert (rate and rate.rate) == (found if found is None else Decimal(found))


def test_place_kind_and_tax_are_told_apart() -> None:
    """A region's rate is not its country's, a reduced rate is not the standard one."""
    table = RateTable(
        (
            row("10", "2020-01-01"),
            row("4", "2020-01-01", kind="reduced 4"),
            row("7", "2020-01-01", region="AA"),
        )
    )
    day = date(2026, 1, 1)
    assert [table.find(day, "XX", *place) for place in (("BB",), ("", "GST"))] == [None, None]
    assert table.find(day, "YY") is None and table.find(day, "XX", kind="reduced 5") is None
    found = [
        table.find(day, "XX"),
        table.find(day, "XX", "AA", "VAT"),
        table.find(day, "XX", kind="reduced 4"),
    ]
    assert [each and each.rate for each in found] == [10, 7, 4]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ((row("10", "2020-01-01"),), ""),
        ((row("10", "2020-01-01", "2020-06-30"), row("12", "2020-07-01")), ""),
        (
            (row("10", "2020-01-01", "2020-06-30"), row("12", "2020-06-30")),
            "XX standard: VAT 10 % and VAT 12 % both hold on 2020-06-30",
        ),
        (
            (row("10", "2020-01-01"), row("12", "2021-01-01")),
            "XX standard: VAT 10 % and VAT 12 % both hold on 2021-01-01",
        ),
        (
            (row("12", "2020-07-03"), row("10", "2020-01-01", "2020-06-30")),
            "XX standard: nothing holds from 2020-07-01 to 2020-07-02",
        ),
        (
            (row("10", "2020-02-01", "2020-01-31"),),
            "XX standard: ends 2020-01-31, before it begins on 2020-02-01",
        ),
        ((row("10", "2020-01-01"), row("12", "2020-01-01", region="AA")), ""),
        ((row("10", "2020-01-01"), row("5", "2020-01-01", kind="reduced 5")), ""),
    ],
)
def test_overlaps_and_gaps(rows: tuple[TaxRate, ...], says: str) -> None:
    """Two rates on one day, or none between two, are named with place and day; different places do not meet."""
    assert listed(*rows) == ([says] if says else [])


@pytest.mark.parametrize(
    "more", [{"source": ""}, {"rate": "101"}, {"rate": "-1"}, {"review_by": "2026-11-22"}, {"country": "xx"}]
)
def test_a_rate_needs_its_source_and_a_review(more: dict[str, str]) -> None:
    """No source, a figure beyond per cent, a review that is due at once: refused."""
    with pytest.raises(ValidationError):
        row(more.pop("rate", "10"), "2020-01-01", **more)


def test_floats_are_refused() -> None:
    """A rate is written in quotes: 9.975 as a binary float is another number."""
    with pytest.raises(ValidationError, match="in quotes"):
        TaxRate.model_validate({**row("1", "2020-01-01").model_dump(), "rate": 9.975})


@pytest.mark.parametrize(
    ("start", "end", "changes"),
    [
        ("2020-01-01", "2020-12-31", ["2020-07-01"]),
        ("2020-07-01", "2020-12-31", []),  # a change on the first day does not split
        ("2020-06-30", "2020-07-01", ["2020-07-01"]),
        (
            "2019-01-01",
            "2026-12-31",
            ["2020-01-01", "2020-07-01", "2025-01-01"],
        ),  # the data begin, a change, the end
        ("2021-06-01", "2021-12-31", []),  # the same figure by another law is no change
    ],
)
def test_changes_within(start: str, end: str, changes: list[str]) -> None:
    """The days after the first from which another figure holds, or none does any more."""
    table = RateTable(
        (
            row("10", "2020-01-01", "2020-06-30"),
            row("12", "2020-07-01", "2021-09-30"),
            row("12", "2021-10-01", "2024-12-31", source="§ 2"),
            row("3", "2020-03-01", kind="reduced 3"),
        )
    )
    found = table.changes_within(date.fromisoformat(start), date.fromisoformat(end), "XX")
    assert [str(each) for each in found] == changes


def test_a_company_adds_rates() -> None:
    """Rates of a company's own stand beside the packaged ones, and may not contradict them."""
    wider = published().with_more([row("8.25", "2020-01-01", country="US", region="TX/75201")])
    found = wider.find(date(2026, 1, 1), "US", "TX/75201")
    assert found and found.rate == Decimal("8.25")
    assert published().find(date(2026, 1, 1), "US", "TX/75201") is None
    with pytest.raises(ValueError, match="DE standard: VAT 19 % and VAT 20 % both hold on 2026-01-01"):
        published().with_more([row("20", "2026-01-01", country="DE")])


@pytest.mark.parametrize(
    ("day", "due"),
    [("2027-06-29", 0), ("2027-06-30", 1), ("2027-12-31", 1), ("2028-01-01", 0)],
)
def test_review_dates(day: str, due: int) -> None:
    """A rate in force is due from its review date on; one that has ended is nobody's work any more."""
    found = list(rates.due_for_review(date.fromisoformat(day), [row("10", "2020-01-01", "2027-12-31")]))
    says = "VAT 10 % was last looked up on 2026-11-22; look it up again (§ 1) and move its review date"
    assert found == [f"XX standard: {says}"] * due


def every() -> Iterator[TaxRate]:
    yield from published().rates


def test_every_packaged_rate_has_a_review_ahead() -> None:
    """Each figure says where it stands and when to look again, within a year of the last look."""
    for each in every():
        assert each.source and each.reviewed < each.review_by and (each.review_by - each.reviewed).days <= 366


@pytest.mark.parametrize(
    ("place", "service", "day", "taxed"),
    [
        (("US", "TX"), ServiceKind.SAAS, "2026-01-01", True),
        (("US", "TX"), ServiceKind.SAAS, "2019-12-31", None),
        (("US", "TX"), ServiceKind.EVENT, "2026-01-01", None),
        (("US", "WA"), ServiceKind.DEVELOPMENT, "2025-09-30", False),
        (("US", "WA"), ServiceKind.DEVELOPMENT, "2025-10-01", True),
        (("CA", "MB"), ServiceKind.HOSTING, "2025-12-31", None),
        (("CA", "MB"), ServiceKind.HOSTING, "2026-01-01", True),
        (("CA", "ON"), ServiceKind.SAAS, "2026-01-01", None),
    ],
)
def test_taxability(place: tuple[str, str], service: ServiceKind, day: str, taxed: bool | None) -> None:
    """A place taxes a service, does not, or nobody has settled it; by day."""
    found = taxability.find(date.fromisoformat(day), *place, service)
    assert (found and found.taxed) is taxed


def test_taxability_is_checked_like_rates() -> None:
    """Two answers for one service on one day are named."""
    texan = taxability.find(date(2026, 1, 1), "US", "TX", ServiceKind.SAAS)
    assert texan and texan.share == 80
    assert list(taxability.problems([texan, texan.model_copy(update={"taxed": False})])) == [
        "US TX software as a service: taxed and not taxed both hold on 2020-01-01"
    ]
    assert len(list(taxability.due_for_review(date(2027, 6, 30), [texan]))) == 1
