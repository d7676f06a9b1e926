"""What a payment provider does for us, and what it tells: a page to pay on, payments, and what was taken back of them.

A provider's messages come late, twice and in any order. So none of them is believed by its own words: it only says
which payment to look at, and a `ProviderPayment` is the whole of that payment as it stands when it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from billing.money import Money


class CheckoutStatus(StrEnum):
    """Where a page to pay on stands. Under way: the client has done their part, and the money is not there yet."""

    OPEN = "open"
    UNDER_WAY = "under way"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Order:
    """What a client is to pay: all of `amount`, for one invoice. `key` makes a repetition the same page."""

    billing_key: str
    number: str
    title: str
    amount: Money
    language: str
    return_url: str
    key: str
    expires_at: datetime


@dataclass(frozen=True)
class CheckoutPage:
    """The provider's page on which an order is paid; `session` is its id there."""

    session: str
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class CheckoutReport:
    """How a page stands now; `payment` is the provider's id of the payment made on it, once there is one."""

    session: str
    status: CheckoutStatus
    payment: str | None = None


class MovementKind(StrEnum):
    """Why money of a payment moved after it came."""

    REFUND = "refund"
    REFUND_FAILED = "refund failed"
    CHARGEBACK = "chargeback"
    CHARGEBACK_WON = "chargeback reversed"


@dataclass(frozen=True)
class Movement:
    """Money that moved after a payment: negative was taken from us. `item` is the refund of ours that it carries out.

    `after` is the movement it undoes, which may never have been booked: then this one is not either.
    """

    id: str
    kind: MovementKind
    amount: Money
    at: datetime
    why: str = ""
    fee: Decimal | None = None
    item: int | None = None
    after: str | None = None


@dataclass(frozen=True)
class Chargeback:
    """A payment the client's bank has questioned; it is to be answered at the provider by `answer_by`."""

    id: str
    amount: Money
    why: str
    answer_by: datetime | None
    decided: bool


@dataclass(frozen=True)
class ProviderPayment:
    """A payment as it stands at the provider now; `received` is None as long as the money is not there.

    `billing_key` is the invoice it was made for, as our own order said; empty for what others take on that account.
    `failure` says why the last attempt came to nothing, `attempt` which one that was.
    """

    id: str
    received: Money | None
    received_at: datetime
    fee: Decimal | None = None
    billing_key: str = ""
    payer: str = ""
    reference: str = ""
    attempt: str = ""
    failure: str = ""
    movements: tuple[Movement, ...] = ()
    chargebacks: tuple[Chargeback, ...] = ()


PaymentReport = CheckoutReport | ProviderPayment
"""What a message of a payment provider means."""


class PaymentProvider(Protocol):
    """An adapter of the port `payments`. Each call raises `SourceUnavailable` while the provider cannot be asked."""

    source: str

    def can_take(self, amount: Money, issuer: str) -> bool:
        """Whether invoices of that issuer are paid here, and the amount can be said in the provider's units."""

    def check_out(self, order: Order) -> CheckoutPage:
        """A page for exactly that order; the same one for the same key. `Refused` where it is too small or large."""

    def checkout(self, session: str) -> CheckoutReport | None:
        """How a page stands now; None if there is none."""

    def close(self, session: str) -> CheckoutReport | None:
        """Ends a page nobody shall pay on any more; how it stands then: somebody may have been faster."""

    def payment(self, id_: str) -> ProviderPayment | None:
        """The payment of that id as it stands now; None if there is none, or it is not for us."""

    def refund(self, payment: str, amount: Money, *, item: int) -> str:
        """Pays back part of a payment, once for each item of ours; the refund's id there.

        `Refused` where the provider will never do it.
        """
