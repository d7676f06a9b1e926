"""Work checks: what is billed must be done, approved, priced and within what was agreed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import TypeVar

from billing.agreements import (
    Agreement,
    Expenses,
    FixedPrice,
    Leftovers,
    Milestones,
    Occasion,
    PrepaidBlock,
    Retainer,
    TimeAndMaterials,
    Trigger,
)
from billing.change_orders import agreement_on
from billing.due import all_milestones
from billing.exceptions import Finding, ReasonCode
from billing.findings import not_done, wrong
from billing.hours import Worked, beyond_block, worked
from billing.leftovers import ByPeriod, billed_along
from billing.limits import check_scope
from billing.lines import bills, is_work
from billing.money import total, written
from billing.occasions import COMPLETION
from billing.rates import missing_rate
from billing.sources import Expense, Sources, TimeEntry
from billing.spending import passes_on

Record = TypeVar("Record", TimeEntry, Expense)

_NAMED = 5
"""Entries a finding names; who looks into it finds the rest beside them."""


def check_work(agreement: Agreement, occasion: Occasion, sources: Sources, today: date) -> Iterator[Finding]:
    """The work must be done, approved, priced, and all there, before it is billed."""
    if not bills(agreement, occasion.item):
        yield Finding(
            code=ReasonCode.RULES_CHANGED,
            message=f"agreement {agreement.id!r} has no item {occasion.item!r} any more; void this draft, or apply a "
            "folder whose agreement has it",
            field="item",
        )
        return
    match agreement:
        case Milestones():
            yield from _check_milestone(agreement, occasion, sources)
        case FixedPrice() if agreement.trigger is Trigger.PROJECT_COMPLETED:
            yield from _check_completed(agreement.project, sources)
        case TimeAndMaterials() if occasion.item == COMPLETION:
            yield from _check_completed(agreement.project, sources)
    if isinstance(agreement, Milestones | FixedPrice):
        yield from check_scope(agreement, sources, today)
    if is_work(agreement, occasion.item):
        yield from _check_project(agreement, sources)
        if isinstance(agreement, Retainer | TimeAndMaterials | PrepaidBlock):
            yield from _check_hours(agreement, occasion, sources, today)
        if passes_on(agreement):
            yield from _check_expenses(agreement, occasion, sources, today)
        if isinstance(agreement, Retainer | TimeAndMaterials | Expenses):
            yield from _check_leftovers(agreement, occasion, sources)


def _check_completed(project: str, sources: Sources) -> Iterator[Finding]:
    if sources.project is None or sources.project.completed is None:
        yield not_done(f"project {project!r} is not completed")


def _check_milestone(agreement: Milestones, occasion: Occasion, sources: Sources) -> Iterator[Finding]:
    milestone, project = sources.milestone, sources.project
    if sources.line_reached or (milestone and milestone.signed_off):
        return
    which = f"milestone {occasion.item!r} of project {agreement.project!r}"
    wanted = next(each.progress for each in all_milestones(agreement) if each.id == occasion.item)
    if wanted is None and agreement.trigger is Trigger.PROGRESS:
        wanted = 100
    done = max(milestone.progress if milestone else 0, project.progress if project else 0)
    if wanted is None:
        yield not_done(f"{which} is not signed off")
    elif done < wanted:
        yield not_done(f"{which} is {done} % done, not {wanted} %,")


def _check_project(agreement: Agreement, sources: Sources) -> Iterator[Finding]:
    """A project nobody knows has no work either: a wrong id must not pass for nothing to bill."""
    if agreement.project and sources.project is None and not sources.time_entries and not sources.expenses:
        yield wrong(
            "project",
            f"the PSA has no project {agreement.project!r}; correct `project` of agreement {agreement.id!r}",
            f"PSA {agreement.project}",
        )


def _check_hours(
    agreement: Retainer | TimeAndMaterials | PrepaidBlock, occasion: Occasion, sources: Sources, today: date
) -> Iterator[Finding]:
    billable = [entry for entry in sources.time_entries if entry.billable]
    waiting = [entry for entry in billable if not entry.approved and entry.day <= today]
    # by spend, what is not approved yet is billed with the next line that is reached
    if waiting and (occasion.period or occasion.item == COMPLETION):
        hours = total(entry.hours for entry in waiting)
        are = "hour of {} is" if hours == 1 else "hours of {} are"
        when = str(occasion.period) if occasion.period else f"project {agreement.project!r}"
        yield Finding(
            code=ReasonCode.HOURS_UNAPPROVED,
            message=f"{hours} {are.format(when)} not approved in the PSA ({_named(waiting)}); "
            "approve them, or accept to leave them out",
            field="hours",
            left=f"PSA {hours} h: {_ids(waiting)}",
        )
    for entry in (*_billed_along(agreement, occasion, sources.earlier_time), *billable):
        yield from _check_entry(entry, f"time entry {entry.id}", entry.hours, "hours", today)
    if isinstance(agreement, PrepaidBlock):
        yield from _check_overage_rate(agreement, sources, today)
    else:
        yield from _check_rates(agreement, worked(agreement, sources, occasion.period, today))


def _billed_along(agreement: Agreement, occasion: Occasion, earlier: Iterable[Record]) -> list[Record]:
    if not isinstance(agreement, Retainer | TimeAndMaterials | Expenses):
        return []
    return [each for each in earlier if billed_along(agreement, each.day, occasion.period)]


def _check_entry(
    entry: TimeEntry | Expense, which: str, figure: Decimal, unit: str, today: date
) -> Iterator[Finding]:
    said = f"PSA {entry.id}: {figure} {'h' if unit == 'hours' else unit} on {entry.day}"
    if figure <= 0:
        says = f"{which} of {entry.day} has {figure} {unit}; correct it in the PSA, or accept to leave it out"
        yield wrong("hours" if unit == "hours" else "expenses", says, said)
    elif entry.day > today and entry.approved:
        says = f"{which} is of {entry.day}, which is still to come; correct it in the PSA, or accept to leave it out"
        yield wrong("hours" if unit == "hours" else "expenses", says, said)


def _check_rates(agreement: Retainer | TimeAndMaterials, parts: Iterable[Worked]) -> Iterator[Finding]:
    """A finding a role and reason, naming the entries that have no price."""
    unpriced: dict[tuple[str, str], list[TimeEntry]] = {}
    for part in parts:
        if part.price is None:
            entry = part.entry
            why = missing_rate(agreement_on(agreement, entry.day).rates, entry.role, entry.day)
            unpriced.setdefault((entry.role, why), []).append(entry)
    for (role, why), entries in sorted(unpriced.items()):
        yield Finding(
            code=ReasonCode.RATE_MISSING,
            message=f"agreement {agreement.id!r}: {why} ({_named(entries)}); add the rate under `rates`, "
            "or correct the role in the PSA",
            field="rates",
            left=f"PSA {role}",
        )


def _check_overage_rate(agreement: PrepaidBlock, sources: Sources, today: date) -> Iterator[Finding]:
    parts = beyond_block(agreement, sources, today)
    if parts and agreement.overage_rate is None:
        yield Finding(
            code=ReasonCode.RATE_MISSING,
            message=f"agreement {agreement.id!r} has no `overage_rate`, and {sources.beyond_block} hours are beyond "
            f"its blocks ({_named([each.entry for each in parts])}); add what an hour costs",
            field="rates",
        )


def _check_expenses(
    agreement: Agreement, occasion: Occasion, sources: Sources, today: date
) -> Iterator[Finding]:
    billable = [each for each in sources.expenses if each.billable]
    waiting = [each for each in billable if not each.approved and each.day <= today]
    if waiting and (occasion.period or occasion.item == COMPLETION):
        spent = ", ".join(_amounts(waiting))
        yield Finding(
            code=ReasonCode.HOURS_UNAPPROVED,
            message=f"expenses of {spent} are not approved in the PSA ({_named(waiting)}); "
            "approve them, or accept to leave them out",
            field="expenses",
            left=f"PSA {spent}: {_ids(waiting)}",
        )
    for each in (*_billed_along(agreement, occasion, sources.earlier_expenses), *billable):
        yield from _check_entry(each, f"expense {each.id}", each.amount, each.currency, today)
        if each.currency != agreement.currency and each.approved:
            yield wrong(
                "expenses",
                f"expense {each.id} of {each.day} is in {each.currency}, agreement {agreement.id!r} in "
                f"{agreement.currency}; enter it there converted, or accept to leave it out",
                f"PSA {each.id}: {each.currency}",
            )


def _check_leftovers(agreement: ByPeriod, occasion: Occasion, sources: Sources) -> Iterator[Finding]:
    if agreement.leftovers is not Leftovers.HOLD:
        return
    time = [each for each in sources.earlier_time if not billed_along(agreement, each.day, occasion.period)]
    expenses = [
        each for each in sources.earlier_expenses if not billed_along(agreement, each.day, occasion.period)
    ]
    late: list[TimeEntry | Expense] = [*time, *expenses]
    if late:
        hours = total(each.hours for each in time)
        spent = _amounts(expenses)
        what = " and ".join([*([f"{hours} h"] if hours else []), *spent]) or "work"
        yield Finding(
            code=ReasonCode.LEFTOVERS,
            message=f"{what} of earlier periods that are billed already stand on no invoice ({_named(late)}); write "
            f"`leftovers: bill` in agreement {agreement.id!r} to bill them along, or accept to leave them out here",
            field="leftovers",
            left=f"PSA {what}: {_ids(late)}",
        )


def _amounts(expenses: Iterable[Expense]) -> list[str]:
    """What was spent, by currency: nothing is converted."""
    sums: dict[str, Decimal] = {}
    for each in expenses:
        sums[each.currency] = sums.get(each.currency, Decimal(0)) + each.amount
    return [f"{written(amount, currency)} {currency}" for currency, amount in sorted(sums.items())]


def _named(entries: Iterable[TimeEntry | Expense]) -> str:
    """The entries as a person looks them up: how many, and the first of them with their days."""
    all_of_them = sorted(entries, key=lambda each: (each.day, each.id))
    count = f"{len(all_of_them)} {'entry' if len(all_of_them) == 1 else 'entries'}"
    named = ", ".join(f"{each.id} of {each.day}" for each in all_of_them[:_NAMED])
    return f"{count}: {named}{' …' if len(all_of_them) > _NAMED else ''}"


def _ids(entries: Iterable[TimeEntry | Expense]) -> str:
    return " ".join(sorted(each.id for each in entries)[:_NAMED])
