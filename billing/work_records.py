"""The work behind an invoice, entry by entry: what its appendix shows the client."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from billing.money import Figure


class HoursAppendix(StrEnum):
    """How the hours of an invoice are shown to the client on pages of their own."""

    NONE = "none"
    BY_PERSON = "by person"
    BY_TICKET = "by ticket"


class WorkRecord(BaseModel):
    """An entry of time on an invoice; `line` is the position (from 1) of the invoice line that bills it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    line: int
    day: date
    person: str
    hours: Figure
    ticket: str = ""
    task: str = ""
    note: str = ""
