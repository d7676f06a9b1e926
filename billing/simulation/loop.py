"""The loop: what the calendar makes due becomes invoices, and every invoice takes its steps, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from billing.agreements import Agreement, Occasion
from billing.company import Client, Company
from billing.due import due, next_due
from billing.errors import SourceUnavailable
from billing.exceptions import Finding, ReasonCode
from billing.go_ahead import hindrance
from billing.request import BillingRequest
from billing.simulation import life, outcome
from billing.simulation.events import events
from billing.simulation.facts import (
    NOTHING_BILLED,
    Books,
    DraftedInvoice,
    HeldInvoice,
    OpenInvoice,
    Requested,
    Standing,
    World,
)
from billing.simulation.invoice import Invoice, Life, Stage
from billing.simulation.outcome import Assumptions, Simulation, Waiting
from billing.simulation.register import Register
from billing.sources import Sources
from billing.taken import NOTHING, Taken

EPOCH = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))


def simulate(
    company: Company,
    world: World,
    start: datetime,
    until: datetime,
    assumptions: Assumptions | None = None,
    books: Books = NOTHING_BILLED,
) -> Simulation:
    """All that the rules of the company would do from `start` on and before `until`, if nothing else happened.

    Nothing is done and nothing is written. The same arguments give the same simulation.
    """
    play = _Play(company, world, start, assumptions or Assumptions(), books)
    play.run(until)
    steps = (each for each in play.stage.steps if each.at < until)
    return Simulation(start, until, play.stage.assumptions, tuple(steps), tuple(play.waiting))


def next_run(at: datetime, every_minutes: int) -> datetime:
    """The first billing run at that instant or after it: the schedule counts its interval from 1970 (UTC)."""
    every = timedelta(minutes=every_minutes)
    return EPOCH + -((EPOCH - at) // every) * every


class _Play:
    """All lives, and the one whose next step comes first."""

    def __init__(
        self, company: Company, world: World, start: datetime, assumptions: Assumptions, books: Books
    ) -> None:
        self.stage = Stage(world, assumptions, Register(books), start)
        self.waiting: list[Waiting] = []
        self._company, self._books = company, books
        self._taken = dict(books.taken)
        self._lives: list[tuple[datetime, int, Life]] = []
        self._order = count()

    def run(self, until: datetime) -> None:
        for standing in self._books.standing:
            self._goes_on(standing)
        for agreement in self._company.agreements:
            self._begins(agreement)
        while self._lives and self._lives[0][0] < until:
            _, _, next_life = heapq.heappop(self._lives)
            self._live(next_life)

    def _live(self, one: Life) -> None:
        """Takes what can be taken at once, and keeps the life for its next instant."""
        at = next(one, None)
        if at is not None:
            heapq.heappush(self._lives, (at, next(self._order), one))

    def _goes_on(self, standing: Standing) -> None:
        at = self.stage.start
        match standing:
            case Requested():
                self._request(standing.request, at)
            case HeldInvoice():
                held = self._invoice(self._company, standing.billing_key, standing.client, standing.agreement)
                held.amount = standing.amount
                held.note(at, outcome.HELD, who=standing.owner, why=standing.why)
            case DraftedInvoice():
                draft = standing.draft
                invoice = self._invoice(
                    standing.company, draft.billing_key, draft.client, draft.agreement or ""
                )
                self._live(life.drafted(invoice, standing, at))
            case OpenInvoice():
                invoice = self._invoice(
                    standing.company, standing.billing_key, standing.client, standing.agreement
                )
                self._live(life.opened(invoice, standing, at))

    def _begins(self, agreement: Agreement) -> None:
        """What the sources say has happened is billed at once; the calendar's part by the runs to come."""
        client = self._company.client(agreement.client)
        if client is None:
            return
        today = self.stage.start.astimezone(ZoneInfo(client.zone)).date()
        taken = self._taken.get(agreement.id, NOTHING)
        to_go = self._books.hours_to_go.get(agreement.id)
        for event in events(agreement, today, taken, lambda each: self._sources(each, today), to_go):
            if isinstance(event, Waiting):
                self.waiting.append(event)
            else:
                self._request(event, self.stage.start)
        self._live(self._runs(agreement, client))

    def _runs(self, agreement: Agreement, client: Client) -> Iterator[datetime]:
        """The billing runs in which the calendar makes something of the agreement due."""
        runs = self._company.billing_runs
        at = next_run(self.stage.start, runs.every_minutes)
        while True:
            yield at
            today = at.astimezone(ZoneInfo(client.zone)).date()
            calendar = self.stage.world.business_days(client, today)
            taken = self._taken.get(agreement.id, NOTHING)
            for each in [*due(agreement, today, calendar, taken)]:
                self._take(each.occasion)
                self._bill(agreement, client, each.occasion, at)
            coming = next_due(agreement, calendar, self._taken.get(agreement.id, NOTHING))
            if coming is None:
                return
            # holidays are known for two years: each January they are looked at again
            day = min(coming.since, date(today.year + 1, 1, 1))
            at = next_run(_begin_of(day, client), runs.every_minutes)

    def _bill(self, agreement: Agreement, client: Client, occasion: Occasion, at: datetime) -> None:
        request = BillingRequest(
            billing_key=occasion.billing_key,
            trigger="time",
            requested_by=self._company.billing_runs.requested_by,
            occasion=occasion,
        )
        try:
            sources = self._sources(request, at.astimezone(ZoneInfo(client.zone)).date())
            held = hindrance(agreement, client, sources.client, sources.contract)
        except SourceUnavailable as error:
            held = Finding(code=ReasonCode.SOURCE_UNREADABLE, message=str(error))
        if held is None:
            self._request(request, at)
        else:
            self._invoice(self._company, request.billing_key, client.id, agreement.id).hold(at, [held])

    def _request(self, request: BillingRequest, at: datetime) -> None:
        agreement = self._company.agreement(request.occasion.agreement) if request.occasion else None
        client = agreement.client if agreement else request.one_off.client if request.one_off else ""
        if self._company.client(client) is None:
            return
        invoice = self._invoice(self._company, request.billing_key, client, agreement.id if agreement else "")
        self._live(life.requested(invoice, request, agreement, at))

    def _sources(self, request: BillingRequest, today: date) -> Sources:
        return self.stage.world.sources(request, today, self.stage.register)

    def _take(self, occasion: Occasion) -> None:
        """From now on nothing of the occasion is due any more."""
        taken = self._taken.get(occasion.agreement, NOTHING)
        periods = dict(taken.periods)
        if occasion.period is not None:
            periods[occasion.item] = (*periods.get(occasion.item, ()), occasion.period)
        self._taken[occasion.agreement] = Taken(keys=taken.keys | {occasion.billing_key}, periods=periods)

    def _invoice(self, company: Company, key: str, client: str, agreement: str) -> Invoice:
        return Invoice(self.stage, company, key, client, agreement)


def _begin_of(day: date, client: Client) -> datetime:
    """The first instant of a day for the client."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(client.zone))
