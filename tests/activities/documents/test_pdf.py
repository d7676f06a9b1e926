"""The PDF of an invoice."""

import hashlib
import io
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from pypdf import PdfReader

from activities.documents.colour import readable_on_white
from activities.documents.look import PLAIN
from activities.documents.payment_code import payment_code
from activities.documents.pdf import RenderingFailed, render_invoice, renderer_versions, warm_up
from activities.documents.rendering import render
from billing.parties import Address, BankAccount
from billing.taxes.decision import TaxCategory
from billing.taxes.notes import NoteCode, english
from tests.activities.documents.samples import BUYER, ISSUER, invoice

SCRIPTS = [
    "株式会社 日本システム",
    "شركة النور للبرمجيات",
    "חברת תוכנה בע״מ",
    "हिन्दी टेक प्राइवेट",
    "ภาษาไทย Ελληνικά Кириллица Nguyễn",
    "Acme 🚀👩🏽\u200d💻 ❤️ 🇩🇪",
    '<script>alert(1)</script> & "Co"',
]


def text_of(pdf: bytes) -> str:
    reader = PdfReader(io.BytesIO(pdf))
    return "\n".join(page.extract_text() for page in reader.pages).replace("\N{NO-BREAK SPACE}", " ")


def missing_from(pdf: bytes, texts: Sequence[str]) -> list[str]:
    words = " ".join(text_of(pdf).split())
    return [text for text in texts if text not in words]


def test_german_invoice_says_what_the_law_and_the_client_need() -> None:
    """A German invoice names both parties, number, dates, tax ids, lines, tax and how to pay, in German."""
    expected = [
        "Rechnung BER-2026-00017", "Nordlicht Systems GmbH", "Müller & Söhne GmbH", "z. Hd. Katharina Weiß",
        "70565 Stuttgart", "22. Nov. 2026", "1.–30. Nov. 2026", "22. Dez. 2026", "DE811907980", "DE136695976",
        "37/123/45678", "HRB 123456 B", "PO 4500123456", "RV-2025-114", "12,5 Stunden", "145,00", "1.812,50",
        "Umsatzsteuer 19 %", "344,38", "2.156,88 €", "DE89 3704 0044 0532 0130 00", "COBADEFFXXX",
        "Seite 1 von 1",
    ]  # fmt: skip
    assert missing_from(render_invoice(invoice()), expected) == []


@pytest.mark.parametrize(
    ("language", "says"),
    [("de", "Berichtigt Rechnung BER-2026-00011"), ("en", "Corrects invoice BER-2026-00011")],
)
def test_a_corrected_invoice_names_the_one_it_corrects(language: str, says: str) -> None:
    """The number of the preceding invoice (BT-25) stands beside those of order and contract; else nothing does."""
    corrected = invoice(language=language, preceding="BER-2026-00011")
    assert missing_from(render_invoice(corrected), [says]) == []
    assert missing_from(render_invoice(invoice(language=language)), [says[:15]]) == [says[:15]]


def test_english_invoice_to_america() -> None:
    """An English invoice to Texas is written as Americans write, with the country in the address."""
    buyer = BUYER.model_copy(
        update={
            "address": Address(
                street="500 Congress Ave\nSuite 12",
                city="Austin",
                region="TX",
                postcode="78701",
                country="US",
            ),
            "vat_id": "",
        }
    )
    document = invoice(
        language="en",
        currency="USD",
        category=TaxCategory.OUTSIDE_SCOPE,
        note="Not taxable in DE",
        buyer=buyer,
    )
    expected = [
        "Invoice BER-2026-00017", "Nov 22, 2026", "Nov 1 – 30, 2026", "Austin, TX 78701", "UNITED STATES",
        "12.5 hours", "1,812.50", "Not subject to VAT", "Not taxable in DE", "USD 1,812.50", "Page 1 of 1",
    ]  # fmt: skip
    assert missing_from(render_invoice(document), expected) == []


def test_reverse_charge_in_german() -> None:
    """A German invoice under reverse charge carries the German words the law asks for."""
    note = english(NoteCode.REVERSE_CHARGE, article="Art. 196 Directive 2006/112/EC")
    document = invoice(category=TaxCategory.REVERSE_CHARGE, note=note)
    written = ["Steuerschuldnerschaft des Leistungsempfängers", "Art. 196 Richtlinie 2006/112/EG"]
    assert missing_from(render_invoice(document), written) == []
    assert missing_from(render_invoice(document), ["the recipient is liable"]) == ["the recipient is liable"]


def test_archival_pdf() -> None:
    """The file is PDF/A-3b, titled by its number, dated by the instant of issue."""
    reader = PdfReader(io.BytesIO(render_invoice(invoice())))
    xmp = reader.xmp_metadata
    assert xmp is not None
    assert reader.metadata is not None
    packet = xmp.stream.get_data().decode()
    assert 'pdfaid:part="3"' in packet
    assert 'pdfaid:conformance="B"' in packet
    assert reader.metadata.title == "Rechnung BER-2026-00017"
    assert str(reader.metadata.creation_date) == "2026-11-22 09:30:00+00:00"


_HERE = Path(__file__).parents[3]
_HASHES = """
import hashlib
from activities.documents.look import PLAIN
from activities.documents.pdf import typeset
from activities.documents.rendering import render
from activities.documents.sample_documents import PAGES, Parties
from tests.activities.documents.samples import BUYER, ISSUER, invoice
made = render(invoice(), PLAIN)
letter = PAGES["reminder-2"](Parties(ISSUER, BUYER, "pl"), PLAIN)
files = (made.pdf, made.einvoice.cii, made.einvoice.ubl, typeset(letter, "a reminder"))
print(*(hashlib.sha256(each).hexdigest() for each in files))
"""


