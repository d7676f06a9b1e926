"""Who is written to about an invoice."""

from __future__ import annotations

from dataclasses import dataclass

from activities.invoicing.effects import client_record
from activities.ledger import invoices
from activities.ledger.company_records import CompanyVersion
from activities.ledger.tables import InvoiceRow
from billing.erased import erased_at
from billing.errors import SourceUnavailable
from billing.parties import Contact


@dataclass(frozen=True)
class Addressees:
    contact: Contact
    copies: tuple[str, ...]


def addressees(row: InvoiceRow, version: CompanyVersion) -> Addressees | None:
    """Who is written to: set by hand for this invoice, else whom the CRM names now, else the contact on the invoice."""
    drafted = invoices.draft_of(row) if row.draft and not erased_at(row.draft) else None
    if drafted and any(field.startswith("contact.") for field in row.overrides):
        return Addressees(drafted.buyer.contact, drafted.copies_to)
    try:
        record = client_record(version, row.client)
    except SourceUnavailable:
        record = None
    if record is not None and record.billing_contact is not None:
        copies = dict.fromkeys([*record.copies_to, *version.company.delivery.copies_to])
        return Addressees(record.billing_contact, tuple(copies))
    return Addressees(drafted.buyer.contact, drafted.copies_to) if drafted else None
