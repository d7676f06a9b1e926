"""Accounts: statements of account, receipts, what is owed and when it can be expected; messages as they were sent."""

from __future__ import annotations

import threading
from datetime import date, datetime
from decimal import Decimal

from fastapi import Response
from pydantic import computed_field

from activities.documents.receipt import render_receipt
from activities.documents.statement_of_account import render_statement_of_account
from activities.invoicing import account_documents
from activities.ledger import company_records, dealings, invoices, money_views
from activities.ledger.dealings import SentMessage
from activities.ledger.money_views import CurrencyMoney
from activities.ledger.read_models import ReadModel
from billing.expected_cash import Basis
from billing.receipt import Receipt
from billing.statement_of_account import Account, Movement, StatementOfAccount
from starter.web.api.routes import OTHER_ANSWER, Called, operations
from starter.web.api.shapes import Name, Reference, answers
from starter.web.callers import Caller
from starter.web.desk import zone_of

router = operations("Accounts")

_PDF = "application/pdf"
_one_at_a_time = threading.Lock()
"""Setting a document takes a processor for a while; the rest of the app goes on."""

MOST_CLIENTS = 200


class AccountView(Account):
    """One currency of a client; `ageing` is what is open by days late."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def by_days_late(self) -> dict[str, Decimal]:
        return self.ageing

    @computed_field  # type: ignore[prop-decorator]
    @property
    def open_and_late(self) -> Decimal:
        return self.late


class StatementView(ReadModel):
    """A client's account with an issuer between two days at the client, both included."""

    client: str
    client_name: str
    issuer: str
    since: date
    until: date
    accounts: tuple[AccountView, ...]


class ReceiptView(ReadModel):
    """What came for an invoice, was given back or is waived, oldest first."""

    invoice: str
    title: str
    as_of: date
    currency: str
    due: Decimal
    movements: tuple[Movement, ...]
    received: Decimal
    waived: Decimal
    open: Decimal


class BucketView(ReadModel):
    """So many invoices, and what is open of them."""

    invoices: int
    amount: Decimal


class ClientOwes(ReadModel):
    """What a client owes, what of it is late, and how many days after the due date it usually pays."""

    client: str
    name: str
    invoices: int
    amount: Decimal
    late: Decimal
    habit: int | None


class WeekView(ReadModel):
    """What is expected in the week that begins on a Monday, by what its day is taken from."""

    begins: date
    amounts: dict[Basis, Decimal]


class CurrencyView(ReadModel):
    """All about one currency: `days_sales_outstanding` is null where nothing was issued lately."""

    currency: str
    open: Decimal
    late: Decimal
    days_sales_outstanding: int | None
    ageing: dict[str, BucketView]
    clients: tuple[ClientOwes, ...]
    weeks: tuple[WeekView, ...]
    later: Decimal
    undated: dict[Basis, Decimal]


class MoneyView(ReadModel):
    """What is owed and when it can be expected, each currency by itself."""

    as_of: datetime
    currencies: tuple[CurrencyView, ...]


