"""What the ledger shows to people and programs: read models of invoices, approvals and exceptions.

Amounts carry the decimals of their currency and are strings in JSON; instants are UTC, dates calendar days.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

Action = Literal["pay", "hold", "release", "promise", "dispute"]
"""A command about an issued invoice that its state allows now."""


class ReadModel(BaseModel):
    """Base of all read models: frozen."""

    model_config = ConfigDict(frozen=True)


Order = Literal["requested", "issued", "due", "client", "gross", "open"]
"""By what invoices are listed; amounts stand currency by currency, days not set yet count as the latest."""


class InvoiceFilter(ReadModel):
    """`status` is of any axis, or open, late, waiting; `text` are beginnings of words of number, billing key, title
    and client, all of which must be there.

    Days are included. `before` is the id of the last one seen: the list goes on behind it; with `back`, the id of the
    first one seen, come those before it.
    """

    status: str | None = None
    client: str | None = None
    issuer: str | None = None
    currency: str | None = None
    text: str = ""
    issued_from: date | None = None
    issued_to: date | None = None
    due_from: date | None = None
    due_to: date | None = None
    order: Order = "requested"
    descending: bool = True
    limit: int = 50
    before: int | None = None
    back: int | None = None


class InvoiceSummary(ReadModel):
    """An invoice in one row. Without a draft `gross` and `open` are None; `days_late` is 0 unless late."""

    id: int
    billing_key: str
    generation: int
    number: str | None
    client: str
    client_name: str
    title: str
    currency: str | None
    gross: Decimal | None
    paid: Decimal
    credited: Decimal = Decimal(0)
    written_off: Decimal = Decimal(0)
    open: Decimal | None
    document_status: str
    payment_status: str
    collection_status: str
    issue_date: date | None
    due_date: date | None
    late: bool
    days_late: int
    waits_for: str
    then: str
    next_at: datetime | None
    requested_at: datetime
    trigger: str

    @property
    def name(self) -> str:
        """The number, or the billing key while there is none."""
        return self.number or self.billing_key


class LineView(ReadModel):
    """An invoice line, net, with the reason it is there."""

    description: str
    detail: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    net: Decimal
    why: str


class AdjustmentView(ReadModel):
    """An allowance (below zero) or a charge on the whole invoice, net, with the rule it comes from."""

    reason: str
    amount: Decimal
    why: str


class TaxView(ReadModel):
    """The tax of one name, category and rate (per cent), with the reason."""

    name: str
    category: str
    rate: Decimal
    taxable: Decimal
    tax: Decimal
    note: str
    why: str


class ApprovalView(ReadModel):
    """One tier asked about one draft; `current` if that is the draft as it stands."""

    id: int
    tier: str
    asked: tuple[str, ...]
    asked_at: datetime
    deadline: datetime
    status: str
    approved_by: tuple[str, ...]
    digest: str
    current: bool


class ExceptionView(ReadModel):
    """Something a person must decide or has decided; `resolutions` is empty once it is closed."""

    id: int
    code: str
    message: str
    field: str
    left: str
    right: str
    owner: str
    raised_at: datetime
    deadline: datetime
    resolutions: tuple[str, ...]
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None


class PaymentView(ReadModel):
    """Money received, or taken back where negative."""

    id: int = 0
    amount: Decimal
    currency: str
    received_on: date
    source: str
    reference: str
    recorded_at: datetime
    recorded_by: str


class CreditNoteView(ReadModel):
    """A credit note of the invoice; amounts are positive. `document` is the SHA-256 of its PDF, None before it is made,
    `lines` the positions it takes back, none for an amount."""

    number: str
    issue_date: date
    issued_at: datetime
    whole: bool
    net: Decimal
    tax: Decimal
    gross: Decimal
    currency: str
    reason: str
    lines: tuple[int, ...]
    asked_by: str
    document: str | None
    delivered_at: datetime | None


class DisputeFileView(ReadModel):
    """A file the client sent with a dispute; `name` is what the client calls it; `erased_at`: its bytes are gone."""

    sha256: str
    name: str
    media_type: str
    size: int
    sent_at: datetime
    erased_at: datetime | None = None


class DisputeView(ReadModel):
    """A dispute, decided or not; `amount` is what of the amount due is disputed, None for all of it."""

    id: int
    code: str
    reason: str
    lines: tuple[int, ...]
    amount: Decimal | None
    opened_at: datetime
    opened_by: str
    channel: str
    owner: str
    deadline: datetime
    outcome: str | None
    answer: str
    ended_at: datetime | None
    ended_by: str | None
    files: tuple[DisputeFileView, ...] = ()


class CollectionActView(ReadModel):
    """A courtesy note, reminder, escalation or hand-over that was done."""

    act: str
    planned_for: datetime
    done_at: datetime


class MessageView(ReadModel):
    """A message about the invoice; `handed_over_at` is when the mail server took it, `delivered_at` when the client's
    mail system proved that it arrived: None where it never says."""

    key: str = ""
    message_id: str
    event: str
    audience: str
    to: str
    cc: tuple[str, ...]
    subject: str
    prepared_at: datetime
    handed_over_at: datetime | None
    attempts: int
    last_error: str | None
    server_reply: str | None
    delivered_at: datetime | None = None


class DocumentView(ReadModel):
    """A rendered document; `current` if it is the PDF that was issued, `name` what it is saved as.

    With `erased_at` its bytes are gone for good, retention over; what it was is still known.
    """

    sha256: str
    kind: str
    name: str
    media_type: str
    size: int
    made_at: datetime
    current: bool
    erased_at: datetime | None = None


class DocumentFile(ReadModel):
    """A document as a file to be opened or saved; its bytes are in the document store."""

    sha256: str
    media_type: str
    file_name: str


class InvoiceView(InvoiceSummary):
    """Everything there is to show about one invoice."""

    net: Decimal | None
    tax: Decimal | None
    issuer: str | None
    zone: str | None
    terms: str
    supply: str
    agreement: str | None
    contract_reference: str
    order_reference: str
    contact: str
    account_manager: str | None
    lines: tuple[LineView, ...]
    adjustments: tuple[AdjustmentView, ...] = ()
    taxes: tuple[TaxView, ...]
    rounding: Decimal = Decimal(0)
    digest: str | None
    requested_by: str
    asked_because: str = ""
    took_part: tuple[str, ...]
    company_version: int
    generations: tuple[int, ...]
    issued_at: datetime | None
    delivered_at: datetime | None
    held_until: datetime | None
    promised_for: date | None
    disputed: str | None
    disputed_until: datetime | None
    disputed_amount: Decimal | None = None
    notice_until: datetime | None = None
    handed_over_at: datetime | None
    closed_at: datetime | None
    approvals: tuple[ApprovalView, ...]
    exceptions: tuple[ExceptionView, ...]
    payments: tuple[PaymentView, ...]
    acts: tuple[CollectionActView, ...]
    messages: tuple[MessageView, ...]
    documents: tuple[DocumentView, ...]
    actions: tuple[Action, ...]
    credit_notes: tuple[CreditNoteView, ...] = ()
    disputes: tuple[DisputeView, ...] = ()
    corrects: str | None = None
    corrected_by: str | None = None


class TimelineEntry(ReadModel):
    """An event of the audit trail; `line` says its facts in words."""

    position: int
    at: datetime
    event: str
    actor: str
    channel: str
    line: str
    facts: dict[str, Any]


class InboxLine(ReadModel):
    """What an approver reads first of a line; net."""

    description: str
    net: Decimal


class InboxItem(ReadModel):
    """What waits; `who` are those asked (who have not agreed yet), or the owner.

    For an approval `asked_by` and `asked_because` say who wants it billed, and why where a person does.
    A payment that matches no invoice has payer, reference and day instead of key, number and client. An exception
    without invoice has a subject instead of key and number; `amount` is then what is at stake, net, if that is known.
    Giving up is a write-off or refund (`code`) that waits to be agreed to (`resolutions`: agree, refuse) or to be paid.
    Of a dispute `amount` is what is disputed. `together`: may be approved with others at once;
    `suggested`: the invoice a payment is likeliest for.
    """

    kind: Literal["approval", "exception", "payment", "giving-up", "dispute"]
    id: int
    billing_key: str | None
    generation: int | None
    number: str | None
    client: str | None
    client_name: str | None
    subject: str | None = None
    payer: str | None = None
    reference: str | None = None
    asked_by: str | None = None
    asked_because: str = ""
    received_on: date | None = None
    title: str
    currency: str | None
    amount: Decimal | None
    net: Decimal | None
    question: str
    why: str
    code: str
    since: datetime
    deadline: datetime
    overdue: bool
    who: tuple[str, ...]
    resolutions: tuple[str, ...]
    digest: str | None
    lines: tuple[InboxLine, ...]
    line_count: int
    together: bool = False
    suggested: str | None = None


class Sum(ReadModel):
    """How many invoices, and what they come to in one currency."""

    currency: str
    count: int
    amount: Decimal


class Waiting(ReadModel):
    """How much waits for somebody; `payments` match no invoice, `mine` waits for the person asked for.

    `given_up` are write-offs and refunds to be decided or done, `team` what waits for one's team.
    """

    approvals: int
    exceptions: int
    payments: int
    mine: int
    given_up: int = 0
    disputes: int = 0
    team: int = 0

    @property
    def waiting(self) -> int:
        return self.approvals + self.exceptions + self.payments + self.given_up + self.disputes


class Counts(Waiting):
    """What waits, and what is owed; `invoices` are counted up to `MOST_COUNTED`."""

    MOST_COUNTED: ClassVar[int] = 1_000

    invoices: int
    open: tuple[Sum, ...]
    late: tuple[Sum, ...]
