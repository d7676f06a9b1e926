"""What authorities said about tax ids."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tax_id_checks",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("number", sa.TEXT(), nullable=False),
        sa.Column("valid", sa.Boolean(), nullable=False),
        sa.Column("checked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("source", sa.TEXT(), nullable=False),
        sa.Column("receipt", sa.TEXT(), nullable=False),
        sa.Column("name", sa.TEXT(), nullable=False),
    )
    op.create_index("tax_id_checks_by_number", "tax_id_checks", ["number", "checked_at"])
