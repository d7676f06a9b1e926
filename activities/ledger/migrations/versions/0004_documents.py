"""Looks of documents, and documents that are of no single invoice."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "looks",
        sa.Column("digest", sa.TEXT(), primary_key=True),
        sa.Column("issuer", sa.TEXT(), nullable=False),
        sa.Column("look", postgresql.JSONB(), nullable=False),
        sa.Column("files", postgresql.JSONB(), nullable=False),
        sa.Column("stored_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
    )
    op.create_table(
        "look_files",
        sa.Column("sha256", sa.TEXT(), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.add_column(
        "company_versions", sa.Column("looks", postgresql.JSONB(), nullable=False, server_default="{}")
    )
    op.alter_column("documents", "invoice", existing_type=sa.BigInteger(), nullable=True)
    op.add_column("documents", sa.Column("client", sa.TEXT()))
    op.add_column("documents", sa.Column("name", sa.TEXT(), nullable=False, server_default=""))
    op.add_column("documents", sa.Column("made_from", postgresql.JSONB()))
    op.add_column("documents", sa.Column("erased_at", postgresql.TIMESTAMP(timezone=True)))
    op.create_table(
        "erasures",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("subject", sa.TEXT(), nullable=False),
        sa.Column("erased_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("erased_by", sa.TEXT(), nullable=False),
        sa.Column("erased", postgresql.JSONB(), nullable=False),
        sa.Column("kept", postgresql.JSONB(), nullable=False),
    )
    op.create_index("ix_erasures_subject", "erasures", ["subject"])
