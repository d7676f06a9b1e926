"""The lines of an invoice: what each billing model bills at an occasion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from billing.agreements import (
    Agreement,
    Expenses,
    FixedPrice,
    IndexStep,
    Milestones,
    Occasion,
    PrepaidBlock,
    Retainer,
    TimeAndMaterials,
    Trigger,
)
from billing.change_orders import agreement_on, approved, last_day
from billing.draft import InvoiceLine, SourceRef, line
from billing.due import EXPENSES, FEE, OVERAGE, TIME, all_milestones
from billing.fees import fee
from billing.hours import beyond_block, beyond_block_lines, hour_lines, worked
from billing.line_words import LineWords
from billing.money import rounded, total
from billing.occasions import BLOCK, COMPLETION, PRICE, SPEND
from billing.one_off import OneOff
from billing.periods import Period, full_period
from billing.sources import Sources
from billing.spending import PIECE, expense_lines

_ONE = Decimal(1)


def bills(agreement: Agreement, item: str) -> bool:
    """Whether the agreement, as it is now, has such an item at all."""
    match agreement:
        case Retainer():
            return item == FEE or (item == OVERAGE and agreement.bills_overage)
        case TimeAndMaterials():
            return item in (TIME, COMPLETION) or _numbered(SPEND, item)
        case Expenses():
            return item == EXPENSES
        case Milestones():
            return any(each.id == item for each in all_milestones(agreement))
        case FixedPrice():
            return item == PRICE
        case PrepaidBlock():
            return item == OVERAGE or _numbered(BLOCK, item)


def _numbered(name: str, item: str) -> bool:
    return re.fullmatch(rf"{name}-[1-9][0-9]*", item) is not None


def is_work(agreement: Agreement, item: str) -> bool:
    """Whether the item bills what was worked or spent, which may be nothing, rather than a price that was agreed."""
    return isinstance(agreement, TimeAndMaterials | Expenses) or item == OVERAGE


def one_off_lines(one_off: OneOff) -> list[InvoiceLine]:
    """The lines as a person wrote them."""
    return [
        line(
            each.description, each.quantity, each.unit, each.unit_price, one_off.currency, why=one_off.reason
        )
        for each in one_off.lines
    ]


def agreed_lines(
    agreement: Agreement, occasion: Occasion, sources: Sources, today: date, words: LineWords
) -> list[InvoiceLine]:
    """What an agreement bills at an occasion, at the prices of each day; nothing if it has no such item."""
    if not bills(agreement, occasion.item):
        return []
    period = occasion.period
    match agreement:
        case Retainer() if occasion.item == FEE:
            return _fee_lines(agreement, occasion, words)
        case Retainer():
            return hour_lines(agreement, worked(agreement, sources, period, today), words)
        case TimeAndMaterials():
            hours = hour_lines(agreement, worked(agreement, sources, period, today), words)
            return [
                *hours,
                *_minimum_line(agreement, occasion, sources, hours, words),
                *(expense_lines(agreement, sources, period, today, words) if agreement.expenses else []),
            ]
        case Expenses():
            return expense_lines(agreement, sources, period, today, words)
        case PrepaidBlock() if occasion.item == OVERAGE:
            return beyond_block_lines(agreement, beyond_block(agreement, sources, today), words)
        case PrepaidBlock():
            return [_block_line(agreement_on(agreement, today))]
        case FixedPrice():
            return [_price_line(agreement_on(agreement, today))]
        case Milestones():
            return [_milestone_line(agreement, occasion.item, sources)]


def lines_apart(
    agreement: Agreement,
    occasion: Occasion,
    sources: Sources,
    today: date,
    words: LineWords,
    parts: Sequence[Period],
) -> list[list[InvoiceLine]] | None:
    """The same lines, those of each part of the period by themselves: a fee by days, hours and expenses by their day.

    None where a line cannot be told apart: a minimum fee, or work of a day that lies in none of the parts.
    """
    match agreement:
        case Retainer() if occasion.item == FEE:
            pieces = [occasion.model_copy(update={"period": part}) for part in parts]
            return [_fee_lines(agreement, piece, words) for piece in pieces]
        case Retainer():
            return _hours_apart(agreement, occasion, sources, today, words, parts)
        case TimeAndMaterials() if agreement.minimum is None and not agreement.expenses:
            return _hours_apart(agreement, occasion, sources, today, words, parts)
        case Expenses():
            return _expenses_apart(agreement, sources, today, words, parts)
    return None


def _hours_apart(
    agreement: Retainer | TimeAndMaterials,
    occasion: Occasion,
    sources: Sources,
    today: date,
    words: LineWords,
    parts: Sequence[Period],
) -> list[list[InvoiceLine]] | None:
    hours = worked(agreement, sources, occasion.period, today)
    if not all(_within(parts, each.entry.day) for each in hours):
        return None
    return [
        hour_lines(agreement, [each for each in hours if _within([part], each.entry.day)], words)
        for part in parts
    ]


def _expenses_apart(
    agreement: Expenses, sources: Sources, today: date, words: LineWords, parts: Sequence[Period]
) -> list[list[InvoiceLine]] | None:
    spent = sources.expenses
    if sources.earlier_expenses or not all(_within(parts, each.day) for each in spent):
        return None
    of_part = [tuple(each for each in spent if _within([part], each.day)) for part in parts]
    return [
        expense_lines(agreement, sources.model_copy(update={"expenses": found}), part, today, words)
        for part, found in zip(parts, of_part, strict=True)
    ]


def _within(parts: Sequence[Period], day: date) -> bool:
    return any(part.start <= day <= part.end for part in parts)


def _fee_lines(agreement: Retainer, occasion: Occasion, words: LineWords) -> list[InvoiceLine]:
    """One line a price; the days stand on it where it is cut, and the adjustment where it is indexed."""
    parts = fee(agreement, occasion.period) if occasion.period else ()
    why = f"retainer of agreement {agreement.id}, {agreement.timing}"
    lines = []
    for part in parts:
        whole = full_period(agreement.anchor or agreement.start, agreement.every, part.period.start)
        detail = [] if part.period == whole else [words.days(part.period)]
        detail += [words.indexation(each) for each in _index_steps(agreement, part.period.start)]
        if part.amount:
            lines.append(
                line(
                    agreement.title,
                    _ONE,
                    PIECE,
                    part.amount,
                    agreement.currency,
                    detail=" · ".join(detail),
                    why=f"{why}; {part.why}" if part.why else why,
                )
            )
    return lines


def _index_steps(agreement: Retainer, day: date) -> list[IndexStep]:
    """The adjustment that made the fee of a day, if the last change of it was one."""
    steps = [each for each in agreement.indexation if agreement.start < each.since <= day]
    named = [each.effective for each in approved(agreement) if each.amount and each.effective <= day]
    last = max(steps, key=lambda each: each.since, default=None)
    return [last] if last and all(effective < last.since for effective in named) else []


def _minimum_line(
    agreement: TimeAndMaterials,
    occasion: Occasion,
    sources: Sources,
    hours: Sequence[InvoiceLine],
    words: LineWords,
) -> list[InvoiceLine]:
    """What the hours of a whole period lack of the minimum fee; with the invoice that ends the period.

    The minimum of a period that the agreement covers in part is its share by calendar days, rounded.
    """
    period, last = occasion.period, last_day(agreement)
    if agreement.minimum is None or period is None or occasion.item != TIME:
        return []
    whole = full_period(agreement.anchor or agreement.start, agreement.every, period.start)
    covered = Period(start=max(whole.start, agreement.start), end=min(whole.end, last or whole.end))
    least = rounded(agreement.minimum * covered.days / whole.days, agreement.currency)
    missing = least - sources.billed_in_period - total(each.net for each in hours)
    if period.end < covered.end or missing <= 0:
        return []
    why = f"the hours of {covered} do not reach the minimum of {least} {agreement.currency}"
    return [
        line(words.minimum, _ONE, PIECE, missing, agreement.currency, detail=words.days(covered), why=why)
    ]


def _block_line(agreement: PrepaidBlock) -> InvoiceLine:
    why = f"prepaid block of {agreement.hours} hours, agreement {agreement.id}"
    title = f"{agreement.title} ({agreement.hours} h)"
    return line(title, _ONE, PIECE, agreement.price, agreement.currency, why=why)


def _price_line(agreement: FixedPrice) -> InvoiceLine:
    because = {
        Trigger.DEAL_WON: f"deal {agreement.deal} won",
        Trigger.CONTRACT_SIGNED: f"contract {agreement.contract} signed",
        Trigger.MANUAL: f"price of agreement {agreement.id}",
    }
    ref = SourceRef(source="psa/project", id=agreement.project)
    why = because.get(agreement.trigger, f"project {agreement.project} completed")
    return line(agreement.title, _ONE, PIECE, agreement.amount, agreement.currency, why=why, sources=[ref])


def _milestone_line(agreement: Milestones, item: str, sources: Sources) -> InvoiceLine:
    """The milestone at its price; a final one at that of the whole, of which the prepayments are deducted."""
    instalment = next(each for each in all_milestones(agreement) if each.id == item)
    prepaid = {each.item for each in sources.prepayments}
    ahead = total(each.amount for each in all_milestones(agreement) if each.id in prepaid)
    done = f"{instalment.progress} % done" if instalment.progress else "signed off"
    return line(
        f"{agreement.title}: {instalment.title}",
        _ONE,
        PIECE,
        instalment.amount + ahead,
        agreement.currency,
        why=f"milestone {item} of agreement {agreement.id} {done}",
        sources=[SourceRef(source="psa/milestone", id=f"{agreement.project}/{item}")],
    )
