"""The data of reference rates and laws, and when somebody must look them up again."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from billing.interest.accrual import Interest, OpenAmount, accrue
from billing.interest.reference_rates import AnnouncedRate, DatedRate, Reference, ReferenceRates, published
from billing.interest.regimes import by_contract, covered, regime_of
from billing.money import Money
from billing.parties import EU_MEMBERS


def reference(**changes: object) -> Reference:
    """A reference rate of two rows."""
    row = {
        "id": "XX",
        "name": "a rate",
        "source": "somebody",
        "reviewed": date(2026, 1, 1),
        "review_by": date(2026, 7, 1),
        "known_until": date(2026, 6, 30),
        "rates": (
            DatedRate(since=date(2026, 1, 1), rate=Decimal(1)),
            DatedRate(since=date(2026, 2, 1), rate=Decimal(2)),
        ),
    }
    return Reference.model_validate({**row, **changes})


def test_published_data_are_read() -> None:
    """Every rate has a source and a day of review, and every law names a reference that is there."""
    table = published()
    assert all(each.source and each.reviewed < each.review_by for each in table.references)
    for country in covered():
        regime = regime_of(country)
        assert regime is not None and regime.law
        assert not regime.reference or table.get(regime.reference) is not None


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        (date(2025, 12, 31), None),
        (date(2026, 1, 1), "1"),
        (date(2026, 1, 31), "1"),
        (date(2026, 2, 1), "2"),
        (date(2026, 6, 30), "2"),
        (date(2026, 7, 1), None),
    ],
)
def test_rate_of_a_day(day: date, rate: str | None) -> None:
    """A row holds to the day before the next one; before the first and after the last known day nothing is known."""
    found = reference().on(day)
    assert (found and str(found.rate)) == rate


def test_german_base_rate_follows_the_ecb() -> None:
    """§ 247(1) BGB: the base rate moves with the main refinancing rate before each half-year, in our tables too."""
    ecb, base = published().get("EU"), published().get("DE")
    assert ecb and base
    for before, after in zip(base.rates, base.rates[1:], strict=False):
        first, second = ecb.on(before.since - timedelta(days=1)), ecb.on(after.since - timedelta(days=1))
        if first and second and before.since > date(2016, 7, 1):
            assert after.rate - before.rate == second.rate - first.rate, after.since


def test_austrian_base_rate_follows_the_ecb() -> None:
    """1. Euro-JuBeG: the base rate moves with the main refinancing rate, once they differ by half a point or more."""
    ecb, base = published().get("EU"), published().get("AT")
    assert ecb and base
    distance = base.rates[0].rate - ecb.rates[0].rate
    expected = [base.rates[0]]
    for each in ecb.rates[1:]:
        if abs(each.rate + distance - expected[-1].rate) >= Decimal("0.5"):
            expected.append(DatedRate(since=each.since, rate=each.rate + distance))
    assert list(base.rates) == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"known_until": date(2026, 1, 15)}, "known_until"),
        ({"review_by": date(2026, 1, 1)}, "review_by"),
        ({"rates": ({"since": date(2026, 2, 1), "rate": "1"},) * 2}, "in order"),
        ({"rates": ({"since": date(2026, 2, 1), "rate": 1.5},)}, "in quotes"),
        ({"rates": ()}, "at least 1"),
        ({"source": ""}, "at least 1"),
    ],
)
def test_refused(changes: dict[str, object], words: str) -> None:
    """Rows out of order or twice, floats, and data without a source are refused."""
    with pytest.raises(ValidationError, match=words):
        reference(**changes)


def test_review() -> None:
    """A rate is asked for again from its review date on, and as soon as a day lies after the last known one."""
    table = ReferenceRates((reference(), reference(id="YY", known_until=date(2026, 3, 31))))
    assert list(table.due_for_review(date(2026, 3, 31))) == []
    assert [each for each, _ in table.due_for_review(date(2026, 4, 1))] == ["YY"]
    assert [each for each, _ in table.due_for_review(date(2026, 7, 1))] == ["XX", "YY"]


def announced(**changes: object) -> AnnouncedRate:
    """What a company looked up itself for the second half of 2026."""
    row = {
        "reference": "DE",
        "since": date(2026, 7, 1),
        "until": date(2026, 12, 31),
        "rate": "1.00",
        "source": "Bundesanzeiger",
    }
    return AnnouncedRate.model_validate({**row, **changes})


def test_own_rates_serve_at_once() -> None:
    """A rate a company announces is reckoned with and not asked for again; 3,650 at 10 % is a euro a day."""
    later = published().with_announced([announced()])
    regime = regime_of("DE")
    assert regime
    facts = OpenAmount(due=Money.of(3650, "EUR"), due_date=date(2026, 7, 31))
    found = accrue(facts, regime, date(2026, 8, 10), later)
    assert isinstance(found, Interest)
    assert found.total == Money.of("10.00", "EUR")
    assert found.warnings == ()


def test_own_rates_must_not_overlap() -> None:
    """Two rates of a company's own for one day, and one that ends before it begins, are refused."""
    with pytest.raises(ValueError, match="two announced rates of DE hold on 2026-12-31"):
        published().with_announced(
            [announced(), announced(since=date(2026, 12, 31), until=date(2027, 6, 30))]
        )
    with pytest.raises(ValidationError, match="lies before since"):
        announced(until=date(2026, 6, 30))


def test_warns_past_review() -> None:
    """Interest reckoned with a rate past its review date says so; one that no rate serves has nothing to review."""
    facts = OpenAmount(due=Money.of(1000, "GBP"), due_date=date(2026, 7, 15))
    regime = regime_of("GB")
    assert regime
    found = accrue(facts, regime, date(2027, 1, 10))
    assert isinstance(found, Interest)
    assert "Bank of England base rate is known until 2026-07-29" in found.warnings[0]
    free = accrue(facts, by_contract(Decimal(12), "clause 9"), date(2027, 1, 10))
    assert isinstance(free, Interest)
    assert free.warnings == ()


def test_half_of_the_union_is_covered() -> None:
    """These member states have no regime yet: interest under their law stops for a person."""
    assert sorted(EU_MEMBERS - covered()) == [
        "BG",
        "CY",
        "EE",
        "GR",
        "HR",
        "HU",
        "LT",
        "LV",
        "MT",
        "RO",
        "SI",
        "SK",
    ]
