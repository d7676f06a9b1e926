"""Absences people set themselves: who decides for whom on which days, beside what people.yaml says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict

from billing.approval_policy import ApprovalPolicy
from billing.parties import Person
from billing.roles import Role, role_of

LONGEST = 366
"""Days of one absence; who is away for longer is taken out of the tiers."""


class Absence(BaseModel):
    """Days, both included, on which `delegate` decides for `person`; from `ended_on` they are back."""

    model_config = ConfigDict(frozen=True)

    person: str
    delegate: str
    first_day: date
    last_day: date
    ended_on: date | None = None

    @property
    def until(self) -> date:
        """The last day away, as it came out; before `first_day` where it was called off."""
        if self.ended_on is None:
            return self.last_day
        return min(self.last_day, self.ended_on - timedelta(days=1))

    def covers(self, day: date) -> bool:
        return self.first_day <= day <= self.until


def with_absences(people: Mapping[str, Person], absences: Iterable[Absence], day: date) -> dict[str, Person]:
    """The people as they stand on a day: away and delegate are those of the absence that covers it.

    An absence that is over leaves its delegate behind: a voice they gave in somebody's place stays that one's voice.
    Where none was ever set, and while people.yaml has somebody away, what people.yaml says counts.
    """
    standing = dict(people)
    for absence in sorted(absences, key=lambda each: (each.covers(day), each.first_day)):
        person = people.get(absence.person)
        begun = absence.first_day <= min(day, absence.until)
        if person is None or not begun or (_is_away(person, day) and not absence.covers(day)):
            continue
        standing[absence.person] = person.model_copy(
            update={
                "away_from": absence.first_day,
                "away_until": absence.until,
                "delegate": absence.delegate,
            }
        )
    return standing


def _is_away(person: Person, day: date) -> bool:
    return person.away_from is not None and person.away_from <= day <= (person.away_until or date.max)


def why_not(
    wanted: Absence,
    others: Iterable[Absence],
    people: Mapping[str, Person],
    approvals: ApprovalPolicy,
    today: date,
) -> str | None:
    """Why the absence cannot be set, in words for whoever sets it; None when it can."""
    person, delegate = people.get(wanted.person), people.get(wanted.delegate)
    if person is None or delegate is None:
        return f"{(wanted.delegate if person else wanted.person)!r} is not a person of this company"
    if delegate.id == person.id:
        return "nobody stands in for themselves; name somebody else"
    if wanted.last_day < wanted.first_day:
        return f"the last day ({wanted.last_day}) lies before the first ({wanted.first_day})"
    if wanted.last_day < today:
        return f"these days are over; an absence is set for {today} or later"
    if (wanted.last_day - wanted.first_day).days >= LONGEST:
        return (
            f"an absence is at most {LONGEST} days long; for longer, change the approvers in approvals.yaml"
        )
    approves = any(person.id in tier.approvers for tier in approvals.tiers)
    if approves and not role_of(delegate).reaches(Role.APPROVER):
        return (
            f"{person.name} approves drafts, and {delegate.name} has the role {role_of(delegate)}: "
            "name somebody with the role approver"
        )
    return _overlap(wanted, others, people)


def _overlap(wanted: Absence, others: Iterable[Absence], people: Mapping[str, Person]) -> str | None:
    """Two absences of one person, or a delegate who is away too."""
    for other in others:
        if max(wanted.first_day, other.first_day) > min(wanted.last_day, other.until):
            continue
        days = f"from {other.first_day} to {other.until}"
        if other.person == wanted.person:
            return f"an absence {days} is set already; end it first, or choose other days"
        if other.person == wanted.delegate:
            return f"{people[wanted.delegate].name} is away {days}; name somebody who is there"
        if other.delegate == wanted.person:
            name = people[other.person].name if other.person in people else other.person
            return (
                f"{name} is away {days} and relies on {people[wanted.person].name}; have that changed first"
            )
    return None
