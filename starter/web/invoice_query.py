"""What is asked of a list of invoices, as the query of its address says it, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import get_args
from urllib.parse import urlencode

from starlette.exceptions import HTTPException

from activities.ledger import views
from activities.ledger.read_models import InvoiceFilter, Order

ORDERS: tuple[str, ...] = get_args(Order)
FALLS_FIRST = ("requested", "issued", "gross", "open")
"""Orders that begin with the largest or newest when they are first chosen."""

_LONGEST = 200


def filter_of(query: Mapping[str, str], limit: int) -> InvoiceFilter:
    """The filter a query asks for; 400 in words where it says what there is not."""
    status, order = query.get("status") or None, query.get("sort", "").strip() or _usual(query)
    if status and status not in views.STATUSES:
        raise HTTPException(
            400, f"There is no status {status[:40]!r}; there are: {', '.join(views.STATUSES)}."
        )
    if order.removeprefix("-") not in ORDERS:
        raise HTTPException(400, f"There is no order {order[:40]!r}; there are: {', '.join(ORDERS)}.")
    return InvoiceFilter(
        status=status,
        client=_text(query, "client") or None,
        issuer=_text(query, "issuer") or None,
        currency=_text(query, "currency") or None,
        text=_text(query, "q"),
        issued_from=_day(query, "issued_from"),
        issued_to=_day(query, "issued_to"),
        due_from=_day(query, "due_from"),
        due_to=_day(query, "due_to"),
        order=order.removeprefix("-"),  # type: ignore[arg-type]  # one of them, as seen above
        descending=order.startswith("-"),
        limit=limit,
        before=_id(query, "before"),
        back=_id(query, "back"),
    )


def query_of(wanted: InvoiceFilter, **changed: str | int | None) -> str:
    """The query that asks for this list from its start, always in the same words; without what is asked by default."""
    sort = f"{'-' if wanted.descending else ''}{wanted.order}"
    said: dict[str, object] = {
        "q": " ".join(wanted.text.split()),
        "status": wanted.status,
        "client": wanted.client,
        "issuer": wanted.issuer,
        "currency": wanted.currency,
        "issued_from": wanted.issued_from,
        "issued_to": wanted.issued_to,
        "due_from": wanted.due_from,
        "due_to": wanted.due_to,
        "sort": sort,
        **changed,
    }
    if said["sort"] == _usual(said):
        said["sort"] = None
    return urlencode({key: value for key, value in said.items() if value not in (None, "")})


def sorted_by(wanted: InvoiceFilter, order: str) -> str:
    """The query for the same list in another order, or turned round where it is in that order."""
    falls = not wanted.descending if wanted.order == order else order in FALLS_FIRST
    return query_of(wanted, sort=f"{'-' if falls else ''}{order}")


def _usual(query: Mapping[str, object]) -> str:
    """The order nobody asked for: of days that are asked for, else the newest request first."""
    if query.get("issued_from") or query.get("issued_to"):
        return "-issued"
    return "due" if query.get("due_from") or query.get("due_to") else "-requested"


def _text(query: Mapping[str, str], key: str) -> str:
    return query.get(key, "")[:_LONGEST].replace("\0", "").strip()


def _day(query: Mapping[str, str], key: str) -> date | None:
    if not (said := query.get(key, "").strip()):
        return None
    try:
        return date.fromisoformat(said)
    except ValueError as error:
        raise HTTPException(400, f"{said[:40]!r} is no day: write one such as 2026-11-30.") from error


def _id(query: Mapping[str, str], key: str) -> int | None:
    said = query.get(key, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else None
