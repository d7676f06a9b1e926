"""Credit notes, disputes, promises, instalment plans, bank statements, refunds, and the links of the client portal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSTANT = postgresql.TIMESTAMP(timezone=True)
_AMOUNT = sa.Numeric(18, 4)

_DISPUTES = """
insert into disputes (invoice, code, reason, lines, opened_at, opened_by, channel, owner, deadline, escalations, answer)
select i.id, 'other', i.disputed, '[]', coalesce(e.at, i.requested_at), coalesce(e.actor, i.requested_by),
    coalesce(e.channel, 'cli'),
    coalesce(
        (select c ->> 'account_manager' from jsonb_array_elements(v.company -> 'clients') as c
         where c ->> 'id' = i.client limit 1),
        v.company -> 'exceptions' ->> 'default_owner'
    ),
    coalesce(i.disputed_until, now() + interval '7 days'), 0, ''
from invoices as i
join company_versions as v on v.version = i.company_version
left join lateral (
    select at, actor, channel from audit_events
    where invoice = i.id and event = 'disputed' order by position desc limit 1
) as e on true
where i.disputed is not null and i.closed_at is null
"""
"""Whoever disputes still: with the account manager, until the day that was set."""

_PROMISES = """
insert into promises
    (invoice, client, promised_for, amount, made_at, made_by, channel, note, outcome, decided_at)
select i.id, i.client, i.promised_for, i.gross - i.paid, coalesce(e.at, i.requested_at),
    coalesce(e.actor, i.requested_by), coalesce(e.channel, 'cli'), coalesce(e.facts ->> 'note', ''),
    case when i.collection_status <> 'promised' and i.promised_for < current_date then 'broken' end,
    case when i.collection_status <> 'promised' and i.promised_for < current_date then now() end
