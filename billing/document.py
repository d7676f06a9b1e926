"""An issued invoice as it is printed and sent: the approved draft with its number and dates."""

from __future__ import annotations

from datetime import date, datetime

from billing.draft import Draft, Value
from billing.instalments import Part


class InvoiceDocument(Value):
    """Everything a renderer needs; `issued_at` (UTC) also fixes the file's own time stamps.

    With `instalments`, the due date is that of the first of them. `payment_link` is where it can be paid on-line.
    """

    draft: Draft
    number: str
    issue_date: date
    due_date: date
    issued_at: datetime
    payment_reference: str
    instalments: tuple[Part, ...] = ()
    payment_link: str = ""
