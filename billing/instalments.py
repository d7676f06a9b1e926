"""Instalments of an invoice: what is due when, which part is open, and how much may be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate

from pydantic import BaseModel, ConfigDict

from billing.calendars import Calendar
from billing.draft import Draft
from billing.money import Figure, Money, split, total
from billing.payment_terms import PaymentTerms
from billing.periods import months_after


class Part(BaseModel):
    """A part of the amount due, its due date, and the instant (UTC) from which it is late."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    amount: Figure
    due_date: date
    late_from: datetime


def schedule(
    draft: Draft, issue_date: date, issued_at: datetime, calendar: Calendar | None = None
) -> tuple[Part, ...]:
    """What is due when, if the draft is issued so: the parts in the order they fall due, one without instalments.

    The amounts follow the percentages by largest remainder, so they sum to the amount due. `calendar` holds the
    client's business days, for terms that ask for them.
    """
    begins = draft.supply.start if draft.supply else None
    return divided(draft.terms, draft.amount_due, issue_date, issued_at, draft.zone, calendar, begins)


def divided(
    terms: PaymentTerms,
    amount: Money,
    issue_date: date,
    issued_at: datetime,
    zone: str,
    calendar: Calendar | None = None,
    supply_begins: date | None = None,
) -> tuple[Part, ...]:
    """The same for an amount and terms of any kind."""
    ways = terms.instalments or (terms,)
    shares = split(amount, [each.percent for each in terms.instalments] or [Decimal(100)])
    parts = []
    for way, share in zip(ways, shares, strict=True):
        due_date, late_from = way.due(issue_date, issued_at, zone, calendar, supply_begins)
        parts.append(Part(amount=share.amount, due_date=due_date, late_from=late_from))
    return tuple(sorted(parts, key=lambda part: part.late_from))


def current(parts: Sequence[Part], paid: Decimal) -> Part:
    """The first part that payments do not cover; the last one where they cover all."""
    covered = Decimal(0)
    for part in parts:
        covered += part.amount
        if paid < covered:
            return part
    return parts[-1]


def settled(parts: Sequence[Part], paid: Decimal) -> tuple[bool, ...]:
    """Of each part, whether payments cover it; they count for the earlier ones first."""
    sums = accumulate(part.amount for part in parts)
    return tuple(covered <= paid for covered in sums)


def asked(parts: Sequence[Part], paid: Decimal, today: date) -> Decimal:
    """What is to be paid by the due date of the current part or by `today`, whichever is later, less what was paid."""
    until = max(current(parts, paid).due_date, today)
    return max(total(part.amount for part in parts if part.due_date <= until) - paid, Decimal(0))


def monthly(amount: Money, count: int, first: date) -> tuple[tuple[date, Decimal], ...]:
    """The amount in so many equal parts, each a month after the one before; cents left over go to the earlier ones."""
    shares = split(amount, [Decimal(1)] * count)
    return tuple((months_after(first, index), share.amount) for index, share in enumerate(shares))
