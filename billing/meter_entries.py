"""What a meter takes in: an entry, known by source and id, and why one may not count yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import Field, model_validator

from billing.agreements import Agreement
from billing.money import Figure
from billing.parties import Identifier, Strict
from billing.rates import Rates, rate_on

DECIMALS = Decimal("0.0001")
"""What a quantity and a meter are kept to."""


class Measure(StrEnum):
    """What an entry says: hours of work, a net amount spent, or per cent done. A meter shows one of them."""

    HOURS = "hours"
    SPEND = "spend"
    PROGRESS = "progress"


MOST: dict[Measure, Decimal] = {
    Measure.HOURS: Decimal(1000),
    Measure.SPEND: Decimal(1_000_000_000),
    Measure.PROGRESS: Decimal(100),
}
"""The largest quantity of one entry; more is a slip of the pen."""


class MeterEntry(Strict):
    """Hours, spend or progress as a source says it; known by source and id."""

    source: str = Field(min_length=1, max_length=200, description="who says so, such as psa")
    id: str = Field(min_length=1, max_length=200, description="unique with the source")
    agreement: Identifier
    measure: Measure = Measure.HOURS
    day: date | None = Field(default=None, description="of the work; needed unless deleted")
    quantity: Figure | None = Field(
        default=None, description="hours, net amount in the agreement's currency, or per cent done"
    )
    role: str = Field(default="", max_length=200, description="prices hours, where spend is metered")
    person: str = Field(default="", max_length=200)
    milestone: Identifier | None = Field(default=None, description="whose progress it is; else the project's")
    revision: int | None = Field(
        default=None, ge=1, lt=2**63, description="an older one changes nothing; without, the last one counts"
    )
    deleted: bool = False
    note: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _says_what(self) -> MeterEntry:
        if not self.deleted and (self.day is None or self.quantity is None):
            raise ValueError("write day and quantity, or deleted: yes")
        if self.quantity is not None and self.quantity != self.quantity.quantize(DECIMALS):
            raise ValueError(f"{self.quantity} has more than four decimals; round it first")
        return self


@dataclass(frozen=True)
class Held:
    """Why an entry does not count yet; entries of one `kind` are told of together."""

    kind: str
    why: str


def held(agreement: Agreement, entry: MeterEntry, rates: Rates | None, today: date) -> Held | None:
    """Why a live entry does not count under the agreement of today, or None if it does.

    `rates` are those of its day, where hours are priced.
    """
    day, quantity, end = entry.day or today, entry.quantity or Decimal(0), agreement.end
    if quantity < 0:
        return Held(
            "negative",
            f"{quantity.normalize():f} {entry.measure}: less than nothing; correct or delete the entry",
        )
    if quantity > MOST[entry.measure]:
        if entry.measure is Measure.PROGRESS:
            return Held("too much", f"{quantity.normalize():f} per cent done; write 0 to 100")
        said = f"{quantity.normalize():,f} {entry.measure} in one entry"
        return Held("too much", f"{said}; correct it, or split it by day")
    if day > today:
        return Held("future", f"{day} is still to come; it counts from that day on")
    if day < agreement.start or (end and day > end):
        return Held("outside", f"{day} lies outside the agreement ({agreement.start} to {end or 'open'})")
    if rates is not None and entry.measure is Measure.HOURS and rate_on(rates, entry.role, day) is None:
        role = f"role {entry.role!r} has no rate on {day}" if entry.role else "hours need a role to be priced"
        return Held(f"rate {entry.role}".rstrip(), f"{role}; add the rate, or correct the entry")
    return None
