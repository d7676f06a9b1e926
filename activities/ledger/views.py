"""Read views of the ledger: what pages, the command line and programs show. Nothing here changes anything.

Each function takes a session and makes a fixed number of queries, however many rows it returns. Amounts
carry the decimals of their currency and are strings in JSON; instants are UTC.
"""

from activities.ledger.counting import counts, waiting
from activities.ledger.details import document, invoice, timeline, timeline_of
from activities.ledger.inbox import inbox
from activities.ledger.read_models import (
    Counts,
    InboxItem,
    InvoiceFilter,
    InvoiceSummary,
    InvoiceView,
    TimelineEntry,
)
from activities.ledger.summaries import STATUSES, every_one, invoices

__all__ = [
    "STATUSES",
    "Counts",
    "InboxItem",
    "InvoiceFilter",
    "InvoiceSummary",
    "InvoiceView",
    "TimelineEntry",
    "counts",
    "document",
    "every_one",
    "inbox",
    "invoice",
    "invoices",
    "timeline",
    "timeline_of",
    "waiting",
]
