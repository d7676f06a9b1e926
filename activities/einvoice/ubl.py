"""An e-invoice as UBL 2.1 Invoice or CreditNote: Peppol BIS Billing 3, XRechnung 3.0, or plain EN 16931."""

from __future__ import annotations

from decimal import Decimal

from activities.einvoice.element import Element, Namespaces, amount, figure, iso, root, signed, written
from billing.einvoice.model import (
    NOT_DEFINED,
    AllowanceOrCharge,
    EInvoice,
    Line,
    Party,
    PaymentInstructions,
    Profile,
)
from billing.taxes.categories import TaxCategory

EN_16931 = "urn:cen.eu:en16931:2017"
PEPPOL = f"{EN_16931}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
XRECHNUNG = f"{EN_16931}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
"""BT-24: whose rules the document follows."""

PEPPOL_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
"""BT-23, of Peppol and of XRechnung."""

_OASIS = "urn:oasis:names:specification:ubl:schema:xsd"
_NAMESPACES: Namespaces = {
    "cac": f"{_OASIS}:CommonAggregateComponents-2",
    "cbc": f"{_OASIS}:CommonBasicComponents-2",
}


def ubl(invoice: EInvoice) -> bytes:
    """The e-invoice as UBL; the same e-invoice gives the same bytes."""
    kind = "CreditNote" if invoice.is_credit_note else "Invoice"
    node, top = root(kind, {None: f"{_OASIS}:{kind}-2", **_NAMESPACES})
    top.leaf("cbc:CustomizationID", _customization(invoice))
    if invoice.for_peppol or invoice.profile is Profile.XRECHNUNG:
        top.leaf("cbc:ProfileID", PEPPOL_PROCESS)
    top.leaf("cbc:ID", invoice.number)
    top.leaf("cbc:IssueDate", iso(invoice.issue_date))
    if not invoice.is_credit_note:
        top.leaf("cbc:DueDate", iso(invoice.due_date))
    top.leaf(f"cbc:{kind}TypeCode", invoice.type_code)
    for note in invoice.notes:
        top.leaf("cbc:Note", note)
    top.leaf("cbc:DocumentCurrencyCode", invoice.currency)
    top.leaf("cbc:TaxCurrencyCode", invoice.tax_currency)
    top.leaf("cbc:BuyerReference", invoice.buyer_reference)
    _references(top, invoice)
    _party(top.branch("cac:AccountingSupplierParty").branch("cac:Party"), invoice.seller)
    _party(top.branch("cac:AccountingCustomerParty").branch("cac:Party"), invoice.buyer)
    top.branch("cac:Delivery").leaf("cbc:ActualDeliveryDate", iso(invoice.delivery_date))
    if invoice.payment.means_code != NOT_DEFINED or invoice.buyer.address.country == "DE":
        # Dutch parties take no code 1 (NL-R-008), German ones want the group whatever it says (BR-DE-1)
        _payment(top.branch("cac:PaymentMeans"), invoice.payment)
    if invoice.terms:
        top.branch("cac:PaymentTerms").leaf("cbc:Note", invoice.terms)
    _adjustments(top, invoice.allowances, invoice.charges, invoice.currency)
    _taxes(top, invoice)
    _totals(top.branch("cac:LegalMonetaryTotal"), invoice)
    quantity = "cbc:CreditedQuantity" if invoice.is_credit_note else "cbc:InvoicedQuantity"
    for line in invoice.lines:
        _line(top.branch(f"cac:{kind}Line"), line, quantity, invoice.currency)
    return written(node)


def _customization(invoice: EInvoice) -> str:
    if invoice.profile is Profile.XRECHNUNG:
        return XRECHNUNG
    return PEPPOL if invoice.for_peppol else EN_16931


def _references(top: Element, invoice: EInvoice) -> None:
    if invoice.period_start is not None:
        period = top.branch("cac:InvoicePeriod")
        period.leaf("cbc:StartDate", iso(invoice.period_start))
        period.leaf("cbc:EndDate", iso(invoice.period_end))
    if invoice.order_reference:
        top.branch("cac:OrderReference").leaf("cbc:ID", invoice.order_reference)
    for preceding in invoice.preceding:
        document = top.branch("cac:BillingReference").branch("cac:InvoiceDocumentReference")
        document.leaf("cbc:ID", preceding.number)
        document.leaf("cbc:IssueDate", iso(preceding.issue_date))
    if invoice.contract_reference:
        top.branch("cac:ContractDocumentReference").leaf("cbc:ID", invoice.contract_reference)


