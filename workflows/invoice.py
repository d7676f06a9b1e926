"""One invoice, from its trigger until the money is there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeKey
from temporalio.exceptions import ActivityError

from workflows import activity_options
from workflows.activity_interfaces import InvoiceSteps, RenderingSteps
from workflows.identifiers import APPROVE, INVOICE_WORKFLOW, REJECT, WAKE
from workflows.messages import Failure, HeardClaim, InvoiceRef, Plan, Step, StepInput

STATE, OWNER, DUE = (SearchAttributeKey.for_keyword(f"Billow{name}") for name in ("State", "Owner", "Due"))

LONGEST_CLAIM = 2000
"""Characters of a signal that are kept: a comment, not an attachment."""

MOST_CLAIMS_A_STEP = 4
"""Claims one step takes: with their comments they stay within a payload's budget of 16 KB."""

MOST_CLAIMS = 100
"""Claims that wait to be heard; of more than that, sent while no worker was there, only the number is kept."""


MOST_IDLE_TURNS = 5
"""Times in a row a step may leave the same plan to be taken at once: each costs an Action, none brings anything."""


@workflow.defn(name=INVOICE_WORKFLOW)
class InvoiceWorkflow:
    """Waits until something is due or somebody has spoken, then takes the next step; the ledger says which.

    Signals `approve` and `reject` take {"approver": …, "comment": …, "draft_digest": …}; `wake` takes nothing. A signal
    is a claim: the ledger accepts it or refuses it with a reason, and audits it either way.
    """

    @workflow.init
    def __init__(self, invoice: InvoiceRef) -> None:
        self._billing_key = invoice.billing_key
        self._plan = Plan(step=Step.ASSEMBLE)
        self._heard: list[HeardClaim] = []
        self._signals = 0
        self._woken = False
        self._unheard = 0
        self._idle_turns = 0
        self._shown: tuple[str, ...] = ()

    @workflow.run
    async def run(self, _invoice: InvoiceRef) -> Plan:
        """The life of an invoice. Every step finds out from the ledger where it stands, so it resumes anywhere."""
        while self._plan.open or self._woken or self._heard:
            await self._wait()
            match self._plan.step:
                case Step.ASSEMBLE:  # CRM, PSA and contract make a checked draft, or a person must repair
                    await self._take(InvoiceSteps.assemble, activity_options.LEDGER)
                case Step.APPROVE:  # those whom policy names agree, or the draft is voided
                    await self._take(InvoiceSteps.approve, activity_options.LEDGER)
                case Step.ISSUE:  # validated whole, then number, issue date, due date
                    await self._take(InvoiceSteps.issue, activity_options.RENDERING)
                case Step.RENDER:  # the PDF, once, never changed
                    await self._take(RenderingSteps.render, activity_options.RENDERING)
                case Step.DELIVER:  # e-mail with the PDF
                    await self._take(InvoiceSteps.deliver, activity_options.MAIL)
                case Step.COLLECT | None:  # note, reminders, escalation, hand-over, until it is settled
                    await self._take(InvoiceSteps.collect, activity_options.MAIL)
        return self._plan

    async def _take(
        self, activity: Callable[[Any, StepInput], Plan], options: activity_options.StepOptions
    ) -> None:
        """Takes the step, with all that was heard since the last one, and keeps the plan it returns."""
        heard, before, step = self._next_claims(), self._plan, self._plan.step or Step.COLLECT
        early = before.at is not None and (self._woken or bool(heard))
        name = "look-again" if early else before.name or step
        self._woken = False
        try:
            self._plan = await workflow.execute_activity_method(
                activity,
                StepInput(billing_key=self._billing_key, as_of=workflow.now(), heard=tuple(heard)),
                activity_id=name,
                summary=name if name != step else None,
                **options,
            )
        except ActivityError as error:
            await self._report(step, str(error.cause or error), heard)
        at_once = self._plan.at is None or self._plan.at <= workflow.now()
        self._idle_turns = self._idle_turns + 1 if at_once and self._plan == before else 0
        if self._idle_turns >= MOST_IDLE_TURNS:
            await self._report(step, "it is taken again and again, and nothing comes of it")
        del self._heard[: len(heard)]
        self._show()

    async def _report(self, step: Step, error: str, heard: Sequence[HeardClaim] = ()) -> None:
        """Hands a step that does not work to a person, with what it was to hear; the plan then waits for them."""
        self._idle_turns = 0
        failure = Failure(
            billing_key=self._billing_key,
            as_of=workflow.now(),
            step=step,
            error=error[:2000],
            heard=tuple(heard),
        )
        self._plan = await workflow.execute_activity_method(
            InvoiceSteps.report_failure,
            failure,
            activity_id="report-failure",
            **activity_options.LAST_RESORT,
        )

    async def _wait(self) -> None:
        """Sleeps until the plan's instant, or until woken; a plan without an instant is taken at once."""
        if self._plan.at is None or self._woken or self._heard:
            return
        remaining = self._plan.at - workflow.now()
        if remaining.total_seconds() <= 0:
            return
        self._show_attributes()
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._woken or bool(self._heard),
                timeout=remaining,
                timeout_summary=f"{self._plan.waits_for}; else: {self._plan.name}",
            )

    @workflow.signal(name=WAKE, description="Look at the ledger again. Takes nothing.")
    def wake(self, *_ignored: Any) -> None:
        self._woken = True

    @workflow.signal(
        name=APPROVE, description='Approve: {"approver": "…", "comment": "…", "draft_digest": "…"}'
    )
    def approve(self, *content: Any) -> None:
        self._hear(APPROVE, content)

    @workflow.signal(name=REJECT, description='Reject: {"approver": "…", "reason": "…", "draft_digest": "…"}')
    def reject(self, *content: Any) -> None:
        self._hear(REJECT, content)

    @workflow.signal(dynamic=True, description="Anything else is refused, and audited.")
    def anything_else(self, name: str, content: Sequence[RawValue]) -> None:
        self._hear(name, content)

    def _hear(self, signal: str, content: Sequence[Any]) -> None:
        """Keeps a claim as text, whatever shape it has; what it means is for the ledger to say."""
        self._signals += 1
        if len(self._heard) >= MOST_CLAIMS:
            self._unheard += 1
            return
        text = json.dumps(content, default=_raw_text)[:LONGEST_CLAIM]
        self._heard.append(
            HeardClaim(id=f"{workflow.info().run_id}/{self._signals}", signal=signal, content=text)
        )

    def _next_claims(self) -> list[HeardClaim]:
        """What the next step hears: a few at a time; the rest makes it be taken again at once."""
        if self._unheard and len(self._heard) <= MOST_CLAIMS_A_STEP:
            name = f"{workflow.info().run_id}/unheard-{self._signals}"
            told = json.dumps(f"{self._unheard} more signals than could be kept")
            self._heard.append(HeardClaim(id=name, signal="too many", content=told))
            self._unheard = 0
        return self._heard[:MOST_CLAIMS_A_STEP]

    @workflow.query(description="What the invoice waits for, who must act, until when, and what comes next.")
    def status(self) -> Plan:
        return self._plan

    def _show(self) -> None:
        """Tells whoever opens the workflow in the Temporal UI where it stands; costs no Action and no history."""
        plan = self._plan
        rows = {
            "Waits for": plan.waits_for,
            "Who must act": plan.owner or "nobody, it goes on by itself",
            "Since": workflow.now().strftime("%Y-%m-%d %H:%M UTC"),
            "Until": plan.at.strftime("%Y-%m-%d %H:%M UTC") if plan.at else "at once" if plan.open else "",
            "What comes next": plan.then,
            "Number": plan.number,
            "Due": plan.due,
        }
        table = "\n".join(f"| {name} | {value} |" for name, value in rows.items() if value)
        workflow.set_current_details(f"**{plan.state}**\n\n| | |\n|---|---|\n{table}")

    def _show_attributes(self) -> None:
        """Lets operators filter by state, owner and due date; each change is an Action, so only before a wait."""
        plan = self._plan
        shown = (plan.state, plan.owner, plan.due)
        if shown == self._shown:
            return
        self._shown = shown
        values = zip((STATE, OWNER, DUE), shown, strict=True)
        workflow.upsert_search_attributes(
            [key.value_set(value) if value else key.value_unset() for key, value in values]
        )


def _raw_text(content: object) -> str:
    """The bytes of a payload no converter could read, as text."""
    data = content.payload.data if isinstance(content, RawValue) else repr(content).encode()
    return data.decode("utf-8", "replace")
