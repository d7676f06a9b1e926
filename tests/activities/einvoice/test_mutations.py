"""A valid invoice with one thing wrong breaks the rule that forbids it, by its published id.

What Peppol and XRechnung find of each row was read off their own compiled rules (BIS Billing 3.0.21 of May 2026,
XRechnung 3.0.2), run over the UBL and CII of the same changed invoice: ours and theirs agreed, severity included.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from activities.einvoice.files import einvoice_files
from activities.einvoice.validation import breaches, cii_breaches, ubl_breaches, unexplained
from billing.einvoice.breach import Breach
from billing.einvoice.model import ContactPoint
from billing.einvoice.rules import rule_breaches
from billing.taxes.categories import TaxCategory
from tests.activities.einvoice.valid import VALID, address, changed, redrafted, terms

P = "PEPPOL-EN16931-"
COMMON = "PEPPOL-COMMON-"

GERMAN = "Peppol"
AUSTRIAN = "Peppol, to Austria"
ADJUSTED = "allowance and charge"
DOLLARS = "dollars"
CREDIT = "credit note"
NATIONAL = "XRechnung"

TERMS: list[tuple[str, dict[str, Any], set[str]]] = [
    # Peppol, everywhere
    (AUSTRIAN, {"notes": ("one", "two")}, {P + "R002"}),
    (AUSTRIAN, {"buyer_reference": "", "order_reference": ""}, {P + "R003"}),
    (AUSTRIAN, {"tax_currency": "EUR", "home_tax": Decimal(0)}, {P + "R005"}),
    (AUSTRIAN, {"tax_currency": "SEK"}, {P + "R054", P + "R055"}),
    (DOLLARS, {"home_tax": Decimal("-313.07")}, {P + "R055"}),
    (ADJUSTED, {"allowances.0.amount": Decimal("181.22")}, {P + "R040"}),
    (ADJUSTED, {"allowances.0.base": None}, {P + "R041"}),
    (ADJUSTED, {"allowances.0.percent": None}, {P + "R042"}),
    (ADJUSTED, {"charges.0.base": Decimal(100)}, {P + "R042"}),
    (ADJUSTED, {"charges.0.percent": Decimal(20)}, {P + "R041"}),
    (AUSTRIAN, {"payment.means_code": "59"}, {P + "R061"}),
    (AUSTRIAN, {"lines.0.net": Decimal("1812.53")}, {P + "R120", "OWN-LINE"}),
    (AUSTRIAN, {"lines.0.net": Decimal("1812.52")}, {"OWN-LINE"}),
    (AUSTRIAN, {"lines.0.quantity": Decimal("-12.5")}, {P + "R120", "OWN-LINE"}),
    (AUSTRIAN, {"lines.0.name": " "}, {P + "R008"}),
    (AUSTRIAN, {"type_code": "389"}, {P + "P0100"}),
    (AUSTRIAN, {"type_code": "384"}, {P + "P0112"}),
    (AUSTRIAN, {"breakdown.0.exemption_code": "VATEX-EU-G"}, {P + "P0104"}),
    (AUSTRIAN, {"breakdown.0.exemption_code": "VATEX-EU-O"}, {P + "P0105"}),
    (AUSTRIAN, {"breakdown.0.exemption_code": "VATEX-EU-IC"}, {P + "P0106"}),
    (AUSTRIAN, {"breakdown.0.category": TaxCategory.EXEMPT}, {P + "P0107"}),
    (AUSTRIAN, {"breakdown.0.exemption_code": "VATEX-EU-D"}, {P + "P0108"}),
    (AUSTRIAN, {"breakdown.0.exemption_code": "VATEX-EU-F"}, {P + "P0109"}),
    (AUSTRIAN, {"breakdown.0.exemption_code": "VATEX-EU-I"}, {P + "P0110"}),
    (AUSTRIAN, {"breakdown.0.exemption_code": "vatex-eu-j"}, {P + "P0111"}),
    # Peppol, addresses
    (AUSTRIAN, {"buyer.electronic_address": address("0088:4000001123453")}, {COMMON + "R040"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0192:987654321")}, {COMMON + "R041"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0184:DK1234567")}, {COMMON + "R042"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0208:0202239952")}, {COMMON + "R043"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0201:ABC12")}, {COMMON + "R044"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0210:RSSMRA80A01H50")}, {COMMON + "R045"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0211:IT00743110158")}, {COMMON + "R047"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0007:5560360794")}, {COMMON + "R049"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0151:51824753557")}, {COMMON + "R050"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0096:12345")}, {COMMON + "R052"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0198:12345678")}, {COMMON + "R053"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0106:1234567")}, {COMMON + "R054"}),
    (AUSTRIAN, {"buyer.electronic_address": address("0190:123")}, {COMMON + "R055"}),
    (AUSTRIAN, {"seller.electronic_address": address("9944:NL123")}, {COMMON + "R056-1"}),
    (AUSTRIAN, {"buyer.vat_id": "NL004495445B1"}, {COMMON + "R056-2", "OWN-BUYER-VAT-ID"}),
    # Peppol, within Germany
    (GERMAN, {"seller.contact": ContactPoint()}, {"DE-R-002"}),
    (GERMAN, {"seller.address.city": ""}, {"DE-R-003"}),
    (GERMAN, {"seller.address.postcode": ""}, {"DE-R-004"}),
    (GERMAN, {"seller.contact.name": ""}, {"DE-R-005"}),
    (GERMAN, {"seller.contact.phone": ""}, {"DE-R-006", "DE-R-027"}),
    (GERMAN, {"seller.contact.email": ""}, {"DE-R-007", "DE-R-028"}),
    (GERMAN, {"buyer.address.city": ""}, {"DE-R-008"}),
    (GERMAN, {"buyer.address.postcode": ""}, {"DE-R-009"}),
    (GERMAN, {"breakdown.0.rate": None}, {"DE-R-014"}),
    (GERMAN, {"buyer_reference": ""}, {"DE-R-015"}),
    (GERMAN, {"seller.vat_id": "", "seller.tax_number": ""}, {"DE-R-016"}),
    (GERMAN, {"type_code": "386"}, {"DE-R-017"}),
    (GERMAN, {"terms": "#SKONTO#TAGE=10#PROZENT=2#\n"}, {"DE-R-018"}),
    (GERMAN, {"payment.iban": "DE89370400440532013001"}, {"DE-R-019", "OWN-IBAN"}),
    (GERMAN, {"payment.iban": ""}, {"DE-R-019", "DE-R-023-1", "OWN-IBAN"}),
    ("corrected", {"preceding": ()}, {"DE-R-026"}),
    (GERMAN, {"seller.contact.phone": "12"}, {"DE-R-027"}),
    (GERMAN, {"seller.contact.email": "billing@nordlicht"}, {"DE-R-028"}),
    # XRechnung
    (NATIONAL, {"seller.contact": ContactPoint()}, {"BR-DE-2"}),
    (NATIONAL, {"seller.address.city": ""}, {"BR-DE-3"}),
    (NATIONAL, {"seller.address.postcode": ""}, {"BR-DE-4"}),
    (NATIONAL, {"seller.contact.name": ""}, {"BR-DE-5"}),
    (NATIONAL, {"seller.contact.phone": ""}, {"BR-DE-6", "BR-DE-27"}),
    (NATIONAL, {"seller.contact.email": ""}, {"BR-DE-7", "BR-DE-28"}),
    (NATIONAL, {"buyer.address.city": ""}, {"BR-DE-8"}),
    (NATIONAL, {"buyer.address.postcode": ""}, {"BR-DE-9"}),
    (NATIONAL, {"breakdown.0.rate": None}, {"BR-DE-14"}),
    (NATIONAL, {"buyer_reference": ""}, {"BR-DE-15"}),
    (NATIONAL, {"seller.vat_id": "", "seller.tax_number": ""}, {"BR-DE-16"}),
    (NATIONAL, {"type_code": "386"}, {"BR-DE-17"}),
    (NATIONAL, {"terms": "#SKONTO#TAGE=10#PROZENT=2.00#"}, {"BR-DE-18"}),
    (NATIONAL, {"terms": "#SKONTO#TAGE=10#PROZENT=2,00#\n"}, {"BR-DE-18"}),
    (NATIONAL, {"terms": "#Skonto#TAGE=10#PROZENT=2.00#\n"}, {"BR-DE-18"}),
    (NATIONAL, {"payment.iban": "DE89370400440532013001"}, {"BR-DE-19", "OWN-IBAN"}),
    (NATIONAL, {"payment.iban": ""}, {"BR-DE-19", "BR-DE-23-a", "OWN-IBAN"}),
    (NATIONAL, {"type_code": "384"}, {"BR-DE-26"}),
    (NATIONAL, {"seller.contact.phone": "+49"}, {"BR-DE-27"}),
    (NATIONAL, {"seller.contact.email": "a@b@c.de"}, {"BR-DE-28"}),
    (NATIONAL, {"buyer.electronic_address": None}, {P + "R010"}),
    (NATIONAL, {"seller.electronic_address": None}, {P + "R020"}),
    (NATIONAL, {"lines.0.net": Decimal("1812.53")}, {P + "R120", "OWN-LINE"}),
    ("XRechnung, allowance and charge", {"allowances.0.amount": Decimal("181.22")}, {P + "R040"}),
    ("XRechnung, allowance and charge", {"allowances.0.base": None}, {P + "R041"}),
    # our own
    ("plain", {"due_date": None, "terms": ""}, {"OWN-DUE-DATE"}),
    ("plain", {"due_date": date(2026, 11, 21)}, {"OWN-DUE-IN-TIME"}),
    ("plain", {"payment.iban": "DE89370400440532013001"}, {"OWN-IBAN"}),
    ("dollars", {"payment.iban": "GB82WEST12345698765433"}, {"OWN-IBAN"}),
    ("plain", {"payment.bic": "COBADEFFXX"}, {"OWN-BIC"}),
    ("plain", {"payment.reference": "RF32INV202600018"}, {"OWN-REFERENCE"}),
    ("plain", {"lines.0.description": "bell \x07"}, {"OWN-CHARACTERS"}),
    ("plain", {"buyer.address.line_2": "\ufffe"}, {"OWN-CHARACTERS"}),
    ("plain", {"seller.vat_id": "DE136695977"}, {"OWN-SELLER-VAT-ID"}),
    ("plain", {"buyer.vat_id": "FR811907980"}, {"OWN-BUYER-VAT-ID"}),
    ("plain", {"buyer_reference": "04011000-1234512345-07"}, {"OWN-LEITWEG-ID"}),
    ("plain", {"buyer_reference": "992-96"}, {"OWN-LEITWEG-ID-PERHAPS"}),
]
"""A valid invoice, terms of it changed, and every rule (Peppol, XRechnung, our own) that it then breaks."""

DANISH = {
    "seller.address.country": "DK",
    "seller.vat_id": "DK13585628",
    "seller.registration": "13585628",
    "seller.registration_scheme": "0184",
    "buyer.address.country": "DK",
    "buyer.vat_id": "DK13585628",
}
GREEK = {"seller.address.country": "GR", "seller.vat_id": "EL094259216", "seller.tax_number": ""}
ICELANDIC = {
    "seller.address.country": "IS",
    "seller.vat_id": "",
    "seller.registration": "5402696459",
    "seller.registration_scheme": "0196",
}
ITALIAN = {"seller.address.country": "IT", "seller.vat_id": "IT00743110157", "seller.tax_number": ""}
DUTCH = {
    "seller.address.country": "NL",
    "seller.vat_id": "NL004495445B01",
    "seller.registration": "12345678",
    "seller.registration_scheme": "0106",
    "buyer.address.country": "NL",
    "buyer.vat_id": "NL004495445B01",
}
NORWEGIAN = {"seller.address.country": "NO", "seller.vat_id": "NO995525828MVA"}
SWEDISH = {
    "seller.address.country": "SE",
    "seller.vat_id": "SE556188840401",
    "seller.registration": "5561888404",
    "seller.registration_scheme": "0007",
    "seller.tax_number": "Godkänd för F-skatt",
}

GREEK_PARTS = {f"GR-R-001-{n}" for n in range(1, 8)}
IN_GREECE = {"GR-R-002", "GR-R-004-1", "GR-R-005", "GR-R-009", "GR-S-008-1"}
"""What no invoice of Billow from Greece keeps: the tax office's number (MARK), its page, trading names, 9933."""
GREEK_NUMBER = "094259216|22/11/2026|0|2.1|A|17"

