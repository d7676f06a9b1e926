"""What a second look at the web app and at money after issue asked for: an index of what each client owes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "open_items_by_client",
        "invoices",
        ["client"],
        postgresql_where=sa.text(
            "number is not null and payment_status in ('unpaid', 'partly paid') and document_status <> 'credited'"
        ),
    )
