"""Simulated approval: every tier that must agree is asked, reminded, escalated, and answers when it is assumed to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from billing import approval_round
from billing.approval_policy import Claim, Standing, Verdict, judge
from billing.draft import Draft
from billing.exceptions import Finding, ReasonCode
from billing.simulation import outcome
from billing.simulation.facts import Question
from billing.simulation.invoice import Invoice


@dataclass
class Approval:
    """The approval of one draft; `agreed` are the tiers that have approved, `at` the instant it has come to."""

    invoice: Invoice
    draft: Draft
    trigger: str
    took_part: frozenset[str]
    at: datetime
    agreed: frozenset[str] = frozenset()
    question: Question | None = None
    granted: bool = False

    def given(self) -> Iterator[datetime]:
        """The instants until everybody has agreed; `granted` says at the end whether they have."""
        policy = self.invoice.company.approvals
        for tier in approval_round.tiers_for(policy, self.draft, self.trigger):
            if tier.id in self.agreed:
                continue
            if self.question is None or self.question.tier.id != tier.id:
                asked = approval_round.whom_to_ask(
                    tier, self.invoice.people, self._last_resort, self.took_part, self._today
                )
                if not asked:
                    message = f"nobody may approve in tier {tier.id!r}"
                    self.invoice.hold(self.at, [Finding(code=ReasonCode.REJECTED_BY_POLICY, message=message)])
                    return
                self.question = Question(tier, asked, self.at, approval_round.deadline(tier, self.at))
                self._note(outcome.ASKED, asked)
            yield from self._answered(self.question)
            self.question = None
        self.granted = True

    def _answered(self, question: Question) -> Iterator[datetime]:
        """The instants until the question is answered; it never ends if it never is."""
        after = self.invoice.stage.assumptions.approve_after
        answer_at = None if after is None else max(question.asked_at + after, self.at)
        while True:
            self.question = question
            attention = approval_round.attention_at(
                question.asked_at, question.deadline, question.reminded_at
            )
            if answer_at is not None and answer_at <= max(attention, self.at):
                self.at = answer_at
                yield self.at
                if voices := self._voices(question):
                    self._note(outcome.APPROVED, voices)
                    return
                answer_at = None  # too few of those asked may decide
                continue
            self.at = max(attention, self.at)
            yield self.at
            question = self._reminded(question) if self.at < question.deadline else self._escalated(question)

    def _reminded(self, question: Question) -> Question:
        self._note(outcome.REMINDED, question.asked)
        return replace(question, reminded_at=self.at)

    def _escalated(self, question: Question) -> Question:
        _, asked = approval_round.up_the_line(
            question.asked, self.invoice.people, self._last_resort, self.took_part
        )
        self._note(outcome.ESCALATED, asked)
        until = approval_round.deadline(question.tier, self.at)
        return replace(question, asked=asked, asked_at=self.at, deadline=until, reminded_at=None)

    def _voices(self, question: Question) -> tuple[str, ...]:
        """Of those asked the first whose claim counts, as many as are needed; nobody if they are too few."""
        voices = question.approved_by
        for who in question.asked:
            standing = Standing(
                waiting=True,
                state="",
                tier=question.tier,
                digest=self.draft.digest,
                took_part=self.took_part,
                approved_by=voices,
                also_asked=question.asked,
            )
            claim = Claim(verdict=Verdict.APPROVE, approver=who, channel=question.tier.channels[0])
            if len(voices) == question.tier.quorum:
                break
            if judge(claim, standing, self.invoice.people, self._today) is None:
                voices = (*voices, who)
        return voices if len(voices) >= question.tier.quorum else ()

    def _note(self, act: str, who: tuple[str, ...]) -> None:
        tier = f"tier {self.question.tier.id}" if self.question else ""
        self.invoice.note(self.at, act, who=", ".join(who), why=tier)

    @property
    def _last_resort(self) -> str:
        return self.invoice.company.exceptions.default_owner

    @property
    def _today(self) -> date:
        return self.at.astimezone(ZoneInfo(self.draft.issuer.zone)).date()
