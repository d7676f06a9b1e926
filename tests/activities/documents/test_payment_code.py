"""The EPC QR code: what a bank's app reads from it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import segno

from activities.documents.payment_code import payment_code
from billing.document import InvoiceDocument
from billing.instalments import Part
from billing.parties import BankAccount
from tests.activities.documents.samples import ISSUER, invoice

DUE = "2156.88"
"""12.5 hours of 145.00 with 19 %: 1,812.50 and 344.38."""


def paid_to(**account: str) -> InvoiceDocument:
    kept = {"iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}
    issuer = ISSUER.model_copy(update={"bank_account": BankAccount.model_validate(kept | account)})
    return invoice(issuer=issuer)


def in_two_parts() -> InvoiceDocument:
    parts = tuple(
        Part(amount=Decimal(amount), due_date=day.date(), late_from=day)
        for amount, day in (
            ("1000.00", datetime(2026, 12, 1, tzinfo=UTC)),
            ("1156.88", datetime(2027, 1, 1, tzinfo=UTC)),
        )
    )
    return invoice().model_copy(update={"instalments": parts})


def without_reference() -> InvoiceDocument:
    return invoice().model_copy(update={"payment_reference": ""})


REFERENCE = ["", "RF91BER202600017"]
BANK = ["COBADEFFXXX", "Nordlicht Systems GmbH", "DE89370400440532013000"]


@pytest.mark.parametrize(
    ("document", "rest"),
    [
        (invoice(), [*BANK, f"EUR{DUE}", *REFERENCE]),
        (paid_to(bic=""), ["", *BANK[1:], f"EUR{DUE}", *REFERENCE]),
        (paid_to(holder="Factoring Łódź"), [BANK[0], "Factoring Łódź", BANK[2], f"EUR{DUE}", *REFERENCE]),
        (paid_to(iban="DE89 3704 0044 0532 0130 00"), [*BANK, f"EUR{DUE}", *REFERENCE]),
        (paid_to(holder="N" * 90), [BANK[0], "N" * 70, BANK[2], f"EUR{DUE}", *REFERENCE]),
        (in_two_parts(), [*BANK, "EUR1000", *REFERENCE]),
        (without_reference(), [*BANK, f"EUR{DUE}", "", "", "BER-2026-00017"]),
    ],
)
def test_what_an_app_reads(document: InvoiceDocument, rest: list[str]) -> None:
    """Service tag, version 002, UTF-8, SCT, BIC, name, IBAN, amount, no purpose, reference or text: line by line as
    EPC069-12 has them, at error level M."""
    payload = "\n".join(["BCD", "002", "1", "SCT", *rest])
    expected = segno.make_qr(payload.encode(), error="m", boost_error=False)
    assert str(payment_code(document)) == expected.svg_inline(
        border=0, omitsize=True, svgclass=None, lineclass=None
    )
