"""Expenses on an invoice: passed through, each on a line of its own with its receipt."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from billing.agreements import Expenses, TimeAndMaterials
from billing.draft import InvoiceLine, SourceRef, line
from billing.leftovers import billed_along
from billing.line_words import LineWords
from billing.money import rounded, written
from billing.periods import Period
from billing.sources import Expense, Sources

EXPENSE = "psa/expense"
"""The source of expenses, as billed items name it."""

PIECE = "C62"
"""Unit code of UN/ECE recommendation 20."""

PassedOn = Expenses | TimeAndMaterials


def ready(expense: Expense, currency: str, today: date) -> bool:
    """Whether an expense can be billed: approved, billable, in the agreement's currency, of a day that has come."""
    billable = expense.approved and expense.billable and expense.amount > 0
    return billable and expense.currency == currency and expense.day <= today


def passes_on(agreement: object) -> bool:
    """Whether the agreement bills expenses."""
    return isinstance(agreement, Expenses) or (isinstance(agreement, TimeAndMaterials) and agreement.expenses)


def expense_lines(
    agreement: PassedOn, sources: Sources, period: Period | None, today: date, words: LineWords
) -> list[InvoiceLine]:
    """One line an expense, the oldest first: what was spent and the agreed mark-up, rounded by line."""
    markup = agreement.markup if isinstance(agreement, Expenses) else Decimal(0)
    late = [each for each in sources.earlier_expenses if billed_along(agreement, each.day, period)]
    came_late = {each.id for each in late}
    spent = [each for each in (*late, *sources.expenses) if ready(each, agreement.currency, today)]
    return [
        _line(agreement, each, markup, each.id in came_late, words)
        for each in sorted(spent, key=lambda each: (each.day, each.id))
    ]


def _line(
    agreement: PassedOn, expense: Expense, markup: Decimal, late: bool, words: LineWords
) -> InvoiceLine:
    currency = agreement.currency
    receipt = f"{words.receipt} {expense.receipt}" if expense.receipt else ""
    why = f"approved expense of project {agreement.project}, {written(expense.amount, currency)} {currency}"
    if markup:
        why += f" and {markup.normalize():f} % mark-up"
    if late:
        why += ", left over from earlier days and billed along"
    return line(
        expense.description,
        Decimal(1),
        PIECE,
        rounded(expense.amount * (100 + markup) / 100, currency),
        currency,
        detail=" · ".join(each for each in (words.day(expense.day), receipt) if each),
        why=why,
        sources=[SourceRef(source=EXPENSE, id=expense.id)],
    )
