"""The list of invoices as a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from activities.languages.catalogue import message
from activities.ledger import views
from activities.ledger.read_models import InvoiceSummary
from starter.web.desk import desk_of, now
from starter.web.invoice_query import filter_of
from starter.web.preferences import words_of
from starter.web.words import Words

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A spreadsheet takes a text that begins so for a formula, and runs it; in full width, too, in East Asia (CWE-1236)."""


def export(request: Request) -> Response:
    """All that match, as a table a spreadsheet of the viewer's language opens (CSV, RFC 4180, UTF-8)."""
    desk, at = desk_of(request), now()
    wanted = filter_of(request.query_params, 1)
    with desk.ledger.transaction() as tx:
        said = words_of(request, tx)

    def lines() -> Iterator[str]:
        with desk.ledger.transaction() as tx:
            yield from csv_lines(views.every_one(tx, wanted, at), said)

    name = f"invoices-{at:%Y-%m-%d}.csv"
    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def csv_lines(invoices: Iterator[InvoiceSummary], said: Words) -> Iterator[str]:
    """The table in pieces of many lines; states in the viewer's words, amounts without separators of thousands, days as
    ISO 8601. A program reads the API, whose states never change with a language."""
    out = StringIO()
    # a spreadsheet in a language with a decimal comma has semicolons between the cells
    comma = said.figure(Decimal("0.5"))[1] == ","
    writer = csv.writer(out, delimiter=";" if said.locale.language == "de" else ",")
    out.write("\ufeff")  # by which a spreadsheet knows that it is UTF-8
    writer.writerow([said.gettext(name) for name in _COLUMNS])
    for number, invoice in enumerate(invoices, 1):
        writer.writerow([_cell(value, comma=comma) for value in _values(invoice, said)])
        if number % 200 == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


_COLUMNS = (
    message("Number"), message("Billing key"), message("Client"), message("Client's name"), message("Title"),
    message("Document"), message("Payment"), message("Collection"), message("Currency"), message("Gross"),
    message("Paid"), message("Credited"), message("Written off"), message("Open"), message("Issued"),
    message("Due"), message("Days late"), message("Waits for"),
)  # fmt: skip


def _values(invoice: InvoiceSummary, said: Words) -> tuple[object, ...]:
    return (
        invoice.number,
        invoice.billing_key,
        invoice.client,
        invoice.client_name,
        invoice.title,
        said.said(invoice.document_status),
        said.said(invoice.payment_status) if invoice.number else None,
        said.said(invoice.collection_status) if invoice.number else None,
        invoice.currency,
        invoice.gross,
        invoice.paid,
        invoice.credited,
        invoice.written_off,
        invoice.open if invoice.number else None,
        invoice.issue_date,
        invoice.due_date,
        invoice.days_late,
        said.told(invoice.waits_for) if invoice.waits_for else None,
    )


def _cell(value: object, *, comma: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", ",") if comma else f"{value:f}"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
