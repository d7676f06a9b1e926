"""How Alembic reaches the ledger: by the connection it is handed, or by BILLOW_DATABASE_URL."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine

from activities.ledger.tables import Table


def upgrade(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Table.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    upgrade(handed_over)
else:
    with create_engine(os.environ["BILLOW_DATABASE_URL"]).connect() as own:
        upgrade(own)
        own.commit()
