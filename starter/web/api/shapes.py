"""Shapes of requests and answers that several operations share.

Amounts are decimal strings with a currency beside them, instants RFC 3339 in UTC, days ISO 8601.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Path, Query, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from activities.ledger import invoices, views
from activities.ledger.actors import Said
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


Thing = TypeVar("Thing")
Seen = TypeVar("Seen", bound=BaseModel)


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


Cursor = Annotated[
    str | None, Query(max_length=1000, description="`next` of the page before; the first page without it")
]


def cursor_of(*key: int | str | datetime) -> str:
    """What leads to the next page, by the key of the last thing on this one; to be given back as it is."""
    plain = [each.isoformat() if isinstance(each, datetime) else each for each in key]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def after(cursor: str | None, *kinds: type) -> Any:
    """The key a cursor of ours stands for, of those kinds, or None without one; 400 for any other."""
    if cursor is None:
        return None
    try:
        return _key_in(cursor, kinds)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The cursor is none of ours; begin without one.") from error


def _key_in(cursor: str, kinds: Sequence[type]) -> tuple[Any, ...]:
    found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    if not isinstance(found, list) or len(found) != len(kinds):
        raise ValueError("of another list")
    return tuple(_of_kind(each, kind) for each, kind in zip(found, kinds, strict=True))


def _of_kind(value: Any, kind: type) -> Any:
    if kind is int and type(value) is int and 0 <= value < 2**63:
        return value
    if kind is str and isinstance(value, str) and "\0" not in value and value.isprintable():
        return value
    if kind is datetime and isinstance(value, str) and (instant := datetime.fromisoformat(value)).tzinfo:
        return instant
    raise ValueError("nothing of ours")


def id_after(cursor: str | None) -> int | None:
    """The same where it stands for an id."""
    found = after(cursor, int)
    return found[0] if found else None


def paged(found: Sequence[Thing], limit: int, key: Callable[[Thing], tuple[Any, ...]]) -> dict[str, Any]:
    """A page of what was found, one more than `limit` at most: `items`, and `next` where there are more."""
    items = tuple(found[:limit])
    return {"items": items, "next": cursor_of(*key(items[-1])) if len(found) > limit else None}


def behind(
    found: Sequence[Thing], last: int | str | None, key: Callable[[Thing], int | str]
) -> Sequence[Thing]:
    """What of a short list comes behind the thing with that key; nothing once that is gone."""
    if last is None:
        return found
    place = next((number for number, each in enumerate(found, 1) if key(each) == last), len(found))
    return found[place:]


def etag(view: BaseModel) -> str:
    """Changes with anything that is shown of it."""
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
    def said(self) -> Said:
        return self.caller.said

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


def tagged(response: Response, view: Seen) -> Seen:
    """What is answered, with its ETag."""
    response.headers["etag"] = etag(view)
    return view


def unchanged(
    caller: Caller, if_match: str | None, name: str, look: Callable[[Session], BaseModel]
) -> Ledger:
    """The ledger for a command about what was read; `look` shows it again, locked, before the command begins."""
    return caller.ledger if if_match is None else _Unchanged(caller, if_match, name, look)


def key_of(caller: Caller) -> str | None:
    """The caller's own key as the ledger knows it, apart from those of others."""
    return f"api/{caller.person}/{caller.key}" if caller.key else None


async def order_of(caller: Called, response: Response, invoice: Reference, if_match: IfMatch = None) -> Order:
    """The command as it is to be carried out."""

    def look(tx: Session) -> InvoiceView:
        invoices.find(tx, invoice, lock=True)
        return views.invoice(tx, invoice, caller.at)

    ledger = unchanged(caller, if_match, invoice, look)
    return Order(ledger, invoice, caller, response)


Ordered = Annotated[Order, Depends(order_of)]


class _Unchanged(Ledger):
    """A ledger whose first transaction begins with a look whether the thing is still as it was read.

    It is locked by that, so that nothing comes between the look and the command: 412 if it has changed.
    """

    def __init__(self, caller: Caller, wanted: str, name: str, look: Callable[[Session], BaseModel]) -> None:
        self.url, self.engine = caller.ledger.url, caller.ledger.engine
        self._wanted, self._name, self._look = wanted, name, look
        self._looked = False

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with super().transaction() as tx:
            if not self._looked:
                self._looked = True
                if not named(self._wanted, etag(self._look(tx))):
                    raise HTTPException(
                        412, f"{self._name} has changed since it was read (If-Match). Nothing was changed."
                    )
            yield tx


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Statuses an operation may answer besides the one that says it is done, for its description."""
    return {status: {} for status in statuses}
