"""Names by which Temporal knows us. None of them carries personal data."""

INVOICING_QUEUE = "invoicing"
RENDERING_QUEUE = "rendering"

INVOICE_WORKFLOW = "InvoiceWorkflow"
BILLING_RUN_WORKFLOW = "BillingRunWorkflow"
BILLING_RUN_SCHEDULE = "billing-run"

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