def hashes(umask: int = 0o022, folder: Path = _HERE, **environment: str) -> str:
    """Of an invoice, its XML and a letter, made by a process of its own."""
    there = {**os.environ, "PYTHONPATH": str(_HERE), **environment}
    command = [sys.executable, "-c", _HASHES]
    made = subprocess.run(
        command, env=there, umask=umask, cwd=folder, capture_output=True, text=True, check=True
    )
    return made.stdout


def test_same_bytes_in_every_process(tmp_path: Path) -> None:
    """The same document gives the same bytes in processes of another zone, language, hash seed, folder and umask."""
    first = hashes(TZ="Pacific/Auckland", LC_ALL="de_DE.UTF-8", PYTHONHASHSEED="1", TMPDIR=str(tmp_path))
    other = hashes(
        0o077, tmp_path, TZ="America/Los_Angeles", LC_ALL="C", LANG="", PYTHONHASHSEED="2", HOME="/"
    )
    assert len(first.split()) == 4
    assert first == other
    assert first.split()[0] == hashlib.sha256(render(invoice(), PLAIN).pdf).hexdigest()
    assert list(tmp_path.iterdir()) == []


def test_many_lines_repeat_the_head() -> None:
    """Over several pages each page has the number and its page number, each with lines the heads; no line is lost."""
    pdf = render_invoice(invoice([f"Posten {n}." for n in range(1, 81)]))
    pages = [
        page.extract_text().replace("\N{NO-BREAK SPACE}", " ") for page in PdfReader(io.BytesIO(pdf)).pages
    ]
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert ("Beschreibung" in page) is ("Posten" in page)
        assert "BER-2026-00017" in page
        assert f"Seite {number} von {len(pages)}" in page
    assert all(any(f"Posten {n}." in page for page in pages) for n in range(1, 81))


def test_every_script_and_no_markup(caplog: pytest.LogCaptureFixture) -> None:
    """Arabic, Hebrew, CJK, Devanagari, emoji and HTML in names are printed as they are, without complaint."""
    with caplog.at_level(logging.WARNING, logger="weasyprint"):
        pdf = render_invoice(invoice(SCRIPTS, note="<b>nicht fett</b>\nzweite Zeile"))
    assert caplog.messages == []
    assert missing_from(pdf, ["<script>alert(1)</script>", "株式会社", "<b>nicht fett</b>"]) == []


def test_character_without_glyph_is_not_printed_as_a_box() -> None:
    """A character no font has stops the rendering with a message that names it."""
    with pytest.raises(RenderingFailed, match=r"U\+E123.*install a font"):
        render_invoice(invoice(["private \ue123"]))


def test_unknown_language_is_english() -> None:
    """A language without translation gets English."""
    assert missing_from(render_invoice(invoice(language="sv")), ["Invoice BER-2026-00017"]) == []


def test_bare_minimum() -> None:
    """Without period, order, contract, tax number, register, phone and BIC no label stands alone."""
    issuer = ISSUER.model_copy(
        update={
            "tax_number": "", "registration": "", "phone": "", "website": "",
            "bank_account": BankAccount(iban="DE89370400440532013000"),
        }
    )  # fmt: skip
    document = invoice(issuer=issuer, supply=None, contract_reference="", order_reference="")
    text = text_of(render_invoice(document))
    for label in ("Leistungszeitraum", "Vertrag", "Ihre Bestellung", "Steuernummer", "BIC", "None"):
        assert label not in text


def test_nothing_to_pay() -> None:
    """An invoice of zero asks for no transfer and has no payment code."""
    document = invoice(gross=Decimal(0), net=Decimal(0), tax=Decimal(0))
    text = text_of(render_invoice(document))
    assert "Es ist nichts zu zahlen" in text
    assert "Bitte überweisen" not in text


def test_payment_code_only_for_euro() -> None:
    """The payment code exists for amounts in euro that a credit transfer can carry, and for no other."""
    assert "<path" in str(payment_code(invoice()))
    assert payment_code(invoice(currency="CHF")) is None
    assert payment_code(invoice(gross=Decimal("-5.00"))) is None
    assert payment_code(invoice(gross=Decimal("1000000000.00"))) is None


def test_bank_data_no_code_can_carry(caplog: pytest.LogCaptureFixture) -> None:
    """Bank data that fit no payment code leave it out, say so in the log, and do not stop the invoice."""
    account = BankAccount(iban="DE89370400440532013000", bic="ODD")
    document = invoice(issuer=ISSUER.model_copy(update={"bank_account": account}))
    assert payment_code(document) is None
    assert "BER-2026-00017 has no payment code" in caplog.text


def test_versions_name_all_that_shapes_the_bytes() -> None:
    """The versions kept with each document name renderer, text engine, template and fonts."""
    warm_up()
    versions = renderer_versions()
    assert versions["weasyprint"] == "70.0"
    assert {"pango", "template", "words", "fonts", "segno", "babel"} <= versions.keys()
    assert all(versions.values())


@pytest.mark.parametrize("colour", ["#ffff00", "#ffffff", "#1f4e79", "#000000"])
def test_readable_accent(colour: str) -> None:
    """However light an issuer's colour, headings in it stay readable; a dark one is left alone."""
    ink = readable_on_white(colour)
    assert ink == colour if colour in {"#1f4e79", "#000000"} else ink < colour
