"""What Billow asks of a PSA (professional services automation)."""

from __future__ import annotations

from typing import Protocol

from billing.periods import Period
from billing.sources import Expense, Milestone, Project, TimeEntry


class PsaSource(Protocol):
    """Reads a PSA. Every call may raise `billing.errors.SourceUnavailable`, which is worth another try."""

    def projects(self) -> tuple[Project, ...]:
        """Every project, by id."""

    def projects_with_work(self) -> frozenset[str]:
        """The projects that have time entries or expenses, whether they are listed or not."""

    def project(self, project_id: str) -> Project | None:
        """The project with that id; None if there is none."""

    def milestones(self, project_id: str) -> tuple[Milestone, ...]:
        """The milestones of the project in its own order; none if there is no such project."""

    def milestone(self, project_id: str, milestone_id: str) -> Milestone | None:
        """The milestone of the project; None if there is none."""

    def time_entries(self, project_id: str, period: Period) -> tuple[TimeEntry, ...]:
        """Every entry of the project whose day falls into the period, approved or not, by day and id."""

    def expenses(self, project_id: str, period: Period) -> tuple[Expense, ...]:
        """Every expense of the project whose day falls into the period, approved or not, by day and id."""
