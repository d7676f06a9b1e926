"""What a second look at pages and money asked for: indices of what each client was billed and owes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("invoices_by_client", "invoices")
    op.create_index(
        "invoices_by_client", "invoices", ["client", sa.text("coalesce(issue_date, '9999-12-31'::date)")]
    )
    op.create_index(
        "open_items_by_client",
        "invoices",
        ["client"],
        postgresql_where=sa.text(
            "number is not null and payment_status in ('unpaid', 'partly paid') and document_status <> 'credited'"
        ),
    )
