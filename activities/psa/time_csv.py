"""Time entries as a PSA exports them: one a line of `time.csv`."""

from __future__ import annotations

from activities.psa.csv_records import Table, csv_records
from billing.sources import TimeEntry

COLUMNS = ("id", "project", "person", "role", "day", "hours", "approved", "billable", "note")
OPTIONAL = ("task", "ticket")
"""Columns a PSA may leave out; by them hours can be put together on an invoice."""

read_time = csv_records(Table(TimeEntry, (*COLUMNS, *OPTIONAL), needed=COLUMNS[:6]))
"""The entries by project, each by day and id. One wrong line refuses the file: `SourceUnavailable`."""
