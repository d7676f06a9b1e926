"""How much waits, is open and is late."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, literal, select
from sqlalchemy.orm import Session

from activities.ledger.inbox import given_up_items
from activities.ledger.read_models import Counts, Sum, Waiting
from activities.ledger.summaries import is_open
from activities.ledger.tables import InvoiceRow
from activities.ledger.what_waits import (
    given_up,
    open_company_exceptions,
    open_disputes,
    open_exceptions,
    people_of,
    unmatched_payments,
    waiting_approvals,
)
from billing.money import rounded


def waiting(tx: Session, as_of: datetime, person: str | None = None, team: Collection[str] = ()) -> Waiting:
    """How much waits; `mine` counts what waits for `person`, `team` what does for any of these people.

    The time it takes grows with what waits alone.
    """
    mine, theirs = people_of(person or ()), people_of(team)
    approvals_waiting, exceptions_open, without_invoice, payments_open, disputed, given, ours, others = (
        tx.execute(
            select(
                _number_of(waiting_approvals(None)),
                _number_of(open_exceptions(None)),
                _number_of(open_company_exceptions(None)),
                _number_of(unmatched_payments(None)),
                _number_of(open_disputes(None)),
                _number_of(given_up(None)),
                _owned(mine) if mine else literal(0),
                _owned(theirs) if theirs else literal(0),
            )
        ).one()
    )
    return Waiting(
        approvals=approvals_waiting,
        exceptions=exceptions_open + without_invoice,
        payments=payments_open,
        given_up=given,
        disputes=disputed,
        mine=ours + (len(given_up_items(tx, mine, as_of)) if given and mine else 0),
        team=others + (len(given_up_items(tx, theirs, as_of)) if given and theirs else 0),
    )


def _owned(people: frozenset[str]) -> ColumnElement[int]:
    return (
        _number_of(waiting_approvals(people))
        + _number_of(open_exceptions(people))
        + _number_of(open_company_exceptions(people))
        + _number_of(open_disputes(people))
        + _number_of(unmatched_payments(people))
    )


def counts(tx: Session, as_of: datetime, person: str | None = None, team: Collection[str] = ()) -> Counts:
    """How much waits, is open and is late, by currency."""
    some = select(InvoiceRow.id).limit(Counts.MOST_COUNTED).subquery()
    total = tx.scalars(select(func.count()).select_from(some)).one()
    late = InvoiceRow.late_from <= as_of
    owed = InvoiceRow.open_amount
    sums = tx.execute(
        select(
            InvoiceRow.currency,
            func.count(),
            func.sum(owed),
            func.count().filter(late),
            func.sum(owed).filter(late),
        )
        .where(is_open())
        .group_by(InvoiceRow.currency)
        .order_by(InvoiceRow.currency)
    ).all()
    return Counts(
        **waiting(tx, as_of, person, team).model_dump(),
        invoices=total,
        open=tuple(_sum(currency, count, amount) for currency, count, amount, _, _ in sums),
        late=tuple(_sum(currency, count, amount) for currency, _, _, count, amount in sums if count),
    )


def _number_of(items: Select[Any]) -> ScalarSelect[int]:
    return items.order_by(None).with_only_columns(func.count()).scalar_subquery()


def _sum(currency: str | None, count: int, amount: Decimal | None) -> Sum:
    return Sum(currency=currency or "", count=count, amount=rounded(amount or Decimal(0), currency or "EUR"))
