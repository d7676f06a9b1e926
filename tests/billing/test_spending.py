"""Expenses on an invoice: passed through with their receipts, marked up where agreed, each billed once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.agreements import Expenses
from billing.assembly import Assembly
from billing.sources import Expense
from tests.billing.assembling import JANUARY, codes, draft_of, made, only
from tests.billing.records import project, time_and_materials, worked


def expenses(**changes: Any) -> Expenses:
    """The expenses of project P-1, monthly."""
    record = {
        "id": "trips",
        "model": "expenses",
        "client": "acme",
        "title": "Expenses",
        "currency": "EUR",
        "project": "P-1",
        "start": "2025-01-01",
    }
    return Expenses.model_validate({**record, **changes})


def spent(key: str, amount: str, description: str = "Train to Hamburg", **changes: Any) -> Expense:
    """An approved, billable expense of 12 January."""
    record = {
        "id": key,
        "project": "P-1",
        "person": "Mira",
        "day": "2026-01-12",
        "description": description,
        "amount": amount,
        "currency": "EUR",
        "approved": True,
        "receipt": f"R-{key}",
    }
    return Expense.model_validate({**record, **changes})


def passed_on(*found: Expense, earlier: tuple[Expense, ...] = (), **changes: Any) -> Assembly:
    sources = {"expenses": found, "earlier_expenses": earlier, "project": project()}
    return made(expenses(**changes), "expenses", JANUARY, **sources)


@pytest.mark.parametrize(
    ("markup", "nets", "net"),
    [
        ("0", ["33.33", "100.05", "0.10"], "133.48"),
        ("5", ["35.00", "105.05", "0.11"], "140.16"),  # 34.9965, 105.0525, 0.105: each line is rounded
        ("12.5", ["37.50", "112.56", "0.11"], "150.17"),  # 37.49625, 112.55625, 0.1125
    ],
)
def test_each_expense_is_a_line(markup: str, nets: list[str], net: str) -> None:
    """What was spent, oldest first, with its day and receipt; the mark-up is rounded by line."""
    assembly = passed_on(
        spent("E-2", "100.05", "Hotel", day="2026-01-13"),
        spent("E-1", "33.33"),
        spent("E-3", "0.10", "Copies", day="2026-01-14", receipt=""),
        markup=markup,
    )
    draft = draft_of(assembly)
    assert assembly.findings == ()
    assert [str(each.net) for each in draft.lines] == nets
    assert draft.net == Decimal(net)
    assert [(each.description, each.detail) for each in draft.lines] == [
        ("Train to Hamburg", "2026-01-12 · receipt R-E-1"),
        ("Hotel", "2026-01-13 · receipt R-E-2"),
        ("Copies", "2026-01-14"),
    ]
    assert [(ref.source, ref.id) for line in draft.lines for ref in line.sources] == [
        ("psa/expense", "E-1"),
        ("psa/expense", "E-2"),
        ("psa/expense", "E-3"),
    ]


@pytest.mark.parametrize(
    ("other", "code", "says"),
    [
        (spent("E-9", "50", currency="CHF"), "sources-differ",
         "expense E-9 of 2026-01-12 is in CHF, agreement 'trips' in EUR; enter it there converted"),
        (spent("E-9", "50", approved=False), "hours-unapproved",
         "expenses of 50.00 EUR are not approved in the PSA (1 entry: E-9 of 2026-01-12)"),
        (spent("E-9", "-50"), "sources-differ", "expense E-9 of 2026-01-12 has -50 EUR; correct it in the PSA"),
        (spent("E-9", "50", day="2027-01-12"), "sources-differ", "E-9 is of 2027-01-12, which is still to come"),
    ],
)  # fmt: skip
def test_an_expense_that_cannot_be_billed(other: Expense, code: str, says: str) -> None:
    """It holds the invoice, is named, and stands on no line."""
    assembly = passed_on(spent("E-1", "20"), other)
    finding = only(assembly)
    assert finding.code.value == code
    assert says in finding.message
    assert draft_of(assembly).net == Decimal("20.00")


def test_an_expense_that_is_not_billable_is_nobodys_business() -> None:
    """It is on no line, and in no finding."""
    assembly = passed_on(
        spent("E-1", "20"), spent("E-2", "7", billable=False, approved=False, currency="CHF")
    )
    assert (assembly.findings, draft_of(assembly).net) == ((), Decimal("20.00"))


def test_expenses_over_their_cap() -> None:
    """200.00 with a cap of 150.00 wait for a person; 150.00 do not."""
    finding = only(passed_on(spent("E-1", "200"), cap="150"))
    assert finding.code.value == "scope-exceeded"
    assert "200.00 EUR exceed the cap of 150.00 a period" in finding.message
    assert passed_on(spent("E-1", "150"), cap="150").findings == ()


@pytest.mark.parametrize(
    ("leftovers", "net", "found"), [("hold", "20.00", ["leftovers"]), ("bill", "29.99", [])]
)
def test_expenses_that_came_late(leftovers: str, net: str, found: list[str]) -> None:
    """A receipt of December handed in too late is held, or billed along as the agreement says."""
    late = spent("E-0", "9.99", day="2025-12-30")
    assembly = passed_on(spent("E-1", "20"), earlier=(late,), leftovers=leftovers)
    assert codes(assembly) == found
    assert draft_of(assembly).net == Decimal(net)
    if found:
        assert "9.99 EUR of earlier periods" in only(assembly).message


@pytest.mark.parametrize(("along", "net"), [(True, "1010.00"), (False, "960.00")])
def test_hours_with_expenses(along: bool, net: str) -> None:
    """Eight hours at 120 and, only where that was agreed, 50.00 of expenses, at cost."""
    agreement = time_and_materials(expenses=along)
    assembly = made(
        agreement, "time", JANUARY, time_entries=[worked("T-1", "8")], expenses=[spent("E-1", "50")]
    )
    assert assembly.findings == ()
    assert draft_of(assembly).net == Decimal(net)
