"""The four triggers: periods on invoices, meters, outcomes of events, progress of runs, exceptions without invoice."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = postgresql.TIMESTAMP(timezone=True)
AMOUNT = sa.Numeric(18, 4)
CONTENT = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    _invoices()
    _exceptions()
    _events()
    _meters()
    _billing_runs()
    op.create_table(
        "api_tokens",
        sa.Column("sha256", sa.TEXT(), primary_key=True),
        sa.Column("name", sa.TEXT(), nullable=False, unique=True),
        sa.Column("person", sa.TEXT(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.TEXT(), nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
    )


def _invoices() -> None:
    for column in (
        sa.Column("agreement", sa.TEXT()),
        sa.Column("item", sa.TEXT()),
        sa.Column("period_start", sa.Date()),
        sa.Column("period_end", sa.Date()),
    ):
        op.add_column("invoices", column)
    op.execute(
        """
        update invoices set
            agreement = request #>> '{occasion,agreement}',
            item = request #>> '{occasion,item}',
            period_start = (request #>> '{occasion,period,start}')::date,
            period_end = (request #>> '{occasion,period,end}')::date
        where request #>> '{occasion,agreement}' is not null
        """
    )
    # Nothing kept an agreement whose start was moved from billing a day twice. Such a day stays with the invoice that
    # began first, so that the guard can be put up; all of them together cover the days they covered.
    op.execute(
        """
        update invoices set
            period_start = case when covered < period_end then greatest(period_start, covered + 1) end,
            period_end = case when covered < period_end then period_end end
        from (
            select id as other, max(period_end) over (
                partition by agreement, item order by period_start, id
                rows between unbounded preceding and 1 preceding
            ) as covered
            from invoices
            where period_start is not null and not (document_status = 'voided draft' and rebill)
        ) as before
        where id = other and covered >= period_start
        """
    )
    op.create_index("invoices_by_agreement", "invoices", ["agreement", "item", "period_start"])
    op.execute(
        """
        alter table invoices add constraint one_living_period exclude using gist (
            int8range(
                hashtextextended(agreement || '/' || item, 0), hashtextextended(agreement || '/' || item, 0), '[]'
            ) with &&,
            daterange(period_start, period_end, '[]') with &&
        ) where (period_start is not null and not (document_status = 'voided draft' and rebill))
        """
    )


def _exceptions() -> None:
    op.alter_column("exceptions", "invoice", nullable=True)
    for column in (
        sa.Column("subject", sa.TEXT()),
        sa.Column("client", sa.TEXT()),
        sa.Column("at_stake", AMOUNT),
        sa.Column("currency", sa.TEXT()),
    ):
        op.add_column("exceptions", column)
    op.create_index(
        "one_open_exception",
        "exceptions",
        ["subject"],
        unique=True,
        postgresql_where=sa.text("subject is not null and resolved_at is null"),
    )
    op.create_index(
        "exceptions_by_subject",
        "exceptions",
        ["subject"],
        postgresql_where=sa.text("subject is not null"),
    )


def _events() -> None:
    for column in (
        sa.Column("channel", sa.TEXT(), nullable=False, server_default=""),
        sa.Column("brought_by", sa.TEXT()),
        sa.Column("billing_keys", postgresql.ARRAY(sa.TEXT()), nullable=False, server_default="{}"),
        sa.Column("status", sa.TEXT(), nullable=False, server_default="acted on"),
        sa.Column("outcome", sa.TEXT(), nullable=False, server_default=""),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("acted_at", INSTANT),
    ):
        op.add_column("events", column)
    op.execute("update events set billing_keys = array[billing_key] where billing_key is not null")
    op.execute("update events set status = 'nothing due' where billing_key is null")
    op.drop_column("events", "billing_key")
    op.create_index("events_by_status", "events", ["status", "received_at"])


def _meters() -> None:
    op.create_table(
        "meters",
        sa.Column("agreement", sa.TEXT(), primary_key=True),
        sa.Column("measure", sa.TEXT(), primary_key=True),
        sa.Column("value", AMOUNT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
    )
    op.create_table(
        "meter_entries",
        sa.Column("source", sa.TEXT(), primary_key=True),
        sa.Column("entry", sa.TEXT(), primary_key=True),
        sa.Column("agreement", sa.TEXT(), nullable=False),
        sa.Column("measure", sa.TEXT(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("quantity", AMOUNT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("content", CONTENT, nullable=False),
        sa.Column("taken_in_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
    )
    op.create_index("meter_entries_by_agreement", "meter_entries", ["agreement", "measure", "day"])
    op.create_table(
        "meter_crossings",
        sa.Column("agreement", sa.TEXT(), primary_key=True),
        sa.Column("line", sa.TEXT(), primary_key=True),
        sa.Column("crossed_at", INSTANT, nullable=False),
        sa.Column("value", AMOUNT, nullable=False),
        sa.Column("threshold", AMOUNT, nullable=False),
        sa.Column("source", sa.TEXT(), nullable=False),
        sa.Column("entry", sa.TEXT(), nullable=False),
        sa.Column("billing_key", sa.TEXT()),
        sa.Column("outcome", sa.TEXT(), nullable=False),
    )


def _billing_runs() -> None:
    op.create_index(
        "invoices_not_assembled",
        "invoices",
        ["id"],
        postgresql_where=sa.text("draft is null and next_at is null and closed_at is null"),
    )
    op.create_table(
        "schedules",
        sa.Column("schedule", sa.TEXT(), primary_key=True),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("by", sa.TEXT(), nullable=False),
    )
    op.create_table(
        "billing_run_items",
        sa.Column("run", sa.TEXT(), sa.ForeignKey("billing_runs.run"), primary_key=True),
        sa.Column("billing_key", sa.TEXT(), primary_key=True),
        sa.Column("agreement", sa.TEXT(), nullable=False),
        sa.Column("outcome", sa.TEXT(), nullable=False),
        sa.Column("code", sa.TEXT(), nullable=False, server_default=""),
        sa.Column("because", sa.TEXT(), nullable=False),
        sa.Column("due_since", sa.Date()),
    )
    op.create_index("billing_run_items_by_key", "billing_run_items", ["billing_key"])
    op.execute(
        """
        insert into billing_run_items (run, billing_key, agreement, outcome, because)
        select run, key, split_part(key, '/', 1), 'triggered', ''
        from billing_runs, jsonb_array_elements_text(triggered) as key
        union all
        select run, item ->> 'billing_key', split_part(item ->> 'billing_key', '/', 1), 'held', item ->> 'because'
        from billing_runs, jsonb_array_elements(refused) as item
        on conflict do nothing
        """
    )
    for column in (
        sa.Column("requested_by", sa.TEXT(), nullable=False, server_default=""),
        sa.Column("started_at", INSTANT),
        sa.Column("agreements", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_agreement", sa.TEXT()),
        sa.Column("caught_up", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("held", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("moved_at", INSTANT),
        sa.Column("waits_for", sa.TEXT(), nullable=False, server_default=""),
    ):
        op.add_column("billing_runs", column)
    op.execute("update billing_runs set held = jsonb_array_length(refused), agreements = looked_at")
    op.execute(
        "alter table billing_runs alter column triggered type integer using jsonb_array_length(triggered)"
    )
    op.drop_column("billing_runs", "refused")
    op.alter_column("billing_runs", "finished_at", nullable=True)
    op.create_index("billing_runs_by_age", "billing_runs", ["as_of"])
