"""Absences people set themselves, beside what people.yaml says."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.absences import Absence, why_not, with_absences
from billing.approval_policy import (
    ApprovalPolicy,
    ApprovalTier,
    Channel,
    Claim,
    Standing,
    Verdict,
    judge,
    may_decide,
)
from billing.parties import Person

TIER = ApprovalTier(id="large", approvers=("noor", "otto"), needed=2)
POLICY = ApprovalPolicy(tiers=(TIER,))


def day(number: int) -> date:
    """A day of December."""
    return date(2026, 12, number)


def people(**noor: Any) -> dict[str, Person]:
    """Two approvers, somebody who may stand in, and an operator."""
    made = {
        key: Person(id=key, name=key.title(), email=f"{key}@issuer.example", roles=(role,))
        for key, role in (("noor", "approver"), ("otto", "approver"), ("mara", "admin"), ("pia", "operator"))
    }
    made["noor"] = made["noor"].model_copy(update=noor)
    return made


def away(first: int = 10, last: int = 12, ended: int | None = None, **who: str) -> Absence:
    return Absence(
        **({"person": "noor", "delegate": "mara"} | who),
        first_day=day(first),
        last_day=day(last),
        ended_on=day(ended) if ended else None,
    )


@pytest.mark.parametrize(
    ("on", "absence", "may"),
    [
        (9, away(), ["noor", "otto"]),
        (10, away(), ["mara", "noor", "otto"]),
        (12, away(), ["mara", "noor", "otto"]),
        (13, away(), ["noor", "otto"]),
        (11, away(ended=12), ["mara", "noor", "otto"]),  # back on the 12th
        (12, away(ended=12), ["noor", "otto"]),
        (10, away(ended=10), ["noor", "otto"]),  # called off
        (11, away(person="nobody"), ["noor", "otto"]),
    ],
)
def test_who_may_decide(on: int, absence: Absence, may: list[str]) -> None:
    """The delegate may decide on the days of the absence, both included, and on no other."""
    standing = with_absences(people(), [absence], day(on))
    assert sorted(may_decide(TIER, standing, day(on))) == may


def test_beside_the_folder() -> None:
    """While people.yaml has somebody away its delegate counts, unless an absence set for that day says otherwise."""
    known = people(away_from=day(1), away_until=day(20), delegate="pia")
    assert sorted(may_decide(TIER, with_absences(known, [away()], day(5)), day(5))) == ["noor", "otto", "pia"]
    assert sorted(may_decide(TIER, with_absences(known, [away()], day(11)), day(11))) == [
        "mara",
        "noor",
        "otto",
    ]
    assert sorted(may_decide(TIER, with_absences(known, [away(2, 3)], day(11)), day(11))) == [
        "noor",
        "otto",
        "pia",
    ]


def test_one_voice() -> None:
    """Who is back cannot add a voice to the one their delegate gave while they were away."""
    claim = Claim(verdict=Verdict.APPROVE, approver="noor", channel=Channel.WEB)
    standing = Standing(waiting=True, state="awaiting approval", tier=TIER, approved_by=("mara",))
    for absence in (away(), away(ended=12)):
        back = with_absences(people(), [absence], day(14))
        assert judge(claim, standing, back, day(14)) == "'mara' has decided for 'noor' already"


@pytest.mark.parametrize(
    ("wanted", "others", "said"),
    [
        (away(), [], None),
        (away(1, 5), [], None),  # begins today
        (away(2, 1), [], "lies before the first"),
        (away(delegate="noor"), [], "nobody stands in for themselves"),
        (away(delegate="kim"), [], "'kim' is not a person"),
        (away(person="kim"), [], "'kim' is not a person"),
        (away(delegate="pia"), [], "Pia has the role operator"),
        (away(person="pia", delegate="otto"), [], None),
        (away(), [away(12, 14)], "is set already"),
        (away(), [away(13, 14)], None),
        (away(), [away(12, 14, ended=12)], None),  # was called off
        (away(), [away(9, 10, person="mara", delegate="otto")], "Mara is away from 2026-12-09 to 2026-12-10"),
        (away(), [away(12, 30, person="otto", delegate="noor")], "Otto is away"),
    ],
)
def test_why_not(wanted: Absence, others: list[Absence], said: str | None) -> None:
    """An absence is refused where nobody would be there to decide, and why is said."""
    found = why_not(wanted, others, people(), POLICY, day(1))
    assert (found is None) if said is None else (found is not None and said in found)


def test_over() -> None:
    """Days that are over cannot be taken back."""
    assert "these days are over" in (why_not(away(), [], people(), POLICY, day(13)) or "")
    assert why_not(away(), [], people(), POLICY, day(12)) is None


def test_too_long() -> None:
    """Who is away for more than a year is no approver any more."""
    longest = away().model_copy(update={"last_day": date(2027, 12, 10)})
    assert why_not(longest, [], people(), POLICY, day(1)) is None
    longer = away().model_copy(update={"last_day": date(2027, 12, 11)})
    assert "at most 366 days long" in (why_not(longer, [], people(), POLICY, day(1)) or "")
