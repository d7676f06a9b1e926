"""A billing run: every period that is due and unbilled becomes an invoice, each by its key."""

from __future__ import annotations

from temporalio import workflow

from workflows import activity_options
from workflows.activity_interfaces import BillingRuns
from workflows.identifiers import BILLING_RUN_WORKFLOW
from workflows.messages import BillingRunInput, BillingRunOrder, BillingRunResult


@workflow.defn(name=BILLING_RUN_WORKFLOW)
class BillingRunWorkflow:
    """Started by a Schedule, or by hand; running twice bills nothing twice."""

    @workflow.run
    async def run(self, run: BillingRunInput) -> BillingRunResult:
        """Computes from the ledger what is due up to now, so that an outage is caught up by construction."""
        order = BillingRunOrder(run=workflow.info().workflow_id, as_of=run.as_of or workflow.now())
        return await workflow.execute_activity_method(
            BillingRuns.bill_due_periods, order, **activity_options.BILLING_RUN
        )
