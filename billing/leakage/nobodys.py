"""Work no agreement bills: on a project without one, after the end of the last, or expenses none passes on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from billing.agreements import Agreement, Retainer, TimeAndMaterials
from billing.change_orders import last_day
from billing.exceptions import ReasonCode
from billing.hours import TIME
from billing.leakage.expected import Expectations, covers, for_agreement, net, on_day, plural
from billing.leakage.leak import SUBJECT, Leak, ProjectFacts
from billing.leakage.priced import any_rate, hours_of, money
from billing.leakage.work import biller_of_expenses
from billing.money import Money, total
from billing.rates import rate_on
from billing.sources import Expense, TimeEntry
from billing.spending import EXPENSE


def work_of_nobody(expected: Expectations, project: ProjectFacts) -> Iterator[Leak]:
    """Hours and expenses of the project that no agreement covers, by the month; those before the first are not ours."""
    agreements = expected.agreements_of(project.id)
    hours: dict[tuple[str, date], list[TimeEntry]] = defaultdict(list)
    ended: dict[str, Agreement] = {each.id: each for each in agreements}
    for entry in project.time:
        if not entry.billable or entry.hours <= 0 or (TIME, entry.id) in project.billed:
            continue
        if not expected.looked_for(entry.day) or any(covers(each, entry.day) for each in agreements):
            continue
        if _was_in_a_price(expected, project.id, entry.day):
            continue
        before = _ended_before(agreements, entry.day)
        if entry.approved and (before or not agreements):
            hours[before.id if before else "", entry.day.replace(day=1)].append(entry)
    for (agreement, month), entries in hours.items():
        if agreement:
            yield _after_end(ended[agreement], month, entries)
        else:
            yield _without_agreement(expected, project, month, entries)
    yield from _expenses(expected, project, agreements)


def _was_in_a_price(expected: Expectations, project: str, day: date) -> bool:
    """Whether the price of an agreement that is retired by now covered the hours of that day."""
    return any(
        not isinstance(each.agreement, TimeAndMaterials)
        and not (isinstance(each.agreement, Retainer) and each.agreement.bills_overage)
        and each.agreement.project == project
        and covers(each.agreement, day)
        and day <= each.last_day
        for each in expected.facts.retired
    )


def _ended_before(agreements: Sequence[Agreement], day: date) -> Agreement | None:
    """The agreement that ended last before a day."""
    ended = [(last, each) for each in agreements if (last := last_day(each)) is not None and last < day]
    return max(ended, key=lambda each: each[0])[1] if ended else None


def _after_end(agreement: Agreement, month: date, entries: Sequence[TimeEntry]) -> Leak:
    hours = total(each.hours for each in entries)
    last = last_day(agreement)
    prices = [_price(agreement, each) for each in entries]
    known = [price * each.hours for price, each in zip(prices, entries, strict=True) if price is not None]
    return for_agreement(
        agreement,
        ReasonCode.WORK_AFTER_END,
        f"{SUBJECT}after-end/{agreement.id}/{month:%Y-%m}",
        f"{hours_of(hours)} of {month:%Y-%m} on project {agreement.project} were worked after agreement {agreement.id} "
        f"ended on {last}; agree on a later end (a change order with `end`), or write the agreement that follows",
        min(each.day for each in entries),
        at_stake=net(agreement, total(known)) if known else None,
        measure=hours_of(hours),
    )


def _without_agreement(
    expected: Expectations, project: ProjectFacts, month: date, entries: Sequence[TimeEntry]
) -> Leak:
    hours = total(each.hours for each in entries)
    client = expected.client_of(project.client)
    at_stake, valued_by = _at_another_rate(expected, client, entries)
    unknown = "" if project.client else ", which the PSA does not list,"
    return Leak(
        code=ReasonCode.WORK_WITHOUT_AGREEMENT,
        subject=f"{SUBJECT}project/{project.id}/{month:%Y-%m}",
        message=f"{hours_of(hours)} of {month:%Y-%m} on project {project.id}{unknown} are approved and billable, and "
        f"no agreement bills that project; write one with `project: {project.id}`, or mark them as not billable"
        + (f". Valued at the rates of agreement {valued_by}" if valued_by else ""),
        since=min(each.day for each in entries),
        client=client,
        at_stake=at_stake,
        measure=hours_of(hours),
    )


def _at_another_rate(
    expected: Expectations, client: str | None, entries: Sequence[TimeEntry]
) -> tuple[Money | None, str]:
    """What the hours would cost under an agreement of the same client that has a rate for each role, and which."""
    for agreement in expected.facts.company.agreements:
        if client is None or agreement.client != client:
            continue
        prices = [_price(agreement, each) for each in entries]
        known = [price for price in prices if price is not None]
        if len(known) == len(entries):
            worth = total(price * each.hours for price, each in zip(known, entries, strict=True))
            return net(agreement, worth), agreement.id
    return None, ""


def _price(agreement: Agreement, entry: TimeEntry) -> Decimal | None:
    terms = on_day(agreement, entry.day)
    return rate_on(getattr(terms, "rates", {}), entry.role, entry.day) or any_rate(terms, entry.role)


def _expenses(
    expected: Expectations, project: ProjectFacts, agreements: Sequence[Agreement]
) -> Iterator[Leak]:
    found: dict[tuple[date, str], list[Expense]] = defaultdict(list)
    for each in project.expenses:
        if not each.billable or not each.approved or (EXPENSE, each.id) in project.billed:
            continue
        not_ours = agreements and all(each.day < other.start for other in agreements)
        if (
            expected.looked_for(each.day)
            and not not_ours
            and biller_of_expenses(agreements, each.day) is None
        ):
            found[each.day.replace(day=1), each.currency].append(each)
    for (month, currency), expenses in found.items():
        at_stake = money(total(each.amount for each in expenses), currency)
        yield Leak(
            code=ReasonCode.EXPENSES_UNBILLED,
            subject=f"{SUBJECT}expenses/{project.id}/{month:%Y-%m}/{currency}",
            message=f"{plural(len(expenses), 'expense', 'expenses')} of {month:%Y-%m} on project {project.id} "
            f"{'is' if len(expenses) == 1 else 'are'} approved and billable, and no agreement bills them; write one of "
            "model `expenses`, or mark them as not billable in the PSA",
            since=min(each.day for each in expenses),
            client=expected.client_of(project.client),
            at_stake=at_stake,
            measure=plural(len(expenses), "expense", "expenses"),
        )
