"""The tables of the ledger (PostgreSQL). Amounts are numeric in the invoice's currency, instants are UTC."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Identity, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT, TIMESTAMP, ExcludeConstraint
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

AMOUNT = Numeric(18, 4)
INSTANT = TIMESTAMP(timezone=True)


class Table(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: TEXT,
        Decimal: AMOUNT,
        datetime: INSTANT,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(TEXT),
    }


class CompanyVersionRow(Table):
    """The company folder as it was applied; an invoice is pinned to the version it was triggered under."""

    __tablename__ = "company_versions"

    version: Mapped[int] = mapped_column(Identity(), primary_key=True)
    applied_at: Mapped[datetime]
    applied_by: Mapped[str]
    folder: Mapped[str]
    digest: Mapped[str]
    company: Mapped[dict[str, Any]]
    looks: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


ISSUED_KEY = "coalesce(issue_date, '9999-12-31'::date)"
DUE_KEY = "coalesce(agreed_due_date, due_date, '9999-12-31'::date)"
CURRENCY_KEY = "coalesce(currency, '')"
GROSS_KEY = "coalesce(gross, 0)"
OPEN_KEY = "(coalesce(gross - credited - paid - written_off, 0) * (number is not null)::integer)"
"""By what invoices are put in order, as their indices have it: a query that says it otherwise reads every row."""

WORDS_KEY = (
    # the brackets and the rest are as PostgreSQL writes them itself, which the migrations are compared with
    "array_to_tsvector(string_to_array(trim(both from regexp_replace(lower(((((((((("
    "left(billing_key, 400) || ' ') || left(coalesce(number, ''), 100)) || ' ')"
    " || regexp_replace(left(coalesce(number, ''), 100), '^.*[^0-9]0*', '')) || ' ')"
    " || left(title, 400)) || ' ') || left(client, 200)) || ' ')"
    " || left(coalesce((draft -> 'buyer') ->> 'name', ''), 400)), '[^[:alnum:]]+', ' ', 'g')), ' '))"
)
"""The words an invoice is found by, and its number without leading zeros. A word may have 2,046 bytes at the most."""


class InvoiceRow(Table):
    """One invoice, from its request on. The three axes of status are a projection of its audit trail.

    What is owed is `gross - credited - paid - written_off`; `paid` is net of what was paid back. `disputed_amount` is
    what of it is disputed, None for all of it; `rested_days` are days of disputes by which levels come later,
    `notice_until` the instant before which a client who lost a dispute is not reminded; `corrects` the invoice this one
    is the corrected one of.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        # The guard of rule 1: one billing key, one living invoice. A draft voided to be billed again frees its
        # key; a waived one keeps it.
        Index(
            "one_living_invoice",
            "billing_key",
            unique=True,
            postgresql_where=text("not (document_status = 'voided draft' and rebill)"),
        ),
        # The same for periods: no day of an item is billed twice, whatever the keys are. GiST of a bare PostgreSQL
        # knows ranges only, so agreement and item stand as a range that holds nothing but their hash.
        ExcludeConstraint(
            (
                text(
                    "int8range(hashtextextended(agreement || '/' || item, 0), "
                    "hashtextextended(agreement || '/' || item, 0), '[]')"
                ),
                "&&",
            ),
            (text("daterange(period_start, period_end, '[]')"), "&&"),
            name="one_living_period",
            using="gist",
            where=text("period_start is not null and not (document_status = 'voided draft' and rebill)"),
        ),
        Index("invoices_by_agreement", "agreement", "item", "period_start"),
        UniqueConstraint("number", name="one_number"),
        UniqueConstraint("billing_key", "generation", name="one_generation"),
        Index("invoices_by_client", "client", text(ISSUED_KEY)),
        Index("invoices_by_age", "requested_at"),
        Index("invoices_by_words", text(WORDS_KEY), postgresql_using="gin"),
        Index("invoices_in_order_of_client", "client", "id"),
        Index("invoices_in_order_of_issue", text(ISSUED_KEY), "id"),
        Index("invoices_in_order_of_due", text(DUE_KEY), "id"),
        Index("invoices_in_order_of_gross", text(CURRENCY_KEY), text(GROSS_KEY), "id"),
        Index("invoices_in_order_of_open", text(CURRENCY_KEY), text(OPEN_KEY), "id"),
        Index(
            "open_items_in_order_of_due",
            text(DUE_KEY),
            "id",
            postgresql_where=text(
                "number is not null and payment_status in ('unpaid', 'partly paid') and document_status <> 'credited'"
            ),
        ),
        # what nearly every invoice is one day is found without an index
        Index(
            "invoices_by_document_status",
            "document_status",
            "requested_at",
            postgresql_where=text("document_status <> 'issued'"),
        ),
        Index(
            "invoices_by_payment_status",
            "payment_status",
            "requested_at",
            postgresql_where=text("payment_status <> 'paid'"),
        ),
        Index(
            "invoices_by_collection_status",
            "collection_status",
            "requested_at",
            postgresql_where=text("collection_status <> 'closed'"),
        ),
        # how payers write numbers: without what stands between letters and digits
        Index(
            "invoices_by_bare_number",
            text("regexp_replace(upper(number), '[^A-Z0-9]', '', 'g')"),
            postgresql_where=text("number is not null"),
        ),
        Index(
            "invoices_not_assembled",
            "id",
            postgresql_where=text("draft is null and next_at is null and closed_at is null"),
        ),
        Index(
            "open_items_by_client",
            "client",
            postgresql_where=text(
                "number is not null and payment_status in ('unpaid', 'partly paid') and document_status <> 'credited'"
            ),
        ),
        Index(
            "open_items",
            "currency",
            "late_from",
            postgresql_include=["gross", "paid", "credited", "written_off"],
            postgresql_where=text(
                "number is not null and payment_status in ('unpaid', 'partly paid') and document_status <> 'credited'"
            ),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    billing_key: Mapped[str]
    generation: Mapped[int] = mapped_column(default=1)
    rebill: Mapped[bool] = mapped_column(default=False)
    request: Mapped[dict[str, Any]]
    trigger: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    took_part: Mapped[list[str]]
    company_version: Mapped[int] = mapped_column(ForeignKey("company_versions.version"))
    agreement: Mapped[str | None]
    item: Mapped[str | None]
    period_start: Mapped[date | None]
    period_end: Mapped[date | None]

    document_status: Mapped[str]
    payment_status: Mapped[str]
    collection_status: Mapped[str]

    client: Mapped[str]
    issuer: Mapped[str | None]
    title: Mapped[str] = mapped_column(default="")
    currency: Mapped[str | None]
    net: Mapped[Decimal | None]
    tax: Mapped[Decimal | None]
    gross: Mapped[Decimal | None]
    paid: Mapped[Decimal] = mapped_column(default=Decimal(0))
    credited: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    written_off: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    draft: Mapped[dict[str, Any] | None]
    draft_digest: Mapped[str | None]
    accepted: Mapped[list[Any]] = mapped_column(default=list)
    overrides: Mapped[dict[str, Any]] = mapped_column(default=dict)
    fetch_again_for: Mapped[str | None]

    number: Mapped[str | None]
    issue_date: Mapped[date | None]
    issued_at: Mapped[datetime | None]
    due_date: Mapped[date | None]
    agreed_due_date: Mapped[date | None]
    late_from: Mapped[datetime | None]
    document: Mapped[str | None]
    delivered_at: Mapped[datetime | None]

    held_until: Mapped[datetime | None]
    promised_for: Mapped[date | None]
    disputed: Mapped[str | None]
    disputed_until: Mapped[datetime | None]
    disputed_amount: Mapped[Decimal | None]
    rested_days: Mapped[int] = mapped_column(default=0, server_default="0")
    notice_until: Mapped[datetime | None]
    corrects: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"), index=True)
    viewed_at: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    waits_for: Mapped[str] = mapped_column(default="")
    then: Mapped[str] = mapped_column(default="")
    next_at: Mapped[datetime | None]

    # The head of the invoice's audit trail: without it nobody would miss an event deleted from the end.
    audit_position: Mapped[int] = mapped_column(default=0)
    audit_hash: Mapped[str] = mapped_column(default="0" * 64)

    @property
    def name(self) -> str:
        """Its number, or its billing key while it has none."""
        return self.number or self.billing_key

    @hybrid_property
    def open_amount(self) -> Decimal:
        """What is still owed; negative when too much was paid. In queries, null without a gross amount."""
        return (self.gross or Decimal(0)) - self.credited - self.paid - self.written_off

    @open_amount.inplace.expression
    @classmethod
    def _open_amount(cls) -> ColumnElement[Decimal | None]:
        return cls.gross - cls.credited - cls.paid - cls.written_off


class BilledItemRow(Table):
    """A time entry, milestone or project stands on one living invoice only."""

    __tablename__ = "billed_items"

    source: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)


