"""When an invoice is due."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from billing.parties import Strict


class PaymentTerms(Strict):
    """Net days after issue, or, for trying things out, net minutes.

    The due date is the last day on which payment is in time; the client is late from the first instant of the
    day after, in the client's zone. With `net_minutes` the instant counts and the due date is the day it falls on.
    """

    net_days: int | None = Field(default=None, ge=0, le=365)
    net_minutes: int | None = Field(default=None, ge=1, le=1440)

    @model_validator(mode="after")
    def _one_of_both(self) -> PaymentTerms:
        if (self.net_days is None) == (self.net_minutes is None):
            raise ValueError("write either net_days or net_minutes")
        return self

    def due(self, issue_date: date, issued_at: datetime, zone: str) -> tuple[date, datetime]:
        """The due date and the instant (UTC) from which payment is late."""
        if self.net_minutes is not None:
            late_from = issued_at + timedelta(minutes=self.net_minutes)
            return late_from.astimezone(ZoneInfo(zone)).date(), late_from.astimezone(ZoneInfo("UTC"))
        due_date = issue_date + timedelta(days=self.net_days or 0)
        return due_date, late_from_day(due_date, zone)

    def __str__(self) -> str:
        if self.net_minutes is not None:
            return f"net {self.net_minutes} minute{'' if self.net_minutes == 1 else 's'}"
        return (
            "on receipt"
            if self.net_days == 0
            else f"net {self.net_days} day{'' if self.net_days == 1 else 's'}"
        )


def late_from_day(due_date: date, zone: str) -> datetime:
    """The first instant (UTC) after the due date in the client's zone."""
    midnight = datetime.combine(due_date + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))
    return midnight.astimezone(ZoneInfo("UTC"))
