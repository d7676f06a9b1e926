"""How long the law wants things kept: years counted from year-ends, by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.draft import Draft, digest_of
from billing.erased import is_erased, request_without_words, without_persons
from billing.retention import LAWS, invoice_kept, letter_kept
from tests.billing.properties import examples

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "issued", "starts", "until"),
    [
        # § 14b UStG: eight years from the end of the calendar year of issue, whatever the fiscal year
        ("DE", date(2026, 1, 1), 1, date(2034, 12, 31)),
        ("DE", date(2026, 12, 31), 1, date(2034, 12, 31)),
        ("DE", date(2026, 2, 1), 4, date(2034, 12, 31)),
        ("AT", date(2026, 6, 1), 1, date(2033, 12, 31)),
        ("FR", date(2026, 6, 1), 1, date(2036, 12, 31)),
        # a fiscal year from April 2026 to March 2027, and ten years
        ("CH", date(2026, 6, 1), 4, date(2037, 3, 31)),
        ("CH", date(2026, 3, 31), 4, date(2036, 3, 31)),
        ("GB", date(2026, 6, 1), 4, date(2033, 3, 31)),
        ("NL", date(2026, 6, 1), 1, date(2033, 12, 31)),
        # tax of December 2026 is due in January 2027: five years from the end of 2027
        ("PL", date(2026, 12, 31), 1, date(2032, 12, 31)),
        # fiscal year to March 2027, annual return in December 2027, 72 months: December 2033; kept to March 2034
        ("IN", date(2026, 6, 1), 4, date(2034, 3, 31)),
        # a leap day is a day like others
        ("DE", date(2028, 2, 29), 1, date(2036, 12, 31)),
        ("GB", date(2026, 2, 1), 3, date(2032, 2, 29)),
    ],
)
def test_kept_until(country: str, issued: date, starts: int, until: date) -> None:
    """The last day an invoice must be kept; it may go on the next."""
    kept = invoice_kept(country, issued, starts)
    assert kept.until == until and kept.law == LAWS[country].source
    assert not kept.past(until) and kept.past(until + timedelta(days=1))


def test_letters() -> None:
    """Business letters are kept six years in Germany; elsewhere like invoices."""
    assert letter_kept("DE", date(2026, 5, 1)).until == date(2032, 12, 31)
    assert "Nr. 2" in letter_kept("DE", date(2026, 5, 1)).law
    assert letter_kept("AT", date(2026, 5, 1)) == invoice_kept("AT", date(2026, 5, 1))


def test_a_country_without_a_rule() -> None:
    """Where no law is known, nothing may go, and that is said."""
    kept = invoice_kept("XX", date(1990, 1, 1))
    assert kept.until is None and not kept.past(date(9999, 1, 1))
    assert "no rule for XX" in kept.law
    assert "an unknown country" in letter_kept("", date(1990, 1, 1)).law


@given(
    st.sampled_from(sorted(LAWS)),
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.integers(1, 12),
    st.integers(0, 400),
)
@examples(200)
def test_never_shorter_than_the_years(country: str, day: date, starts: int, later: int) -> None:
    """At least the full years are kept, at most one more, and a later invoice never less long."""
    until, years = invoice_kept(country, day, starts).until, LAWS[country].years
    assert until is not None
    assert timedelta(days=365 * years) <= until - day <= timedelta(days=366 * (years + 1))
    after = invoice_kept(country, day + timedelta(days=later), starts).until
    assert after is not None and after >= until


DRAFT: dict[str, Any] = {
    "billing_key": "manual/one",
    "title": "Support for Jane Roe",
    "issuer": {
        "id": "i",
        "name": "Issuer",
        "address": {"street": "S 1", "city": "B", "country": "DE"},
        "vat_id": "DE136695976",
        "email": "a@issuer.example",
        "bank_account": {"iban": "DE02120300000000202051"},
        "zone": "Europe/Berlin",
        "number_prefix": "B",
    },
    "buyer": {
        "name": "Jane Roe",
        "address": {"street": "Lane 3", "postcode": "1", "city": "Wien", "country": "AT"},
        "vat_id": "ATU71204001",
        "contact": {"name": "Jane Roe", "email": "jane@roe.example"},
        "electronic_address": "9915:jane",
    },
    "client": "c-1",
    "copies_to": ["office@roe.example"],
    "account_manager": "pia",
    "language": "de",
    "zone": "Europe/Vienna",
    "currency": "EUR",
    "lines": [
        {
            "description": "Talks with Jane", "detail": "by phone", "quantity": "1", "unit": "HUR",
            "unit_price": "100.00", "net": "100.00", "why": "Jane asked",
        }
    ],
    "taxes": [{"category": "AE", "rate": "0", "taxable": "100.00", "tax": "0.00"}],
    "net": "100.00",
    "tax": "0.00",
    "gross": "100.00",
    "terms": {"net_days": 14},
    "note": "Dear Jane",
    "buyer_reference": "Jane's desk",
    "work": [{"line": 1, "day": "2026-11-02", "person": "Joe", "hours": "1", "note": "with Jane"}],
}  # fmt: skip


def test_a_draft_without_persons() -> None:
    """Nothing of the buyer is left but the country, and the figures; it can still be read as a draft."""
    left = without_persons(DRAFT, NOW)
    read = Draft.model_validate(left)
    for word in ("Jane", "Roe", "Lane", "ATU71204001", "Wien", "Joe", "office@"):
        assert word not in str(left)
    assert read.gross == read.lines[0].net == 100 and read.buyer.address.country == "AT"
    assert read.issuer.number_prefix == "B"
    assert is_erased(left) and not is_erased(DRAFT) and not is_erased(None)
    assert digest_of(left) != digest_of(DRAFT)


def test_a_request_without_words() -> None:
    """What somebody wrote to ask for a one-off goes; an occasion of an agreement says nothing of a person."""
    one_off = {
        "client": "c-1",
        "title": "For Jane",
        "reason": "Jane asked",
        "lines": [{"description": "Jane"}],
    }
    assert "Jane" not in str(request_without_words({"billing_key": "k", "one_off": one_off}))
    assert request_without_words({"billing_key": "k", "one_off": None}) == {
        "billing_key": "k",
        "one_off": None,
    }
