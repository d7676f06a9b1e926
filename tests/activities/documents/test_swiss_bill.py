"""The Swiss QR-bill."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader

from activities.documents.pdf import render_invoice
from activities.documents.swiss_bill import payload, swiss_bill, swiss_code
from billing.document import InvoiceDocument
from billing.parties import Address
from tests.activities.documents.test_pdf import text_of
from tests.golden.invoices import GENEVA, SWISS, swiss

_MM = 72 / 25.4


def with_account(document: InvoiceDocument, **changes: Any) -> InvoiceDocument:
    """The document with another bank account of the issuer."""
    account = SWISS.bank_account.model_copy(update=changes)
    issuer = SWISS.model_copy(update={"bank_account": account})
    return document.model_copy(update={"draft": document.draft.model_copy(update={"issuer": issuer})})


def to(document: InvoiceDocument, **changes: Any) -> InvoiceDocument:
    """The document to another buyer."""
    buyer = GENEVA.model_copy(update=changes)
    return document.model_copy(update={"draft": document.draft.model_copy(update={"buyer": buyer})})


def test_the_code_says_it_all() -> None:
    """The payload is that of SIX's guidelines 2.3, line by line: 31 elements, structured addresses, QR reference."""
    expected = [
        "SPC", "0200", "1", "CH4431999123000889012",
        "S", "Nordlicht Schweiz AG", "Bahnhofstrasse", "12a", "8001", "Zürich", "CH",
        *[""] * 7,
        "9404.70", "CHF",
        "S", "Alpina Versicherung AG", "Rue du Rhône", "17", "1204", "Genève", "CH",
        "QRR", "000000000003527172026000172", "Rechnung ZRH-2026-00017", "EPD",
    ]  # fmt: skip
    assert payload(swiss("de"), "Rechnung").split("\r\n") == expected


def test_without_a_qr_iban_the_creditor_reference() -> None:
    """An ordinary IBAN goes with a reference by ISO 11649."""
    lines = payload(with_account(swiss("de"), qr_iban=""), "Rechnung").split("\r\n")
    assert lines[3] == "CH9300762011623852957"
    assert lines[27:29] == ["SCOR", swiss("de").payment_reference]


@pytest.mark.parametrize(
    ("document", "bill"),
    [
        (swiss("de"), True),
        (swiss("en", "EUR"), True),
        (with_account(swiss("de"), iban="LI21088100002324013AA", qr_iban=""), True),
        (with_account(swiss("de"), iban="DE89370400440532013000", qr_iban=""), False),
        (
            to(
                swiss("en", "EUR"),
                address=Address(street="Weg 1", city="Ulm", postcode="89073", country="DE"),
            ),
            False,
        ),
        (swiss("en", "USD"), False),
    ],
)
def test_only_where_it_can_be_paid(document: InvoiceDocument, bill: bool) -> None:
    """Francs or euro to a Swiss or Liechtenstein account; euro only from there."""
    assert (swiss_bill(document, "en", "Invoice") is not None) is bill


def test_the_code_alone() -> None:
    """For what is open now: the same bill with another amount, and the cross in the middle of its code."""
    said = payload(swiss("de"), "Rechnung", Decimal("1204.7")).split("\r\n")
    assert [at for at, each in enumerate(said) if each in ("1204.70", "CHF")] == [18, 19]
    assert said[:18] == payload(swiss("de"), "Rechnung").split("\r\n")[:18]
    code = swiss_code(swiss("de"), Decimal("1204.7"), "Rechnung")
    assert code is not None
    drawn = ElementTree.fromstring(code)
    modules = int(drawn.get("viewBox", "").split()[2])
    frame = next(each for each in drawn if each.tag.endswith("rect"))
    # SIX: the cross is 7 mm wide on a code of 46 mm, in its middle
    assert float(frame.get("width", "")) == pytest.approx(modules * 7 / 46, abs=0.001)
    assert float(frame.get("x", "")) * 2 + float(frame.get("width", "")) == pytest.approx(modules, abs=0.01)
    assert swiss_code(swiss("en", "USD"), Decimal(5), "Invoice") is None


def test_a_payer_the_code_cannot_name() -> None:
    """A name outside the character set, or an address without postcode, leaves the payer's field empty."""
    for buyer in (
        {"name": "株式会社"},
        {"address": Address(street="Queen's Road 1", city="Hong Kong", country="HK")},
    ):
        assert payload(to(swiss("de"), **buyer), "Rechnung").split("\r\n")[20:27] == [""] * 7


def test_a_bad_account_is_no_bill(caplog: pytest.LogCaptureFixture) -> None:
    """An IBAN with wrong check digits is printed without a bill, and the log says so."""
    assert (
        swiss_bill(with_account(swiss("de"), iban="CH9300762011623852958", qr_iban=""), "de", "Rechnung")
        is None
    )
    assert "ZRH-2026-00017 is printed without a QR-bill" in caplog.text


@pytest.mark.parametrize(
    ("language", "title", "receipt"),
    [
        ("de", "Zahlteil", "Empfangsschein"),
        ("fr", "Section paiement", "Récépissé"),
        ("it", "Sezione pagamento", "Ricevuta"),
        ("en", "Payment part", "Receipt"),
    ],
)
def test_on_the_page(language: str, title: str, receipt: str) -> None:
    """Receipt and payment part stand at the foot of a page, titles 95 mm above its edge, in the language."""
    pdf = render_invoice(swiss(language))
    placed: dict[str, tuple[float, float]] = {}

    def visit(text: str, matrix: list[float], inner: list[float], *_: Any) -> None:
        if text.strip() in (title, receipt):
            placed[text.strip()] = (
                (matrix[0] * inner[4] + matrix[4]) / _MM,
                (matrix[3] * inner[5] + matrix[5]) / _MM,
            )

    pages = PdfReader(io.BytesIO(pdf)).pages
    pages[-1].extract_text(visitor_text=visit)
    assert placed[receipt] == pytest.approx((5, 95), abs=1)
    assert placed[title] == pytest.approx((67, 95), abs=1)
    words = text_of(pdf)
    assert "CH44 3199 9123 0008 8901 2" in words
    assert "00 00000 00003 52717 20260 00172" in words
    assert "9 404.70" in words
