"""The day on which tax becomes chargeable, by country; and periods that a change of rate divides."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.periods import Period
from billing.taxes.rates import published
from billing.taxes.tax_point import Supply, split_at_rate_changes, tax_point
from tests.billing.properties import examples


# Each row: a supply completed on 31 March 2026, with the day of the invoice and of the payment.
@pytest.mark.parametrize(
    ("country", "issued", "paid", "continuous", "day", "source"),
    [
        ("DE", "2026-04-10", None, False, "2026-03-31", "Art. 63: when it is completed"),
        ("DE", "2026-03-01", None, False, "2026-03-31", "Art. 63: an earlier invoice changes nothing"),
        ("DE", "2026-02-01", "2026-02-15", False, "2026-02-15", "Art. 65: payment on account"),
        ("DE", "2026-04-10", "2026-04-20", False, "2026-03-31", "Art. 63"),
        ("FR", "2026-04-10", None, True, "2026-03-31", "Art. 64(1): the end of the period"),
        ("GR", None, "2026-03-30", True, "2026-03-30", "Art. 65"),
        ("GB", None, None, False, "2026-03-31", "s. 6(3) VATA 1994"),
        ("GB", "2026-04-14", None, False, "2026-04-14", "s. 6(5): invoice within 14 days"),
        ("GB", "2026-04-15", None, False, "2026-03-31", "s. 6(3): invoice after 14 days"),
        ("GB", "2026-03-10", None, False, "2026-03-10", "s. 6(4): invoice before"),
        ("GB", "2026-04-10", "2026-03-20", False, "2026-03-20", "s. 6(4): payment before"),
        ("GB", "2026-05-20", None, True, "2026-05-20", "reg. 90: continuous, invoice"),
        ("GB", "2026-05-20", "2026-05-02", True, "2026-05-02", "reg. 90: continuous, payment"),
        ("CH", "2026-02-01", "2026-02-15", False, "2026-03-31", "Art. 115 MWSTG: only the service counts"),
        ("CH", "2026-04-10", None, True, "2026-03-31", "Art. 115 MWSTG"),
        ("CA", "2026-04-10", None, False, "2026-04-10", "s. 152(1)(a), 168(1) Excise Tax Act"),
        ("CA", "2026-04-10", "2026-04-02", False, "2026-04-02", "s. 168(1): paid before due"),
        ("CA", None, None, False, "2026-03-31", "nothing known yet: the end of the supply"),
        ("IN", "2026-04-30", None, False, "2026-04-30", "s. 13(2)(a) CGST Act, rule 47: within 30 days"),
        ("IN", "2026-05-01", None, False, "2026-03-31", "s. 13(2)(b): invoice too late"),
        ("IN", "2026-04-20", "2026-04-05", False, "2026-04-05", "s. 13(2)(a): payment before"),
        ("IN", "2026-05-01", "2026-03-15", False, "2026-03-15", "s. 13(2)(b): payment before"),
        ("AU", "2026-04-10", "2026-04-20", False, "2026-04-10", "s. 29-5 GST Act 1999"),
        ("NZ", "2026-03-10", None, False, "2026-03-10", "s. 9(1) GST Act 1985"),
        ("SG", "2026-04-10", "2026-04-02", False, "2026-04-02", "s. 11 GST Act 1993"),
        ("AE", "2026-04-10", None, False, "2026-03-31", "Art. 25 Federal Decree-Law 8/2017"),
        ("AE", "2026-03-10", "2026-03-20", False, "2026-03-10", "Art. 25 Federal Decree-Law 8/2017"),
        ("NO", "2026-04-10", None, False, "2026-03-31", "default: completion"),
        ("US", "2026-04-10", "2026-03-20", False, "2026-03-20", "default: an earlier payment"),
    ],
)
def test_tax_point(
    country: str, issued: str | None, paid: str | None, continuous: bool, day: str, source: str
) -> None:
    """The tax point follows from completion, invoice and payment as the country's law orders them."""
    supply = Supply(
        completed=date(2026, 3, 31),
        issued=date.fromisoformat(issued) if issued else None,
        paid=date.fromisoformat(paid) if paid else None,
        continuous=continuous,
    )
    found = tax_point(country, supply)
    assert str(found.day) == day, source
    assert found.article


@pytest.mark.parametrize(
    ("country", "region", "kind", "period", "parts"),
    [
        ("CH", "", "standard", "2023-10-01/2024-03-31", "2023-10-01/2023-12-31 2024-01-01/2024-03-31"),
        ("CH", "", "reduced 2.6", "2023-12-31/2024-01-01", "2023-12-31/2023-12-31 2024-01-01/2024-01-01"),
        ("CH", "", "standard", "2024-01-01/2024-12-31", "2024-01-01/2024-12-31"),
        (
            "DE",
            "",
            "standard",
            "2020-05-01/2021-01-31",
            "2020-05-01/2020-06-30 2020-07-01/2020-12-31 2021-01-01/2021-01-31",
        ),
        ("FI", "", "reduced 14", "2025-12-15/2026-01-14", "2025-12-15/2025-12-31 2026-01-01/2026-01-14"),
        ("FI", "", "standard", "2025-12-15/2026-01-14", "2025-12-15/2026-01-14"),  # only the rate that is asked
        ("CA", "NS", "standard", "2025-01-01/2025-12-31", "2025-01-01/2025-03-31 2025-04-01/2025-12-31"),
        ("CA", "ON", "standard", "2025-01-01/2025-12-31", "2025-01-01/2025-12-31"),
        ("CA", "QC", "standard", "2007-12-01/2008-01-31", "2007-12-01/2007-12-31 2008-01-01/2008-01-31"),  # GST 5 %
        ("EE", "", "standard", "2025-07-01/2025-07-01", "2025-07-01/2025-07-01"),
        ("US", "TX", "standard", "2025-01-01/2026-12-31", "2025-01-01/2026-12-31"),  # no rates known: nothing to split
    ],
)  # fmt: skip
def test_split_at_rate_changes(country: str, region: str, kind: str, period: str, parts: str) -> None:
    """A period falls apart on each day from which another rate holds, and only there."""

    def read(text: str) -> Period:
        start, end = (date.fromisoformat(each) for each in text.split("/"))
        return Period(start=start, end=end)

    assert split_at_rate_changes(read(period), country, region, kind) == [
        read(each) for each in parts.split(" ")
    ]


@examples(100)
@given(
    st.dates(date(2018, 1, 1), date(2027, 1, 1)),
    st.integers(0, 1000),
    st.sampled_from(sorted(published().countries())),
)
def test_parts_are_the_period(start: date, days: int, country: str) -> None:
    """The parts follow each other without gap or overlap from the first day to the last; in each one rate holds."""
    period = Period(start=start, end=start + timedelta(days=days))
    parts = split_at_rate_changes(period, country)
    assert parts[0].start == period.start and parts[-1].end == period.end
    assert all(after.start == before.end + timedelta(days=1) for before, after in pairwise(parts))
    assert sum(each.days for each in parts) == period.days
    for part in parts:
        first, last = (published().find(day, country) for day in (part.start, part.end))
        assert (first and first.rate) == (last and last.rate)
