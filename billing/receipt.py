"""A receipt: that money for an invoice has come, and what of the invoice is still open."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from billing.money import Figure, Money, total
from billing.parties import Buyer, Issuer, Language
from billing.statement_of_account import EntryKind, Movement


class Receipt(BaseModel):
    """Everything a renderer needs; `buyer` is None where only a system before Billow knows the address.

    `movements` are what came, was given back or is waived, oldest first; `due` is what was to be paid.
    """

    model_config = ConfigDict(frozen=True)

    issuer: Issuer
    buyer: Buyer | None
    client_name: str
    language: Language
    number: str
    title: str
    issue_date: date | None
    due: Money
    movements: tuple[Movement, ...]
    as_of: date

    @property
    def received(self) -> Money:
        """The money that came, less what was given back."""
        money = (EntryKind.PAYMENT, EntryKind.REPAYMENT)
        return Money.of(
            total(each.amount for each in self.movements if each.kind in money), self.due.currency
        )

    @property
    def waived(self) -> Figure:
        """What nobody has to pay any more: a discount for paying early."""
        return total(each.amount for each in self.movements) - self.received.amount

    @property
    def open(self) -> Money:
        """What is still to be paid; below zero where too much was."""
        return Money.of(self.due.amount - total(each.amount for each in self.movements), self.due.currency)
