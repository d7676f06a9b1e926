"""Reconciliation: what should have been billed and was not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from temporalio import activity

from activities.ledger.database import Ledger
from workflows.activity_interfaces import Reconciliations
from workflows.messages import ReconciliationOrder, ReconciliationResult


def reconcile(_ledger: Ledger, _as_of: datetime) -> Sequence[object]:
    """The leaks there are."""
    return ()


class LedgerReconciliation(Reconciliations):
    """Reconciliation of the ledger with the sources."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name="reconcile")
    def reconcile(self, order: ReconciliationOrder) -> ReconciliationResult:
        return ReconciliationResult(leaks=len(reconcile(self._ledger, order.as_of)))