COUNTRIES: list[tuple[str, dict[str, Any], dict[str, Any], set[str]]] = [
    (GERMAN, DANISH, {}, set()),
    (GERMAN, DANISH, {"seller.registration": "", "seller.registration_scheme": ""}, {"DK-R-002"}),
    (GERMAN, DANISH, {"seller.registration": "1358562"}, {COMMON + "R042"}),
    (GERMAN, DANISH, {"seller.registration_scheme": ""}, {"DK-R-014"}),
    (GERMAN, DANISH, {"payment.means_code": "2"}, {"DK-R-005"}),
    (CREDIT, DANISH, {"due": Decimal(-1)}, {"DK-R-016"}),
    (AUSTRIAN, GREEK, {}, IN_GREECE | GREEK_PARTS),
    (AUSTRIAN, GREEK, {"number": GREEK_NUMBER}, IN_GREECE),
    (AUSTRIAN, GREEK, {"number": GREEK_NUMBER.replace("0942", "0943")}, {*IN_GREECE, "GR-R-001-2"}),
    (AUSTRIAN, GREEK, {"number": GREEK_NUMBER.replace("22/", "23/")}, {*IN_GREECE, "GR-R-001-3"}),
    (AUSTRIAN, GREEK, {"number": GREEK_NUMBER.replace("|0|", "|x|")}, {*IN_GREECE, "GR-R-001-4"}),
    (AUSTRIAN, GREEK, {"number": GREEK_NUMBER.replace("2.1", "2.2")}, {*IN_GREECE, "GR-R-001-5"}),
    (AUSTRIAN, GREEK, {"number": GREEK_NUMBER.replace("|A|", "||")}, {*IN_GREECE, "GR-R-001-6"}),
    (AUSTRIAN, GREEK, {"number": GREEK_NUMBER[:-2]}, {*IN_GREECE, "GR-R-001-7"}),
    (
        AUSTRIAN,
        GREEK,
        {"number": GREEK_NUMBER, "seller.vat_id": "EL094259217"},
        {*IN_GREECE, "GR-S-011", "OWN-SELLER-VAT-ID", "GR-R-001-2", "GR-R-003"},
    ),
    (
        AUSTRIAN,
        GREEK,
        {"number": GREEK_NUMBER, "buyer.address.country": "GR", "buyer.vat_id": ""},
        {*IN_GREECE, "GR-R-010", "GR-R-006"},
    ),
    (AUSTRIAN, ICELANDIC, {}, set()),
    (AUSTRIAN, ICELANDIC, {"type_code": "386"}, {"IS-R-001"}),
    (AUSTRIAN, ICELANDIC, {"seller.address.postcode": ""}, {"IS-R-003"}),
    (AUSTRIAN, ICELANDIC, {"buyer.address.country": "IS"}, {"IS-R-004"}),
    (
        AUSTRIAN,
        ICELANDIC,
        {"buyer.address.country": "IS", "buyer.address.line_1": ""},
        {"IS-R-004", "IS-R-005"},
    ),
    (AUSTRIAN, ICELANDIC, {"seller.registration_scheme": ""}, {"IS-R-002"}),
    (AUSTRIAN, ITALIAN, {}, set()),
    (AUSTRIAN, ITALIAN, {"seller.tax_number": "1234567890"}, {"IT-R-001"}),
    (AUSTRIAN, ITALIAN, {"seller.address.line_1": ""}, {"IT-R-002"}),
    (AUSTRIAN, ITALIAN, {"seller.address.city": ""}, {"IT-R-003"}),
    (AUSTRIAN, ITALIAN, {"seller.address.postcode": ""}, {"IT-R-004"}),
    (GERMAN, DUTCH, {}, set()),
    (CREDIT, DUTCH, {"preceding": ()}, {"NL-R-001"}),
    (GERMAN, DUTCH, {"seller.address.city": ""}, {"NL-R-002"}),
    (GERMAN, DUTCH, {"seller.registration_scheme": ""}, {"NL-R-003"}),
    (GERMAN, DUTCH, {"seller.registration": "1234567"}, {COMMON + "R054"}),
    (GERMAN, DUTCH, {"buyer.address.line_1": ""}, {"NL-R-004"}),
    (GERMAN, DUTCH, {"payment.means_code": "10"}, {"NL-R-008"}),
    (CREDIT, DUTCH, {}, set()),
    (AUSTRIAN, NORWEGIAN, {}, {"NO-R-002"}),
    (AUSTRIAN, NORWEGIAN, {"seller.tax_number": "Foretaksregisteret"}, {"NO-R-002"}),
    (AUSTRIAN, NORWEGIAN, {"seller.vat_id": "NO995525829MVA"}, {"OWN-SELLER-VAT-ID", "NO-R-001", "NO-R-002"}),
    (AUSTRIAN, NORWEGIAN, {"seller.vat_id": "NO995525828"}, {"OWN-SELLER-VAT-ID", "NO-R-001", "NO-R-002"}),
    (AUSTRIAN, SWEDISH, {}, set()),
    (AUSTRIAN, SWEDISH, {"seller.vat_id": "SE55618884040"}, {"OWN-SELLER-VAT-ID", "SE-R-001"}),
    (AUSTRIAN, SWEDISH, {"seller.vat_id": "SE55618884040X"}, {"OWN-SELLER-VAT-ID", "SE-R-002"}),
    (AUSTRIAN, SWEDISH, {"seller.registration": "556188-840"}, {COMMON + "R049", "SE-R-003", "SE-R-013"}),
    (AUSTRIAN, SWEDISH, {"seller.registration": "55618884"}, {COMMON + "R049", "SE-R-004", "SE-R-013"}),
    (AUSTRIAN, SWEDISH, {"seller.tax_number": "37/123/45678"}, {"SE-R-005"}),
    (GERMAN, SWEDISH, {}, {"SE-R-006"}),
    (GERMAN, SWEDISH, {"breakdown.0.rate": Decimal(25), "lines.0.rate": Decimal(25)}, set()),
    (AUSTRIAN, SWEDISH, {"buyer.address.country": "SE", "payment.means_code": "31"}, {"SE-R-012"}),
    (AUSTRIAN, SWEDISH, {"seller.registration": "5561888405"}, {COMMON + "R049", "SE-R-013"}),
]
"""A valid invoice, sold from another country, terms of it changed, and every Peppol rule that it then breaks."""

