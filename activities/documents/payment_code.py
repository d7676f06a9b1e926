"""The payment as EPC QR code: a bank's app reads it and fills in the transfer."""

from __future__ import annotations

import logging
from decimal import Decimal

from markupsafe import Markup
from segno import helpers

from billing.document import InvoiceDocument
from billing.money import Money
from billing.parties import Issuer

_log = logging.getLogger(__name__)


def first_amount(document: InvoiceDocument) -> Decimal:
    """What is to be paid first: of an invoice in instalments the first of them, else all that is due."""
    return document.instalments[0].amount if document.instalments else document.draft.due


def payment_code(document: InvoiceDocument) -> Markup | None:
    """The payment as EPC QR code (EPC069-12, version 2), as SVG; None where no euro transfer can pay it.

    Of an invoice in instalments, the first of them.
    """
    amount = Money.of(first_amount(document), document.draft.currency)
    return transfer_code(document.draft.issuer, amount, document.payment_reference, document.number)


def transfer_code(issuer: Issuer, amount: Money, reference: str, number: str) -> Markup | None:
    """The same for a transfer of any amount to the issuer, by the structured reference or, without one, the number."""
    account = issuer.bank_account
    if amount.currency != "EUR" or not Decimal("0.01") <= amount.amount < 10**9:
        return None
    try:
        code = helpers.make_epc_qr(
            name=" ".join((account.holder or issuer.name).split())[:70],
            iban="".join(account.iban.split()),
            bic="".join(account.bic.split()) or None,
            amount=amount.amount,
            reference=reference or None,
            text=None if reference else number,
            encoding="utf-8",
        )
    except ValueError as error:
        _log.warning("%s has no payment code: %s", number, error)
        return None
    return Markup(code.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None))  # noqa: S704  # segno's own
