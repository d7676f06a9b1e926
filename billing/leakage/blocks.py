"""Prepaid blocks nobody billed: the first, the next once those that are billed are used up, and hours beyond them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date

from billing.agreements import Overage, PrepaidBlock
from billing.blocks import Use, draw_down
from billing.exceptions import ReasonCode
from billing.hours import TIME
from billing.leakage.deliveries import reached, unbilled_whole
from billing.leakage.expected import Expectations, covers, for_agreement, net
from billing.leakage.leak import SUBJECT, Leak, ProjectFacts
from billing.leakage.periods import unbilled_period
from billing.leakage.places import Place, Places
from billing.leakage.priced import hours_of
from billing.leakage.work import biller_of_hours
from billing.meter_entries import MOST, Measure
from billing.money import total
from billing.occasions import BLOCK
from billing.periods import months_after
from billing.sources import TimeEntry


def unbilled_blocks(expected: Expectations, project: ProjectFacts) -> Iterator[Leak]:
    """What the project's prepaid blocks leave unbilled."""
    for agreement in expected.agreements_of(project.id):
        if isinstance(agreement, PrepaidBlock):
            yield from _first_block(expected, agreement, project)
            yield from _next_blocks(expected, agreement, project)
            yield from _beyond(expected, agreement, project)
            yield from _never_approved(expected, agreement, project)


def _first_block(expected: Expectations, agreement: PrepaidBlock, project: ProjectFacts) -> Iterator[Leak]:
    """Once its trigger has happened, or somebody has worked on it all the same."""
    since, what = reached(expected, agreement, project)
    item = f"{BLOCK}-1"
    if since is None and (uses := _uses(agreement, project, expected.today)):
        since, what = uses[0].day, f"work on project {project.id} began on {uses[0].day.isoformat()}"
    if since is not None and expected.looked_for(since) and not expected.is_taken(agreement, item):
        yield unbilled_whole(agreement, item, ReasonCode.LINE_UNBILLED, what, since)


def _next_blocks(expected: Expectations, agreement: PrepaidBlock, project: ProjectFacts) -> Iterator[Leak]:
    """Where overage is held, a person is asked by the meter already; where it has a rate, no block follows."""
    if agreement.overage is not Overage.NEXT_BLOCK:
        return
    uses = _uses(agreement, project, expected.today)
    bought = expected.facts.blocks.get(agreement.id, ())
    standing = draw_down(agreement, bought, uses, expected.today)
    for number in range(2, standing.used_up + 2):
        item = f"{BLOCK}-{number}"
        if expected.is_taken(agreement, item):
            continue
        day = _used_up_on(expected, agreement, uses, number - 1)
        if expected.looked_for(day):
            what = f"{hours_of(standing.drawn)} are used of {hours_of(standing.bought)} that were bought"
            yield unbilled_whole(agreement, item, ReasonCode.LINE_UNBILLED, what, day)


def _used_up_on(expected: Expectations, agreement: PrepaidBlock, uses: Sequence[Use], blocks: int) -> date:
    """The day on which so many blocks counted as used up."""
    bought = expected.facts.blocks.get(agreement.id, ())
    needed = bisect_left(
        range(len(uses)),
        blocks,
        key=lambda n: draw_down(agreement, bought, uses[: n + 1], expected.today).used_up,
    )
    return uses[needed].day if needed < len(uses) else expected.today


def _uses(agreement: PrepaidBlock, project: ProjectFacts, today: date) -> list[Use]:
    """What draws the blocks down, oldest first."""
    return sorted(
        Use(each.day, each.id, each.hours) for each in _counting(agreement, project, today) if each.approved
    )


def _counting(agreement: PrepaidBlock, project: ProjectFacts, today: date) -> list[TimeEntry]:
    """What a meter counts; of the entries it holds a person is told already."""
    return [
        each
        for each in project.time
        if each.billable
        and 0 < each.hours <= MOST[Measure.HOURS]
        and each.day <= today
        and covers(agreement, each.day)
    ]


def _beyond(expected: Expectations, agreement: PrepaidBlock, project: ProjectFacts) -> Iterator[Leak]:
    """Hours beyond the blocks, where a rate bills them by the month."""
    if agreement.overage is not Overage.RATE or agreement.overage_rate is None:
        return
    uses = _uses(agreement, project, expected.today)
    standing = draw_down(agreement, expected.facts.blocks.get(agreement.id, ()), uses, expected.today)
    for place in _late_places(expected, agreement, project, uses):
        period = place.occasion.period
        if period is None or place.expected is None:
            continue
        hours = total(
            each.hours
            for each in standing.beyond
            if period.start <= each.day <= period.end and (TIME, each.entry) not in project.billed
        )
        if hours > 0:
            at_stake = net(agreement, hours * agreement.overage_rate)
            yield unbilled_period(agreement, place.expected, at_stake, f"{hours_of(hours)} beyond the block")


def _late_places(
    expected: Expectations, agreement: PrepaidBlock, project: ProjectFacts, uses: Sequence[Use]
) -> list[Place]:
    places = Places(expected, agreement, project)
    found = (places.of(each.day) for each in uses if each.day >= expected.oldest)
    return list(dict.fromkeys(each for each in found if each and expected.late(each.since)))


def _never_approved(expected: Expectations, agreement: PrepaidBlock, project: ProjectFacts) -> Iterator[Leak]:
    """Hours that would draw the block down, had anybody approved them, by the month."""
    agreements = expected.agreements_of(project.id)
    months: dict[date, list[TimeEntry]] = {}
    for entry in _counting(agreement, project, expected.today):
        month = entry.day.replace(day=1)
        if (
            not entry.approved
            and entry.day >= expected.oldest
            and expected.late(months_after(month, 1))
            and biller_of_hours(agreements, entry.day) is agreement
        ):
            months.setdefault(month, []).append(entry)
    for month, entries in months.items():
        hours = total(each.hours for each in entries)
        yield for_agreement(
            agreement,
            ReasonCode.WORK_UNAPPROVED,
            f"{SUBJECT}unapproved/{agreement.id}/{month:%Y-%m}",
            f"{hours_of(hours)} of {month:%Y-%m} on project {project.id} were never approved, so they draw no "
            "block down; approve them in the PSA, or mark them as not billable",
            months_after(month, 1),
            at_stake=net(agreement, hours * (agreement.overage_rate or agreement.price / agreement.hours)),
            measure=hours_of(hours),
        )
