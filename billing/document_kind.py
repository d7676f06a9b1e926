"""The kinds of invoice documents, and what their type is called in e-invoices."""

from __future__ import annotations

from enum import StrEnum


class NumberSeries(StrEnum):
    """The series an issuer numbers its documents in; a pro forma invoice is none to the tax, so it has its own."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit note"
    PRO_FORMA = "pro forma invoice"


class DocumentKind(StrEnum):
    """What a document is to the law: it decides the heading, the number series and the type code."""

    INVOICE = "invoice"
    CORRECTED = "corrected invoice"
    PREPAYMENT = "prepayment invoice"
    FINAL = "final invoice"
    CREDIT_NOTE = "credit note"
    PRO_FORMA = "pro forma invoice"

    @property
    def is_credit(self) -> bool:
        """Whether its amounts, written without a sign, are what the buyer gets back."""
        return self is DocumentKind.CREDIT_NOTE

    @property
    def series(self) -> NumberSeries:
        """Where its number comes from: what asks for money with tax shares one series, whatever it is called."""
        return _SERIES.get(self, NumberSeries.INVOICE)

    @property
    def type_code(self) -> str | None:
        """UNTDID 1001, as EN 16931 restricts it (BT-3); None for what is no invoice and has no e-invoice."""
        return _TYPE_CODES.get(self)


_TYPE_CODES = {
    DocumentKind.INVOICE: "380",
    DocumentKind.CORRECTED: "384",
    DocumentKind.PREPAYMENT: "386",
    DocumentKind.FINAL: "380",
    DocumentKind.CREDIT_NOTE: "381",
}

_SERIES = {
    DocumentKind.CREDIT_NOTE: NumberSeries.CREDIT_NOTE,
    DocumentKind.PRO_FORMA: NumberSeries.PRO_FORMA,
}