def _pdf(said: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": said, "content": {_PDF: {"schema": {}}}}, **answers(404, 409)}


def _statement(
    caller: Caller, client: str, since: date | None, until: date | None, issuer: str | None
) -> StatementOfAccount:
    with caller.ledger.transaction() as tx:
        return account_documents.statement_of_account(tx, client, since, until, caller.at, issuer)


@router.get("/clients/{client}/statement", operation_id="readStatementOfAccount", responses=answers(404))
def statement(
    caller: Called,
    client: Name,
    since: date | None = None,
    until: date | None = None,
    issuer: Name | None = None,
) -> StatementView:
    """What moved a client's account, what is open at the end, and how late that is.

    Without days: this month and the two before it; with the client's own issuer, unless one is named.
    """
    found = _statement(caller, client, since, until, issuer)
    return StatementView(
        client=client,
        client_name=found.client_name,
        issuer=found.issuer.id,
        since=found.since,
        until=found.until,
        accounts=tuple(AccountView(**dict(each)) for each in found.accounts),
    )


@router.get(
    "/clients/{client}/statement.pdf",
    operation_id="readStatementOfAccountPdf",
    response_class=Response,
    responses=_pdf("The statement as it can be sent"),
    openapi_extra={OTHER_ANSWER: True},
)
def statement_pdf(
    caller: Called,
    client: Name,
    since: date | None = None,
    until: date | None = None,
    issuer: Name | None = None,
) -> Response:
    """The same as PDF, in the client's language and the issuer's look."""
    found = _statement(caller, client, since, until, issuer)
    with caller.ledger.transaction() as tx:
        look = account_documents.look_now(tx, found.issuer)
    with _one_at_a_time:
        return _file(render_statement_of_account(found, look), f"statement-{client}-{found.until}")


def _receipt(caller: Caller, invoice: str) -> Receipt:
    with caller.ledger.transaction() as tx:
        return account_documents.receipt(tx, invoices.find(tx, invoice), caller.at)


@router.get("/invoices/{invoice:path}/receipt", operation_id="readReceipt", responses=answers(404, 409))
def receipt(caller: Called, invoice: Reference) -> ReceiptView:
    """What was paid for an invoice up to now; 422 if nothing was."""
    found = _receipt(caller, invoice)
    return ReceiptView(
        invoice=found.number,
        title=found.title,
        as_of=found.as_of,
        currency=found.due.currency,
        due=found.due.amount,
        movements=found.movements,
        received=found.received.amount,
        waived=found.waived,
        open=found.open.amount,
    )


@router.get(
    "/invoices/{invoice:path}/receipt.pdf",
    operation_id="readReceiptPdf",
    response_class=Response,
    responses=_pdf("The receipt as it can be sent"),
    openapi_extra={OTHER_ANSWER: True},
)
def receipt_pdf(caller: Called, invoice: Reference) -> Response:
    """The same as PDF, in the client's language and the issuer's look."""
    found = _receipt(caller, invoice)
    with caller.ledger.transaction() as tx:
        look = account_documents.look_now(tx, found.issuer)
    with _one_at_a_time:
        return _file(render_receipt(found, look), f"receipt-{found.number}")


def _file(content: bytes, name: str) -> Response:
    safe = "".join(each if each.isascii() and (each.isalnum() or each in "-_") else "-" for each in name)
    return Response(
        content, media_type=_PDF, headers={"Content-Disposition": f'attachment; filename="{safe}.pdf"'}
    )


@router.get("/money", operation_id="readMoney")
def money(caller: Called, client: Name | None = None) -> MoneyView:
    """Ageing, days sales outstanding, and what can be expected week by week; of one client, or of all."""
    with caller.ledger.transaction() as tx:
        zone = zone_of(company_records.current(tx).company)
        found = money_views.money(tx, caller.at, zone, client, MOST_CLIENTS)
    return MoneyView(as_of=caller.at, currencies=tuple(map(_currency, found)))


def _currency(found: CurrencyMoney) -> CurrencyView:
    return CurrencyView(
        currency=found.currency,
        open=found.open,
        late=found.late,
        days_sales_outstanding=found.dso,
        ageing={
            name: BucketView(invoices=each.invoices, amount=each.amount)
            for name, each in found.buckets.items()
        },
        clients=tuple(ClientOwes(**vars(each)) for each in found.clients),
        weeks=tuple(
            WeekView(begins=each.begins, amounts=dict(each.amounts)) for each in found.expected.weeks
        ),
        later=found.expected.later,
        undated=dict(found.expected.undated),
    )


@router.get("/messages/{key:path}", operation_id="readSentMessage", responses=answers(404))
def message(caller: Called, key: Name) -> SentMessage:
    """A message as it was sent, to whom, and whether it is known to have arrived. Its HTML is not to be trusted."""
    with caller.ledger.transaction() as tx:
        return dealings.message(tx, key)