def _party(element: Element, party: Party) -> None:
    if reached := party.electronic_address:
        element.leaf("cbc:EndpointID", reached.id, schemeID=reached.scheme)
    if party.identifier:
        element.branch("cac:PartyIdentification").leaf("cbc:ID", party.identifier)
    address, postal = party.address, element.branch("cac:PostalAddress")
    postal.leaf("cbc:StreetName", address.line_1)
    postal.leaf("cbc:AdditionalStreetName", address.line_2)
    postal.leaf("cbc:CityName", address.city)
    postal.leaf("cbc:PostalZone", address.postcode)
    postal.leaf("cbc:CountrySubentity", address.region)
    if address.line_3:
        postal.branch("cac:AddressLine").leaf("cbc:Line", address.line_3)
    postal.branch("cac:Country").leaf("cbc:IdentificationCode", address.country)
    for scheme, number in (("VAT", party.vat_id), ("FC", party.tax_number)):
        if number:
            tax = element.branch("cac:PartyTaxScheme")
            tax.leaf("cbc:CompanyID", number)
            tax.branch("cac:TaxScheme").leaf("cbc:ID", scheme)
    legal = element.branch("cac:PartyLegalEntity")
    legal.leaf("cbc:RegistrationName", party.name)
    legal.leaf("cbc:CompanyID", party.registration, schemeID=party.registration_scheme)
    contact = party.contact
    if contact.name or contact.phone or contact.email:
        asked = element.branch("cac:Contact")
        asked.leaf("cbc:Name", contact.name)
        asked.leaf("cbc:Telephone", contact.phone)
        asked.leaf("cbc:ElectronicMail", contact.email)


def _payment(means: Element, payment: PaymentInstructions) -> None:
    means.leaf("cbc:PaymentMeansCode", payment.means_code)
    means.leaf("cbc:PaymentID", payment.reference)
    if payment.iban:
        account = means.branch("cac:PayeeFinancialAccount")
        account.leaf("cbc:ID", payment.iban)
        account.leaf("cbc:Name", payment.account_name)
        if payment.bic:
            account.branch("cac:FinancialInstitutionBranch").leaf("cbc:ID", payment.bic)


def _adjustments(
    parent: Element,
    allowances: tuple[AllowanceOrCharge, ...],
    charges: tuple[AllowanceOrCharge, ...],
    currency: str,
) -> None:
    for each, is_charge in signed(allowances, charges):
        element = parent.branch("cac:AllowanceCharge")
        element.leaf("cbc:ChargeIndicator", is_charge)
        element.leaf("cbc:AllowanceChargeReasonCode", each.reason_code)
        element.leaf("cbc:AllowanceChargeReason", each.reason)
        element.leaf("cbc:MultiplierFactorNumeric", figure(each.percent))
        element.leaf("cbc:Amount", amount(each.amount, currency), currencyID=currency)
        if each.base is not None:
            element.leaf("cbc:BaseAmount", amount(each.base, currency), currencyID=currency)
        if each.category is not None:
            _category(element.branch("cac:TaxCategory"), each.category, each.rate)


def _category(
    element: Element, category: TaxCategory, rate: Decimal | None, code: str = "", reason: str = ""
) -> None:
    element.leaf("cbc:ID", category)
    element.leaf("cbc:Percent", figure(rate))
    element.leaf("cbc:TaxExemptionReasonCode", code)
    element.leaf("cbc:TaxExemptionReason", reason)
    element.branch("cac:TaxScheme").leaf("cbc:ID", "VAT")


def _taxes(top: Element, invoice: EInvoice) -> None:
    currency = invoice.currency
    total = top.branch("cac:TaxTotal")
    total.leaf("cbc:TaxAmount", amount(invoice.tax, currency), currencyID=currency)
    for row in invoice.breakdown:
        part = total.branch("cac:TaxSubtotal")
        part.leaf("cbc:TaxableAmount", amount(row.taxable, currency), currencyID=currency)
        part.leaf("cbc:TaxAmount", amount(row.tax, currency), currencyID=currency)
        category = part.branch("cac:TaxCategory")
        _category(category, row.category, row.rate, row.exemption_code, row.exemption_reason)
    if invoice.home_tax is not None:
        at_home = invoice.tax_currency
        text = amount(invoice.home_tax, at_home)
        top.branch("cac:TaxTotal").leaf("cbc:TaxAmount", text, currencyID=at_home)


def _totals(totals: Element, invoice: EInvoice) -> None:
    currency = invoice.currency
    amounts = [
        ("LineExtensionAmount", invoice.lines_net),
        ("TaxExclusiveAmount", invoice.net),
        ("TaxInclusiveAmount", invoice.gross),
        ("AllowanceTotalAmount", invoice.allowances_sum if invoice.allowances else None),
        ("ChargeTotalAmount", invoice.charges_sum if invoice.charges else None),
        ("PayableRoundingAmount", invoice.rounding or None),
        ("PayableAmount", invoice.due),
    ]
    for name, each in amounts:
        if each is not None:
            totals.leaf(f"cbc:{name}", amount(each, currency), currencyID=currency)


def _line(element: Element, line: Line, quantity: str, currency: str) -> None:
    element.leaf("cbc:ID", line.id)
    element.leaf(quantity, figure(line.quantity), unitCode=line.unit)
    element.leaf("cbc:LineExtensionAmount", amount(line.net, currency), currencyID=currency)
    _adjustments(element, line.allowances, line.charges, currency)
    item = element.branch("cac:Item")
    item.leaf("cbc:Description", line.description)
    item.leaf("cbc:Name", line.name)
    _category(item.branch("cac:ClassifiedTaxCategory"), line.category, line.rate)
    element.branch("cac:Price").leaf("cbc:PriceAmount", figure(line.price), currencyID=currency)
