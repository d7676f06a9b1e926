"""A PSA in files: `projects.yaml`, a list of projects with their milestones, `time.csv` and `expenses.csv`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from activities.company.record_file import WatchedFile, yaml_records
from activities.psa.expenses_csv import read_expenses
from activities.psa.time_csv import read_time
from billing.parties import Identifier
from billing.periods import Period
from billing.sources import Expense, Fact, Milestone, Project, TimeEntry

Dated = TypeVar("Dated", TimeEntry, Expense)


class _ProjectMilestone(Fact):
    id: Identifier
    title: str = ""
    signed_off: date | None = None
    progress: int = Field(default=0, ge=0, le=100)

    def of(self, project: str) -> Milestone:
        return Milestone(project=project, **self.model_dump())


class _ProjectRow(Project):
    milestones: tuple[_ProjectMilestone, ...] = ()

    @property
    def project(self) -> Project:
        return Project.model_validate(self.model_dump(exclude={"milestones"}))


class FilesPsa:
    """Reads one folder afresh on every call, so that a person may edit it while Billow runs.

    `expenses.csv` may be missing: then there are none.
    """

    def __init__(self, folder: Path) -> None:
        self._projects = WatchedFile(
            folder / "projects.yaml", yaml_records(_ProjectRow, lambda each: each.id)
        )
        self._time = WatchedFile(folder / "time.csv", read_time)
        self._expenses_file = folder / "expenses.csv"
        self._expenses = WatchedFile(self._expenses_file, read_expenses)

    def projects(self) -> tuple[Project, ...]:
        """Every project, by id. Raises `SourceUnavailable` with file and line."""
        return tuple(each.project for _, each in sorted(self._projects.content().items()))

    def projects_with_work(self) -> frozenset[str]:
        """The projects that stand in `time.csv` or `expenses.csv`. Raises `SourceUnavailable` with a line."""
        spent = self._expenses.content() if self._expenses_file.exists() else {}
        return frozenset({*self._time.content(), *spent})

    def project(self, project_id: str) -> Project | None:
        """The project with that id, or None. Raises `SourceUnavailable` with file and line."""
        row = self._projects.content().get(project_id)
        return row.project if row else None

    def milestones(self, project_id: str) -> tuple[Milestone, ...]:
        """The milestones of the project, as they stand in the file. Raises `SourceUnavailable` with file and line."""
        row = self._projects.content().get(project_id)
        return tuple(each.of(project_id) for each in row.milestones) if row else ()

    def milestone(self, project_id: str, milestone_id: str) -> Milestone | None:
        """The milestone of the project, or None. Raises `SourceUnavailable` with file and line."""
        return next((each for each in self.milestones(project_id) if each.id == milestone_id), None)

    def time_entries(self, project_id: str, period: Period) -> tuple[TimeEntry, ...]:
        """The project's entries of the period, by day and id. Raises `SourceUnavailable` with a line."""
        return _within(period, self._time.content().get(project_id, ()))

    def expenses(self, project_id: str, period: Period) -> tuple[Expense, ...]:
        """The project's expenses of the period, by day and id. Raises `SourceUnavailable` with a line."""
        if not self._expenses_file.exists():
            return ()
        return _within(period, self._expenses.content().get(project_id, ()))


def _within(period: Period, records: Iterable[Dated]) -> tuple[Dated, ...]:
    return tuple(each for each in records if period.start <= each.day <= period.end)
