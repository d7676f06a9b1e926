"""What speaks against a document: one exception a rule, in words, before approval and before a number is taken."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from activities.einvoice.validation import breaches
from activities.invoicing.assembling import check_contents
from activities.invoicing.document_checks import findings_of, rule_findings, text_findings
from billing.einvoice.breach import Breach, RuleSet, Severity
from billing.einvoice.words import plain, spot
from billing.exceptions import ReasonCode
from billing.work_records import WorkRecord
from tests.activities.einvoice.valid import VALID, redrafted, with_allowance

MESSAGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"buyer.address.country": "XX"}, ["BR-CL-14, buyer"]),
    ({"lines.0.unit": "hours"}, ["BR-CL-23, line 1"]),
    ({"lines.0.description": ""}, ["BR-25, line 1"]),
    ({"buyer.name": ""}, ["BR-07"]),
    ({"issuer.bank_account.iban": ""}, ["OWN-IBAN, BT-84", "CII-SR-470, BR-61"]),
    ({"issuer.bank_account.bic": "BIC"}, ["OWN-BIC, BT-86"]),
    ({"gross": Decimal("2156.89")}, ["BR-CO-15"]),
]
"""What is wrong with the draft of a valid invoice, and how each message ends."""


@pytest.mark.parametrize(("changes", "endings"), MESSAGES)
def test_messages(changes: dict[str, Any], endings: list[str]) -> None:
    """Each exception names the rules and the spot, and says where to mend it; what only repeats a rule is left out."""
    findings = findings_of(breaches(redrafted(VALID["plain"], changes)))
    assert [each.message[each.message.rindex("(") :] for each in findings] == [
        f"({each})" for each in endings
    ]
    assert {each.code for each in findings} == {ReasonCode.INVALID_DOCUMENT}
    for each in findings:
        assert any(place in each.message for place in ("yaml", "CRM", "agreement", "report it"))


def breach(rule: str, severity: Severity = Severity.FATAL, place: str = "BT-1") -> Breach:
    return Breach(rule, severity, plain(rule), place, RuleSet.CII)


def test_one_a_rule() -> None:
    """A rule broken on a hundred lines is one exception, that tells the first and how many more."""
    lines = [
        breach("BR-23", place=f"CrossIndustryInvoice/IncludedSupplyChainTradeLineItem[{n}]")
        for n in range(1, 101)
    ]
    (finding,) = findings_of(lines)
    assert finding.message.endswith("(BR-23, line 1 and 99 more)")


def test_warnings_hold_nothing() -> None:
    """A warning is no exception."""
    assert findings_of([breach("PEPPOL-EN16931-R120", Severity.WARNING)]) == []


def test_echoes_alone_are_told() -> None:
    """What a schema or Factur-X alone finds is an exception too."""
    assert [each.left for each in findings_of([breach("XSD"), breach("FX-SCH-A-000019")])] == [
        "XSD",
        "FX-SCH-A-000019",
    ]


def test_two_differ() -> None:
    """Exceptions over two rules have two identities, so that resolving one leaves the other."""
    first, second = findings_of([breach("BR-02"), breach("BR-03")])
    assert first.identity != second.identity


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"issuer.bank_account.iban": "DE89370400440532013001"}, "OWN-IBAN"),
        ({"issuer.vat_id": "DE136695977"}, "OWN-SELLER-VAT-ID"),
        ({"issuer.phone": ""}, "BR-DE-6"),
        ({"buyer.address.postcode": ""}, "BR-DE-9"),
    ],
)
def test_before_approval(changes: dict[str, Any], rule: str) -> None:
    """What pure rules find holds the draft at assembly, when nobody has approved it yet."""
    document = redrafted(VALID["XRechnung"], changes)
    at = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    assert rule_findings(VALID["XRechnung"]) == []
    assert check_contents(VALID["XRechnung"].draft, at, None) == []
    (finding,) = check_contents(document.draft, at, None)
    assert finding.left == rule


WORK = WorkRecord(
    line=1,
    day=date(2026, 11, 3),
    person="Ada",
    ticket="T-1",
    hours=Decimal(1),
    note="done",
)

PRINTED = [
    "title",
    "note",
    "order_reference",
    "contract_reference",
    "buyer_reference",
    "preceding",
    "issuer.name",
    "issuer.registration",
    "issuer.website",
    "issuer.phone",
    "issuer.tax_number",
    "issuer.address.street",
    "issuer.bank_account.bank",
    "issuer.bank_account.holder",
    "buyer.name",
    "buyer.address.region",
    "buyer.contact.name",
    "taxes.0.note",
    "taxes.0.number",
    "lines.0.description",
    "lines.0.detail",
    "allowances.0.reason",
    "work.0.person",
    "work.0.note",
]


@pytest.mark.parametrize("path", PRINTED)
def test_all_that_is_printed(path: str) -> None:
    """A character nobody can print is found wherever it would be printed."""
    document = redrafted(with_allowance(work=(WORK,)), {path: "bell \x07"})
    (finding,) = text_findings(document.draft)
    assert finding.code == ReasonCode.UNPRINTABLE
    assert "U+0007 control character" in finding.message


@pytest.mark.parametrize("path", ["lines.0.why", "billing_key", "taxes.0.why"])
def test_what_is_not_printed(path: str) -> None:
    """What only approvers read may hold anything."""
    assert text_findings(redrafted(VALID["plain"], {path: "bell \x07"}).draft) == []


def test_many_are_told_in_part() -> None:
    """Of many characters that cannot be printed the first five are told."""
    changes = {path: f"{chr(n)} here" for n, path in enumerate(PRINTED[:8], start=1)}
    assert len(text_findings(redrafted(VALID["plain"], changes).draft)) == 5


SPOTS = {
    "CrossIndustryInvoice/IncludedSupplyChainTradeLineItem[3]/SpecifiedTradeProduct": "line 3",
    "Invoice/InvoiceLine/AllowanceCharge[2]": "line 1, allowance or charge 2",
    "Invoice/AccountingSupplierParty/Party/PostalAddress": "seller",
    "CreditNote/AccountingCustomerParty/Party": "buyer",
    "Invoice/LegalMonetaryTotal": "",
    "Invoice": "",
    "BT-84": "BT-84",
    "line 2, BT-131": "line 2, BT-131",
}


@pytest.mark.parametrize("place", SPOTS)
def test_spots(place: str) -> None:
    """A path is told as a person would: by line, allowance or party, or not at all."""
    assert spot(place) == SPOTS[place]
