"""What should be on an invoice by now, and since when; shared by every part of the search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import takewhile

from billing.agreements import Agreement, Occasion, Recurring, Timing, Trigger
from billing.calendars import Calendar
from billing.change_orders import agreement_on, last_day
from billing.company import Reconciliation
from billing.due import items_of, unbilled
from billing.exceptions import ReasonCode
from billing.leakage.leak import SUBJECT, Leak, LeakFacts, VoidedDraft
from billing.money import Money, rounded
from billing.periods import Period
from billing.taken import NOTHING, Taken


@dataclass(frozen=True)
class Expected:
    """An occasion no living invoice covers, the day since which one should, and why it is on none."""

    occasion: Occasion
    since: date
    voided: VoidedDraft | None = None

    @property
    def code(self) -> ReasonCode:
        return ReasonCode.VOIDED_UNBILLED if self.voided else ReasonCode.PERIOD_UNBILLED


class Expectations:
    """The facts, and what follows from them for any agreement or day."""

    def __init__(self, facts: LeakFacts, policy: Reconciliation, today: date) -> None:
        self.facts, self.policy, self.today = facts, policy, today
        self.oldest = today - timedelta(days=policy.look_back_days)
        self._of_project: dict[str, list[Agreement]] = defaultdict(list)
        for agreement in facts.company.agreements:
            if agreement.project is not None:
                self._of_project[agreement.project].append(agreement)
        self._by_crm = {client.crm: client.id for client in facts.company.clients}
        self._voided: dict[str, list[VoidedDraft]] = defaultdict(list)
        for each in facts.voided:
            if each.occasion is not None and each.occasion.period is not None:
                self._voided[each.occasion.agreement].append(each)

    def late(self, since: date) -> bool:
        """Whether something that has been due since a day is past its days of grace."""
        return (self.today - since).days > self.policy.grace_days

    def looked_for(self, day: date) -> bool:
        """Whether something of a day is late, and not so old that it is left alone."""
        return self.oldest <= day and self.late(day)

    def agreements_of(self, project: str) -> list[Agreement]:
        return self._of_project.get(project, [])

    def client_of(self, crm: str) -> str | None:
        """The client whose id in the CRM that is."""
        return self._by_crm.get(crm)

    def calendar(self, agreement: Agreement) -> Calendar:
        return self.facts.calendars.get(agreement.client, Calendar(zone="UTC"))

    def taken(self, agreement: Agreement) -> Taken:
        return self.facts.taken.get(agreement.id, NOTHING)

    def is_taken(self, agreement: Agreement, item: str) -> bool:
        """Whether what is billed as a whole is billed or waived."""
        return Occasion(agreement=agreement.id, item=item).billing_key in self.taken(agreement).keys

    def unbilled_periods(self, agreement: Agreement) -> Iterator[Expected]:
        """What of its periods is due and neither billed nor waived, oldest first an item.

        Also where a person must ask for the invoice: then a period is due once it is over.
        """
        by_period = (Trigger.TIME, Trigger.MANUAL)
        if isinstance(agreement, Recurring) and agreement.trigger not in by_period:
            return
        if agreement.id in self.facts.held:
            return
        asked_for = isinstance(agreement, Recurring) and agreement.trigger is Trigger.MANUAL
        as_agreed = agreement
        if asked_for:
            as_agreed = agreement.model_copy(update={"timing": Timing.ARREARS, "bill_on": None})
        for item in items_of(as_agreed):
            waiting = unbilled(as_agreed, item, self.calendar(agreement), self.taken(agreement))
            for due in takewhile(lambda each: each.since <= self.today, waiting):
                voided = self._voided_part(due.occasion)
                since = max(due.since, voided.voided_on) if voided else due.since
                yield Expected(due.occasion, since, voided)

    def _voided_part(self, occasion: Occasion) -> VoidedDraft | None:
        found = [
            each
            for each in self._voided.get(occasion.agreement, ())
            if each.occasion and each.occasion.item == occasion.item and _meet(each.occasion, occasion)
        ]
        return max(found, key=lambda each: each.voided_on, default=None)

    def goes_on(self, agreement: Agreement) -> bool:
        """Whether another invoice of the agreement is still to come, which can take along what was left."""
        last = last_day(agreement)
        return last is None or not self.late(last + timedelta(days=1))


def _meet(one: Occasion, other: Occasion) -> bool:
    a, b = one.period, other.period
    return a is not None and b is not None and a.start <= b.end and b.start <= a.end


def covers(agreement: Agreement, day: date) -> bool:
    """Whether a day belongs to the agreement."""
    last = last_day(agreement)
    return agreement.start <= day and (last is None or day <= last)


def holds(periods: tuple[Period, ...], day: date) -> Period | None:
    """The period a day falls into, if it falls into one."""
    return next((each for each in periods if each.start <= day <= each.end), None)


def on_day(agreement: Agreement, day: date) -> Agreement:
    """The agreement as it is on a day, with its change orders."""
    return agreement_on(agreement, day) if agreement.change_orders else agreement


def net(agreement: Agreement, amount: Decimal) -> Money:
    """What an amount is worth on an invoice of the agreement, after its discount."""
    currency = agreement.currency
    return Money.of(rounded(amount - amount * agreement.discount / 100, currency), currency)


def key_subject(billing_key: str) -> str:
    """The subject of what has a billing key of its own."""
    return f"{SUBJECT}invoice/{billing_key}"


def plural(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def for_agreement(
    agreement: Agreement, code: ReasonCode, subject: str, message: str, since: date, **more: object
) -> Leak:
    """A leak under an agreement, of its client."""
    return Leak.model_validate(
        {
            "code": code,
            "subject": subject,
            "message": message,
            "since": since,
            "client": agreement.client,
            "agreement": agreement.id,
            **more,
        }
    )