from invoices as i
left join lateral (
    select at, actor, channel, facts from audit_events
    where invoice = i.id and event = 'payment promised' order by position desc limit 1
) as e on true
where i.promised_for is not null and i.closed_at is null and i.gross > i.paid
"""
"""The newest promise of each invoice that is not paid; of those before it nothing was noted but in the audit trail."""


def upgrade() -> None:
    op.create_table(
        "bank_statements",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account", sa.TEXT(), nullable=False),
        sa.Column("statement", sa.TEXT(), nullable=False),
        sa.Column("issuer", sa.TEXT()),
        sa.Column("currency", sa.TEXT(), nullable=False),
        sa.Column("version", sa.TEXT(), nullable=False),
        sa.Column("begins", _INSTANT),
        sa.Column("until", _INSTANT, nullable=False),
        sa.Column("opening", _AMOUNT),
        sa.Column("closing", _AMOUNT),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("file", sa.TEXT(), nullable=False),
        sa.Column("file_name", sa.TEXT(), nullable=False),
        sa.Column("imported_at", _INSTANT, nullable=False),
        sa.Column("imported_by", sa.TEXT(), nullable=False),
        sa.Column("channel", sa.TEXT(), nullable=False),
        sa.Column("problems", postgresql.JSONB(), nullable=False),
        sa.Column("read_at", _INSTANT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "currency", "statement", "until", name="one_bank_statement"),
    )
    op.create_index("bank_statements_by_account", "bank_statements", ["account", "until"])
    op.create_index("bank_statements_by_issuer", "bank_statements", ["issuer", "currency", "until"])
    op.create_table(
        "checkouts",
        sa.Column("session", sa.TEXT(), nullable=False),
        sa.Column("connection", sa.TEXT(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("currency", sa.TEXT(), nullable=False),
        sa.Column("url", sa.TEXT(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("status", sa.TEXT(), nullable=False),
        sa.Column("payment", sa.TEXT()),
        sa.ForeignKeyConstraint(["invoice"], ["invoices.id"]),
        sa.PrimaryKeyConstraint("session"),
    )
    op.create_index(op.f("ix_checkouts_invoice"), "checkouts", ["invoice"])
    op.create_index(op.f("ix_checkouts_payment"), "checkouts", ["payment"])
    op.create_table(
        "credit_holds",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("client", sa.TEXT(), nullable=False),
        sa.Column("invoice", sa.BigInteger()),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("by", sa.TEXT(), nullable=False),
        sa.Column("lifted_at", _INSTANT),
        sa.Column("lifted_by", sa.TEXT()),
        sa.ForeignKeyConstraint(["invoice"], ["invoices.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_credit_holds_client"), "credit_holds", ["client"])
    op.create_index(
        "one_credit_hold",
        "credit_holds",
        ["client"],
        unique=True,
        postgresql_where=sa.text("lifted_at is null"),
    )
    op.create_table(
        "disputes",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.TEXT(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("amount", _AMOUNT),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("opened_by", sa.TEXT(), nullable=False),
        sa.Column("channel", sa.TEXT(), nullable=False),
        sa.Column("owner", sa.TEXT(), nullable=False),
        sa.Column("deadline", _INSTANT, nullable=False),
        sa.Column("reminded_at", _INSTANT),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.TEXT()),
        sa.Column("answer", sa.TEXT(), nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("ended_by", sa.TEXT()),
        sa.ForeignKeyConstraint(["invoice"], ["invoices.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("disputes_by_invoice", "disputes", ["invoice"])
    op.create_index(
        "one_open_dispute", "disputes", ["invoice"], unique=True, postgresql_where=sa.text("ended_at is null")
    )
    op.create_index("open_disputes", "disputes", ["deadline"], postgresql_where=sa.text("ended_at is null"))
    op.create_table(
        "payment_plans",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("parts", postgresql.JSONB(), nullable=False),
        sa.Column("agreed_at", _INSTANT, nullable=False),
        sa.Column("agreed_by", sa.TEXT(), nullable=False),
        sa.Column("channel", sa.TEXT(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("ended_because", sa.TEXT()),
        sa.ForeignKeyConstraint(["invoice"], ["invoices.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_running_plan",
        "payment_plans",
        ["invoice"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index("payment_plans_by_invoice", "payment_plans", ["invoice"])
    op.create_table(
        "portal_links",
        sa.Column("token", sa.TEXT(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("revoked_at", _INSTANT),
        sa.Column("revoked_by", sa.TEXT()),
        sa.Column("seen_at", _INSTANT),
        sa.ForeignKeyConstraint(["invoice"], ["invoices.id"]),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_index(op.f("ix_portal_links_invoice"), "portal_links", ["invoice"])
    op.create_table(
        "promises",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("client", sa.TEXT(), nullable=False),
        sa.Column("promised_for", sa.Date(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("made_by", sa.TEXT(), nullable=False),
        sa.Column("channel", sa.TEXT(), nullable=False),
        sa.Column("note", sa.TEXT(), nullable=False),
        sa.Column("outcome", sa.TEXT()),
        sa.Column("decided_at", _INSTANT),
        sa.ForeignKeyConstraint(["invoice"], ["invoices.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_open_promise", "promises", ["invoice"], unique=True, postgresql_where=sa.text("outcome is null")
    )
    op.create_index("promises_by_client", "promises", ["client", "made_at"])
    op.create_index("promises_by_invoice", "promises", ["invoice"])
    op.create_table(
        "bank_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("statement", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.TEXT(), nullable=False),
        sa.Column("position", sa.TEXT(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("currency", sa.TEXT(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("valued_on", sa.Date()),
        sa.Column("code", sa.TEXT(), nullable=False),
        sa.Column("counterparty", sa.TEXT(), nullable=False),
        sa.Column("counterparty_account", sa.TEXT(), nullable=False),
        sa.Column("end_to_end_id", sa.TEXT(), nullable=False),
        sa.Column("structured_reference", sa.TEXT(), nullable=False),
        sa.Column("remittance", sa.TEXT(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("outcome", sa.TEXT(), nullable=False),
        sa.Column("because", sa.TEXT(), nullable=False),
        sa.Column("unmatched", sa.BigInteger()),
        sa.Column("client", sa.TEXT()),
        sa.ForeignKeyConstraint(["statement"], ["bank_statements.id"]),
        sa.ForeignKeyConstraint(["unmatched"], ["unmatched_payments.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("bank_entries_by_outcome", "bank_entries", ["outcome", "booked_on"])
    op.create_index(
        "bank_entries_by_payer",
        "bank_entries",
        ["counterparty_account"],
        postgresql_include=["client"],
        postgresql_where=sa.text("client is not null and counterparty_account <> ''"),
    )
    op.create_index(
        "bank_entries_by_end_to_end_id",
        "bank_entries",
        ["end_to_end_id"],
        postgresql_where=sa.text("end_to_end_id <> ''"),
    )
    op.create_index("bank_entries_by_statement", "bank_entries", ["statement"])
    op.create_index(op.f("ix_bank_entries_unmatched"), "bank_entries", ["unmatched"])
    op.create_table(
        "credit_notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("invoice", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.TEXT(), nullable=False),
        sa.Column("number", sa.TEXT(), nullable=False),
        sa.Column("issuer", sa.TEXT(), nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("issued_at", _INSTANT, nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("draft", postgresql.JSONB(), nullable=False),
        sa.Column("draft_digest", sa.TEXT(), nullable=False),
        sa.Column("currency", sa.TEXT(), nullable=False),
        sa.Column("net", _AMOUNT, nullable=False),
        sa.Column("tax", _AMOUNT, nullable=False),
        sa.Column("gross", _AMOUNT, nullable=False),
        sa.Column("dispute", sa.BigInteger()),
        sa.Column("asked_by", sa.TEXT(), nullable=False),
        sa.Column("channel", sa.TEXT(), nullable=False),
        sa.Column("document", sa.TEXT()),
        sa.Column("delivered_at", _INSTANT),
        sa.ForeignKeyConstraint(["dispute"], ["disputes.id"]),
        sa.ForeignKeyConstraint(["invoice"], ["invoices.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(op.f("ix_credit_notes_invoice"), "credit_notes", ["invoice"])
    op.create_table(
        "dispute_files",
        sa.Column("dispute", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.TEXT(), nullable=False),
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("media_type", sa.TEXT(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sent_at", _INSTANT, nullable=False),
        sa.Column("erased_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["dispute"], ["disputes.id"]),
        sa.PrimaryKeyConstraint("dispute", "sha256"),
    )
    op.create_table(
        "giving_up",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("key", sa.TEXT(), nullable=False),
        sa.Column("invoice", sa.BigInteger()),
        sa.Column("unmatched", sa.BigInteger()),
        sa.Column("client", sa.TEXT()),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("currency", sa.TEXT(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("method", sa.TEXT(), nullable=False),
        sa.Column("provider_reference", sa.TEXT()),
        sa.Column("asked_by", sa.TEXT(), nullable=False),
        sa.Column("channel", sa.TEXT(), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("owner", sa.TEXT(), nullable=False),
        sa.Column("raised_at", _INSTANT, nullable=False),
        sa.Column("deadline", _INSTANT, nullable=False),
        sa.Column("reminded_at", _INSTANT),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.Column("status", sa.TEXT(), nullable=False),
        sa.Column("decided_by", sa.TEXT()),
        sa.Column("decided_at", _INSTANT),
        sa.Column("comment", sa.TEXT(), nullable=False),
        sa.Column("done_at", _INSTANT),
        sa.Column("last_error", sa.TEXT()),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["invoice"], ["invoices.id"]),
        sa.ForeignKeyConstraint(["unmatched"], ["unmatched_payments.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("giving_up_by_invoice", "giving_up", ["invoice"])
    op.create_index(
        "open_giving_up",
        "giving_up",
        ["deadline"],
        postgresql_where=sa.text("status in ('asked', 'agreed', 'failed')"),
    )
    op.add_column("invoices", sa.Column("credited", _AMOUNT, server_default="0", nullable=False))
    op.add_column("invoices", sa.Column("written_off", _AMOUNT, server_default="0", nullable=False))
    op.add_column("invoices", sa.Column("disputed_amount", _AMOUNT))
    op.add_column("invoices", sa.Column("rested_days", sa.Integer(), server_default="0", nullable=False))
    op.add_column("invoices", sa.Column("notice_until", _INSTANT))
    op.add_column("invoices", sa.Column("corrects", sa.BigInteger()))
    op.add_column("invoices", sa.Column("viewed_at", _INSTANT))
    op.create_index(op.f("ix_invoices_corrects"), "invoices", ["corrects"])
    op.create_foreign_key(None, "invoices", "invoices", ["corrects"], ["id"])
    op.add_column("payments", sa.Column("fee", _AMOUNT))
    op.add_column("payments", sa.Column("provider_reference", sa.TEXT()))
    op.add_column("payments", sa.Column("received_as", sa.BigInteger()))
    op.create_index(op.f("ix_payments_provider_reference"), "payments", ["provider_reference"])
    op.create_index(op.f("ix_payments_received_as"), "payments", ["received_as"])
    op.create_foreign_key(None, "payments", "unmatched_payments", ["received_as"], ["id"])
    op.add_column("unmatched_payments", sa.Column("allocated", _AMOUNT, server_default="0", nullable=False))
    op.add_column("unmatched_payments", sa.Column("client", sa.TEXT()))
    op.add_column(
        "unmatched_payments",
        sa.Column("kept_as_credit", sa.Boolean(), server_default="false", nullable=False),
    )
    op.add_column(
        "unmatched_payments",
        sa.Column("suggestions", postgresql.JSONB(), server_default="[]", nullable=False),
    )
    op.add_column(
        "unmatched_payments", sa.Column("payer_account", sa.TEXT(), server_default="", nullable=False)
    )
    op.execute("update unmatched_payments set allocated = amount where allocated_to is not null")
    op.add_column("collection_acts", sa.Column("plan", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_constraint("collection_acts_pkey", "collection_acts")
    op.create_primary_key("collection_acts_pkey", "collection_acts", ["invoice", "act", "plan"])
    op.execute(_DISPUTES)
    op.execute(_PROMISES)
    op.create_index(
        "invoices_by_bare_number",
        "invoices",
        [sa.text("regexp_replace(upper(number), '[^A-Z0-9]', '', 'g')")],
        postgresql_where=sa.text("number is not null"),
    )
    op.drop_index("open_items", "invoices")
    op.create_index(
        "open_items",
        "invoices",
        ["currency", "late_from"],
        postgresql_include=["gross", "paid", "credited", "written_off"],
        postgresql_where=sa.text(
            "number is not null and payment_status in ('unpaid', 'partly paid') and document_status <> 'credited'"
        ),
    )
