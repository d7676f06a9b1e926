"""The payment as EPC QR code: a bank's app reads it and fills in the transfer."""

from __future__ import annotations

import logging
from decimal import Decimal

from markupsafe import Markup
from segno import helpers

from billing.document import InvoiceDocument

_log = logging.getLogger(__name__)


def first_amount(document: InvoiceDocument) -> Decimal:
    """What is to be paid first: of an invoice in instalments the first of them, else all that is due."""
    return document.instalments[0].amount if document.instalments else document.draft.due


def payment_code(document: InvoiceDocument) -> Markup | None:
    """The payment as EPC QR code (EPC069-12, version 2), as SVG; None where no euro transfer can pay it.

    Of an invoice in instalments, the first of them.
    """
    draft, account = document.draft, document.draft.issuer.bank_account
    amount = first_amount(document)
    if draft.currency != "EUR" or not Decimal("0.01") <= amount < 10**9:
        return None
    try:
        code = helpers.make_epc_qr(
            name=" ".join((account.holder or draft.issuer.name).split())[:70],
            iban="".join(account.iban.split()),
            bic="".join(account.bic.split()) or None,
            amount=amount,
            reference=document.payment_reference or None,
            text=None if document.payment_reference else document.number,
            encoding="utf-8",
        )
    except ValueError as error:
        _log.warning("%s is printed without a payment code: %s", document.number, error)
        return None
    return Markup(code.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None))  # noqa: S704  # segno's own