FILES: list[tuple[str, str, str, str, set[str]]] = [
    ("cii", ADJUSTED, "GrandTotalAmount>1964.99", "GrandTotalAmount>1965.99", {"BR-CO-15", "BR-CO-16"}),
    ("cii", ADJUSTED, "DuePayableAmount>1964.99", "DuePayableAmount>1964.98", {"BR-CO-16"}),
    (
        "cii",
        ADJUSTED,
        r"<ram:LineTotalAmount>1812.50(?=</ram:LineTotalAmount>\s*<ram:Charge)",
        "<ram:LineTotalAmount>1812.51",
        {"BR-CO-10", "BR-CO-13"},
    ),
    ("cii", ADJUSTED, "ChargeTotalAmount>20.00", "ChargeTotalAmount>21.00", {"BR-CO-12", "BR-CO-13"}),
    ("cii", ADJUSTED, "AllowanceTotalAmount>181.25", "AllowanceTotalAmount>181.26", {"BR-CO-11", "BR-CO-13"}),
    ("cii", ADJUSTED, "TaxBasisTotalAmount>1651.25", "TaxBasisTotalAmount>1651.26", {"BR-CO-13", "BR-CO-15"}),
    ("cii", ADJUSTED, 'EUR">313.74', 'EUR">313.75', {"BR-CO-14", "BR-CO-15"}),
    (
        "cii",
        ADJUSTED,
        "CalculatedAmount>313.74",
        "CalculatedAmount>314.75",
        {"BR-CO-14", "BR-CO-17", "BR-S-09"},
    ),
    (
        "cii",
        ADJUSTED,
        r"BasisAmount>1651.25(?=</ram:BasisAmount>\s*<ram:Cat)",
        "BasisAmount>1651.35",
        {"BR-S-08"},
    ),
    (
        "cii",
        ADJUSTED,
        r"BasisAmount>1651.25(?=</ram:BasisAmount>\s*<ram:Cat)",
        "BasisAmount>1651.2500",
        {"BR-DEC-19"},
    ),
    (
        "cii",
        ADJUSTED,
        r"(ApplicableTradeTax>\s*<ram:CalculatedAmount>.*?RateApplicablePercent>)19(?=<)",
        r"\g<1>7",
        {"BR-CO-17", "BR-S-08", "BR-S-09"},
    ),
    (
        "cii",
        ADJUSTED,
        "InvoiceCurrencyCode>EUR",
        "InvoiceCurrencyCode>EUX",
        {"BR-CL-04", "BR-CO-15", "FX-NOT-USED", "FX-SCH-A-000595"},
    ),
    ("cii", ADJUSTED, "TypeCode>380", "TypeCode>999", {"BR-CL-01", "FX-SCH-A-000555"}),
    ("cii", ADJUSTED, "<ram:ID>BER-2026-00017</ram:ID>", "", {"BR-02", "FX-SCH-A-000019", "XSD"}),
    ("cii", ADJUSTED, "<ram:Name>Nordlicht Systems GmbH</ram:Name>", "", {"BR-06", "FX-SCH-A-000409"}),
    ("cii", ADJUSTED, "<ram:Name>Müller &amp; Söhne GmbH</ram:Name>", "", {"BR-07", "FX-SCH-A-000030"}),
    (
        "cii",
        ADJUSTED,
        r"(CityName>Berlin</ram:CityName>\s*)<ram:CountryID>DE</ram:CountryID>",
        r"\1",
        {"BR-09", "FX-SCH-A-000035", "XSD"},
    ),
    (
        "cii",
        ADJUSTED,
        r"(CityName>Stuttgart</ram:CityName>\s*)<ram:CountryID>DE</ram:CountryID>",
        r"\1",
        {"BR-11", "FX-SCH-A-000422", "XSD"},
    ),
    (
        "cii",
        ADJUSTED,
        r"(CityName>Stuttgart</ram:CityName>\s*<ram:CountryID>)DE",
        r"\1XX",
        {"BR-CL-14", "FX-SCH-A-000568"},
    ),
    ("cii", ADJUSTED, 'schemeID="VA">DE136695976', 'schemeID="VA">XX136695976', {"BR-CO-09"}),
    (
        "cii",
        ADJUSTED,
        r"<ram:SpecifiedTaxRegistration>.*?(?=\s*</ram:SellerTradeParty>)",
        "",
        {"BR-S-02", "BR-S-03", "BR-S-04"},
    ),
    (
        "cii",
        ADJUSTED,
        'schemeID="9930">DE811907980',
        'schemeID="1234">DE811907980',
        {"BR-CL-25", "FX-SCH-A-000571"},
    ),
    ("cii", ADJUSTED, 'unitCode="HUR"', 'unitCode="HOURS"', {"BR-CL-23", "FX-SCH-A-000613"}),
    ("cii", ADJUSTED, "<ram:ChargeAmount>145", "<ram:ChargeAmount>-145", {"BR-27"}),
    ("cii", ADJUSTED, "<ram:Name>Beratung</ram:Name>", "", {"BR-25", "FX-SCH-A-000550", "XSD"}),
    (
        "cii",
        ADJUSTED,
        "<ram:LineID>1</ram:LineID>",
        "",
        {"BR-21", "FX-SCH-A-000270", "PEPPOL-EN16931-R008", "XSD"},
    ),
    (
        "cii",
        ADJUSTED,
        "<ram:IncludedSupplyChainTradeLineItem>.*</ram:IncludedSupplyChainTradeLineItem>",
        "",
        {"BR-16", "BR-CO-10", "BR-S-08", "FX-SCH-A-000265", "XSD"},
    ),
    (
        "cii",
        ADJUSTED,
        "IBANID>DE89370400440532013000</ram:IBANID>",
        "IBANID></ram:IBANID>",
        {"BR-50", "PEPPOL-EN16931-R008"},
    ),
    (
        "cii",
        ADJUSTED,
        "<ram:PayeePartyCreditorFinancialAccount>.*?</ram:PayeePartyCreditorFinancialAccount>",
        "",
        {"CII-SR-470"},
    ),
    ("cii", ADJUSTED, "<ram:TypeCode>58", "<ram:TypeCode>999", {"BR-CL-16", "FX-SCH-A-000609"}),
    ("cii", ADJUSTED, "20261101", "20261201", {"BR-29"}),
    ("cii", ADJUSTED, "20261122", "2026-11-22", {"CII-DT-097"}),
    (
        "cii",
        ADJUSTED,
        r"<ram:ReasonCode>95</ram:ReasonCode>\s*<ram:Reason>Rabatt</ram:Reason>",
        "",
        {"BR-33", "BR-CO-21"},
    ),
    (
        "cii",
        ADJUSTED,
        r"<ram:ReasonCode>ADR</ram:ReasonCode>\s*<ram:Reason>Fracht</ram:Reason>",
        "",
        {"BR-38", "BR-CO-22"},
    ),
    ("cii", ADJUSTED, "<ram:ReasonCode>95", "<ram:ReasonCode>999", {"BR-CL-19", "FX-SCH-A-000601"}),
    (
        "cii",
        ADJUSTED,
        "<ram:ActualAmount>181.25",
        "<ram:ActualAmount>181.255",
        {"BR-CO-11", "BR-DEC-01", "BR-S-08"},
    ),
    (
        "cii",
        ADJUSTED,
        "<ram:Description>3.–14. Nov.</ram:Description>",
        "<ram:Describe>x</ram:Describe>",
        {"XSD"},
    ),
    (
        "cii",
        ADJUSTED,
        "<ram:Description>3.–14. Nov.</ram:Description>",
        "<ram:Description></ram:Description>",
        {"PEPPOL-EN16931-R008"},
    ),
    (
        "cii",
        ADJUSTED,
        "<ram:ID>urn:cen.eu:en16931:2017</ram:ID>",
        "<ram:ID>urn:cen.eu:en16931:2018</ram:ID>",
        {"FX-SCH-A-000556"},
    ),
    ("cii", "exempt", "<ram:ExemptionReason>.*?</ram:ExemptionReason>", "", {"BR-E-10"}),
    ("cii", "export", "RateApplicablePercent>0<", "RateApplicablePercent>19<", {"BR-CO-17", "BR-G-05"}),
    ("cii", "export", "VATEX-EU-G", "VATEX-EU-XX", {"BR-CL-22", "FX-SCH-A-000589"}),
    (
        "cii",
        AUSTRIAN,
        r"<ram:SpecifiedTaxRegistration>\s*<ram:ID schemeID=.VA.>ATU.*?</ram:SpecifiedTaxRegistration>",
        "",
        {"BR-AE-02"},
    ),
    (
        "cii",
        CREDIT,
        "<ram:IssuerAssignedID>BER-2026-00009</ram:IssuerAssignedID>",
        "",
        {"BR-55", "FX-SCH-A-000415"},
    ),
    (
        "cii",
        "outside the scope",
        "(<ram:CategoryCode>)O(</ram:CategoryCode>)",
        r"\1S\2",
        {"BR-S-05", "BR-S-08", "BR-S-10"},
    ),
    ("cii", DOLLARS, "TaxCurrencyCode>EUR", "TaxCurrencyCode>DKK", {"BR-53", "BR-DEC-15", "FX-NOT-USED"}),
    (
        "ubl",
        ADJUSTED,
        'TaxInclusiveAmount currencyID="EUR">1964.99',
        'TaxInclusiveAmount currencyID="EUR">1965.99',
        {"BR-CO-15", "BR-CO-16"},
    ),
    (
        "ubl",
        ADJUSTED,
        'PayableAmount currencyID="EUR">1964.99',
        'PayableAmount currencyID="EUR">1964.98',
        {"BR-CO-16"},
    ),
    ("ubl", ADJUSTED, "DocumentCurrencyCode>EUR", "DocumentCurrencyCode>EUX", {"BR-CL-04", "BR-CO-15"}),
    ("ubl", ADJUSTED, "2026-11-22", "2026-11-31", {"XSD"}),
    ("ubl", ADJUSTED, "<cbc:ID>BER-2026-00017</cbc:ID>", "", {"BR-02", "XSD"}),
    ("ubl", ADJUSTED, "<cbc:Name>Beratung</cbc:Name>", "", {"BR-25"}),
    ("ubl", ADJUSTED, 'PriceAmount currencyID="EUR">145', 'PriceAmount currencyID="EUR">-145', {"BR-27"}),
    ("ubl", ADJUSTED, "CompanyID>DE136695976", "CompanyID>XX136695976", {"BR-CO-09"}),
    ("ubl", ADJUSTED, "2026-11-30</cbc:EndDate>", "2026-10-31</cbc:EndDate>", {"BR-29"}),
    ("ubl", ADJUSTED, "<cac:PayeeFinancialAccount>.*?</cac:PayeeFinancialAccount>", "", {"BR-61"}),
    ("ubl", ADJUSTED, "<cac:TaxSubtotal>.*?</cac:TaxSubtotal>", "", {"BR-CO-18", "BR-S-01"}),
    ("ubl", ADJUSTED, "<cbc:Note>Wartung, November 2026</cbc:Note>", "<cbc:Remark>x</cbc:Remark>", {"XSD"}),
    ("ubl", ADJUSTED, "<cac:InvoiceLine>.*</cac:InvoiceLine>", "", {"BR-16", "BR-CO-10", "BR-S-08", "XSD"}),
    ("ubl", ADJUSTED, 'unitCode="HUR"', 'unitCode="HOURS"', {"BR-CL-23"}),
    ("ubl", ADJUSTED, 'schemeID="9930"', 'schemeID="1234"', {"BR-CL-25"}),
    ("ubl", ADJUSTED, "MultiplierFactorNumeric>10", "MultiplierFactorNumeric>x", {"XSD"}),
    (
        "ubl",
        ADJUSTED,
        r"<cbc:Percent>19</cbc:Percent>(?=\s*<cac:TaxScheme>\s*<cbc:ID>VAT</cbc:ID>\s*</cac:TaxScheme>\s*</cac:ClassifiedTaxCategory>)",
        "<cbc:Percent>0</cbc:Percent>",
        {"BR-S-05", "BR-S-08"},
    ),
    ("ubl", CREDIT, "CreditNoteTypeCode>381", "CreditNoteTypeCode>380", {"BR-CL-01"}),
    ("ubl", CREDIT, "<cbc:ID>BER-2026-00009</cbc:ID>", "", {"BR-55", "UBL-SR-07", "XSD"}),
    ("ubl", "exempt", "<cbc:TaxExemptionReason>.*?</cbc:TaxExemptionReason>", "", {"BR-E-10"}),
    (
        "ubl",
        "exempt",
        "<cbc:Percent>0</cbc:Percent>",
        "<cbc:Percent>19</cbc:Percent>",
        {"BR-CO-17", "BR-E-05"},
    ),
    (
        "ubl",
        "outside the scope",
        "(<cac:AccountingSupplierParty>.*?)(<cac:PartyTaxScheme>)",
        r"\1<cac:PartyTaxScheme><cbc:CompanyID>DE136695976</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>\2",
        {"BR-O-02"},
    ),
]
"""A syntax, a valid invoice, a pattern in its file, what is put there, and every official rule that is then broken."""

