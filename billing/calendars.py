"""Business days and decent hours, in the client's country and zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Calendar:
    """A client's working calendar: zone, public holidays, weekend (Monday is 0), and hours for messages."""

    zone: str
    holidays: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({5, 6})
    opens: time = time(9)
    closes: time = time(17)
    around_the_clock: bool = False

    def is_business_day(self, day: date) -> bool:
        return day.weekday() not in self.weekend and day not in self.holidays

    def business_day_from(self, day: date) -> date:
        """The day itself, or the next business day after it."""
        while not self.is_business_day(day):
            day += timedelta(days=1)
        return day

    def is_decent(self, at: datetime) -> bool:
        """Whether a message may go out at this instant."""
        if self.around_the_clock:
            return True
        local = at.astimezone(ZoneInfo(self.zone))
        return self.is_business_day(local.date()) and self.opens <= local.time() < self.closes

    def decent_from(self, at: datetime) -> datetime:
        """The first instant at or after `at` (UTC) in which a message may go out."""
        if self.is_decent(at):
            return at.astimezone(UTC)
        day = self.business_day_from(at.astimezone(ZoneInfo(self.zone)).date())
        # past today's opening, or on a day whose hours a clock change swallows: the next one
        while (opening := self.opening(day)) < at or not self.is_decent(opening):
            day = self.business_day_from(day + timedelta(days=1))
        return opening

    def opening(self, day: date) -> datetime:
        """The instant (UTC) at which messages may go out on that day."""
        return datetime.combine(day, self.opens, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)
