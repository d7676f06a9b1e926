"""The first tables: companies, invoices, approvals, exceptions, money, messages, audit trail, outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_runs",
        sa.Column("run", sa.TEXT(), nullable=False),
        sa.Column("as_of", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("triggered", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("refused", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("run"),
    )
    op.create_table(
        "company_versions",
        sa.Column("version", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("applied_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("applied_by", sa.TEXT(), nullable=False),
        sa.Column("folder", sa.TEXT(), nullable=False),
        sa.Column("digest", sa.TEXT(), nullable=False),
        sa.Column("company", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "events",
        sa.Column("source", sa.TEXT(), nullable=False),
        sa.Column("event", sa.TEXT(), nullable=False),
        sa.Column("type", sa.TEXT(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("billing_key", sa.TEXT(), nullable=True),
        sa.PrimaryKeyConstraint("source", "event"),
    )
    op.create_table(
        "number_series",
        sa.Column("issuer", sa.TEXT(), nullable=False),
        sa.Column("document_type", sa.TEXT(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("last_date", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("issuer", "document_type"),
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("billing_key", sa.TEXT(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("rebill", sa.Boolean(), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("trigger", sa.TEXT(), nullable=False),
        sa.Column("requested_by", sa.TEXT(), nullable=False),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("took_part", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("company_version", sa.Integer(), nullable=False),
        sa.Column("document_status", sa.TEXT(), nullable=False),
        sa.Column("payment_status", sa.TEXT(), nullable=False),
        sa.Column("collection_status", sa.TEXT(), nullable=False),
        sa.Column("client", sa.TEXT(), nullable=False),
        sa.Column("issuer", sa.TEXT(), nullable=True),
        sa.Column("title", sa.TEXT(), nullable=False),
        sa.Column("currency", sa.TEXT(), nullable=True),
        sa.Column("net", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("tax", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("gross", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("paid", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("draft", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("draft_digest", sa.TEXT(), nullable=True),
        sa.Column("accepted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("overrides", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fetch_again_for", sa.TEXT(), nullable=True),
        sa.Column("number", sa.TEXT(), nullable=True),
        sa.Column("issue_date", sa.Date(), nullable=True),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("agreed_due_date", sa.Date(), nullable=True),
        sa.Column("late_from", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("document", sa.TEXT(), nullable=True),
        sa.Column("delivered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("held_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("promised_for", sa.Date(), nullable=True),
        sa.Column("disputed", sa.TEXT(), nullable=True),
        sa.Column("disputed_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("handed_over_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("waits_for", sa.TEXT(), nullable=False),
        sa.Column("then", sa.TEXT(), nullable=False),
        sa.Column("next_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("audit_position", sa.Integer(), nullable=False),
        sa.Column("audit_hash", sa.TEXT(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_version"],
            ["company_versions.version"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("billing_key", "generation", name="one_generation"),
        sa.UniqueConstraint("number", name="one_number"),
    )
    op.create_index("invoices_by_age", "invoices", ["requested_at"], unique=False)
    op.create_index("invoices_by_client", "invoices", ["client", "due_date"], unique=False)
    op.create_index(
        "one_living_invoice",
        "invoices",
        ["billing_key"],
        unique=True,
        postgresql_where=sa.text("not (document_status = 'voided draft' and rebill)"),
    )
    op.create_index(
        "open_items",
        "invoices",
        ["currency", "late_from"],
        unique=False,
        postgresql_include=["gross", "paid"],
        postgresql_where=sa.text(
            "number is not null and payment_status in ('unpaid', 'partly paid') and document_status <> 'credited'"
        ),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.TEXT(), nullable=False),
        sa.Column("tier", sa.TEXT(), nullable=False),
        sa.Column("asked", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deadline", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reminded_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.Column("approved_by", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("status", sa.TEXT(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("invoice", "digest", "tier", name="one_question"),
    )
    op.create_index(op.f("ix_approvals_invoice"), "approvals", ["invoice"], unique=False)
    op.create_index(
        "waiting_approvals",
        "approvals",
        ["deadline"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "audit_events",
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("event", sa.TEXT(), nullable=False),
        sa.Column("actor", sa.TEXT(), nullable=False),
        sa.Column("channel", sa.TEXT(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("previous", sa.TEXT(), nullable=False),
        sa.Column("hash", sa.TEXT(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("invoice", "position"),
    )
    op.create_table(
        "billed_items",
        sa.Column("source", sa.TEXT(), nullable=False),
        sa.Column("item", sa.TEXT(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("source", "item"),
    )
    op.create_index(op.f("ix_billed_items_invoice"), "billed_items", ["invoice"], unique=False)
    op.create_table(
        "claims",
        sa.Column("claim", sa.TEXT(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("refused", sa.TEXT(), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("claim"),
    )
    op.create_index(op.f("ix_claims_invoice"), "claims", ["invoice"], unique=False)
    op.create_table(
        "collection_acts",
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.TEXT(), nullable=False),
        sa.Column("planned_for", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("done_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("message", sa.TEXT(), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("invoice", "act"),
    )
    op.create_table(
        "documents",
        sa.Column("sha256", sa.TEXT(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("media_type", sa.TEXT(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("made_with", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index(op.f("ix_documents_invoice"), "documents", ["invoice"], unique=False)
    op.create_table(
        "exceptions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.TEXT(), nullable=False),
        sa.Column("finding", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("owner", sa.TEXT(), nullable=False),
        sa.Column("raised_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deadline", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reminded_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("resolution", sa.TEXT(), nullable=True),
        sa.Column("resolved_by", sa.TEXT(), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("exceptions_by_invoice", "exceptions", ["invoice"], unique=False)
    op.create_index(
        "open_exceptions",
        "exceptions",
        ["deadline"],
        unique=False,
        postgresql_where=sa.text("resolved_at is null"),
    )
    op.create_table(
        "messages",
        sa.Column("key", sa.TEXT(), nullable=False),
        sa.Column("message_id", sa.TEXT(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=True),
        sa.Column("event", sa.TEXT(), nullable=False),
        sa.Column("audience", sa.TEXT(), nullable=False),
        sa.Column("recipient", sa.TEXT(), nullable=False),
        sa.Column("copies_to", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("subject", sa.TEXT(), nullable=False),
        sa.Column("body", sa.TEXT(), nullable=False),
        sa.Column("html", sa.TEXT(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("document", sa.TEXT(), nullable=True),
        sa.Column("prepared_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.TEXT(), nullable=True),
        sa.Column("failing_since", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("failed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("handed_over_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("server_reply", sa.TEXT(), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index("messages_by_invoice", "messages", ["invoice"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("subject", sa.TEXT(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=True),
        sa.Column("written_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("not_before", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.TEXT(), nullable=True),
        sa.Column("done_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "outbox_waiting", "outbox", ["not_before"], unique=False, postgresql_where=sa.text("done_at is null")
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.TEXT(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("currency", sa.TEXT(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("source", sa.TEXT(), nullable=False),
        sa.Column("reference", sa.TEXT(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.TEXT(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(op.f("ix_payments_invoice"), "payments", ["invoice"], unique=False)
    op.create_table(
        "unmatched_payments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.TEXT(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=4), nullable=False),
        sa.Column("currency", sa.TEXT(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("payer", sa.TEXT(), nullable=False),
        sa.Column("reference", sa.TEXT(), nullable=False),
        sa.Column("source", sa.TEXT(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.TEXT(), nullable=False),
        sa.Column("owner", sa.TEXT(), nullable=False),
        sa.Column("raised_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deadline", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reminded_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.Column("allocated_to", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.TEXT(), nullable=True),
        sa.Column("resolution", sa.TEXT(), nullable=True),
        sa.ForeignKeyConstraint(
            ["allocated_to"],
            ["invoices.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(
        "open_unmatched_payments",
        "unmatched_payments",
        ["deadline"],
        unique=False,
        postgresql_where=sa.text("resolved_at is null"),
    )


def downgrade() -> None:
    op.drop_index(
        "open_unmatched_payments",
        table_name="unmatched_payments",
        postgresql_where=sa.text("resolved_at is null"),
    )
    op.drop_table("unmatched_payments")
    op.drop_index(op.f("ix_payments_invoice"), table_name="payments")
    op.drop_table("payments")
    op.drop_index("outbox_waiting", table_name="outbox", postgresql_where=sa.text("done_at is null"))
    op.drop_table("outbox")
    op.drop_index("messages_by_invoice", table_name="messages")
    op.drop_table("messages")
    op.drop_index("open_exceptions", table_name="exceptions", postgresql_where=sa.text("resolved_at is null"))
    op.drop_index("exceptions_by_invoice", table_name="exceptions")
    op.drop_table("exceptions")
    op.drop_index(op.f("ix_documents_invoice"), table_name="documents")
    op.drop_table("documents")
    op.drop_table("collection_acts")
    op.drop_index(op.f("ix_claims_invoice"), table_name="claims")
    op.drop_table("claims")
    op.drop_index(op.f("ix_billed_items_invoice"), table_name="billed_items")
    op.drop_table("billed_items")
    op.drop_table("audit_events")
    op.drop_index("waiting_approvals", table_name="approvals", postgresql_where=sa.text("status = 'waiting'"))
    op.drop_index(op.f("ix_approvals_invoice"), table_name="approvals")
    op.drop_table("approvals")
    op.drop_index(
        "open_items",
        table_name="invoices",
        postgresql_include=["gross", "paid"],
        postgresql_where=sa.text(
            "number is not null and payment_status in ('unpaid', 'partly paid') and document_status <> 'credited'"
        ),
    )
    op.drop_index(
        "one_living_invoice",
        table_name="invoices",
        postgresql_where=sa.text("not (document_status = 'voided draft' and rebill)"),
    )
    op.drop_index("invoices_by_client", table_name="invoices")
    op.drop_index("invoices_by_age", table_name="invoices")
    op.drop_table("invoices")
    op.drop_table("number_series")
    op.drop_table("events")
    op.drop_table("company_versions")
    op.drop_table("billing_runs")
