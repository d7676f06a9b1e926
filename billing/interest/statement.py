"""A statement of interest: what a client owes beside an invoice for paying late. No invoice, no number, no tax.

Interest and fixed compensation make good a loss; they are no consideration for a supply, and outside the scope of VAT
(Court of Justice, 222/81 BAZ Bausystem).
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from billing.interest.accrual import Interest
from billing.money import Money
from billing.parties import Buyer, Issuer, Language


class InterestStatement(BaseModel):
    """Everything a renderer needs; `buyer` is None where only a system before Billow knows the address."""

    model_config = ConfigDict(frozen=True)

    issuer: Issuer
    buyer: Buyer | None
    client_name: str
    language: Language
    number: str
    issue_date: date | None
    due_date: date
    due: Money
    open: Money
    interest: Interest
