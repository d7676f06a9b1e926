"""The VAT total in the currency of the country that receives it: when it is asked for, at which rate, to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from billing.document_check import sums
from billing.exceptions import Finding
from billing.exchange_rates import ExchangeRate, ExchangeRates
from billing.home_tax import HomeTax, home_tax
from billing.parties import Issuer
from tests.billing.assembling import billed_by_hand, codes, draft_of
from tests.billing.money.drafts import drafted, lines_of
from tests.billing.records import CLIENT, ISSUER, company, issuer

DAY = date(2026, 2, 3)


def rate(base: str, quote: str, figure: str, since: str = "2026-02-03", **more: Any) -> ExchangeRate:
    return ExchangeRate.model_validate(
        {"base": base, "quote": quote, "rate": figure, "since": since, "source": "ECB", **more}
    )


def seated(country: str, **more: Any) -> Issuer:
    return issuer(address={"street": "1", "city": "X", "country": country}, **more)


CASES = [
    # country of the issuer, tax, its currency, the rate → the tax at home
    ("DE", "19.00", "USD", rate("EUR", "USD", "1.0842"), "17.52", "EUR"),  # 17.5244
    ("DE", "19.00", "CHF", rate("EUR", "CHF", "0.9350"), "20.32", "EUR"),  # 20.3209
    ("DE", "1900", "JPY", rate("EUR", "JPY", "161.45"), "11.77", "EUR"),  # 11.7683
    ("PL", "23.00", "EUR", rate("EUR", "PLN", "4.2515"), "97.78", "PLN"),  # 97.7845
    ("SE", "25.00", "EUR", rate("EUR", "SEK", "11.262"), "281.55", "SEK"),
    ("HU", "27.00", "EUR", rate("EUR", "HUF", "409.13"), "11046.51", "HUF"),
    ("GB", "20.00", "EUR", rate("GBP", "EUR", "1.1837"), "16.90", "GBP"),  # 16.8962
    ("GB", "20.00", "USD", rate("USD", "GBP", "0.7905"), "15.81", "GBP"),
    ("NO", "25.00", "EUR", rate("EUR", "NOK", "11.7480"), "293.70", "NOK"),
    ("DE", "-19.00", "USD", rate("EUR", "USD", "1.0842"), "-17.52", "EUR"),
]


@pytest.mark.parametrize(("country", "tax", "currency", "known", "amount", "home"), CASES)
def test_converted(
    country: str, tax: str, currency: str, known: ExchangeRate, amount: str, home: str
) -> None:
    """As published, either way round, rounded once: Art. 230 and 91 of the Directive, reg. 14(1)(l), § 5-1-1."""
    found = home_tax(seated(country), country, Decimal(tax), currency, ExchangeRates(rates=(known,)), DAY)
    assert isinstance(found, HomeTax)
    assert (str(found.amount), found.currency) == (amount, home)
    assert (found.rate, found.rate_date, found.source) == (known.rate, DAY, "ECB")


@pytest.mark.parametrize(
    ("country", "tax", "currency"),
    [
        ("DE", "19.00", "EUR"),
        ("DE", "0", "USD"),
        ("BG", "20.00", "EUR"),
        ("CH", "8.10", "EUR"),
        ("US", "8.25", "EUR"),
    ],
)
def test_not_asked_for(country: str, tax: str, currency: str) -> None:
    """At home in its own currency, without tax, or under a law that does not ask, nothing is converted."""
    assert home_tax(seated(country), country, Decimal(tax), currency, ExchangeRates(), DAY) is None


def test_whose_currency() -> None:
    """Registered in Poland, a German issuer owes zloty; by the one-stop shop it invoices by the rules at home."""
    known = ExchangeRates(rates=(rate("EUR", "PLN", "4.25"), rate("EUR", "USD", "1.10")))
    polish = seated("DE", registrations=[{"country": "PL", "number": "PL8567346215"}])
    found = home_tax(polish, "PL", Decimal(23), "EUR", known, DAY)
    assert isinstance(found, HomeTax) and found.currency == "PLN"
    one_stop = seated("DE", registrations=[{"country": "PL", "scheme": "one-stop shop"}])
    assert home_tax(one_stop, "PL", Decimal(23), "EUR", known, DAY) is None
    found = home_tax(one_stop, "PL", Decimal(23), "USD", known, DAY)
    assert isinstance(found, HomeTax) and found.currency == "EUR"


@pytest.mark.parametrize(
    "known",
    [
        [],
        [rate("EUR", "CHF", "0.94")],
        [rate("EUR", "USD", "1.08", since="2026-02-04")],  # not published yet
        [rate("EUR", "USD", "1.08", since="2026-01-26")],  # more than a week old
        [rate("EUR", "USD", "1.08", since="2026-01-01", until="2026-01-31")],
        [rate("EUR", "CHF", "0.94"), rate("CHF", "USD", "1.15")],  # none is put together from two
    ],
)
def test_missing(known: list[ExchangeRate]) -> None:
    """Without a rate of the day a person must add one; the finding says which."""
    found = home_tax(seated("DE"), "DE", Decimal(19), "USD", ExchangeRates(rates=tuple(known)), DAY)
    assert isinstance(found, Finding)
    assert found.code == "exchange-rate-missing"
    assert "no rate for 2026-02-03" in found.message and "Art. 230" in found.message


def test_the_newest_counts() -> None:
    """Of several that hold, the one published last; a rate for a month holds to its end."""
    friday, monday = rate("EUR", "USD", "1.08", "2026-01-30"), rate("EUR", "USD", "1.09", "2026-02-02")
    assert ExchangeRates(rates=(monday, friday)).on("USD", "EUR", DAY) == monday
    assert ExchangeRates(rates=(monday, friday)).on("USD", "EUR", date(2026, 2, 1)) == friday
    month = rate("GBP", "USD", "1.25", "2026-02-01", until="2026-02-28")
    assert ExchangeRates(rates=(month,)).on("USD", "GBP", date(2026, 2, 28)) == month
    assert ExchangeRates(rates=(month,)).on("USD", "GBP", date(2026, 3, 1)) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quote": "EUR"}, "one currency"),
        ({"rate": "0"}, "greater than 0"),
        ({"until": "2026-02-01"}, "lies before since"),
        ({"rate": 1.08}, "binary floats"),
        ({"source": ""}, "at least 1"),
    ],
)
def test_rates_that_are_none(changes: dict[str, Any], words: str) -> None:
    """A rate is between two currencies, above nothing, dated in order, exact, and has a source."""
    with pytest.raises(ValidationError, match=words):
        ExchangeRate.model_validate({**rate("EUR", "USD", "1.08").model_dump(), **changes})


def test_it_reaches_the_draft_and_is_checked_there() -> None:
    """A German invoice in dollars states 19 % of 100.00 in euros, or waits for a rate; another figure is refused."""
    known = company(
        exchange_rates={"rates": [rate("EUR", "USD", "1.0842")]},
        clients=[{**CLIENT, "currency": "USD"}],
        issuers=[ISSUER],
    )
    draft = draft_of(billed_by_hand(("1", "100.00"), in_company=known, currency="USD"))
    assert draft.home_tax is not None and str(draft.home_tax.amount) == "17.52"
    assert not list(sums(draft))
    wrong = draft.model_copy(
        update={"home_tax": draft.home_tax.model_copy(update={"amount": Decimal("17.53")})}
    )
    assert any("BT-111" in each for each in sums(wrong))
    without = billed_by_hand(("1", "100.00"), currency="USD")
    assert codes(without) == ["exchange-rate-missing"]
    assert not drafted(lines_of(("1", "1.00"))).home_tax
