"""An open item from before Billow: an invoice issued elsewhere whose money Billow now collects."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field, model_validator

from billing.money import Currency, Figure
from billing.parties import Identifier, Strict


class OpeningItem(Strict):
    """One issued and unpaid invoice of the system before. Amounts in its currency; dates in the client's zone."""

    number: str = Field(min_length=1)
    client: Identifier
    title: str = Field(min_length=1)
    issue_date: date
    due_date: date
    currency: Currency
    net: Figure
    tax: Figure
    gross: Figure
    paid: Figure = Field(default=Decimal(0), ge=0)
    levels_sent: int = Field(default=0, ge=0, description="reminders sent before the move")
    last_reminded: date | None = None
    promised_for: date | None = None
    disputed: str = Field(default="", description="why, if the client disputes it")

    @model_validator(mode="after")
    def _adds_up(self) -> OpeningItem:
        if self.net + self.tax != self.gross:
            raise ValueError(f"net {self.net} and tax {self.tax} do not sum to gross {self.gross}")
        if self.due_date < self.issue_date:
            raise ValueError("the due date is before the issue date")
        return self
