"""What was delivered or reached as a whole and nobody billed: milestones, prices, lines a meter has crossed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from billing.agreements import (
    Agreement,
    FixedPrice,
    Milestones,
    Occasion,
    PrepaidBlock,
    Trigger,
)
from billing.due import all_milestones
from billing.exceptions import ReasonCode
from billing.leakage.expected import Expectations, covers, for_agreement, key_subject
from billing.leakage.leak import SUBJECT, Leak, ProjectFacts
from billing.leakage.periods import price_of
from billing.occasions import PRICE


def unbilled_deliveries(expected: Expectations, project: ProjectFacts) -> Iterator[Leak]:
    """Milestones signed off and prices reached that are on no invoice."""
    agreements = expected.agreements_of(project.id)
    for agreement in agreements:
        if isinstance(agreement, FixedPrice):
            yield from _unbilled_price(expected, agreement, project)
    sold = [each for each in agreements if isinstance(each, Milestones)]
    if sold:
        yield from _unbilled_milestones(expected, sold, project)


def _unbilled_milestones(
    expected: Expectations, agreements: list[Milestones], project: ProjectFacts
) -> Iterator[Leak]:
    for milestone in project.milestones:
        day = milestone.signed_off
        if day is None or not expected.looked_for(day):
            continue
        agreement = next(
            (each for each in agreements if milestone.id in {one.id for one in all_milestones(each)}), None
        )
        signed = f"milestone {milestone.id} of project {project.id} was signed off on {day.isoformat()}"
        if agreement is None:
            within = next((each for each in agreements if covers(each, day)), None)
            if within is not None:
                yield for_agreement(
                    within,
                    ReasonCode.MILESTONE_UNBILLED,
                    f"{SUBJECT}milestone/{project.id}/{milestone.id}",
                    f"{signed}, and no agreement has a price for it; agree on a change order of {within.id}",
                    day,
                )
        elif agreement.start <= day and not expected.is_taken(agreement, milestone.id):
            yield unbilled_whole(agreement, milestone.id, ReasonCode.MILESTONE_UNBILLED, signed, day)


def _unbilled_price(expected: Expectations, agreement: FixedPrice, project: ProjectFacts) -> Iterator[Leak]:
    since, what = reached(expected, agreement, project)
    if since is None or since < agreement.start or not expected.looked_for(since):
        return
    if not expected.is_taken(agreement, PRICE):
        yield unbilled_whole(agreement, PRICE, ReasonCode.PROJECT_UNBILLED, what, since)


def reached(
    expected: Expectations, agreement: FixedPrice | PrepaidBlock, project: ProjectFacts
) -> tuple[date | None, str]:
    """The day on which what bills the agreement happened, and what it was; None if it has not."""
    if agreement.trigger is Trigger.CONTRACT_SIGNED:
        paper = next((each for each in expected.facts.contracts if each.id == agreement.contract), None)
        if paper is not None:
            day = max(paper.signed_on, agreement.start)
            return day, f"contract {paper.id} is signed"
    if agreement.trigger is Trigger.DEAL_WON:
        deal = next((each for each in expected.facts.deals if each.id == agreement.deal and each.won), None)
        if deal is not None:
            return max(deal.won_on or agreement.start, agreement.start), f"deal {deal.id} is won"
    if project.completed is not None and isinstance(agreement, FixedPrice):
        return project.completed, f"project {project.id} was completed on {project.completed.isoformat()}"
    return None, ""


def crossed(expected: Expectations) -> Iterator[Leak]:
    """Lines a meter has crossed whose invoice does not exist."""
    for crossing in expected.facts.crossings:
        agreement = expected.facts.company.agreement(crossing.agreement)
        if agreement is None or crossing.billing_key is None or not expected.late(crossing.crossed_on):
            continue
        if crossing.billing_key in expected.taken(agreement).keys:
            continue
        item = crossing.billing_key.removeprefix(f"{agreement.id}/")
        code = (
            ReasonCode.MILESTONE_UNBILLED if isinstance(agreement, Milestones) else ReasonCode.LINE_UNBILLED
        )
        day = crossing.crossed_on
        yield unbilled_whole(agreement, item, code, f"{crossing.line} was reached on {day.isoformat()}", day)


def unbilled_whole(
    agreement: Agreement,
    item: str,
    code: ReasonCode,
    what: str,
    since: date,
) -> Leak:
    """The leak of what is billed as a whole: what made it due, and what it costs."""
    key = Occasion(agreement=agreement.id, item=item).billing_key
    return for_agreement(
        agreement,
        code,
        key_subject(key),
        f"{what}, and {key} is on no invoice; `billow trigger --agreement {agreement.id} --item {item}` bills it",
        since,
        at_stake=price_of(agreement, item, since),
    )
