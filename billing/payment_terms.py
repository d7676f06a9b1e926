"""When an invoice is due."""

from __future__ import annotations

import calendar as months
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from billing.calendars import Calendar
from billing.money import Figure
from billing.parties import Strict
from billing.periods import months_after


class BusinessDay(StrEnum):
    """What happens to a due date that is no business day of the client's calendar."""

    AS_IT_IS = "as it is"
    NEXT = "next"
    PREVIOUS = "previous"
    NEXT_IN_MONTH = "next in month"


class EarlyPayment(Strict):
    """A discount for whoever pays within so many days of the issue date: 2 % within 10 days."""

    percent: Figure = Field(gt=0, lt=100, description="per cent of the amount due")
    days: int = Field(ge=0, le=365)


_WAYS = ("net_days", "net_minutes", "end_of_month_plus", "day_of_month", "before_supply_days")


class PaymentTerms(Strict):
    """Net days after issue; end of month and days; a fixed day of the month; days before the service begins.

    The due date is the last day on which payment is in time; the client is late from the first instant of the
    day after, in the client's zone. With `net_minutes`, for trying things out, the instant counts and the due date
    is the day it falls on. No due date lies before the issue date: what should have been paid by then is due on receipt.
    """

    net_days: int | None = Field(default=None, ge=0, le=365)
    net_minutes: int | None = Field(default=None, ge=1, le=1440)
    end_of_month_plus: int | None = Field(
        default=None, ge=0, le=120, description="days after the end of the month of issue"
    )
    day_of_month: int | None = Field(
        default=None,
        ge=1,
        le=31,
        description="the first such day after the issue date; 31 is the last of any month",
    )
    months_later: int = Field(
        default=0, ge=0, le=3, description="months that `day_of_month` lies further ahead"
    )
    before_supply_days: int | None = Field(
        default=None, ge=0, le=180, description="days before the service begins"
    )
    business_day: BusinessDay = BusinessDay.AS_IT_IS
    early_payment: EarlyPayment | None = None

    @model_validator(mode="after")
    def _one_way(self) -> PaymentTerms:
        if len([way for way in _WAYS if getattr(self, way) is not None]) != 1:
            raise ValueError(f"write exactly one of {', '.join(_WAYS)}")
        if self.months_later and self.day_of_month is None:
            raise ValueError("months_later goes with day_of_month")
        return self

    def due(
        self,
        issue_date: date,
        issued_at: datetime,
        zone: str,
        calendar: Calendar | None = None,
        supply_begins: date | None = None,
    ) -> tuple[date, datetime]:
        """The due date and the instant (UTC) from which payment is late."""
        if self.net_minutes is not None:
            late_from = issued_at + timedelta(minutes=self.net_minutes)
            return late_from.astimezone(ZoneInfo(zone)).date(), late_from.astimezone(ZoneInfo("UTC"))
        due_date = max(self._day(issue_date, supply_begins), issue_date)
        if calendar is not None:
            due_date = max(self._on_business_day(due_date, calendar), issue_date)
        return due_date, late_from_day(due_date, zone)

    def _day(self, issued: date, supply_begins: date | None) -> date:
        if self.end_of_month_plus is not None:
            return last_of_month(issued) + timedelta(days=self.end_of_month_plus)
        if self.day_of_month is not None:
            month = issued.replace(day=1)
            if _in_month(self.day_of_month, month) <= issued:
                month = months_after(month, 1)
            return _in_month(self.day_of_month, months_after(month, self.months_later))
        if self.before_supply_days is not None:
            return (supply_begins or issued) - timedelta(days=self.before_supply_days)
        return issued + timedelta(days=self.net_days or 0)

    def _on_business_day(self, day: date, calendar: Calendar) -> date:
        if self.business_day is BusinessDay.AS_IT_IS or calendar.is_business_day(day):
            return day
        later = calendar.business_day_from(day)
        if self.business_day is BusinessDay.NEXT:
            return later
        if self.business_day is BusinessDay.NEXT_IN_MONTH and later.month == day.month:
            return later
        while not calendar.is_business_day(day):
            day -= timedelta(days=1)
        return day

    def longest(self) -> int:
        """The most days there can be between issue and due date."""
        if self.end_of_month_plus is not None:
            return 30 + self.end_of_month_plus
        if self.day_of_month is not None:
            return 31 * (1 + self.months_later)
        return self.net_days or 0

    def __str__(self) -> str:
        return " · ".join(each for each in (self._in_words(), self._early()) if each)

    def _in_words(self) -> str:
        if self.net_minutes is not None:
            return f"net {_count(self.net_minutes, 'minute')}"
        if self.end_of_month_plus is not None:
            more = f" + {_count(self.end_of_month_plus, 'day')}" if self.end_of_month_plus else ""
            return f"end of month{more}"
        if self.day_of_month is not None:
            later = f", {_count(self.months_later, 'month')} later" if self.months_later else ""
            return f"by the {self.day_of_month}. of the month{later}"
        if self.before_supply_days is not None:
            return f"{_count(self.before_supply_days, 'day')} before the service begins"
        return "on receipt" if self.net_days == 0 else f"net {_count(self.net_days or 0, 'day')}"

    def _early(self) -> str:
        if self.early_payment is None:
            return ""
        percent = f"{self.early_payment.percent.normalize():f}"
        return f"{percent} % discount within {_count(self.early_payment.days, 'day')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def last_of_month(day: date) -> date:
    """The last day of the month a day falls into."""
    return day.replace(day=months.monthrange(day.year, day.month)[1])


def _in_month(day: int, month: date) -> date:
    return month.replace(day=min(day, last_of_month(month).day))


def late_from_day(due_date: date, zone: str) -> datetime:
    """The first instant (UTC) after the due date in the client's zone."""
    midnight = datetime.combine(due_date + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))
    return midnight.astimezone(ZoneInfo("UTC"))


LONGEST_BETWEEN_BUSINESSES = {"FR": 60}
"""Days a term may have between businesses, by the client's country, where the law sets less freedom than the Directive
(FR: Art. L441-10 Code de commerce)."""

LONGEST_IN_THE_EU = 60
"""Art. 3(5) Directive 2011/7/EU: longer only where it is expressly agreed and not grossly unfair to the creditor."""


def statutory_maximum(client_country: str, in_eu: bool) -> int | None:
    """The longest term between businesses, in days, that stands without more; None where no statute is known."""
    return LONGEST_BETWEEN_BUSINESSES.get(client_country, LONGEST_IN_THE_EU if in_eu else None)
