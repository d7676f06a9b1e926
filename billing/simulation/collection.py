"""Simulated collection: note, reminders, escalation, hand-over by the dunning policy, until the money is there."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from billing.dunning_policy import NO_POLICY, Act, CollectionFacts, DunningPolicy, NextStep, next_step
from billing.simulation.invoice import Invoice
from billing.simulation.outcome import HELD, PAID

NOON = time(12)
"""When money is taken to arrive on its day, in the client's zone."""


def collected(
    invoice: Invoice, facts: CollectionFacts, contact: str, paid_at: datetime | None, at: datetime
) -> Generator[datetime, None, CollectionFacts]:
    """From delivery to the money, or to the hand-over. A payment and a reminder at one instant: the payment wins.

    Returns the facts as they are then, with all that was done.
    """
    policy = invoice.company.dunning_policy(invoice.client.dunning) or NO_POLICY
    while True:
        if facts.disputed_until is not None:
            invoice.note(at, HELD, who=invoice.client.account_manager, why="disputed")
            return facts
        coming = _next(invoice, facts, policy, at)
        over = coming.act in (Act.SETTLE, Act.REST)
        if paid_at is not None and (over or paid_at <= max(coming.at, at)):
            yield paid_at
            invoice.note(paid_at, PAID, who=invoice.client_id, why=f"due on {facts.due_date.isoformat()}")
            return facts
        if over:
            return facts
        if coming.at > at:
            at = coming.at
            yield at
            continue
        ours = coming.act in (Act.ESCALATION, Act.HAND_OVER)
        who = invoice.client.account_manager if ours else contact
        invoice.note(at, coming.name, who=who, why=coming.why)
        facts = facts.model_copy(
            update={
                "done": facts.done | {coming.name},
                "last_act_at": at,
                "handed_over": coming.act is Act.HAND_OVER,
            }
        )


def paid_at(
    invoice: Invoice, facts: CollectionFacts, at: datetime, *, by_the_minute: bool = False
) -> datetime | None:
    """When the client is assumed to pay, not before `at`; by terms in minutes, reckoned from the last of them."""
    days = invoice.stage.assumptions.pay_after
    if days is None:
        return None
    in_time = facts.late_from if by_the_minute else noon(invoice, facts.due_date)
    return max(in_time + timedelta(days=days), at)


def noon(invoice: Invoice, day: date) -> datetime:
    """Noon (UTC) of a day of the client's."""
    return datetime.combine(day, NOON, tzinfo=ZoneInfo(invoice.client.zone)).astimezone(ZoneInfo("UTC"))


def _next(invoice: Invoice, facts: CollectionFacts, policy: DunningPolicy, at: datetime) -> NextStep:
    calendar = invoice.stage.world.calendar(invoice.client, policy, invoice.today(at))
    return next_step(facts, policy, calendar, at)