DRAFTS: list[tuple[str, dict[str, Any], set[str]]] = [
    ("plain", {"issuer.vat_id": "", "issuer.tax_number": ""}, {"BR-S-02"}),
    ("plain", {"issuer.vat_id": "DE136695977"}, {"OWN-SELLER-VAT-ID"}),
    ("plain", {"issuer.bank_account.iban": ""}, {"BR-61", "CII-SR-470", "OWN-IBAN"}),
    ("plain", {"issuer.bank_account.iban": "DE89370400440532013001"}, {"OWN-IBAN"}),
    ("plain", {"issuer.name": ""}, {"BR-06", "FX-SCH-A-000409"}),
    ("plain", {"buyer.name": ""}, {"BR-07", "FX-SCH-A-000030"}),
    ("plain", {"buyer.address.country": "XX"}, {"BR-CL-14", "FX-SCH-A-000568"}),
    ("plain", {"lines.0.unit": "hours"}, {"BR-CL-23", "FX-SCH-A-000613"}),
    ("plain", {"lines.0.description": ""}, {"BR-25", "FX-SCH-A-000550", "XSD"}),
    ("plain", {"lines.0.net": Decimal("1812.49")}, {"BR-CO-13", "BR-S-08", "OWN-LINE"}),
    ("plain", {"lines": ()}, {"BR-16", "BR-CO-13", "BR-S-01", "BR-S-08", "FX-SCH-A-000265", "XSD"}),
    ("plain", {"net": Decimal("1812.51")}, {"BR-CO-13", "BR-CO-15"}),
    ("plain", {"tax": Decimal("344.39")}, {"BR-CO-14", "BR-CO-15"}),
    ("plain", {"taxes.0.tax": Decimal("345.38")}, {"BR-CO-14", "BR-CO-17", "BR-S-09"}),
    ("plain", {"gross": Decimal("2156.89")}, {"BR-CO-15"}),
    ("plain", {"taxes.0.rate": Decimal(0)}, {"BR-CO-17", "BR-S-05", "BR-S-09"}),
    (AUSTRIAN, {"buyer.vat_id": ""}, {"BR-AE-02"}),
    ("exempt", {"taxes.0.note": ""}, {"BR-E-10"}),
    (NATIONAL, {"issuer.phone": ""}, {"BR-DE-6", "BR-DE-27"}),
    (NATIONAL, {"buyer.address.postcode": ""}, {"BR-DE-9"}),
]
"""A valid invoice, parts of its draft changed, and every rule of any set that it then breaks."""


