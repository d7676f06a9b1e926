"""Early invoices of a running period in the ledger: the calendar bills the rest, and no day twice."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from activities.ledger import company_records, invoices, taken, triggers
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from billing.agreements import Occasion
from billing.due import due
from billing.errors import Conflicting, Refused
from billing.periods import Period
from tests.activities.ledger.conftest import at_once
from tests.company import TestCompany, retainer

MADE = datetime(2026, 9, 1, 6, tzinfo=UTC)


@pytest.fixture
def billing(ledger: Ledger, tmp_path: Path) -> Ledger:
    """A retainer and hours by the month since September, both in arrears."""
    company = TestCompany(tmp_path)
    hours = {"id": "hours", "model": "time and materials", "project": "P-1", "rates": {"senior": "120.00"}}
    company.agreements = [
        retainer("care", "acme", "310.00", start="2026-09-01", timing="in arrears"),
        {**hours, "client": "acme", "title": "Hours", "currency": "EUR", "start": "2026-09-01"},
    ]
    apply_company(ledger, company.company(), "company", "mara", MADE)
    return ledger


def on(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T10:00:00+00:00")


def ask(ledger: Ledger, agreement: str, day: str, until: str | None = None) -> str:
    """What a person gets who bills an agreement early on a day: key, last day, whether it is new."""
    with ledger.transaction() as tx:
        last = date.fromisoformat(until) if until else None
        got = triggers.by_agreement(
            tx, agreement, None, until=last, by="pia", channel="cli", reason="They asked", at=on(day)
        )
        return f"{got.invoice.billing_key} to {got.invoice.period_end}" + ("" if got.new else ", again")


def run(ledger: Ledger, agreement: str, day: str) -> list[str]:
    """What the calendar bills on a day."""
    with ledger.transaction() as tx:
        company = company_records.current(tx).company
        found, at = triggers.agreement_of(company, agreement), on(day)
        today = triggers.company_today(company, found, at)
        calendar = triggers.calendar_of_agreement(company, found, today)
        billed = [
            triggers.by_occasion(tx, each.occasion, "time", by="calendar", channel="run", at=at)
            for each in due(found, today, calendar, taken.of_agreement(tx, agreement))
        ]
        assert all(each.new for each in billed)
        return [f"{each.invoice.billing_key} to {each.invoice.period_end}" for each in billed]


def void(ledger: Ledger, key: str, *, rebill: bool) -> None:
    with ledger.transaction() as tx:
        row = invoices.find(tx, key, lock=True)
        invoices.void(tx, row, rebill=rebill, by="pia", channel="cli", reason="Wrong", at=on("2026-09-20"))


def test_part_of_a_fee_and_then_the_rest(billing: Ledger) -> None:
    """A fee up to a day, then the rest with its month, then whole months; each once."""
    assert ask(billing, "care", "2026-09-10", "2026-09-10") == "care/fee/2026-09-01 to 2026-09-10"
    assert run(billing, "care", "2026-09-30") == []
    assert run(billing, "care", "2026-11-02") == [
        "care/fee/2026-09-11 to 2026-09-30",
        "care/fee/2026-10-01 to 2026-10-31",
    ]
    assert run(billing, "care", "2026-11-30") == []


def test_the_whole_of_a_running_fee(billing: Ledger) -> None:
    """A fee billed whole leaves nothing of its month to the calendar."""
    assert ask(billing, "care", "2026-09-10") == "care/fee/2026-09-01 to 2026-09-30"
    assert run(billing, "care", "2026-10-01") == []


def test_hours_so_far_and_then_the_rest(billing: Ledger) -> None:
    """Hours up to today; a second click of the day shows that invoice; the next day bills on from there."""
    assert ask(billing, "hours", "2026-09-10") == "hours/time/2026-09-01 to 2026-09-10"
    assert ask(billing, "hours", "2026-09-10") == "hours/time/2026-09-01 to 2026-09-10, again"
    assert ask(billing, "hours", "2026-09-11") == "hours/time/2026-09-11 to 2026-09-11"
    assert run(billing, "hours", "2026-10-01") == ["hours/time/2026-09-12 to 2026-09-30"]
    with pytest.raises(Refused, match="2026-10-02 is still to come"):
        ask(billing, "hours", "2026-10-01", "2026-10-02")


def test_early_and_by_the_calendar_at_once(billing: Ledger) -> None:
    """Part of a month and the whole of it, asked for at once under one key: one is billed, the other is told."""

    def of(last: str) -> str:
        period = Period(start=date(2026, 9, 1), end=date.fromisoformat(last))
        occasion = Occasion(agreement="care", item="fee", period=period)
        with billing.transaction() as tx:
            asked = triggers.by_occasion(tx, occasion, "time", by="pia", channel="run", at=on("2026-09-30"))
            return f"to {asked.invoice.period_end}"

    days = ("2026-09-10", "2026-09-30")
    got = at_once(2, lambda number: of(days[number]))
    told = [each for each in got if isinstance(each, Conflicting)]
    assert len(told) == 1 and "care/fee/2026-09-01 bills 2026-09-01 to 2026-09-" in str(told[0])
    (billed,) = (each for each in got if isinstance(each, str))
    left = {"to 2026-09-10": ["care/fee/2026-09-11 to 2026-09-30"], "to 2026-09-30": []}
    assert run(billing, "care", "2026-10-01") == left[billed]


def test_up_to_today_of_what_is_billed_whole(billing: Ledger) -> None:
    """Who asks for a fee up to today is told that more of it is billed already, not shown that as theirs."""
    ask(billing, "care", "2026-09-10")
    with pytest.raises(Refused, match="billed up to 2026-09-10 already"):
        ask(billing, "care", "2026-09-10", "2026-09-10")


def test_an_early_invoice_that_is_voided(billing: Ledger) -> None:
    """To be billed again, its days are due with their month, whole or as what is left beside the rest."""
    ask(billing, "care", "2026-09-10", "2026-09-10")
    void(billing, "care/fee/2026-09-01", rebill=True)
    assert run(billing, "care", "2026-10-01") == ["care/fee/2026-09-01 to 2026-09-30"]
    ask(billing, "hours", "2026-09-10")
    assert run(billing, "hours", "2026-10-01") == ["hours/time/2026-09-11 to 2026-09-30"]
    void(billing, "hours/time/2026-09-01", rebill=True)
    assert run(billing, "hours", "2026-10-01") == ["hours/time/2026-09-01 to 2026-09-10"]


def test_an_early_invoice_that_is_waived(billing: Ledger) -> None:
    """Waived, its days are never billed; the rest is."""
    ask(billing, "care", "2026-09-10", "2026-09-10")
    void(billing, "care/fee/2026-09-01", rebill=False)
    assert run(billing, "care", "2026-10-01") == ["care/fee/2026-09-11 to 2026-09-30"]
