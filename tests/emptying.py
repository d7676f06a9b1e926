"""A database that many tests use one after the other: emptied for each, which costs a tenth of making a new one."""

from sqlalchemy import Engine, text

from activities.ledger.tables import Table


def emptied(engine: Engine) -> str:
    """The SQLAlchemy URL of the database, with nothing in it any more and its ids beginning anew.

    Row by row, children first or not: few rows are sooner deleted than fifty tables truncated.
    """
    tables = [table.name for table in Table.metadata.sorted_tables]
    with engine.begin() as connection:
        counted = connection.scalars(
            text(
                "select sequencename from pg_sequences where schemaname = 'public' and last_value is not null"
            )
        )
        connection.exec_driver_sql(
            "; ".join(
                [
                    "set local session_replication_role = replica",
                    *(f"delete from {name}" for name in tables),
                    *(f"alter sequence {name} restart" for name in counted),
                ]
            )
        )
    return engine.url.render_as_string(hide_password=False)
