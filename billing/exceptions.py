"""What a person must decide: a finding with a reason code, an owner and a deadline."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from billing.parties import Identifier, Strict


class ReasonCode(StrEnum):
    """Why an invoice stopped or was not made, or a payment found none."""

    CLIENT_UNKNOWN = "client-unknown"
    CLIENT_INACTIVE = "client-inactive"
    NO_CONTACT = "no-contact"
    NOT_SIGNED = "not-signed"
    SOURCES_DIFFER = "sources-differ"
    TAX_UNKNOWN = "tax-unknown"
    VAT_ID_WRONG = "vat-id-wrong"
    EXCHANGE_RATE_MISSING = "exchange-rate-missing"
    PREPAYMENT_UNPAID = "prepayment-unpaid"
    RATE_MISSING = "rate-missing"
    HOURS_UNAPPROVED = "hours-unapproved"
    CAP_EXCEEDED = "scope-exceeded"
    LEFTOVERS = "leftovers"
    EMPTY = "empty"
    NOT_DONE = "not-done"
    ALREADY_BILLED = "already-billed"
    LOOK_ALIKE = "look-alike"
    UNPRINTABLE = "unprintable"
    INVALID_DOCUMENT = "invalid-document"
    TOO_MANY_LINES = "too-many-lines"
    SOURCE_UNREADABLE = "source-unreadable"
    RULES_CHANGED = "rules-changed"
    REJECTED_BY_POLICY = "no-approver"
    DOCUMENT_PENDING = "document-pending"
    NOT_DELIVERED = "not-delivered"
    BOUNCED = "bounced"
    STEP_FAILED = "step-failed"
    UNMATCHED_PAYMENT = "unmatched-payment"
    EVENT_HELD = "event-held"
    INTEGRATION_FAILING = "integration-failing"
    BLOCK_USED_UP = "block-used-up"
    ENTRY_HELD = "entry-held"
    BILLING_STOPPED = "billing-stopped"
    PERIOD_UNBILLED = "period-unbilled"
    MILESTONE_UNBILLED = "milestone-unbilled"
    PROJECT_UNBILLED = "project-unbilled"
    LINE_UNBILLED = "line-unbilled"
    VOIDED_UNBILLED = "voided-unbilled"
    WORK_UNBILLED = "work-unbilled"
    WORK_UNAPPROVED = "work-unapproved"
    WORK_WITHOUT_RATE = "work-without-rate"
    WORK_WITHOUT_AGREEMENT = "work-without-agreement"
    WORK_AFTER_END = "work-after-end"
    EXPENSES_UNBILLED = "expenses-unbilled"
    DEAL_WITHOUT_AGREEMENT = "deal-without-agreement"
    CONTRACT_WITHOUT_AGREEMENT = "contract-without-agreement"
    DISPUTED = "disputed"
    OVERPAID = "overpaid"
    WRITE_OFF = "write-off"
    REFUND = "refund"
    PAYMENT_REVERSED = "payment-reversed"
    PAID_BACK = "paid-back"
    STATEMENT_FAULTY = "statement-faulty"
    BANK_DATA_OLD = "bank-data-old"


ACCEPTABLE = frozenset(
    {
        ReasonCode.SOURCES_DIFFER,
        ReasonCode.CAP_EXCEEDED,
        ReasonCode.HOURS_UNAPPROVED,
        ReasonCode.LEFTOVERS,
        ReasonCode.LOOK_ALIKE,
        ReasonCode.BOUNCED,
        ReasonCode.PREPAYMENT_UNPAID,
        ReasonCode.PAID_BACK,
    }
)
"""Findings a person may accept as they are, with a reason; the others need a repair at the source."""


OVERRIDE_HELPS = frozenset(
    {ReasonCode.NO_CONTACT, ReasonCode.TAX_UNKNOWN, ReasonCode.VAT_ID_WRONG, ReasonCode.UNPRINTABLE}
)
"""Findings that a fact about the client, set by hand for one invoice, can end."""


class Finding(BaseModel):
    """One thing that does not fit: which field differs, in which systems, by how much, and what to do."""

    model_config = ConfigDict(frozen=True)

    code: ReasonCode
    message: str
    field: str = ""
    left: str = Field(default="", description="system and value, e.g. 'CRM 8,500.00 EUR'")
    right: str = ""
    may_pass: bool = Field(
        default=False, description="waiting may end it: it is looked at again before anybody decides"
    )

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Two findings with one identity are the same difference; accepting one accepts both."""
        return (self.code, self.field, self.left, self.right)


class ExceptionPolicy(Strict):
    """Who owns an exception, and by when it must be decided."""

    default_owner: Identifier
    owners: dict[ReasonCode, Identifier] = Field(default_factory=dict, description="by reason code")
    client_owners: dict[Identifier, Identifier] = Field(
        default_factory=dict, description="by client; comes first"
    )
    decide_within_hours: int = Field(default=48, ge=1, le=24 * 60)

    def owner(self, code: ReasonCode, client: str = "") -> str:
        """Whose exception it is: the client's owner if it has one, else the code's, else the default owner's."""
        return self.client_owners.get(client) or self.owners.get(code, self.default_owner)
