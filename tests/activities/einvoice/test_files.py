"""E-invoices as files: valid by every official rule, with the very amounts of the draft, the same bytes anywhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from activities.einvoice import schematron
from activities.einvoice.files import EInvoiceFiles, einvoice_files
from activities.einvoice.rule_files import CII, FACTUR_X, UBL
from activities.einvoice.schemas import cii_errors, ubl_errors
from activities.einvoice.validation import breaches
from billing.document import InvoiceDocument
from billing.document_check import sums
from billing.document_kind import DocumentKind
from billing.draft import Draft, line
from billing.money import total
from tests.billing.einvoice.documents import document, every_kind, issued, long
from tests.billing.money.test_properties import ONE_TAX, invoices
from tests.billing.properties import examples

KINDS = every_kind()

WITH_E_INVOICE = invoices(st.sampled_from(["EUR", "CHF", "JPY"]), ONE_TAX)

XRECHNUNG = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"


def files(document: InvoiceDocument) -> EInvoiceFiles:
    made = einvoice_files(document)
    assert made is not None
    return made


def texts(xml: bytes, path: str) -> list[str]:
    """The texts at a path of local names: `TaxTotal/TaxAmount`, anywhere in the document."""
    steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
    found: list[str] = [each.text or "" for each in etree.fromstring(xml).xpath(f"//{steps}")]
    return found


def figures(xml: bytes, path: str) -> list[Decimal]:
    return [Decimal(each) for each in texts(xml, path)]


@pytest.mark.parametrize("name", KINDS)
def test_valid_by_every_rule(name: str) -> None:
    """Schemas, EN 16931 in both syntaxes, Factur-X, and Peppol or XRechnung where it claims to follow them."""
    assert list(sums(KINDS[name].draft)) == []
    assert breaches(KINDS[name]) == ()


def test_fifteen_hundred_lines_are_valid() -> None:
    """The longest document there can be."""
    made = long()
    assert len(texts(files(made).ubl, "InvoiceLine")) == 1500
    assert breaches(made) == ()


def test_what_has_no_e_invoice_has_no_files() -> None:
    """Nor anything that could be wrong with it."""
    pro_forma = document(kind=DocumentKind.PRO_FORMA)
    assert einvoice_files(pro_forma) is None
    assert breaches(pro_forma) == ()


@pytest.mark.parametrize(
    ("name", "profile", "cii", "ubl", "process"),
    [
        ("domestic", "EN 16931", "urn:cen.eu:en16931:2017", PEPPOL, 1),
        ("no Peppol addresses", "EN 16931", "urn:cen.eu:en16931:2017", "urn:cen.eu:en16931:2017", 0),
        ("authority", "XRECHNUNG", XRECHNUNG, XRECHNUNG, 1),
    ],
)
def test_each_says_whose_rules_it_follows(name: str, profile: str, cii: str, ubl: str, process: int) -> None:
    """BT-24; and BT-23 for those who ask for it. Peppol is claimed only where both sides are found there."""
    made = files(KINDS[name])
    assert made.profile == profile
    assert texts(made.cii, "GuidelineSpecifiedDocumentContextParameter/ID") == [cii]
    assert texts(made.ubl, "CustomizationID") == [ubl]
    assert len(texts(made.ubl, "ProfileID")) == process


def test_a_credit_note_is_one_in_ubl() -> None:
    """Its own document type, whose due date has another place; amounts are without a sign."""
    made = files(KINDS["credit note"])
    assert str(etree.fromstring(made.ubl).tag).endswith("}CreditNote")
    assert texts(made.ubl, "CreditNoteTypeCode") == texts(made.cii, "ExchangedDocument/TypeCode") == ["381"]
    assert texts(made.ubl, "DueDate") == []
    assert figures(made.ubl, "CreditedQuantity") == [Decimal("12.5"), Decimal(1)]
    assert figures(made.cii, "DuePayableAmount") == [KINDS["domestic"].draft.due]


@pytest.mark.parametrize("name", KINDS)
def test_a_delivery_date_is_always_there(name: str) -> None:
    """In both, whatever is known of the supply (BR-DE-TMP-32, PEPPOL-EN16931-R008 for an empty delivery)."""
    made = files(KINDS[name])
    (day,) = texts(made.ubl, "ActualDeliveryDate")
    assert texts(made.cii, "OccurrenceDateTime/DateTimeString") == [day.replace("-", "")]


@pytest.mark.parametrize("name", KINDS)
def test_no_element_is_empty(name: str) -> None:
    """What is not known is not there (PEPPOL-EN16931-R008)."""
    for xml in (files(KINDS[name]).cii, files(KINDS[name]).ubl):
        empty = [each.tag for each in etree.fromstring(xml).iter() if not len(each) and not each.text]
        assert empty == []


def test_strange_characters_arrive() -> None:
    """Markup, quotes, emoji, scripts from right to left: as they are; what XML cannot hold is left out."""
    made = files(KINDS["strange characters"])
    for xml, path in ((made.cii, "SpecifiedTradeProduct/Name"), (made.ubl, "Item/Name")):
        assert texts(xml, path) == [
            "Ünïcode <b>&amp;</b> \"q\" 'a' ]]> 🚀 株式会社 شركة\u200d\u00ad",
        ]


def _amounts(draft: Draft) -> Iterator[tuple[str, str, list[Decimal]]]:
    """What must stand where: path in CII, path in UBL, amounts."""
    lines, header = (
        "SpecifiedTradeSettlementLineMonetarySummation",
        ("SpecifiedTradeSettlementHeaderMonetarySummation"),
    )
    quantities = [-each.quantity if each.unit_price < 0 else each.quantity for each in draft.lines]
    adjustments = [[each.amount for each in (*line.allowances, *line.charges)] for line in draft.lines]
    whole = [each.amount for each in (*draft.allowances, *draft.charges)]
    yield f"{lines}/LineTotalAmount", "InvoiceLine/LineExtensionAmount", [each.net for each in draft.lines]
    yield "BilledQuantity", "InvoicedQuantity", quantities
    yield "ChargeAmount", "PriceAmount", [abs(each.unit_price) for each in draft.lines]
    yield (
        "SpecifiedLineTradeSettlement/SpecifiedTradeAllowanceCharge/ActualAmount",
        "InvoiceLine/AllowanceCharge/Amount",
        [amount for each in adjustments for amount in each],
    )
    yield (
        "ApplicableHeaderTradeSettlement/SpecifiedTradeAllowanceCharge/ActualAmount",
        "Invoice/AllowanceCharge/Amount",
        whole,
    )
    yield f"{header}/LineTotalAmount", "LegalMonetaryTotal/LineExtensionAmount", [draft.lines_net]
    yield f"{header}/TaxBasisTotalAmount", "LegalMonetaryTotal/TaxExclusiveAmount", [draft.net]
    yield f"{header}/TaxTotalAmount", "Invoice/TaxTotal/TaxAmount", [draft.tax]
    yield f"{header}/GrandTotalAmount", "LegalMonetaryTotal/TaxInclusiveAmount", [draft.gross]
    yield f"{header}/DuePayableAmount", "LegalMonetaryTotal/PayableAmount", [draft.due]


@given(WITH_E_INVOICE)
@examples(60)
def test_amounts_are_those_of_the_draft(draft: Draft) -> None:
    """To the last digit, in both syntaxes; taxes row by row."""
    made = files(issued(draft))
    for cii, ubl, expected in _amounts(draft):
        assert figures(made.cii, cii) == expected, cii
        assert figures(made.ubl, ubl) == expected, ubl
    assert total(figures(made.cii, "ApplicableTradeTax/CalculatedAmount")) == draft.tax
    assert figures(made.ubl, "TaxSubtotal/TaxableAmount") == [each.taxable for each in draft.taxes]


@given(WITH_E_INVOICE)
@examples(60)
def test_whatever_adds_up_is_valid(draft: Draft) -> None:
    """Any lines, allowances, charges and rates: no schema and no rule of EN 16931 or Factur-X is broken."""
    made = files(issued(draft))
    assert (cii_errors(made.cii), ubl_errors(made.ubl)) == ([], [])
    assert schematron.broken(CII, made.cii.decode()) == ()
    assert schematron.broken(FACTUR_X, made.cii.decode()) == ()
    assert schematron.broken(UBL, made.ubl.decode()) == ()


_DIGESTS = """
import hashlib
from activities.einvoice.files import einvoice_files
from tests.billing.einvoice.documents import every_kind
for made in map(einvoice_files, every_kind().values()):
    print(hashlib.sha256(made.cii + made.ubl).hexdigest())
