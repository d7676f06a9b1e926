"""Who is signed in, who is away, saved views, scopes of tokens, and keys by which requests are told apart."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INSTANT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "absences",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("person", sa.TEXT(), nullable=False),
        sa.Column("delegate", sa.TEXT(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.Column("set_by", sa.TEXT(), nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("ended_by", sa.TEXT()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("absences_by_person", "absences", ["person", "last_day"])
    op.create_table(
        "idempotency_keys",
        sa.Column("person", sa.TEXT(), nullable=False),
        sa.Column("key", sa.TEXT(), nullable=False),
        sa.Column("request", sa.TEXT(), nullable=False),
        sa.Column("first_at", _INSTANT, nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("answer", postgresql.JSONB()),
        sa.PrimaryKeyConstraint("person", "key"),
    )
    op.create_index("idempotency_keys_by_age", "idempotency_keys", ["first_at"])
    op.create_table(
        "preferences",
        sa.Column("person", sa.TEXT(), nullable=False),
        sa.Column("language", sa.TEXT()),
        sa.Column("appearance", sa.TEXT(), nullable=False),
        sa.Column("shortcuts", sa.Boolean(), nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )
    op.create_table(
        "saved_views",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("person", sa.TEXT(), nullable=False),
        sa.Column("page", sa.TEXT(), nullable=False),
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("query", sa.TEXT(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("saved_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person", "page", "name", name="one_saved_view"),
    )
    op.create_table(
        "sign_ins",
        sa.Column("sha256", sa.TEXT(), nullable=False),
        sa.Column("person", sa.TEXT(), nullable=False),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("how", sa.TEXT(), nullable=False),
        sa.Column("subject", sa.TEXT(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index(op.f("ix_sign_ins_person"), "sign_ins", ["person"])
    op.add_column(
        "api_tokens", sa.Column("scopes", postgresql.ARRAY(sa.TEXT()), server_default="{}", nullable=False)
    )
    op.add_column("api_tokens", sa.Column("expires_at", _INSTANT))
