"""What must fit in agreements, and between them, before they may be billed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from billing.agreements import (
    Agreement,
    Expenses,
    FixedPrice,
    Milestones,
    PrepaidBlock,
    Recurring,
    Retainer,
    TimeAndMaterials,
)
from billing.billability import check_billability
from billing.change_order_checks import check_change_orders
from billing.change_orders import last_day
from billing.complaints import CompanyRecords, Complaint, KeyPath, taken_already
from billing.currencies import MINOR_UNITS
from billing.idle_fields import check_idle_fields
from billing.money import smallest_unit
from billing.periods import cadence
from billing.rates import Rate

_OLDEST = 1990
"""The year of the oldest agreement anybody still bills."""


def check_agreements(records: CompanyRecords) -> Iterator[Complaint]:
    """Everything that does not fit in the agreements; what only looks wrong is a warning."""
    clients = {client.id: client for client in records.clients.read.values()}
    before: dict[tuple[str, ...], list[Agreement]] = defaultdict(list)
    for position, agreement in sorted(records.agreements.read.items()):
        at = ("agreements", position)
        client = clients.get(agreement.client)
        if client and client.currency != agreement.currency:
            yield Complaint(
                (*at, "currency"),
                f"is {agreement.currency}, while client {client.id!r} is billed in {client.currency}; "
                "write the same in both unless that was agreed",
                warning=True,
            )
        if agreement.start.year < _OLDEST:
            yield Complaint(
                (*at, "start"),
                f"{agreement.start} is a slip of the pen, and every period since then would be billed; "
                f"write the day on which it began, in {_OLDEST} or later",
            )
        if agreement.end and agreement.end < agreement.start:
            yield Complaint(
                (*at, "end"), f"{agreement.end} lies before the start, {agreement.start}; write a later day"
            )
        yield from _amounts(at, agreement)
        yield from _final(at, agreement)
        yield from check_billability(at, agreement)
        yield from check_change_orders(at, agreement, records)
        yield from _indexation(at, agreement)
        yield from _rates(at, agreement)
        yield from _milestones(at, agreement)
        yield from _block(at, agreement)
        yield from _billing_day(at, agreement)
        yield from check_idle_fields(at, agreement)
        yield from _billed_twice(at, agreement, before)
        for claim in _claims(agreement).values():
            before[claim].append(agreement)


def _amounts(at: KeyPath, agreement: Agreement) -> Iterator[Complaint]:
    """Amounts that stand on the invoice as they are must be whole smallest units."""
    amounts: list[tuple[KeyPath, Decimal | None]] = []
    match agreement:
        case Retainer() | FixedPrice():
            amounts = [(("amount",), agreement.amount)]
        case PrepaidBlock():
            amounts = [(("price",), agreement.price)]
        case Milestones():
            amounts = [
                (("milestones", n, "amount"), each.amount) for n, each in enumerate(agreement.milestones)
            ]
        case TimeAndMaterials():
            amounts = [
                (("cap",), agreement.cap),
                (("budget",), agreement.budget),
                (("minimum",), agreement.minimum),
            ]
        case Expenses():
            amounts = [(("cap",), agreement.cap)]
    for n, order in enumerate(agreement.change_orders):
        here: KeyPath = ("change_orders", n)
        changed = {"amount": order.amount, "price": order.price, "cap": order.cap, "budget": order.budget}
        amounts += [((*here, key), amount) for key, amount in changed.items()]
        amounts += [
            ((*here, "milestones", m, "amount"), each.amount) for m, each in enumerate(order.milestones)
        ]
    for path, amount in amounts:
        if amount is not None and amount % smallest_unit(agreement.currency):
            digits = MINOR_UNITS[agreement.currency]
            yield Complaint(
                (*at, *path),
                f"{amount} has more decimals than {agreement.currency} knows; write at most {digits}",
            )


def _final(at: KeyPath, agreement: Agreement) -> Iterator[Complaint]:
    """One milestone can deduct the prepayments, and each of them only once."""
    if not isinstance(agreement, Milestones):
        return
    finals = [n for n, each in enumerate(agreement.milestones) if each.final]
    for n in finals[1:]:
        yield Complaint(
            (*at, "milestones", n, "final"),
            f"milestone {agreement.milestones[finals[0]].id!r} deducts the prepayments already; keep one final",
        )
    if any(each.prepayment for each in agreement.milestones) and not finals:
        yield Complaint(
            (*at, "milestones"),
            "prepayments are never deducted, for no milestone is `final: true`; mark the one that bills the whole",
            warning=True,
        )


def _indexation(at: KeyPath, agreement: Agreement) -> Iterator[Complaint]:
    steps = agreement.indexation if isinstance(agreement, Retainer) else ()
    ends = last_day(agreement)
    for n, step in enumerate(steps):
        here = (*at, "indexation", n, "since")
        if step.since <= agreement.start:
            yield Complaint(
                here,
                f"{step.since} is not after the start, {agreement.start}: the amount is the fee from the start; "
                "write a later day, or the new amount",
            )
        elif ends and step.since > ends:
            yield Complaint(
                here, f"{step.since} lies after the agreement ends, {ends}: it changes nothing", True
            )
    for n, (earlier, later) in enumerate(pairwise(steps)):
        if later.since <= earlier.since:
            yield Complaint(
                (*at, "indexation", n + 1, "since"),
                f"{later.since} does not come after {earlier.since}; write the steps by date, one a day",
            )


def _rates(at: KeyPath, agreement: Agreement) -> Iterator[Complaint]:
    """Dated rates that begin later than the work does."""
    rates: dict[str, Rate] = getattr(agreement, "rates", {})
    for role, rate in rates.items():
        if isinstance(rate, tuple) and rate[0].since > agreement.start:
            yield Complaint(
                (*at, "rates", role),
                f"has no price before {rate[0].since}, while the agreement starts on {agreement.start}: hours "
                "of that time stop for a person; add a price from the start",
                warning=True,
            )


def _milestones(at: KeyPath, agreement: Agreement) -> Iterator[Complaint]:
    ids = [each.id for each in agreement.milestones] if isinstance(agreement, Milestones) else []
    for n, each in enumerate(ids):
        if each in ids[:n]:
            yield Complaint((*at, "milestones", n, "id"), taken_already(each))


def _block(at: KeyPath, agreement: Agreement) -> Iterator[Complaint]:
    if not isinstance(agreement, PrepaidBlock):
        return
    for key in ("replenish_at", "roll_over"):
        hours = getattr(agreement, key)
        if key == "replenish_at" and hours >= agreement.hours:
            yield Complaint(
                (*at, key),
                f"{hours} of {agreement.hours} hours are left from the beginning: the next block would be billed "
                "with the first hour; write less than hours",
            )
        elif hours > agreement.hours:
            yield Complaint((*at, key), f"{hours} is more than a block has; write at most {agreement.hours}")


def _billing_day(at: KeyPath, agreement: Agreement) -> Iterator[Complaint]:
    if isinstance(agreement, Recurring) and agreement.bill_on and cadence(agreement.every).days:
        yield Complaint(
            (*at, "bill_on"),
            f"is a day of a month, while {agreement.every} begin and end within months; leave it out to bill "
            "each period on its first day or the day after its last",
            warning=True,
        )


def _billed_twice(
    at: KeyPath, agreement: Agreement, before: Mapping[tuple[str, ...], Sequence[Agreement]]
) -> Iterator[Complaint]:
    """Work that an agreement before bills for the same days."""
    for what, claim in _claims(agreement).items():
        other = next((each for each in before.get(claim, ()) if _meet(each, agreement)), None)
        if other is not None:
            yield Complaint(
                (*at, "project"),
                f"{what} of {agreement.project!r} {'is' if what == 'the whole' else 'are'} billed by agreement "
                f"{other.id!r} as well; end one before the other begins",
                warning=True,
            )


def _claims(agreement: Agreement) -> dict[str, tuple[str, ...]]:
    """What of its project the agreement bills."""
    project = agreement.project or ""
    hours: dict[str, tuple[str, ...]] = {"the hours": ("hours", project)}
    expenses: dict[str, tuple[str, ...]] = {"the expenses": ("expenses", project)}
    match agreement:
        case TimeAndMaterials():
            return hours | (expenses if agreement.expenses else {})
        case PrepaidBlock():
            return hours
        case Retainer():
            return hours if agreement.bills_overage else {}
        case Expenses():
            return expenses
    return {"the whole": (agreement.model, agreement.client, project)}


def _meet(one: Agreement, other: Agreement) -> bool:
    """Whether both run on some day."""
    return max(one.start, other.start) <= min(last_day(one) or date.max, last_day(other) or date.max)
