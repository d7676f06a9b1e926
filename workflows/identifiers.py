"""Names by which Temporal knows us. None of them carries personal data."""

from datetime import UTC, datetime

INVOICING_QUEUE = "invoicing"
RENDERING_QUEUE = "rendering"

INVOICE_WORKFLOW = "InvoiceWorkflow"
BILLING_RUN_WORKFLOW = "BillingRunWorkflow"
RECONCILIATION_WORKFLOW = "ReconciliationWorkflow"

BILLING_RUN_SCHEDULE = "billing-run"
RECONCILIATION_SCHEDULE = "reconciliation"

WAKE, APPROVE, REJECT = "wake", "approve", "reject"

SEARCH_ATTRIBUTES = {
    "BillowState": "Keyword",
    "BillowOwner": "Keyword",
    "BillowClient": "Keyword",
    "BillowIssuer": "Keyword",
    "BillowDue": "Keyword",
}
"""What operators filter by: state, who must act, client alias, issuer, due date (ISO)."""


def invoice_workflow_id(billing_key: str) -> str:
    """The workflow id of an invoice; one function, so that two triggers with one key meet."""
    return f"invoice/{billing_key}"


def manual_run_id(at: datetime) -> str:
    """The workflow id of a billing run somebody starts by hand at an instant."""
    return f"billing-run-by-hand-{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
