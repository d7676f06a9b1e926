"""Invoices keep position and hash of their newest audit event."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoices", sa.Column("audit_position", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("invoices", sa.Column("audit_hash", sa.TEXT(), nullable=False, server_default="0" * 64))
    op.execute(
        """
        update invoices set audit_position = newest.position, audit_hash = newest.hash
        from (
            select distinct on (invoice) invoice, position, hash
            from audit_events order by invoice, position desc
        ) as newest
        where newest.invoice = invoices.id
        """
    )
    op.alter_column("invoices", "audit_position", server_default=None)
    op.alter_column("invoices", "audit_hash", server_default=None)


def downgrade() -> None:
    op.drop_column("invoices", "audit_hash")
    op.drop_column("invoices", "audit_position")
