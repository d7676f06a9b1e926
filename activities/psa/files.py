"""A PSA in two files: `projects.yaml`, a list of projects with their milestones, and `time.csv`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from activities.company.record_file import WatchedFile, yaml_records
from activities.psa.time_csv import read_time
from billing.parties import Identifier
from billing.periods import Period
from billing.sources import Fact, Milestone, Project, TimeEntry


class _ProjectMilestone(Fact):
    id: Identifier
    title: str = ""
    signed_off: date | None = None


class _ProjectRow(Project):
    milestones: tuple[_ProjectMilestone, ...] = ()


class FilesPsa:
    """Reads one folder afresh on every call, so that a person may edit it while Billow runs."""

    def __init__(self, folder: Path) -> None:
        self._projects = WatchedFile(
            folder / "projects.yaml", yaml_records(_ProjectRow, lambda each: each.id)
        )
        self._time = WatchedFile(folder / "time.csv", read_time)

    def project(self, project_id: str) -> Project | None:
        """The project with that id, or None. Raises `SourceUnavailable` with file and line."""
        row = self._projects.content().get(project_id)
        return Project(id=row.id, name=row.name, client=row.client, completed=row.completed) if row else None

    def milestone(self, project_id: str, milestone_id: str) -> Milestone | None:
        """The milestone of the project, or None. Raises `SourceUnavailable` with file and line."""
        row = self._projects.content().get(project_id)
        for each in row.milestones if row else ():
            if each.id == milestone_id:
                return Milestone(id=each.id, project=project_id, title=each.title, signed_off=each.signed_off)
        return None

    def time_entries(self, project_id: str, period: Period) -> tuple[TimeEntry, ...]:
        """The project's entries of the period, by day and id. Raises `SourceUnavailable` with a line."""
        entries = self._time.content().get(project_id, ())
        return tuple(each for each in entries if period.start <= each.day <= period.end)
