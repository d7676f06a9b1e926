"""Invoices of many pages: what each page repeats, carries over, keeps together."""

from __future__ import annotations

import io
import re
from decimal import Decimal

import pytest
from pypdf import PdfReader
from weasyprint import Page

from activities.documents.look import LookFiles
from activities.documents.pdf import render_invoice
from activities.documents.press import _Press
from activities.documents.sample_documents import invoice_page
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.looks import Look, LookName
from tests.activities.documents.samples import ISSUER
from tests.golden import awkward, invoices

CARRIED = re.compile(r"Carried forward ([\d,.]+)")
BROUGHT = re.compile(r"Brought forward ([\d,.]+)")


def pages_of(document: InvoiceDocument, look: LookName = LookName.CLEAR) -> list[str]:
    pdf = render_invoice(document, LookFiles(look=Look(id="berlin", based_on=look)))
    return [
        page.extract_text().replace("\N{NO-BREAK SPACE}", " ") for page in PdfReader(io.BytesIO(pdf)).pages
    ]


@pytest.mark.parametrize("look", list(LookName))
def test_sums_are_carried_from_page_to_page(look: LookName) -> None:
    """Each page ends with the sum of all lines up to there, and the next begins with it; the last carries nothing."""
    document = awkward.lines(70)
    pages = [page for page in pages_of(document, look) if "OPS-" in page]
    assert len(pages) > 2
    for at, page in enumerate(pages):
        last = max(int(number) for number in re.findall(r"OPS-(\d+)", page)) - 4000
        so_far = sum((each.net for each in document.draft.lines[:last]), Decimal(0))
        assert CARRIED.findall(page) == ([f"{so_far:,.2f}"] if at < len(pages) - 1 else [])
        assert BROUGHT.findall(page) == (CARRIED.findall(pages[at - 1]) if at else [])


@pytest.mark.parametrize("look", list(LookName))
def test_what_stands_on_a_page_adds_up(look: LookName) -> None:
    """Whoever adds up a page by hand, what was brought forward and the amounts printed, comes to what is carried
    forward, and on the last page to the net, to the cent."""
    document = awkward.lines(70)
    pages = [page for page in pages_of(document, look) if "OPS-" in page]
    for page in pages:
        rows = re.findall(r" hours 118\.50 ([\d,]+\.\d\d)$", page, re.MULTILINE)
        assert len(rows) == len(set(re.findall(r"OPS-(\d+)", page)))
        reached = sum(map(amount, (*BROUGHT.findall(page), *rows)))
        if page is pages[-1]:
            assert reached == document.draft.net == amount(*re.findall(r"^Net ([\d,.]+)", page, re.MULTILINE))
        else:
            assert reached == amount(*CARRIED.findall(page))


def amount(written: str) -> Decimal:
    return Decimal(written.replace(",", ""))


def test_one_page_carries_nothing() -> None:
    """Where the lines fit on a page, nothing is carried."""
    pages = pages_of(awkward.reverse_charge())
    assert len(pages) == 1
    assert not CARRIED.search(pages[0]) and not BROUGHT.search(pages[0])


@pytest.mark.parametrize("count", range(9, 16))
def test_the_totals_never_stand_alone(count: int) -> None:
    """However many lines, the page with the amount due has at least one of them."""
    (page,) = (page for page in pages_of(awkward.lines(count)) if "Amount due" in page)
    assert "OPS-" in page


def test_a_line_longer_than_a_page() -> None:
    """It begins where it stands and runs on; what is carried counts it whole from the page it begins on."""
    pages = [page for page in pages_of(awkward.giant_line()) if "step" in page]
    assert len(pages) > 3
    assert "1. step" in pages[0]
    assert all("Description" in page for page in pages)
    assert all(f"{at}. step" in "".join(pages) for at in range(1, 151))
    assert [CARRIED.findall(page) for page in pages] == [["3,500.00"]] * (len(pages) - 1) + [[]]
    assert [BROUGHT.findall(page) for page in pages] == [[]] + [["3,500.00"]] * (len(pages) - 1)


@pytest.mark.parametrize(
    ("language", "look"),
    [*(("en", look) for look in LookName), ("de", LookName.CLEAR), ("de", LookName.CLASSIC)],
)
def test_a_usual_invoice_has_one_page(language: str, look: LookName) -> None:
    """Discount, terms of early payment, link and terms of the house: the payment stands below the sums it is for."""
    terms = {"en": "Our general terms of business apply, as they stood when the order was placed."}
    own = LookFiles(look=Look(id="berlin", based_on=look, terms=terms))
    pdf = render_invoice(invoices.of_kind(DocumentKind.INVOICE, language), own)
    assert len(PdfReader(io.BytesIO(pdf)).pages) == 1


@pytest.mark.parametrize("look", list(LookName))
def test_the_foot_is_whole(look: LookName) -> None:
    """A long name and a register in two lines are not cut off, and no tax number is broken."""
    issuer = ISSUER.model_copy(
        update={
            "name": "Nordlicht Systeme für Handel, Handwerk und Verwaltung GmbH",
            "registration": "Amtsgericht Berlin-Charlottenburg, HRB 123456 B",
        }
    )
    document = invoices.of_kind(DocumentKind.INVOICE, "de")
    document = document.model_copy(update={"draft": document.draft.model_copy(update={"issuer": issuer})})
    files = LookFiles(look=Look(id="berlin", based_on=look))
    (page,) = _Press(files).lay_out(invoice_page(document, files)).pages
    assert 10 < foot_of(page) < 24.9


def foot_of(page: Page) -> float:
    """The height of the foot, in mm; style sheets cut it at 25."""
    for box in page._page_box.descendants(placeholders=True):
        if box.element is not None and box.element.get("class") == "foot":
            return float(box.height) * 25.4 / 96
    raise AssertionError("no foot")


def test_every_page_of_a_long_one() -> None:
    """400 lines: each page has the heads, the number and its own number, and no line is lost or printed twice."""
    pages = pages_of(awkward.lines(400))
    for number, page in enumerate(pages, start=1):
        assert "Description" in page and "BER-2026-00017" in page
        assert f"Page {number} of {len(pages)}" in page
    found = re.findall(r"OPS-(\d+)", "\n".join(pages))
    assert [int(each) - 4000 for each in found] == list(range(1, 401))
