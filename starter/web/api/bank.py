"""Bank statements: imported, and what became of each entry."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from activities.bank.importing import Imported, import_file
from activities.ledger import bank_statements
from activities.ledger.bank_entries import Outcome
from activities.ledger.read_models import ReadModel
from activities.ledger.tables import BankEntryRow, BankStatementRow
from billing.money import rounded
from starter.web.api.routes import OTHER_BODY, Called, operations
from starter.web.api.shapes import Cursor, Id, Limit, Name, answers, id_after, paged
from starter.web.callers import Caller

router = operations("Bank")

LARGEST_STATEMENT = 32 * 1024 * 1024
"""Bytes of a file; a busy account's month is a few."""

XML = ("application/xml", "text/xml")


class ImportedStatement(ReadModel):
    """What became of one statement of the file; `known` entries were accounted for before."""

    id: int
    account: str
    statement: str
    currency: str
    until: datetime
    new: bool
    entries: int
    known: int
    outcomes: dict[str, int]
    problems: tuple[str, ...]

    @classmethod
    def of(cls, made: Imported) -> ImportedStatement:
        return cls(
            id=made.id,
            account=made.account,
            statement=made.statement,
            currency=made.currency,
            until=made.until,
            new=made.new,
            entries=made.entries,
            known=made.known,
            outcomes=dict(sorted(made.outcomes.items())),
            problems=made.problems,
        )


class ImportedFile(ReadModel):
    """The statements of a file."""

    items: tuple[ImportedStatement, ...]


class StatementView(ReadModel):
    """A bank statement; not `complete` while its import is under way or was broken off."""

    id: int
    issuer: str | None
    account: str
    currency: str
    statement: str
    until: datetime
    opening: Decimal | None
    closing: Decimal | None
    entries: int
    outcomes: dict[str, int]
    problems: tuple[str, ...]
    file: str
    sha256: str
    imported_at: datetime
    imported_by: str
    complete: bool


class Statements(ReadModel):
    """Statements, the newest first."""

    items: tuple[StatementView, ...]
    next: str | None


class EntryView(ReadModel):
    """An entry, what became of it and why; `payment` is the unmatched payment it is kept as."""

    id: int
    statement: int
    position: str
    amount: Decimal
    currency: str
    booked_on: date
    valued_on: date | None
    counterparty: str
    counterparty_account: str
    end_to_end_id: str
    reference: str
    text: str
    outcome: str
    because: str
    payment: int | None
    client: str | None


class Entries(ReadModel):
    """Entries of a statement in its order, or of all, the newest first."""

    items: tuple[EntryView, ...]
    next: str | None


_Many = Annotated[int, Query(ge=1, le=10_000, description="how many at most")]


@router.post(
    "/bank-statements",
    operation_id="importStatement",
    responses=answers(413, 415),
    openapi_extra={
        OTHER_BODY: (LARGEST_STATEMENT, XML),
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "string", "contentMediaType": "application/xml"}} for kind in XML
            },
        },
    },
)
async def import_statement(
    request: Request,
    caller: Called,
    name: Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$", description="of the file")] = "",
) -> ImportedFile:
    """Imports a bank statement in camt.053: all of the file, or nothing.

    What is known already changes nothing, nor does a statement that overlaps with another.
    """
    body = await request.body()
    if not body:
        raise HTTPException(400, "There is no file in this request; send one in camt.053.")
    return await run_in_threadpool(_import, caller, body, name)


def _import(caller: Caller, body: bytes, name: str) -> ImportedFile:
    found = import_file(caller.ledger, io.BytesIO(body), file_name=name or "statement.xml", **caller.said)
    return ImportedFile(items=tuple(ImportedStatement.of(each) for each in found))


@router.get("/bank-statements", operation_id="listStatements", responses=answers(400))
def statements(
    caller: Called, account: Name | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Statements:
    """Bank statements that were imported, and what became of their entries."""
    with caller.ledger.transaction() as tx:
        found = bank_statements.listed(tx, account=account, limit=limit + 1, after=id_after(cursor))
        counted = bank_statements.outcomes(tx, [each.id for each in found])
    shown = [_statement(each, counted[each.id]) for each in found]
    return Statements(**paged(shown, limit, lambda each: (each.id,)))


@router.get("/bank-statements/{statement}", operation_id="readStatement", responses=answers(404))
def statement(caller: Called, statement: Id) -> StatementView:
    """One bank statement."""
    with caller.ledger.transaction() as tx:
        row = bank_statements.find(tx, statement)
        return _statement(row, bank_statements.outcomes(tx, [row.id])[row.id])


@router.get(
    "/bank-statements/{statement}/entries", operation_id="listStatementEntries", responses=answers(400, 404)
)
def entries_of(
    caller: Called, statement: Id, outcome: Outcome | None = None, cursor: Cursor = None, limit: _Many = 1000
) -> Entries:
    """The entries of a statement in its order."""
    with caller.ledger.transaction() as tx:
        row = bank_statements.find(tx, statement)
        found = bank_statements.entries(
            tx, statement=row.id, outcome=outcome, limit=limit + 1, after=id_after(cursor)
        )
    return Entries(**paged([_entry(each) for each in found], limit, lambda each: (each.id,)))


@router.get("/bank-entries", operation_id="listEntries", responses=answers(400))
def entries(
    caller: Called, outcome: Outcome | None = None, cursor: Cursor = None, limit: _Many = 200
) -> Entries:
    """Entries of all statements, the newest first; by what became of them."""
    with caller.ledger.transaction() as tx:
        found = bank_statements.entries(tx, outcome=outcome, limit=limit + 1, after=id_after(cursor))
    return Entries(**paged([_entry(each) for each in found], limit, lambda each: (each.id,)))


def _statement(row: BankStatementRow, outcomes: dict[str, int]) -> StatementView:
    return StatementView(
        id=row.id,
        issuer=row.issuer,
        account=row.account,
        currency=row.currency,
        statement=row.statement,
        until=row.until,
        opening=None if row.opening is None else rounded(row.opening, row.currency),
        closing=None if row.closing is None else rounded(row.closing, row.currency),
        entries=row.entries,
        outcomes=outcomes,
        problems=tuple(each["said"] for each in row.problems),
        file=row.file_name,
        sha256=row.file,
        imported_at=row.imported_at,
        imported_by=row.imported_by,
        complete=row.read_at is not None,
    )


def _entry(row: BankEntryRow) -> EntryView:
    return EntryView(
        id=row.id,
        statement=row.statement,
        position=row.position,
        amount=rounded(row.amount, row.currency),
        currency=row.currency,
        booked_on=row.booked_on,
        valued_on=row.valued_on,
        counterparty=row.counterparty,
        counterparty_account=row.counterparty_account,
        end_to_end_id=row.end_to_end_id,
        reference=row.structured_reference,
        text=row.remittance,
        outcome=row.outcome,
        because=row.because,
        payment=row.unmatched,
        client=row.client,
    )