class ApprovalRow(Table):
    """One tier asked about one draft."""

    __tablename__ = "approvals"
    __table_args__ = (
        UniqueConstraint("invoice", "digest", "tier", name="one_question"),
        Index("waiting_approvals", "deadline", postgresql_where=text("status = 'waiting'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    digest: Mapped[str]
    tier: Mapped[str]
    asked: Mapped[list[str]]
    asked_at: Mapped[datetime]
    deadline: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    escalations: Mapped[int] = mapped_column(default=0)
    approved_by: Mapped[list[str]]
    status: Mapped[str] = mapped_column(default="waiting")


class ClaimRow(Table):
    """A claim that came by signal, recorded once however often the step that heard it is tried."""

    __tablename__ = "claims"

    claim: Mapped[str] = mapped_column(primary_key=True)
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    heard_at: Mapped[datetime]
    refused: Mapped[str | None]


class ExceptionRow(Table):
    """Something a person must decide: about an invoice, or, where there is none, about a `subject`."""

    __tablename__ = "exceptions"
    __table_args__ = (
        Index("open_exceptions", "deadline", postgresql_where=text("resolved_at is null")),
        Index("exceptions_by_invoice", "invoice"),
        Index(
            "one_open_exception",
            "subject",
            unique=True,
            postgresql_where=text("subject is not null and resolved_at is null"),
        ),
        Index("exceptions_by_subject", "subject", postgresql_where=text("subject is not null")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    invoice: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"))
    subject: Mapped[str | None]
    client: Mapped[str | None]
    at_stake: Mapped[Decimal | None]
    currency: Mapped[str | None]
    code: Mapped[str]
    finding: Mapped[dict[str, Any]]
    owner: Mapped[str]
    raised_at: Mapped[datetime]
    deadline: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    escalations: Mapped[int] = mapped_column(default=0)
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
    resolved_by: Mapped[str | None]


class NumberSeriesRow(Table):
    """Where a number series stands; locked while a number is taken."""

    __tablename__ = "number_series"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    document_type: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int]
    last: Mapped[int]
    last_date: Mapped[date | None]


class PaymentRow(Table):
    """Money received for an invoice; a negative amount is money taken back."""

    __tablename__ = "payments"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    key: Mapped[str] = mapped_column(unique=True)
    amount: Mapped[Decimal]
    currency: Mapped[str]
    received_on: Mapped[date]
    source: Mapped[str]
    reference: Mapped[str] = mapped_column(default="")
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    fee: Mapped[Decimal | None]
    provider_reference: Mapped[str | None] = mapped_column(index=True)
    received_as: Mapped[int | None] = mapped_column(ForeignKey("unmatched_payments.id"), index=True)


class UnmatchedPaymentRow(Table):
    """Money received that nobody can tell the invoice of: an exception until all of it is allocated or set aside.

    `allocated` is what of it stands on invoices; the rest of a client that is kept as credit waits for no decision.
    """

    __tablename__ = "unmatched_payments"
    __table_args__ = (
        Index("open_unmatched_payments", "deadline", postgresql_where=text("resolved_at is null")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    amount: Mapped[Decimal]
    currency: Mapped[str]
    received_on: Mapped[date]
    payer: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(default="")
    source: Mapped[str]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    owner: Mapped[str]
    raised_at: Mapped[datetime]
    deadline: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    escalations: Mapped[int] = mapped_column(default=0)
    allocated_to: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"))
    allocated: Mapped[Decimal] = mapped_column(default=Decimal(0), server_default="0")
    client: Mapped[str | None]
    kept_as_credit: Mapped[bool] = mapped_column(default=False, server_default="false")
    suggestions: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    payer_account: Mapped[str] = mapped_column(default="", server_default="")
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    resolution: Mapped[str | None]


class CreditNoteRow(Table):
    """A credit note: a document of its own that takes back an issued invoice, whole or in part; amounts are positive.

    `draft` is what it says, of the kind credit note; `key` what keeps a second click from making a second one. It has
    its number from the start, `document` (SHA-256) once it is rendered, `delivered_at` once the client has it.
    """

    __tablename__ = "credit_notes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    key: Mapped[str] = mapped_column(unique=True)
    number: Mapped[str] = mapped_column(unique=True)
    issuer: Mapped[str]
    issue_date: Mapped[date]
    issued_at: Mapped[datetime]
    reason: Mapped[str]
    whole: Mapped[bool]
    draft: Mapped[dict[str, Any]]
    draft_digest: Mapped[str]
    currency: Mapped[str]
    net: Mapped[Decimal]
    tax: Mapped[Decimal]
    gross: Mapped[Decimal]
    dispute: Mapped[int | None] = mapped_column(ForeignKey("disputes.id"))
    asked_by: Mapped[str]
    channel: Mapped[str]
    document: Mapped[str | None]
    delivered_at: Mapped[datetime | None]


class DisputeRow(Table):
    """A dispute about an invoice, or about `lines` of it (their positions from 1, and the amounts disputed)."""

    __tablename__ = "disputes"
    __table_args__ = (
        Index("one_open_dispute", "invoice", unique=True, postgresql_where=text("ended_at is null")),
        Index("open_disputes", "deadline", postgresql_where=text("ended_at is null")),
        Index("disputes_by_invoice", "invoice"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    code: Mapped[str]
    reason: Mapped[str]
    lines: Mapped[list[Any]] = mapped_column(default=list)
    amount: Mapped[Decimal | None]
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]
    channel: Mapped[str]
    owner: Mapped[str]
    deadline: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    escalations: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str | None]
    answer: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class DisputeFileRow(Table):
    """A file the client sent with a dispute; its bytes are in the document store under their SHA-256."""

    __tablename__ = "dispute_files"

    dispute: Mapped[int] = mapped_column(ForeignKey("disputes.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sent_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class PromiseRow(Table):
    """A promise to pay by a day; `outcome` is kept, broken, moved or withdrawn, None while the day is to come."""

    __tablename__ = "promises"
    __table_args__ = (
        Index("promises_by_invoice", "invoice"),
        Index("promises_by_client", "client", "made_at"),
        Index("one_open_promise", "invoice", unique=True, postgresql_where=text("outcome is null")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    client: Mapped[str]
    promised_for: Mapped[date]
    amount: Mapped[Decimal]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    channel: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class PaymentPlanRow(Table):
    """An instalment plan agreed after issue: dates and amounts that replace the due date."""

    __tablename__ = "payment_plans"
    __table_args__ = (
        Index("one_running_plan", "invoice", unique=True, postgresql_where=text("ended_at is null")),
        Index("payment_plans_by_invoice", "invoice"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    parts: Mapped[list[Any]]
    agreed_at: Mapped[datetime]
    agreed_by: Mapped[str]
    channel: Mapped[str]
    reason: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]


class CreditHoldRow(Table):
    """A flag on a client: think before more is done on account; the account manager was told."""

    __tablename__ = "credit_holds"
    __table_args__ = (
        Index("one_credit_hold", "client", unique=True, postgresql_where=text("lifted_at is null")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    client: Mapped[str] = mapped_column(index=True)
    invoice: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"))
    reason: Mapped[str]
    since: Mapped[datetime]
    by: Mapped[str]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]


class GivingUpRow(Table):
    """What somebody asked another person to agree to: a write-off, a credit note, a refund of what was paid too much.

    `status` is asked, agreed, refused, done, failed or withdrawn. A refund is done when the money went out: by the
    payment provider (`method` stripe), or by bank transfer, which somebody confirms.
    """

    __tablename__ = "giving_up"
    __table_args__ = (
        Index("open_giving_up", "deadline", postgresql_where=text("status in ('asked', 'agreed', 'failed')")),
        Index("giving_up_by_invoice", "invoice"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    invoice: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"))
    unmatched: Mapped[int | None] = mapped_column(ForeignKey("unmatched_payments.id"))
    client: Mapped[str | None]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    reason: Mapped[str]
    method: Mapped[str] = mapped_column(default="")
    provider_reference: Mapped[str | None]
    asked_by: Mapped[str]
    channel: Mapped[str]
    asked_at: Mapped[datetime]
    owner: Mapped[str]
    raised_at: Mapped[datetime]
    deadline: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    escalations: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(default="asked")
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    comment: Mapped[str] = mapped_column(default="")
    done_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class BankStatementRow(Table):
    """A bank statement as it was imported; the same one imported twice changes nothing.

    `read_at` is when the last of its entries was accounted for, None while that is under way or was broken off.
    """

    __tablename__ = "bank_statements"
    __table_args__ = (
        UniqueConstraint("account", "currency", "statement", "until", name="one_bank_statement"),
        Index("bank_statements_by_account", "account", "until"),
        Index("bank_statements_by_issuer", "issuer", "currency", "until"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account: Mapped[str]
    statement: Mapped[str]
    issuer: Mapped[str | None]
    currency: Mapped[str]
    version: Mapped[str]
    begins: Mapped[datetime | None]
    until: Mapped[datetime]
    opening: Mapped[Decimal | None]
    closing: Mapped[Decimal | None]
    entries: Mapped[int]
    file: Mapped[str]
    file_name: Mapped[str]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str]
    channel: Mapped[str]
    problems: Mapped[list[Any]] = mapped_column(default=list)
    read_at: Mapped[datetime | None]


class BankEntryRow(Table):
    """One movement of a bank account, a transaction of a batch each for itself; negative amounts went out.

    `key` names the movement whichever statement reports it; `outcome` says what became of it: none goes missing.
    """

    __tablename__ = "bank_entries"
    __table_args__ = (
        Index("bank_entries_by_statement", "statement"),
        Index("bank_entries_by_outcome", "outcome", "booked_on"),
        Index(
            "bank_entries_by_payer",
            "counterparty_account",
            postgresql_include=["client"],
            postgresql_where=text("client is not null and counterparty_account <> ''"),
        ),
        Index("bank_entries_by_end_to_end_id", "end_to_end_id", postgresql_where=text("end_to_end_id <> ''")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    statement: Mapped[int] = mapped_column(ForeignKey("bank_statements.id"))
    key: Mapped[str] = mapped_column(unique=True)
    position: Mapped[str]
    amount: Mapped[Decimal]
    currency: Mapped[str]
    booked_on: Mapped[date]
    valued_on: Mapped[date | None]
    code: Mapped[str] = mapped_column(default="")
    counterparty: Mapped[str] = mapped_column(default="")
    counterparty_account: Mapped[str] = mapped_column(default="")
    end_to_end_id: Mapped[str] = mapped_column(default="")
    structured_reference: Mapped[str] = mapped_column(default="")
    remittance: Mapped[str] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    outcome: Mapped[str]
    because: Mapped[str] = mapped_column(default="")
    unmatched: Mapped[int | None] = mapped_column(ForeignKey("unmatched_payments.id"), index=True)
    client: Mapped[str | None]


class CheckoutRow(Table):
    """A page of the payment provider on which a client can pay what is open; `session` is the provider's id of it."""

    __tablename__ = "checkouts"

    session: Mapped[str] = mapped_column(primary_key=True)
    connection: Mapped[str]
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    amount: Mapped[Decimal]
    currency: Mapped[str]
    url: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default="open")
    payment: Mapped[str | None] = mapped_column(index=True)


class PortalLinkRow(Table):
    """A link by which a client looks at one invoice: its token is long, expires and can be revoked."""

    __tablename__ = "portal_links"

    token: Mapped[str] = mapped_column(primary_key=True)
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    seen_at: Mapped[datetime | None]


class CollectionActRow(Table):
    """A courtesy note, reminder, escalation or hand-over that was really done; each once an invoice and payment plan.

    `plan` is the payment plan that held then, 0 without one: levels begin anew with each.
    """

    __tablename__ = "collection_acts"

    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    act: Mapped[str] = mapped_column(primary_key=True)
    plan: Mapped[int] = mapped_column(BigInteger, primary_key=True, default=0, server_default="0")
    planned_for: Mapped[datetime]
    done_at: Mapped[datetime]
    message: Mapped[str | None]


class MessageRow(Table):
    """A message and its one Message-ID; `handed_over_at` is when the mail server took it, `delivered_at` when somebody
    proved that it arrived; `return_token` stands in the address to which it comes back, for nobody to guess."""

    __tablename__ = "messages"
    __table_args__ = (Index("messages_by_invoice", "invoice"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    invoice: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"))
    event: Mapped[str]
    audience: Mapped[str]
    recipient: Mapped[str]
    copies_to: Mapped[list[str]]
    subject: Mapped[str]
    body: Mapped[str]
    html: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    document: Mapped[str | None]
    prepared_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]
    server_reply: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
    return_token: Mapped[str | None] = mapped_column(default=lambda: secrets.token_hex(12), unique=True)


class DocumentRow(Table):
    """A rendered document by its SHA-256, with the versions that made it; of an invoice, or of a client."""

    __tablename__ = "documents"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    invoice: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"), index=True)
    client: Mapped[str | None]
    kind: Mapped[str]
    media_type: Mapped[str]
    name: Mapped[str] = mapped_column(default="", server_default="")
    size: Mapped[int]
    made_with: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    made_from: Mapped[dict[str, Any] | None]
    erased_at: Mapped[datetime | None]


class LookRow(Table):
    """A look as it was applied, by its digest: which files it has, each by its SHA-256."""

    __tablename__ = "looks"

    digest: Mapped[str] = mapped_column(primary_key=True)
    issuer: Mapped[str]
    look: Mapped[dict[str, Any]]
    files: Mapped[dict[str, Any]]
    stored_at: Mapped[datetime]


class LookFileRow(Table):
    """A file of a look: logo, font, style sheet, template or catalogue."""

    __tablename__ = "look_files"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes]


class ErasureRow(Table):
    """Personal data that was erased on somebody's word; of a contact, only the SHA-256 of the address is kept."""

    __tablename__ = "erasures"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    erased_at: Mapped[datetime]
    erased_by: Mapped[str]
    erased: Mapped[dict[str, Any]]
    kept: Mapped[list[Any]]


class AuditEventRow(Table):
    """A link of an invoice's audit trail; `hash` covers everything in the row and the link before."""

    __tablename__ = "audit_events"

    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    event: Mapped[str]
    actor: Mapped[str]
    channel: Mapped[str]
    facts: Mapped[dict[str, Any]]
    previous: Mapped[str]
    hash: Mapped[str]


class EventRow(Table):
    """An event from outside, stored before it is acted on; unique by source and id."""

    __tablename__ = "events"
    __table_args__ = (Index("events_by_status", "status", "received_at"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    received_at: Mapped[datetime]
    channel: Mapped[str] = mapped_column(default="", server_default="")
    brought_by: Mapped[str | None]
    content: Mapped[dict[str, Any]]
    billing_keys: Mapped[list[str]] = mapped_column(server_default="{}")
    status: Mapped[str] = mapped_column(default="waiting", server_default="acted on")
    outcome: Mapped[str] = mapped_column(default="", server_default="")
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    acted_at: Mapped[datetime | None]


class DeliveryRow(Table):
    """A genuine message of a vendor's webhook, stored as it came before it is acted on; once for each id."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("deliveries_by_status", "status", "received_at"),)

    connection: Mapped[str] = mapped_column(primary_key=True)
    delivery: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    received_at: Mapped[datetime]
    verified_by: Mapped[str]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes]
    content: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(default="waiting")
    outcome: Mapped[str] = mapped_column(default="")
    events: Mapped[list[str]] = mapped_column(default=list)
    repeats: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    acted_at: Mapped[datetime | None]


class IntegrationRow(Table):
    """How a connection fares: last contact either way, last error, where polling stands."""

    __tablename__ = "integrations"

    connection: Mapped[str] = mapped_column(primary_key=True)
    last_contact_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_error_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    cursor: Mapped[str | None]
    polled_at: Mapped[datetime | None]
    lag_seconds: Mapped[int | None]
    refused: Mapped[int] = mapped_column(default=0)
    last_refused_at: Mapped[datetime | None]
    last_refusal: Mapped[str | None]


class WriteBackRow(Table):
    """What a source is to be told about an invoice: the newest is what counts, once told it is done."""

    __tablename__ = "write_backs"
    __table_args__ = (Index("open_write_backs", "not_before", postgresql_where=text("done_at is null")),)

    connection: Mapped[str] = mapped_column(primary_key=True)
    invoice: Mapped[int] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    content: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(BigInteger)
    written_at: Mapped[datetime]
    not_before: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    done_at: Mapped[datetime | None]


class MeterRow(Table):
    """Where the meter of an agreement stands; locked while entries are taken in."""

    __tablename__ = "meters"

    agreement: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Decimal]
    changed_at: Mapped[datetime]


class MeterEntryRow(Table):
    """Hours, spend or progress taken in; unique by source and id. A deleted entry stays, and counts nothing."""

    __tablename__ = "meter_entries"
    __table_args__ = (Index("meter_entries_by_agreement", "agreement", "measure", "day"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    entry: Mapped[str] = mapped_column(primary_key=True)
    agreement: Mapped[str]
    measure: Mapped[str]
    day: Mapped[date]
    quantity: Mapped[Decimal]
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    deleted: Mapped[bool] = mapped_column(default=False)
    content: Mapped[dict[str, Any]]
    taken_in_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class MeterCrossingRow(Table):
    """A line a meter has crossed, once and for all: moving back does not undo it."""

    __tablename__ = "meter_crossings"

    agreement: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    crossed_at: Mapped[datetime]
    value: Mapped[Decimal]
    threshold: Mapped[Decimal]
    source: Mapped[str]
    entry: Mapped[str]
    billing_key: Mapped[str | None]
    outcome: Mapped[str] = mapped_column(default="")


class BillingRunRow(Table):
    """A billing run: how far it is, what it found and did."""

    __tablename__ = "billing_runs"
    __table_args__ = (Index("billing_runs_by_age", "as_of"),)

    run: Mapped[str] = mapped_column(primary_key=True)
    as_of: Mapped[datetime]
    requested_by: Mapped[str] = mapped_column(default="", server_default="")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    agreements: Mapped[int] = mapped_column(default=0, server_default="0")
    looked_at: Mapped[int] = mapped_column(default=0)
    last_agreement: Mapped[str | None]
    triggered: Mapped[int] = mapped_column(default=0)
    caught_up: Mapped[int] = mapped_column(default=0, server_default="0")
    held: Mapped[int] = mapped_column(default=0, server_default="0")
    moved_at: Mapped[datetime | None]
    waits_for: Mapped[str] = mapped_column(default="", server_default="")


class BillingRunItemRow(Table):
    """What a billing run did about one occasion: invoice asked for, or held, and why."""

    __tablename__ = "billing_run_items"
    __table_args__ = (Index("billing_run_items_by_key", "billing_key"),)

    run: Mapped[str] = mapped_column(ForeignKey("billing_runs.run"), primary_key=True)
    billing_key: Mapped[str] = mapped_column(primary_key=True)
    agreement: Mapped[str]
    outcome: Mapped[str]
    code: Mapped[str] = mapped_column(default="", server_default="")
    because: Mapped[str] = mapped_column(default="")
    due_since: Mapped[date | None]


class ScheduleRow(Table):
    """A Temporal Schedule somebody has put there: it is wanted from then on."""

    __tablename__ = "schedules"

    schedule: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    by: Mapped[str]


class ApiTokenRow(Table):
    """A token by which a program speaks for a person; only its SHA-256 is kept.

    `scopes` is what it may do, never more than the person may.
    """

    __tablename__ = "api_tokens"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    person: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    scopes: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    expires_at: Mapped[datetime | None]


class SignInRow(Table):
    """A person signed in: the SHA-256 of the session's secret, how the person proved who they are, and since when."""

    __tablename__ = "sign_ins"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(index=True)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    how: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")


class AbsenceRow(Table):
    """Days (both included, of the person's zone) on which somebody else decides for a person."""

    __tablename__ = "absences"
    __table_args__ = (Index("absences_by_person", "person", "last_day"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person: Mapped[str]
    delegate: Mapped[str]
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
    set_at: Mapped[datetime]
    set_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class SavedViewRow(Table):
    """A list a person wants to see again: filter, order and columns, as the query of its page."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("person", "page", "name", name="one_saved_view"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person: Mapped[str]
    page: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    shared: Mapped[bool] = mapped_column(default=False)
    saved_at: Mapped[datetime]


class PreferencesRow(Table):
    """How a person wants to read pages: the language (None: as the browser asks), light or dark (empty: as the system
    has it), and whether single keys act."""

    __tablename__ = "preferences"

    person: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str | None]
    appearance: Mapped[str] = mapped_column(default="")
    shortcuts: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime]


class IdempotencyKeyRow(Table):
    """What was answered to a request with a key of the caller's own: the same key gets the same answer."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_by_age", "first_at"),)

    person: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str]
    first_at: Mapped[datetime]
    status: Mapped[int | None]
    answer: Mapped[dict[str, Any] | None]


class TaxIdCheckRow(Table):
    """What an authority said about a tax id at an instant; `receipt` is its proof that it was asked."""

    __tablename__ = "tax_id_checks"
    __table_args__ = (Index("tax_id_checks_by_number", "number", "checked_at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str]
    valid: Mapped[bool]
    checked_at: Mapped[datetime]
    source: Mapped[str]
    receipt: Mapped[str]
    name: Mapped[str]


class OutboxRow(Table):
    """What is still to be told to Temporal or to our own people, written with the fact it tells of."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_waiting", "not_before", postgresql_where=text("done_at is null")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    invoice: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"))
    written_at: Mapped[datetime]
    not_before: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    done_at: Mapped[datetime | None]