def rules(found: tuple[Breach, ...]) -> set[str]:
    return {each.rule for each in found}


@pytest.mark.parametrize("name", VALID)
def test_valid(name: str) -> None:
    """Every usage of a valid invoice breaks no rule of any set, and leaves no warning unexplained."""
    assert unexplained(breaches(VALID[name])) == ()


@pytest.mark.parametrize(("name", "changes", "expected"), TERMS)
def test_terms(name: str, changes: dict[str, Any], expected: set[str]) -> None:
    """One term changed breaks the rules on that term, and no other."""
    made = terms(name)
    for path, value in changes.items():
        made = changed(made, path, value)
    assert rules(rule_breaches(made)) == expected


@pytest.mark.parametrize(("name", "seller", "changes", "expected"), COUNTRIES)
def test_countries(name: str, seller: dict[str, Any], changes: dict[str, Any], expected: set[str]) -> None:
    """A seller in another country keeps the rules of that country, and breaks those on what was changed."""
    made = terms(name)
    for path, value in {**seller, **changes}.items():
        made = changed(made, path, value)
    assert rules(rule_breaches(made)) == expected


@pytest.mark.parametrize(("syntax", "name", "pattern", "replacement", "expected"), FILES)
def test_files(syntax: str, name: str, pattern: str, replacement: str, expected: set[str]) -> None:
    """One place of the file changed breaks the rules on that place, and no other."""
    files = einvoice_files(VALID[name])
    assert files is not None
    file = files.cii if syntax == "cii" else files.ubl
    text, count = re.subn(pattern, replacement, file.decode(), flags=re.DOTALL)
    assert count
    found = cii_breaches(text.encode()) if syntax == "cii" else ubl_breaches(text.encode())
    assert rules(found) == expected


@pytest.mark.parametrize(("name", "changes", "expected"), DRAFTS)
def test_drafts(name: str, changes: dict[str, Any], expected: set[str]) -> None:
    """What is wrong in the draft is found by the rules on it, in whichever file it shows."""
    assert rules(breaches(redrafted(VALID[name], changes))) == expected
