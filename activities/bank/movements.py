"""What a bank says happened on an account, whatever format it says it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Standing(StrEnum):
    """Whether the bank has booked it."""

    BOOKED = "booked"
    PENDING = "pending"
    INFORMATION = "information"


@dataclass(frozen=True)
class Statement:
    """The head of a statement. Instants are as the bank wrote them: naive ones are of the account's place.

    `opening` and `closing` are booked balances, negative where the account is overdrawn.
    """

    id: str
    version: str
    account: str
    currency: str
    page: str = ""
    sequence: str = ""
    made_at: datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    opening: Decimal | None = None
    closing: Decimal | None = None
    closing_day: date | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Movement:
    """One movement of the account: an entry, or a transaction of a batch; amounts that went out are negative.

    `position` says where it stands (`3`, or `3.2` for the second transaction of the third entry); `original` is what
    the payer ordered, where that is another amount or currency; `charges` is what banks kept of it; `returned` says why
    a payment came back, `reversal` that it did.
    """

    position: str
    amount: Decimal
    currency: str
    booked_on: date
    valued_on: date | None = None
    standing: Standing = Standing.BOOKED
    reversal: bool = False
    returned: str = ""
    code: str = ""
    bank_reference: str = ""
    transaction_reference: str = ""
    end_to_end_id: str = ""
    counterparty: str = ""
    counterparty_account: str = ""
    references: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    original: tuple[Decimal, str] | None = None
    charges: Decimal = Decimal(0)
    batch: int = 0
    remarks: tuple[str, ...] = field(default=())
