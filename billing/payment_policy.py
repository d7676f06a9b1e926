"""How a company takes payments: what it lets pass, who agrees to giving money up, how long a client's link lives."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billing.money import Currency, Figure, Money
from billing.parties import Identifier, Strict

Limit = Annotated[Figure, Field(ge=0)]
"""An amount up to which something passes."""


class Agreeing(Strict):
    """Who agrees when money is given up. Never the person who asks for it: four eyes, unless it is small."""

    approvers: tuple[Identifier, ...] = Field(
        default=(), description="any one of them; else the owner of exceptions and those above"
    )
    alone_up_to: dict[Currency, Limit] = Field(
        default_factory=dict, description="by currency, what a person may give up without asking another"
    )
    decide_within_hours: int = Field(default=72, ge=1, le=24 * 60)

    def alone(self, amount: Money) -> bool:
        """Whether a person may give up so much without asking another."""
        limit = self.alone_up_to.get(amount.currency)
        return limit is not None and amount.amount <= limit


class PaymentPolicy(Strict):
    """The section `payments` of company.yaml."""

    bank_data_within_days: int | None = Field(
        default=None,
        ge=1,
        le=60,
        description="reminders wait while the newest statement of the issuer's account is older; else it is not asked",
    )
    accept_difference: dict[Currency, Limit] = Field(
        default_factory=dict,
        description="by currency, how far a payment may differ from what is open (fees, rounding) and still settle it",
    )
    accept_exchange_difference_percent: Figure | None = Field(
        default=None,
        ge=0,
        le=20,
        description="how far a payment the bank has converted may differ from what is open and still settle it",
    )
    use_credit: Literal["ask", "at once"] = Field(
        default="ask", description="at once: what a client has paid too much pays the next invoice by itself"
    )
    accounts: dict[str, Identifier] = Field(
        default_factory=dict,
        description="further accounts whose statements are imported, by IBAN or number: {CH93…: issuer}; each "
        "issuer's own is known",
    )
    payouts_from: tuple[str, ...] = Field(
        default=("STRIPE",),
        description="payers whose transfers are payouts of payments that are booked already; part of the name",
    )
    write_offs: Agreeing = Agreeing()
    refunds: Agreeing = Agreeing()
    credit_notes: Agreeing = Field(
        default=Agreeing(alone_up_to=dict.fromkeys(("EUR", "USD", "GBP", "CHF"), Decimal(1000))),
        description="who agrees to a credit note; without this section, one may credit up to 1,000 EUR, USD, GBP or "
        "CHF alone",
    )
    portal_days: int = Field(
        default=365, ge=1, le=3650, description="days after which a client's link to an invoice expires"
    )
