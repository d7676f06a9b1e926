"""A billing run: every period that is due and unbilled becomes an invoice, each by its key."""

from __future__ import annotations

from temporalio import workflow

from workflows import activity_options
from workflows.activity_interfaces import BillingRuns
from workflows.identifiers import BILLING_RUN_WORKFLOW
from workflows.messages import BillingRunInput, BillingRunOrder, BillingRunProgress


@workflow.defn(name=BILLING_RUN_WORKFLOW)
class BillingRunWorkflow:
    """Started by a Schedule, or by hand; running twice bills nothing twice. The query `progress` says how far it is."""

    @workflow.init
    def __init__(self, _run: BillingRunInput) -> None:
        self._progress = BillingRunProgress()

    @workflow.run
    async def run(self, run: BillingRunInput) -> BillingRunProgress:
        """Computes from the ledger what is due up to now, so that an outage is caught up by construction."""
        as_of = run.as_of or workflow.now()
        order = BillingRunOrder(
            run=workflow.info().workflow_id,
            as_of=as_of,
            requested_by=run.requested_by,
            agreements=run.agreements,
            clients=run.clients,
        )
        if not workflow.patched("in-batches"):
            return await workflow.execute_activity_method(
                BillingRuns.bill_due_periods, order, **activity_options.BILLING_RUN
            )
        while not self._progress.finished:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(run.model_copy(update={"as_of": as_of}))
            self._progress = await workflow.execute_activity_method(
                BillingRuns.bill_batch,
                order,
                activity_id=f"from-{self._progress.looked_at + 1}",
                **activity_options.BILLING_BATCH,
            )
            self._show()
        return self._progress

    @workflow.query(description="How far the run is: agreements looked at, invoices asked for, held.")
    def progress(self) -> BillingRunProgress:
        return self._progress

    def _show(self) -> None:
        """Tells whoever opens the workflow in the Temporal UI how far it is; costs no Action and no history."""
        now = self._progress
        rows = {
            "Agreements": f"{now.looked_at:,} of {now.agreements:,}",
            "Invoices asked for": f"{now.triggered:,}",
            "of these caught up": f"{now.caught_up:,}",
            "Held": f"{now.held:,}",
            "Waits for": now.waits_for,
        }
        table = "\n".join(f"| {name} | {value} |" for name, value in rows.items() if value)
        state = "finished" if now.finished else f"{now.percent} %"
        workflow.set_current_details(f"**{state}**\n\n| | |\n|---|---|\n{table}")
