"""The three axes of an invoice's status, kept apart."""

from enum import StrEnum


class DocumentStatus(StrEnum):
    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting approval"
    ISSUED = "issued"
    DOCUMENT_PENDING = "issued, document pending"
    VOIDED = "voided draft"
    CREDITED = "credited"


class PaymentStatus(StrEnum):
    UNPAID = "unpaid"
    PARTLY_PAID = "partly paid"
    PAID = "paid"
    OVERPAID = "overpaid"
    WRITTEN_OFF = "written off"


class CollectionStatus(StrEnum):
    NOT_DUE = "not due"
    DUE = "due"
    REMINDED = "reminded"
    PROMISED = "promised"
    DISPUTED = "disputed"
    BLOCKED = "blocked"
    HANDED_OVER = "handed over"
    CLOSED = "closed"


ISSUED = (DocumentStatus.ISSUED, DocumentStatus.DOCUMENT_PENDING, DocumentStatus.CREDITED)
"""The states of a document that has a number."""
