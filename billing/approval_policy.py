"""Who must agree before an invoice is issued, and whether a claim to approve counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from billing.money import Currency, Figure, Money
from billing.parties import Identifier, Person, Strict
from billing.roles import Role, role_of


class Channel(StrEnum):
    """How a decision reached us. A signal and the command line carry no proof of who sent them; the others do.

    A link proves that somebody has the message that was sent to a person, and no more.
    """

    WEB = "web"
    CLI = "cli"
    SIGNAL = "signal"
    API = "api"
    LINK = "link"


class Circumstances(BaseModel):
    """What else than the amount can ask for approval; the discount is in per cent of the net before it."""

    model_config = ConfigDict(frozen=True)

    discount: Figure = Decimal(0)
    non_standard_terms: bool = False
    client: str = ""
    trigger: str = ""


NOTHING_SPECIAL = Circumstances()


class ApprovalTier(Strict):
    """A tier is asked when any condition it names holds; one that names none is always asked.

    `above` are gross amounts by currency; once it names one, a currency it does not name is always asked for.
    """

    id: Identifier
    above: dict[Currency, Figure] = Field(default_factory=dict)
    discount_above: Figure | None = Field(default=None, ge=0, lt=100, description="per cent")
    non_standard_terms: bool = Field(default=False, description="terms other than the client's usual ones")
    clients: tuple[Identifier, ...] = ()
    triggers: tuple[str, ...] = Field(default=(), description="time, event, threshold, manual")
    approvers: tuple[Identifier, ...] = Field(min_length=1)
    needed: Annotated[int, Field(ge=1)] | Literal["all"] = Field(
        default=1, description="how many of them must approve: a number, or all"
    )
    decide_within_hours: int = Field(default=24, ge=1, le=24 * 60)
    channels: tuple[Channel, ...] = (Channel.WEB, Channel.CLI, Channel.SIGNAL, Channel.API)
    together: bool = Field(
        default=False, description="several drafts may be approved with one click, each as it was shown"
    )

    @property
    def quorum(self) -> int:
        """How many must approve, as a number."""
        return len(set(self.approvers)) if self.needed == "all" else self.needed

    def applies_to(self, amount: Money, circumstances: Circumstances = NOTHING_SPECIAL) -> bool:
        """Whether the tier is asked about a draft of this gross amount."""
        conditions = []
        if self.above:
            limit = self.above.get(amount.currency)
            conditions.append(limit is None or amount.amount > limit)
        if self.discount_above is not None:
            conditions.append(circumstances.discount > self.discount_above)
        if self.non_standard_terms:
            conditions.append(circumstances.non_standard_terms)
        if self.clients:
            conditions.append(circumstances.client in self.clients)
        if self.triggers:
            conditions.append(circumstances.trigger in self.triggers)
        return any(conditions) if conditions else True


class ApprovalPolicy(Strict):
    """Tiers, asked one after the other; whoever took part in the draft is nobody's second pair of eyes."""

    tiers: tuple[ApprovalTier, ...] = ()

    def required(self, amount: Money, circumstances: Circumstances = NOTHING_SPECIAL) -> list[ApprovalTier]:
        """The tiers that must agree, in the order in which they are asked."""
        return [tier for tier in self.tiers if tier.applies_to(amount, circumstances)]


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class Claim(BaseModel):
    """Somebody says they approve or reject. Nothing in it is trusted before `judge` has looked."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    approver: str
    channel: Channel
    comment: str = ""
    draft_digest: str | None = None


class Standing(BaseModel):
    """What stands in the ledger about the approval asked for."""

    model_config = ConfigDict(frozen=True)

    waiting: bool
    state: str
    tier: ApprovalTier | None = None
    digest: str = ""
    took_part: frozenset[str] = frozenset()
    approved_by: tuple[str, ...] = ()
    also_asked: tuple[str, ...] = ()


def may_decide(tier: ApprovalTier, people: Mapping[str, Person], today: date) -> dict[str, str]:
    """Who may decide for the tier today: person id → for whom (themselves, or somebody who is away)."""
    entitled: dict[str, str] = {}
    for approver in tier.approvers:
        entitled[approver] = approver
        person = people.get(approver)
        if person and person.delegate and _is_away(person, today):
            entitled.setdefault(person.delegate, approver)
    return entitled


def _is_away(person: Person, today: date) -> bool:
    return person.away_from is not None and person.away_from <= today <= (person.away_until or date.max)


def judge(claim: Claim, standing: Standing, people: Mapping[str, Person], today: date) -> str | None:
    """Why the claim does not count, in words for the person who made it; None when it counts."""
    if not standing.waiting or standing.tier is None:
        return f"nothing to decide: the invoice is {standing.state}"
    if claim.approver not in people:
        return f"{claim.approver or 'nobody'!r} is not a person of this company"
    if claim.channel not in standing.tier.channels:
        accepted = ", ".join(standing.tier.channels)
        return f"tier {standing.tier.id!r} takes no decision by {claim.channel}; use one of: {accepted}"
    entitled = {**may_decide(standing.tier, people, today), **{who: who for who in standing.also_asked}}
    if claim.approver not in entitled:
        asked = ", ".join(sorted(entitled))
        return f"{claim.approver!r} is not an approver of tier {standing.tier.id!r}; asked are: {asked}"
    if claim.approver in standing.took_part:
        return f"four eyes: {claim.approver!r} triggered or changed this draft; somebody else must decide"
    if not (role := role_of(people[claim.approver])).reaches(Role.APPROVER):
        return (
            f"{claim.approver!r} has the role {role}, and decisions need the role {Role.APPROVER}; "
            "roles are given in people.yaml of the company folder"
        )
    if (spoken := _spoken(claim.approver, standing.tier, standing.approved_by, people)) is not None:
        return spoken
    if claim.draft_digest and claim.draft_digest != standing.digest:
        return "the draft has changed since; look at it again and decide anew"
    return None


def _seat(who: str, tier: ApprovalTier, people: Mapping[str, Person]) -> str:
    """In whose place somebody decides: an approver's whose delegate this is, else the person's own."""
    if who in tier.approvers:
        return who
    delegators = (key for key in tier.approvers if key in people and people[key].delegate == who)
    return next(delegators, who)


def _spoken(
    who: str, tier: ApprovalTier, approved_by: Sequence[str], people: Mapping[str, Person]
) -> str | None:
    """Why somebody has no voice left: it is spent, by themselves or by whom they share it with."""
    seat = _seat(who, tier, people)
    for earlier in approved_by:
        if earlier == who:
            return f"{who!r} has decided already"
        if _seat(earlier, tier, people) == seat:
            return f"{earlier!r} has decided for {seat!r} already"
    return None


def can_be_decided(
    tier: ApprovalTier, people: Mapping[str, Person], took_part: frozenset[str], today: date
) -> bool:
    """Whether enough people are left who may decide; somebody away and the delegate count as one."""
    entitled = may_decide(tier, people, today)
    left = {seat for who, seat in entitled.items() if who in people and who not in took_part}
    return len(left) >= tier.quorum


def escalate_to(
    asked: Sequence[str], people: Mapping[str, Person], last_resort: str, took_part: frozenset[str]
) -> str:
    """Who is asked when those asked stay silent: up the line of reports, in the end the last resort.

    Where the last resort took part too, it goes up from there; only when nobody is left is it the answer all the same.
    """
    above = (boss for who in asked for boss in _line(who, people))
    for who in (*above, last_resort, *_line(last_resort, people)):
        if who not in asked and who not in took_part:
            return who
    return last_resort


def _line(who: str, people: Mapping[str, Person]) -> Iterator[str]:
    """Whom somebody reports to, and so on up; a circle is gone round once."""
    seen = {who}
    while (person := people.get(who)) and (boss := person.reports_to) and boss in people and boss not in seen:
        seen.add(boss)
        yield boss
        who = boss


def approval_limit(amounts: Mapping[str, Decimal]) -> str:
    """The limits of a tier in one line, e.g. 'EUR 5,000 · USD 5,500'."""
    return " · ".join(f"{currency} {limit:,}" for currency, limit in sorted(amounts.items())) or "any amount"
