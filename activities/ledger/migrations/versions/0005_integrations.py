"""Deliveries of vendors, how connections fare, what is written back, and proof that a message arrived."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("connection", sa.TEXT(), primary_key=True),
        sa.Column("delivery", sa.TEXT(), primary_key=True),
        sa.Column("provider", sa.TEXT(), nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("verified_by", sa.TEXT(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.TEXT(), nullable=False),
        sa.Column("outcome", sa.TEXT(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("acted_at", _INSTANT),
    )
    op.create_index("deliveries_by_status", "deliveries", ["status", "received_at"])
    op.create_table(
        "integrations",
        sa.Column("connection", sa.TEXT(), primary_key=True),
        sa.Column("last_contact_at", _INSTANT),
        sa.Column("last_error", sa.TEXT()),
        sa.Column("last_error_at", _INSTANT),
        sa.Column("failing_since", _INSTANT),
        sa.Column("cursor", sa.TEXT()),
        sa.Column("polled_at", _INSTANT),
        sa.Column("lag_seconds", sa.Integer()),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("last_refused_at", _INSTANT),
        sa.Column("last_refusal", sa.TEXT()),
    )
    op.create_table(
        "write_backs",
        sa.Column("connection", sa.TEXT(), primary_key=True),
        sa.Column("invoice", sa.BigInteger(), sa.ForeignKey("invoices.id"), primary_key=True),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("written_at", _INSTANT, nullable=False),
        sa.Column("not_before", _INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.TEXT()),
        sa.Column("done_at", _INSTANT),
    )
    op.create_index(
        "open_write_backs", "write_backs", ["not_before"], postgresql_where=sa.text("done_at is null")
    )
    op.add_column("messages", sa.Column("delivered_at", _INSTANT))
    op.add_column("messages", sa.Column("return_token", sa.TEXT()))
    op.create_unique_constraint("messages_return_token_key", "messages", ["return_token"])
