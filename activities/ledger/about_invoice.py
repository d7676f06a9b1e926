"""What most commands begin with: a transaction about one invoice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from activities.ledger import company_records, invoices
from activities.ledger.database import Ledger
from activities.ledger.tables import InvoiceRow
from billing.company import Company


@contextmanager
def about_invoice(ledger: Ledger, reference: str) -> Iterator[tuple[Session, InvoiceRow, Company]]:
    """The invoice of that number or billing key, locked, and the company as it is now; `NotFound`.

    One transaction: committed at the end, rolled back if anything is raised.
    """
    with ledger.transaction() as tx:
        row = invoices.find(tx, reference, lock=True)
        yield tx, row, company_records.current(tx).company
