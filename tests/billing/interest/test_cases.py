"""The worked cases of docs/interest-cases.md, each a test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from billing.interest.accrual import Change, Interest, InterestUnknown, OpenAmount, accrue
from billing.interest.regimes import DayCount, Regime, by_contract, covered, regime_of
from billing.money import Money

DOCUMENT = Path(__file__).parents[3] / "docs" / "interest-cases.md"
TERM = re.compile(r"(?P<principal>\S+) × (?P<rate>\S+) % × (?P<days>\d+)/(?P<divisor>\d+) = (?P<amount>\S+)")


@dataclass(frozen=True)
class Case:
    """One row as it is written."""

    name: str
    law: str
    due: str
    due_date: str
    changes: str
    as_of: str
    working: str
    interest: str
    compensation: str
    source: str

    @property
    def facts(self) -> OpenAmount:
        currency, amount = self.due.split()
        changes = []
        for written in filter(None, self.changes.split(", ")):
            kind = "credit" if written.startswith("credit ") else "payment"
            day, figure = written.removeprefix("credit ").split(": ")
            changes.append(
                Change.model_validate({"on": date.fromisoformat(day), "amount": figure, "kind": kind})
            )
        return OpenAmount(
            due=Money.of(amount, currency),
            due_date=date.fromisoformat(self.due_date),
            changes=tuple(changes),
        )

    @property
    def regime(self) -> Regime | None:
        rate, _, divisor = self.law.partition(" by ")
        return by_contract(Decimal(rate), "clause 9", DayCount(divisor)) if divisor else regime_of(self.law)


def cases() -> list[Case]:
    """Every row; a row that has other columns is an error."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split(" | ")]
        for line in DOCUMENT.read_text("utf-8").splitlines()
        if line.startswith("|") and not line.startswith(("| ---", "| case |"))
    ]
    return [Case(*row) for row in rows]


@pytest.mark.parametrize("case", cases(), ids=[each.name for each in cases()])
def test_worked_case(case: Case) -> None:
    """Segments, interest and compensation are those worked by hand; or it stops over the figure that is missing."""
    if case.working.startswith("stop: "):
        reason = (
            f"no law on late payment is known for {case.law}"
            if case.regime is None
            else _stopped(case).reason
        )
        assert case.working.removeprefix("stop: ").split(" on ")[0] in reason
        assert case.working.split(" on ")[-1] in reason or " on " not in case.working
        return
    assert case.regime is not None
    found = accrue(case.facts, case.regime, date.fromisoformat(case.as_of))
    assert isinstance(found, Interest), found
    expected = [] if case.working == "nothing is late" else [_term(each) for each in case.working.split("; ")]
    assert [(s.principal, s.rate, s.days, s.divisor, s.amount) for s in found.segments] == expected
    assert found.total == Money.of(case.interest, case.facts.due.currency)
    written = (
        found.compensation and f"{found.compensation.currency} {found.compensation.amount.normalize():f}"
    )
    assert (written or "–") == case.compensation


def _stopped(case: Case) -> InterestUnknown:
    assert case.regime is not None
    found = accrue(case.facts, case.regime, date.fromisoformat(case.as_of))
    assert isinstance(found, InterestUnknown), found
    return found


def _term(written: str) -> tuple[Decimal, Decimal, int, int, Decimal]:
    match = TERM.fullmatch(written)
    assert match, written
    return (
        Decimal(match["principal"]),
        Decimal(match["rate"]),
        int(match["days"]),
        int(match["divisor"]),
        Decimal(match["amount"]),
    )


def test_document_is_whole() -> None:
    """There are at least 55 cases, each with a name of its own and a source, and every law that is known has one."""
    read = cases()
    assert len({each.name for each in read}) == len(read) >= 55
    assert [each.name for each in read if not each.source] == []
    assert covered() - {each.law for each in read} == set()
