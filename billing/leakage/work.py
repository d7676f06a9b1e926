"""Hours and expenses under an agreement that nobody billed: unbilled, left over, never approved, without a rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from billing.agreements import Agreement, Expenses, PrepaidBlock, Retainer, TimeAndMaterials, Trigger
from billing.exceptions import ReasonCode
from billing.hours import TIME
from billing.leakage.expected import Expectations, covers, for_agreement, key_subject, net, plural
from billing.leakage.leak import SUBJECT, Leak, ProjectFacts
from billing.leakage.periods import unbilled_period
from billing.leakage.places import Place, Places
from billing.leakage.priced import Hourly, Priced, any_rate, hours_of, money
from billing.money import Money, total
from billing.sources import Expense, TimeEntry
from billing.spending import EXPENSE


def biller_of_hours(agreements: Sequence[Agreement], day: date) -> Agreement | None:
    """The agreement of a project that bills the hours of a day, or whose price covers them."""
    return min((each for each in agreements if covers(each, day)), key=_precedence, default=None)


def _precedence(agreement: Agreement) -> int:
    match agreement:
        case TimeAndMaterials():
            return 0
        case Retainer() if agreement.bills_overage:
            return 1
        case PrepaidBlock():
            return 2
    return 3


def biller_of_expenses(agreements: Sequence[Agreement], day: date) -> Agreement | None:
    """The agreement of a project that bills the expenses of a day."""
    fitting = [each for each in agreements if covers(each, day)]
    own: list[Agreement] = [each for each in fitting if isinstance(each, Expenses)]
    along = [each for each in fitting if isinstance(each, TimeAndMaterials) and each.expenses]
    return next(iter([*own, *along]), None)


@dataclass
class _Lot:
    """Unbilled work of one place that is late."""

    hours: list[TimeEntry] = field(default_factory=list)
    expenses: list[Expense] = field(default_factory=list)


class _Work:
    """The work one agreement bills on a project."""

    def __init__(self, expected: Expectations, agreement: Hourly | Expenses, project: ProjectFacts) -> None:
        self.expected, self.agreement, self.project = expected, agreement, project
        self.places = Places(expected, agreement, project)
        others = expected.agreements_of(project.id)
        self._hours = [
            each
            for each in project.time
            if each.hours > 0 and self._mine(each, biller_of_hours(others, each.day))
        ]
        self._expenses = [
            each for each in project.expenses if self._mine(each, biller_of_expenses(others, each.day))
        ]
        self._billed = [each for each in self._hours if (TIME, each.id) in project.billed]

    def _mine(self, record: TimeEntry | Expense, biller: Agreement | None) -> bool:
        expected = self.expected
        return (
            biller is self.agreement and record.billable and expected.oldest <= record.day <= expected.today
        )

    def lots(self) -> dict[Place, _Lot]:
        """What is on no invoice and should be by now, by the place it belongs to."""
        found: dict[Place, _Lot] = defaultdict(_Lot)
        for entry in self._hours:
            if (place := self._place(TIME, entry)) is not None:
                found[place].hours.append(entry)
        for expense in self._expenses:
            if (place := self._place(EXPENSE, expense)) is not None:
                found[place].expenses.append(expense)
        return found

    def _place(self, source: str, record: TimeEntry | Expense) -> Place | None:
        if (source, record.id) in self.project.billed:
            return None
        place = self.places.of(record.day)
        return place if place is not None and self.expected.late(place.since) else None

    def priced(self, lot: _Lot) -> tuple[Priced, Priced]:
        """What the approved part of a lot is worth, and what the rest would be."""
        approved = [each for each in lot.hours if each.approved]
        waiting = [each.model_copy(update={"approved": True}) for each in lot.hours if not each.approved]
        expenses = [each for each in lot.expenses if each.currency == self.agreement.currency]
        return (
            self._priced(approved, [each for each in expenses if each.approved], self._billed),
            self._priced(
                waiting, [each for each in expenses if not each.approved], [*self._billed, *approved]
            ),
        )

    def _priced(
        self, hours: Sequence[TimeEntry], expenses: Sequence[Expense], before: Sequence[TimeEntry]
    ) -> Priced:
        return Priced(self.agreement, hours, expenses, before=before, today=self.expected.today)

    def still_to_come(self, worth: Money) -> bool:
        """Whether so little was spent since the last invoice, or so soon, that the next is not due."""
        agreement = self.agreement
        if not isinstance(agreement, TimeAndMaterials) or agreement.trigger is not Trigger.SPEND:
            return False
        if self.places.has_open_draft():
            return True
        below = agreement.bill_at is None or worth.amount < agreement.bill_at
        return below and not self.places.over


def unbilled_work(expected: Expectations, project: ProjectFacts) -> Iterator[Leak]:
    """Hours and expenses that an agreement bills, that are late and on no invoice."""
    for agreement in expected.agreements_of(project.id):
        if isinstance(agreement, TimeAndMaterials | Expenses) or (
            isinstance(agreement, Retainer) and agreement.bills_overage
        ):
            work = _Work(expected, agreement, project)
            for place, lot in work.lots().items():
                yield from _leaks(work, place, lot)


def _leaks(work: _Work, place: Place, lot: _Lot) -> Iterator[Leak]:
    agreement = work.agreement
    approved, waiting = work.priced(lot)
    if approved.measure and not work.still_to_come(approved.at_stake):
        if place.too_late and not approved.hours:
            yield _left_out(agreement, place, approved, ReasonCode.EXPENSES_UNBILLED, "expenses")
        elif place.too_late:
            yield _left_out(agreement, place, approved, ReasonCode.WORK_UNBILLED, "unbilled")
        else:
            yield _unbilled(agreement, place, approved)
    for role, (hours, days) in approved.unrated.items():
        yield _without_rate(agreement, place, role, hours, days)
    if waiting.measure or waiting.unrated:
        yield _never_approved(agreement, place, waiting)
    for currency in sorted({each.currency for each in lot.expenses if each.approved} - {agreement.currency}):
        yield _in_another_currency(agreement, place, currency, lot)


def _unbilled(agreement: Agreement, place: Place, priced: Priced) -> Leak:
    """Work of a period, or of all that was done, whose invoice does not exist."""
    if place.expected is not None:
        return unbilled_period(agreement, place.expected, priced.at_stake, priced.measure)
    key = place.occasion.billing_key
    return for_agreement(
        agreement,
        place.code,
        key_subject(key),
        f"{priced.measure} of {place.what} should be billed and {key} is on no invoice; "
        f"`billow trigger --agreement {agreement.id}` bills it",
        place.since,
        at_stake=priced.at_stake,
        measure=priced.measure,
    )


def _left_out(agreement: Agreement, place: Place, priced: Priced, code: ReasonCode, kind: str) -> Leak:
    return for_agreement(
        agreement,
        code,
        f"{SUBJECT}{kind}/{place.occasion.billing_key}",
        f"{priced.measure} of {place.what} came too late for their invoice and are on none; bill them as a one-off, "
        f"or let the next invoice take them along: `leftovers: bill` in agreement {agreement.id}",
        place.since,
        at_stake=priced.at_stake,
        measure=priced.measure,
    )


def _without_rate(
    agreement: Agreement, place: Place, role: str, hours: Decimal, days: Sequence[date]
) -> Leak:
    first, last = days[0].isoformat(), days[-1].isoformat()
    when = f"on {first}" if first == last else f"from {first} to {last}"
    price = any_rate(agreement, role)
    return for_agreement(
        agreement,
        ReasonCode.WORK_WITHOUT_RATE,
        f"{SUBJECT}rate/{place.occasion.billing_key}/{role}",
        f"{hours_of(hours)} of role {role!r} {when} have no rate in agreement {agreement.id}; add it under `rates`, "
        "or correct the role in the PSA",
        place.since,
        at_stake=net(agreement, hours * price) if price is not None else None,
        measure=hours_of(hours),
    )


def _never_approved(agreement: Agreement, place: Place, priced: Priced) -> Leak:
    unrated = total(hours for hours, _ in priced.unrated.values())
    said = [priced.measure, f"{hours_of(unrated)} without a rate" if unrated else ""]
    measure = " and ".join(each for each in said if each)
    return for_agreement(
        agreement,
        ReasonCode.WORK_UNAPPROVED,
        f"{SUBJECT}unapproved/{place.occasion.billing_key}",
        f"{measure} of {place.what} on project {agreement.project} were never approved, so nobody bills them; "
        "approve them in the PSA, or mark them as not billable",
        place.since,
        at_stake=priced.at_stake if priced.measure else None,
        measure=measure,
    )


def _in_another_currency(agreement: Agreement, place: Place, currency: str, lot: _Lot) -> Leak:
    found = [each for each in lot.expenses if each.currency == currency and each.approved]
    amount = money(total(each.amount for each in found), currency)
    return for_agreement(
        agreement,
        ReasonCode.EXPENSES_UNBILLED,
        f"{SUBJECT}expenses/{place.occasion.billing_key}/{currency}",
        f"{plural(len(found), 'expense', 'expenses')} of {place.what} in {currency}, which agreement {agreement.id} "
        f"does not bill: it is in {agreement.currency}; enter them converted in the PSA",
        place.since,
        at_stake=amount,
        measure=plural(len(found), "expense", "expenses"),
    )
