"""What each kind of invoice document says of itself."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from activities.documents.pdf import render_invoice
from billing.document_kind import DocumentKind
from billing.work_records import HoursAppendix
from tests.activities.documents.test_pdf import missing_from, text_of
from tests.golden import invoices

_CORRECTED = {"en": "BER-2026-00011 of 3 Nov 2026", "de": "BER-2026-00011 vom 3. Nov. 2026"}


@pytest.mark.parametrize(
    ("kind", "language", "says"),
    [
        (DocumentKind.INVOICE, "en", ["Invoice BER-2026-00017", "Your reference KST 7100", "Pay online"]),
        (DocumentKind.INVOICE, "en", ["https://pay.nordlicht.example/i/8f3a61c2"]),
        (DocumentKind.CORRECTED, "en", ["Corrected invoice BER-2026-00017", _CORRECTED["en"]]),
        (DocumentKind.CORRECTED, "de", ["Berichtigte Rechnung BER-2026-00017", _CORRECTED["de"]]),
        (DocumentKind.PREPAYMENT, "en", ["Prepayment invoice BER-2026-00017", "in advance of the service"]),
        (DocumentKind.FINAL, "en", ["Less prepayments", "Services 12,737.50", "Prepayments deducted −4,800.00"]),
        (DocumentKind.CREDIT_NOTE, "en", ["Credit note BER-G-2026-00003", _CORRECTED["en"]]),
        (DocumentKind.CREDIT_NOTE, "en", ["Amount credited €9,445.63"]),
        (DocumentKind.CREDIT_NOTE, "de", ["Rechnungskorrektur BER-G-2026-00003", _CORRECTED["de"]]),
        (DocumentKind.PRO_FORMA, "en", ["Pro forma invoice Data platform", "This is no invoice", "Total €15,157.63"]),
    ],
)  # fmt: skip
def test_says_what_it_is(kind: DocumentKind, language: str, says: list[str]) -> None:
    """Heading, what it corrects or deducts, and the word for its amount."""
    assert missing_from(render_invoice(invoices.of_kind(kind, language)), says) == []


@pytest.mark.parametrize("kind", [DocumentKind.CREDIT_NOTE, DocumentKind.PRO_FORMA])
def test_asks_for_no_money(kind: DocumentKind) -> None:
    """A credit note and a pro forma invoice have no due date, no terms and no block for payment."""
    text = text_of(render_invoice(invoices.of_kind(kind, "en")))
    for word in ("Amount due", "Due ", "Terms", "Please transfer", "Scan to pay", "days net"):
        assert word not in text


def test_no_gutschrift() -> None:
    """In German a credit note is never headed Gutschrift: by § 14(2) UStG that is an invoice of the buyer's."""
    assert "Gutschrift" not in text_of(render_invoice(invoices.of_kind(DocumentKind.CREDIT_NOTE, "de")))


@pytest.mark.parametrize(
    ("by", "says"),
    [
        # 14, 13 and 13 entries of 2.25 to 5.25 hours
        (HoursAppendix.BY_PERSON, ["Sum Anna Berg 52.50", "Sum Jonas Keller 48.25", "Sum Mira Sommer 49.25"]),
        (HoursAppendix.BY_TICKET, ["Sum DATA-104", "Without ticket", "Sum Without ticket 17.25"]),
    ],
)
def test_record_of_hours(by: HoursAppendix, says: list[str]) -> None:
    """The work behind the lines, on pages after the invoice, with the sum of each group and of all."""
    text = " ".join(text_of(render_invoice(invoices.of_hours(by))).split())
    invoice, _, record = text.partition("Record of hours")
    assert "Amount due" in invoice and "Amount due" not in record
    assert [each for each in [*says, "All hours 150.00"] if each not in record] == []


@pytest.mark.parametrize("by", [HoursAppendix.BY_PERSON, HoursAppendix.BY_TICKET])
def test_hours_add_up(by: HoursAppendix) -> None:
    """The hours printed under a group come to its sum, the sums to all hours, and those to the hours billed."""
    document = invoices.of_hours(by)
    record = text_of(render_invoice(document)).partition("Record of hours")[2]
    sums, hours = [], Decimal(0)
    for line in record.splitlines():
        if found := re.match(r"Sum .* ([\d.]+)$", line.strip()):
            assert Decimal(found[1]) == hours, line
            sums.append(hours)
            hours = Decimal(0)
        elif found := re.search(r"(?<![\d.])(\d+\.\d\d)$", line.strip()):
            hours += Decimal(found[1])
    assert len(sums) > 2
    assert sum(sums) == hours == sum(each.quantity for each in document.draft.lines)
