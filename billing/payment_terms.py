"""When an invoice is due."""

from __future__ import annotations

import calendar as months
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from billing.calendars import Calendar
from billing.money import Figure, total
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


class Way(Strict):
    """How a due date follows from an invoice; exactly one of the five is written.

    The due date is the last day on which payment is in time; the client is late from the first instant of the
    day after, in the client's zone. With `net_minutes`, for trying things out, the instant counts and the due date
    is the day it falls on. No due date lies before the issue date: what should have been paid by then is due on
    receipt.
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
    business_day: BusinessDay = Field(
        default=BusinessDay.AS_IT_IS,
        description="what a due date becomes that is no business day of the client's",
    )

    @property
    def ways(self) -> list[str]:
        """The fields that say when; one, once validated."""
        return [way for way in _WAYS if getattr(self, way) is not None]

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        self._check_ways()
        if self.months_later and self.day_of_month is None:
            raise ValueError("months_later goes with day_of_month; write that too, or leave months_later out")
        if self.net_minutes is not None and self.business_day is not BusinessDay.AS_IT_IS:
            raise ValueError("terms in minutes know no business day; leave business_day out")
        return self

    def _check_ways(self) -> None:
        if len(self.ways) != 1:
            raise ValueError(f"write exactly one of {', '.join(_WAYS)}{_found(self.ways)}")

    def due(
        self,
        issue_date: date,
        issued_at: datetime,
        zone: str,
        calendar: Calendar | None = None,
        supply_begins: date | None = None,
    ) -> tuple[date, datetime]:
        """The due date and the instant (UTC) from which payment is late.

        `calendar` holds the client's business days; terms with a rule for them cannot do without (`ValueError`).
        Where no day is known on which the service begins, it counts as begun on the issue date.
        """
        if self.net_minutes is not None:
            late_from = issued_at + timedelta(minutes=self.net_minutes)
            return late_from.astimezone(ZoneInfo(zone)).date(), late_from.astimezone(ZoneInfo("UTC"))
        due_date = max(self._day(issue_date, supply_begins), issue_date)
        if self.business_day is not BusinessDay.AS_IT_IS:
            if calendar is None:
                raise ValueError(f"{self} need the client's calendar")
            due_date = self._on_business_day(due_date, issue_date, calendar)
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

    def _on_business_day(self, day: date, issued: date, calendar: Calendar) -> date:
        later = calendar.business_day_from(day)
        stays = self.business_day is BusinessDay.NEXT_IN_MONTH and later.month == day.month
        if self.business_day is BusinessDay.NEXT or stays:
            return later
        while day >= issued and not calendar.is_business_day(day):
            day -= timedelta(days=1)
        return day if day >= issued else later

    def longest(self) -> int:
        """The most days there can be between issue and due date, but for the wait for a business day."""
        if self.end_of_month_plus is not None:
            return 30 + self.end_of_month_plus
        if self.day_of_month is not None:
            return (31, 62, 92, 123)[
                self.months_later
            ]  # such months in a row: July, August, September, October
        return self.net_days or 0

    def __str__(self) -> str:
        rule = "" if self.business_day is BusinessDay.AS_IT_IS else f", {_RULES[self.business_day]}"
        return f"{self._in_words()}{rule}"

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


_RULES = {
    BusinessDay.NEXT: "or the next business day",
    BusinessDay.PREVIOUS: "or the business day before",
    BusinessDay.NEXT_IN_MONTH: "or the next business day of that month, else the one before",
}


class Instalment(Way):
    """A part of the amount due with a due date of its own."""

    percent: Figure = Field(gt=0, lt=100, description="per cent of the amount due")

    def __str__(self) -> str:
        return f"{self.percent.normalize():f} % {super().__str__()}"


class PaymentTerms(Way):
    """When an invoice is due: in one way, or in instalments that each have theirs."""

    early_payment: EarlyPayment | None = None
    instalments: tuple[Instalment, ...] = Field(
        default=(), description="instead of one due date: parts of the amount due, 100 per cent together"
    )

    def _check_ways(self) -> None:
        if not self.instalments:
            if len(self.ways) != 1:
                raise ValueError(
                    f"write exactly one of {', '.join(_WAYS)}, or instalments{_found(self.ways)}"
                )
            self._check_early_payment()
            return
        if self.ways or self.business_day is not BusinessDay.AS_IT_IS:
            field = (*self.ways, "business_day")[0]
            raise ValueError(f"each instalment says when it is due; move {field} into the instalments")
        if self.early_payment is not None:
            raise ValueError("early_payment does not go with instalments; leave one of them out")
        if len(self.instalments) < 2:
            raise ValueError("write at least two instalments, or none")
        percent = total(each.percent for each in self.instalments)
        if percent != 100:
            raise ValueError(
                f"the instalments come to {percent.normalize():f} per cent; they must come to 100"
            )

    def _check_early_payment(self) -> None:
        early = self.early_payment
        if early is not None and self.net_days is not None and early.days >= self.net_days:
            raise ValueError(
                f"the discount for paying early lasts {_count(early.days, 'day')}, and the invoice is due after "
                f"{self.net_days}; write fewer days in early_payment"
            )

    def due(
        self,
        issue_date: date,
        issued_at: datetime,
        zone: str,
        calendar: Calendar | None = None,
        supply_begins: date | None = None,
    ) -> tuple[date, datetime]:
        """As of one way; with instalments, that of the one due first."""
        if not self.instalments:
            return super().due(issue_date, issued_at, zone, calendar, supply_begins)
        found = (each.due(issue_date, issued_at, zone, calendar, supply_begins) for each in self.instalments)
        return min(found, key=itemgetter(1))

    def longest(self) -> int:
        """As of one way; with instalments, that of the longest."""
        if not self.instalments:
            return super().longest()
        return max(each.longest() for each in self.instalments)

    def __str__(self) -> str:
        if self.instalments:
            return ", ".join(map(str, self.instalments))
        return " · ".join(each for each in (super().__str__(), self._early()) if each)

    def _early(self) -> str:
        if self.early_payment is None:
            return ""
        percent = f"{self.early_payment.percent.normalize():f}"
        return f"{percent} % discount within {_count(self.early_payment.days, 'day')}"


def _found(ways: list[str]) -> str:
    return f"; here are {' and '.join(ways)}" if ways else ""


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
