"""The tax of an invoice in the currency of the country that receives it, where its law asks for that."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from billing.money import Currency, Figure


class HomeTax(BaseModel):
    """The VAT total in accounting currency (BT-6, BT-111): what one unit of the invoice's currency is worth in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    currency: Currency
    amount: Figure
    rate: Figure
    rate_date: date
    source: str
