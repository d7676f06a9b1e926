"""A reconciliation: what should have been billed and was not is found, every night."""

from __future__ import annotations

from temporalio import workflow

from workflows import activity_options
from workflows.activity_interfaces import Reconciliations
from workflows.identifiers import RECONCILIATION_WORKFLOW
from workflows.messages import ReconciliationInput, ReconciliationOrder, ReconciliationResult


@workflow.defn(name=RECONCILIATION_WORKFLOW)
class ReconciliationWorkflow:
    """Started by a Schedule, or by hand; running twice raises nothing twice."""

    @workflow.run
    async def run(self, asked: ReconciliationInput) -> ReconciliationResult:
        """Compares sources and ledger; each leak waits for its owner in the inbox."""
        result = await workflow.execute_activity_method(
            Reconciliations.reconcile,
            ReconciliationOrder(as_of=asked.as_of or workflow.now()),
            **activity_options.RECONCILIATION,
        )
        workflow.set_current_details(f"**{result.leaks} leaks**, {result.new} of them new")
        return result
