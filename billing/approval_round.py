"""A round of approval: which tiers are asked, whom of them, when again, and where the question goes in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from billing.approval_policy import (
    ApprovalPolicy,
    ApprovalTier,
    Circumstances,
    can_be_decided,
    escalate_to,
    may_decide,
)
from billing.draft import Draft
from billing.money import Money
from billing.parties import Person
from billing.roles import Role, below


def tiers_for(policy: ApprovalPolicy, draft: Draft, trigger: str) -> list[ApprovalTier]:
    """The tiers that must agree to a draft, in the order in which they are asked."""
    circumstances = Circumstances(
        discount=draft.discount,
        non_standard_terms=draft.non_standard_terms,
        client=draft.client,
        trigger=trigger.split(" ")[0],
    )
    return policy.required(Money.of(draft.gross, draft.currency), circumstances)


def whom_to_ask(
    tier: ApprovalTier,
    people: Mapping[str, Person],
    last_resort: str,
    took_part: frozenset[str],
    today: date,
) -> tuple[str, ...]:
    """Who is asked for a tier; nobody if too few are left who may decide and have the role to.

    Of a tier in which one voice is enough, it is somebody up the line where nobody else is left.
    """
    above: tuple[str, ...] = ()
    may_not = _may_not(people, took_part)
    if not can_be_decided(tier, people, may_not, today):
        next_up = escalate_to(tier.approvers, people, last_resort, may_not)
        if tier.quorum > 1 or next_up not in people or next_up in may_not:
            return ()
        above = (next_up,)
    return (*(who for who in may_decide(tier, people, today) if who not in may_not), *above)


def deadline(tier: ApprovalTier, asked_at: datetime) -> datetime:
    """By when the tier must have decided."""
    return asked_at + timedelta(hours=tier.decide_within_hours)


def attention_at(asked_at: datetime, deadline: datetime, reminded_at: datetime | None) -> datetime:
    """When those asked are spoken to again: half-way to the deadline, then at the deadline."""
    return deadline if reminded_at is not None else asked_at + (deadline - asked_at) / 2


def up_the_line(
    asked: Sequence[str], people: Mapping[str, Person], last_resort: str, took_part: frozenset[str]
) -> tuple[str, tuple[str, ...]]:
    """Whom the question goes to past its deadline, and all who are asked from then on.

    Who has not the role to decide is passed over: a question must not stand before somebody who cannot answer it.
    """
    may_not = _may_not(people, took_part)
    next_up = escalate_to(asked, people, last_resort, may_not)
    more = () if next_up in asked or next_up in may_not else (next_up,)
    return next_up, (*asked, *more)


def _may_not(people: Mapping[str, Person], took_part: frozenset[str]) -> frozenset[str]:
    return took_part | below(Role.APPROVER, people)
