"""Shapes of requests and answers that several operations share.

Amounts are decimal strings with a currency beside them, instants RFC 3339 in UTC, days ISO 8601.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Response
from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from activities.ledger import invoices, views
from activities.ledger.database import Ledger
from activities.ledger.read_models import InvoiceView, ReadModel
from activities.ledger.settling_commands import Item
from billing.money import Figure
from billing.money import Money as ExactMoney
from starter.web.api.routes import Called, named
from starter.web.callers import Caller

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")]
"""Free text, at most 2,000 characters, perhaps empty."""

Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=r"^[^\x00]*$")
]
"""Free text that has to be there."""

Amount = Annotated[Figure, Field(gt=0, description="a decimal figure in a string, such as 1234.56")]

Reference = Annotated[
    str,
    Path(
        description="the invoice's number, or its billing key with each / written %2F",
        pattern=r"^[^\x00]+$",
        max_length=300,
    ),
]

Id = Annotated[int, Path(ge=1, lt=2**63)]

Name = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00]+$")]
"""The id or name of something, in an address or a query."""

Limit = Annotated[int, Query(ge=1, le=200, description="how many at most")]

IfMatch = Annotated[
    str | None,
    Header(description="the ETag under which the invoice was read: done only if it has not changed since"),
]


class Money(ReadModel):
    """An amount in a currency."""

    amount: Decimal
    currency: str

    @classmethod
    def of(cls, money: ExactMoney) -> Money:
        return cls(amount=money.amount, currency=money.currency)


class Changed(ReadModel):
    """What a command came to: whether it did anything new, and the invoice as it is now."""

    new: bool = True
    invoice: InvoiceView


class ItemView(ReadModel):
    """A write-off, refund or credit note that was asked for; `waits_for` are those whose move it is."""

    id: int
    kind: str
    of: str
    amount: Decimal
    currency: str
    status: str
    method: str
    waits_for: tuple[str, ...]
    new: bool

    @classmethod
    def shown(cls, item: Item) -> ItemView:
        return cls(
            id=item.id,
            kind=item.kind,
            of=item.name,
            amount=item.amount.amount,
            currency=item.amount.currency,
            status=item.status,
            method=item.method,
            waits_for=item.waits_for,
            new=item.new,
        )


def cursor_of(value: int | str) -> str:
    """What leads to the next page; to be given back as it is."""
    return base64.urlsafe_b64encode(f"after:{value}".encode()).decode().rstrip("=")


def after(cursor: str | None) -> str | None:
    """What a cursor of ours stands for; 400 for any other."""
    if cursor is None:
        return None
    try:
        found = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        found = ""
    if not found.startswith("after:") or "\x00" in found:
        raise HTTPException(400, "The cursor is none of ours; begin without one.")
    return found.removeprefix("after:")


def id_after(cursor: str | None) -> int | None:
    """The same where it stands for an id."""
    found = after(cursor)
    if found is None:
        return None
    if not (found.isascii() and found.isdigit() and len(found) < 19):
        raise HTTPException(400, "The cursor is none of ours; begin without one.")
    return int(found)


def etag(view: InvoiceView) -> str:
    """Changes with anything that is shown of the invoice."""
    return f'"{hashlib.sha256(view.model_dump_json().encode()).hexdigest()[:32]}"'


def invoice_now(caller: Caller, reference: str, response: Response) -> InvoiceView:
    """The invoice as it is now, its ETag set on the answer."""
    with caller.ledger.transaction() as tx:
        view = views.invoice(tx, reference, caller.at)
    response.headers["etag"] = etag(view)
    return view


@dataclass(frozen=True)
class Order:
    """A command about an invoice, on a ledger that refuses it if the invoice has changed since it was read."""

    ledger: Ledger
    reference: str
    caller: Caller
    response: Response

    @property
    def by(self) -> str:
        return self.caller.person

    @property
    def at(self) -> datetime:
        return self.caller.at

    @property
    def key(self) -> str | None:
        """The caller's own key, by which the ledger knows the same command."""
        return key_of(self.caller)

    def now(self) -> InvoiceView:
        """The invoice as it is now."""
        return invoice_now(self.caller, self.reference, self.response)

    def done(self, *, new: bool = True) -> Changed:
        return Changed(new=new, invoice=self.now())


def key_of(caller: Caller) -> str | None:
    """The caller's own key as the ledger knows it, apart from those of others."""
    return f"api/{caller.person}/{caller.key}" if caller.key else None


async def order_of(caller: Called, response: Response, invoice: Reference, if_match: IfMatch = None) -> Order:
    """The command as it is to be carried out."""
    ledger = caller.ledger if if_match is None else _Unchanged(caller, invoice, if_match)
    return Order(ledger, invoice, caller, response)


Ordered = Annotated[Order, Depends(order_of)]


class _Unchanged(Ledger):
    """A ledger whose first transaction begins with a look whether the invoice is still the one that was read.

    It is locked by that, so that nothing comes between the look and the command: 412 if it has changed.
    """

    def __init__(self, caller: Caller, reference: str, wanted: str) -> None:
        self.url, self.engine = caller.ledger.url, caller.ledger.engine
        self._reference, self._wanted, self._at = reference, wanted, caller.at
        self._looked = False

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with super().transaction() as tx:
            if not self._looked:
                self._looked = True
                invoices.find(tx, self._reference, lock=True)
                view = views.invoice(tx, self._reference, self._at)
                if not named(self._wanted, etag(view)):
                    raise HTTPException(
                        412, f"{view.name} has changed since it was read (If-Match). Nothing was changed."
                    )
            yield tx


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Statuses an operation may answer besides the one that says it is done, for its description."""
    return {status: {} for status in statuses}
