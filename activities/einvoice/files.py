"""The files of an e-invoice: what goes into the PDF, and what goes beside it."""

from __future__ import annotations

from dataclasses import dataclass

from activities.einvoice.cii import cii
from activities.einvoice.ubl import ubl
from billing.document import InvoiceDocument
from billing.einvoice.document import einvoice_of
from billing.einvoice.model import Profile


@dataclass(frozen=True)
class EInvoiceFiles:
    """One e-invoice in both syntaxes; `profile` is what the PDF's metadata call it (fx:ConformanceLevel)."""

    cii: bytes
    ubl: bytes
    profile: Profile


def einvoice_files(document: InvoiceDocument) -> EInvoiceFiles | None:
    """Both files of an invoice, whose bytes depend on nothing else; None where EN 16931 cannot say it (`why_none`)."""
    invoice = einvoice_of(document)
    if invoice is None:
        return None
    return EInvoiceFiles(cii(invoice), ubl(invoice), invoice.profile)
