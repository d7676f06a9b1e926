"""Who is signed in, who is away, saved views, scopes of tokens, and keys by which requests are told apart."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INSTANT = postgresql.TIMESTAMP(timezone=True)

_CURRENCY = "coalesce(currency, '')"
_ORDERS = {
    "issue": ("coalesce(issue_date, '9999-12-31'::date)",),
    "due": ("coalesce(agreed_due_date, due_date, '9999-12-31'::date)",),
    "gross": (_CURRENCY, "coalesce(gross, 0)"),
    "open": (
        _CURRENCY,
        "(coalesce(gross - credited - paid - written_off, 0) * (number is not null)::integer)",
    ),
}
_WORDS = (
    "array_to_tsvector(string_to_array(trim(both from regexp_replace(lower(((((((((("
    "left(billing_key, 400) || ' ') || left(coalesce(number, ''), 100)) || ' ')"
    " || regexp_replace(left(coalesce(number, ''), 100), '^.*[^0-9]0*', '')) || ' ')"
    " || left(title, 400)) || ' ') || left(client, 200)) || ' ')"
    " || left(coalesce((draft -> 'buyer') ->> 'name', ''), 400)), '[^[:alnum:]]+', ' ', 'g')), ' '))"
)


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
    op.create_index("invoices_by_words", "invoices", [sa.text(_WORDS)], postgresql_using="gin")
    op.create_index("invoices_in_order_of_client", "invoices", ["client", "id"])
    for name, keys in _ORDERS.items():
        op.create_index(f"invoices_in_order_of_{name}", "invoices", [*map(sa.text, keys), "id"])
    op.create_index(
        "open_items_in_order_of_due",
        "invoices",
        [sa.text(_ORDERS["due"][0]), "id"],
        postgresql_where=sa.text(
            "number is not null and payment_status in ('unpaid', 'partly paid') and document_status <> 'credited'"
        ),
    )
    for axis, most in (("document", "issued"), ("payment", "paid"), ("collection", "closed")):
        op.create_index(
            f"invoices_by_{axis}_status",
            "invoices",
            [f"{axis}_status", "requested_at"],
            postgresql_where=sa.text(f"{axis}_status <> '{most}'"),
        )
    op.add_column(
        "api_tokens", sa.Column("scopes", postgresql.ARRAY(sa.TEXT()), server_default="{}", nullable=False)
    )
    op.add_column("api_tokens", sa.Column("expires_at", _INSTANT))
    op.execute("update api_tokens set scopes = '{bill}'")  # all that a token could be used for until now