"""


def test_the_bytes_do_not_depend_on_the_process() -> None:
    """Another process, with other hashes and another zone and language, writes the same."""
    here = [hashlib.sha256(each.cii + each.ubl).hexdigest() for each in map(files, KINDS.values())]
    elsewhere = {"PYTHONHASHSEED": "4711", "TZ": "Pacific/Auckland", "LC_ALL": "C", "LANG": "C"}
    there = subprocess.run(
        [sys.executable, "-c", _DIGESTS],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **elsewhere},
    )
    assert there.stdout.split() == here


@pytest.mark.parametrize(
    ("currency", "quantity", "price", "net"),
    [
        ("EUR", "1234.567891", "0.000123", "0.15"),  # 0.15185…
        ("EUR", "0.333333", "33.333333333", "11.11"),  # 11.11109…
        ("EUR", "1000000", "0.0000045", "4.50"),
        ("JPY", "0.000001", "1500000.5", "2"),  # 1.5…, half away from zero
    ],
)
def test_no_digit_of_quantity_and_price_is_lost(currency: str, quantity: str, price: str, net: str) -> None:
    """Metered work: quantities of six decimals and prices of more stand in both syntaxes as they were agreed."""
    metered = line("Metered", Decimal(quantity), "C62", Decimal(price), currency)
    assert metered.net == Decimal(net)
    made = files(document((metered,), currency=currency))
    for xml, terms in (
        (made.cii, ("BilledQuantity", "ChargeAmount")),
        (made.ubl, ("InvoicedQuantity", "PriceAmount")),
    ):
        assert [figures(xml, each) for each in terms] == [[Decimal(quantity)], [Decimal(price)]]
