"""Expenses as a PSA exports them: one a line of `expenses.csv`."""

from __future__ import annotations

from activities.psa.csv_records import Table, csv_records
from billing.sources import Expense

COLUMNS = (
    "id",
    "project",
    "person",
    "day",
    "description",
    "amount",
    "currency",
    "approved",
    "billable",
    "receipt",
)

read_expenses = csv_records(Table(Expense, COLUMNS, needed=COLUMNS[:7]))
"""The expenses by project, each by day and id. One wrong line refuses the file: `SourceUnavailable`."""
