"""Whether the app is up, and whether it can work."""

from __future__ import annotations

import os

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from activities.ledger.database import is_behind
from starter.local_stack.mark import STACK_HEADER, stack_mark


async def healthz(_request: Request) -> Response:
    """200 as long as the process answers."""
    return PlainTextResponse("up\n", headers={STACK_HEADER: stack_mark(os.environ.get("BILLOW_STACK", ""))})


def readyz(request: Request) -> Response:
    """200 when the database answers and has the tables this version needs, 503 otherwise."""
    try:
        with request.app.state.desk.ledger.transaction() as tx:
            tx.execute(text("select 1 from invoices limit 1"))
            behind = is_behind(tx)
    except SQLAlchemyError:
        return PlainTextResponse("the database cannot be reached, or has no tables yet\n", 503)
    if behind:
        return PlainTextResponse("the database has the tables of an older version: `billow migrate`\n", 503)
    return PlainTextResponse("ready\n")
