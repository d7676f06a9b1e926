"""The time entries and expenses of the sample company: every working day of last month and of this month so far."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from activities.psa import expenses_csv as expenses
from activities.psa.time_csv import COLUMNS, OPTIONAL
from billing.periods import months_after

_STILL_OPEN = 5
"""Days for which nobody has approved hours yet."""


@dataclass(frozen=True)
class _Work:
    """Who works on what, in a rhythm of daily hours; `forgotten`: last month's days nobody approved."""

    project: str
    person: str
    role: str
    rhythm: tuple[str, ...]
    notes: tuple[str, ...]
    tasks: tuple[str, ...] = ("",)
    tickets: tuple[str, ...] = ("",)
    billable: bool = True
    forgotten: int = 0


_PLAN = (
    _Work(
        "P-2010",
        "Mira Conrad",
        "senior developer",
        ("3.50", "0", "4.00"),
        ("search index", "review", "API design"),
    ),
    _Work(
        "P-2010",
        "Deniz Kaya",
        "developer",
        ("6.00", "2.25", "0", "5.50"),
        ("article editor", "bug fixes", "image upload"),
        forgotten=2,
    ),
    _Work(
        "P-2020",
        "Olu Adeyemi",
        "consultant",
        ("7.50", "0", "6.00", "0", "4.25"),
        ("EDI mapping", "carrier tests"),
        tasks=("EDI", "Carrier tests"),
    ),
    _Work(
        "P-2020",
        "Rosa Lindgren",
        "architect",
        ("0", "0", "0", "0", "3.00"),
        ("architecture board",),
        tasks=("Architecture",),
    ),
    _Work(
        "P-2030", "Rosa Lindgren", "architect", ("0", "2.50", "0", "1.75", "0"), ("security review", "call")
    ),
    _Work(
        "P-2040", "Deniz Kaya", "developer", ("0", "4.00", "6.50", "0"), ("data migration",), billable=False
    ),
    _Work(
        "P-2050", "Mira Conrad", "senior developer", ("0", "5.00", "0"), ("client portal",), billable=False
    ),
    _Work(
        "P-2070",
        "Felix Brandt",
        "support engineer",
        ("1.25", "0", "0.75", "1.50"),
        ("login of the shift plan", "printer in hall 3", "export to accounting", "new workplace"),
        tickets=("DW-311", "DW-314", "DW-314", "DW-318", "DW-320"),
    ),
)

_SPENT = (
    (2, "Olu Adeyemi", "Flight Berlin to Dallas and back", "1184.00"),
    (3, "Olu Adeyemi", "Hotel, four nights", "742.60"),
    (3, "Olu Adeyemi", "Hired car", "218.45"),
    (10, "Rosa Lindgren", "Test account with the carrier network", "149.00"),
)
"""What was spent on P-2020: working day of the month, who, what, how many dollars."""


def expenses_csv(today: date) -> str:
    """The file of expenses as of the morning of `today`: what was spent last month is approved."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(expenses.COLUMNS)
    month = today.replace(day=1)
    number = 0
    for first, approved in ((months_after(month, -1), "yes"), (month, "no")):
        days = list(_working_days(first, min(today, months_after(first, 1))))
        for n, person, what, amount in _SPENT:
            if n <= len(days):
                number += 1
                key, day = f"E-{number:03d}", days[n - 1].isoformat()
                rows.writerow(
                    (key, "P-2020", person, day, what, amount, "USD", approved, "yes", f"{key}.pdf")
                )
    return text.getvalue()


def time_csv(today: date) -> str:
    """The file of hours as of the morning of `today`."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((*COLUMNS, *OPTIONAL))
    for number, row in enumerate(_rows(today), start=1):
        rows.writerow((f"T-{number:04d}", *row))
    return text.getvalue()


def _rows(today: date) -> Iterator[tuple[str, ...]]:
    month = today.replace(day=1)
    days = list(_working_days(months_after(month, -1), today))
    for work in _PLAN:
        worked = [
            (day, hours) for n, day in enumerate(days) if (hours := work.rhythm[n % len(work.rhythm)]) != "0"
        ]
        before = [day for day, _ in worked if day < month]
        forgotten = before[-work.forgotten :] if work.forgotten else []
        for n, (day, hours) in enumerate(worked):
            fresh = day >= month and day >= today - timedelta(days=_STILL_OPEN)
            approved = "no" if fresh or day in forgotten else "yes"
            note = work.notes[n % len(work.notes)]
            billable = "yes" if work.billable else "no"
            said = (
                approved,
                billable,
                note,
                work.tasks[n % len(work.tasks)],
                work.tickets[n % len(work.tickets)],
            )
            yield work.project, work.person, work.role, day.isoformat(), hours, *said


def _working_days(first: date, until: date) -> Iterator[date]:
    day = first
    while day < until:
        if day.weekday() < 5:
            yield day
        day += timedelta(days=1)
