"""An invoice that no agreement covers, asked for by a person."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from billing.agreements import Percent, Prices
from billing.money import Currency, Figure
from billing.parties import Identifier, Strict
from billing.payment_terms import PaymentTerms
from billing.taxes.facts import PerformedIn, ReducedRate, ServiceKind, SuppliedFrom


class OneOffLine(Strict):
    description: str = Field(min_length=1)
    quantity: Figure = Field(gt=0)
    unit: str = Field(default="C62", description="UN/ECE recommendation 20: C62 piece, HUR hour, DAY day")
    unit_price: Figure


class OneOff(Strict):
    """What a person asks to bill: `billow trigger --one-off FILE`."""

    client: Identifier
    currency: Currency
    title: str = Field(min_length=1)
    reason: str = Field(min_length=1, description="why no agreement covers it; shown to the approver")
    order_reference: str = ""
    supplied_on: date | None = Field(
        default=None, description="when the work was done; else the day it is billed"
    )
    service: ServiceKind = Field(
        default=ServiceKind.CONSULTING, description="what is sold, as tax laws see it"
    )
    performed_in: PerformedIn = ""
    supplied_from: SuppliedFrom = ""
    reduced_rate: ReducedRate = ""
    terms: PaymentTerms | None = None
    prices: Prices = Field(default=Prices.NET, description="gross: with tax, whose rate is taken out of them")
    discount: Percent = Field(default=Decimal(0), description="per cent off the net")
    corrects: str | None = Field(
        default=None, description="number of the disputed or credited invoice this one corrects"
    )
    lines: tuple[OneOffLine, ...] = Field(min_length=1)
