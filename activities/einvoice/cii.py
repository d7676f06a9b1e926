"""An e-invoice as UN/CEFACT Cross Industry Invoice (D16B), as Factur-X 1.09 and XRechnung 3.0 use it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from activities.einvoice.element import Element, Namespaces, amount, figure, root, signed, written
from billing.einvoice.model import (
    AllowanceOrCharge,
    EInvoice,
    Line,
    Party,
    Preceding,
    Profile,
)
from billing.taxes.categories import TaxCategory

GUIDELINES = {
    Profile.EN_16931: "urn:cen.eu:en16931:2017",
    Profile.XRECHNUNG: "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
}
"""BT-24."""

XRECHNUNG_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
"""BT-23, which XRechnung demands (PEPPOL-EN16931-R001 in XRechnung 3.0)."""

_UNECE = "urn:un:unece:uncefact:data:standard"
_NAMESPACES: Namespaces = {
    "rsm": f"{_UNECE}:CrossIndustryInvoice:100",
    "ram": f"{_UNECE}:ReusableAggregateBusinessInformationEntity:100",
    "qdt": f"{_UNECE}:QualifiedDataType:100",
    "udt": f"{_UNECE}:UnqualifiedDataType:100",
}
_DAY = "102"
"""CCYYMMDD, of UNTDID 2379."""


def cii(invoice: EInvoice) -> bytes:
    """The e-invoice as CII; the same e-invoice gives the same bytes."""
    node, top = root("rsm:CrossIndustryInvoice", _NAMESPACES)
    context = top.branch("rsm:ExchangedDocumentContext")
    if invoice.profile is Profile.XRECHNUNG:
        process = context.branch("ram:BusinessProcessSpecifiedDocumentContextParameter")
        process.leaf("ram:ID", XRECHNUNG_PROCESS)
    guideline = context.branch("ram:GuidelineSpecifiedDocumentContextParameter")
    guideline.leaf("ram:ID", GUIDELINES[invoice.profile])
    document = top.branch("rsm:ExchangedDocument")
    document.leaf("ram:ID", invoice.number)
    document.leaf("ram:TypeCode", invoice.type_code)
    _day(document, "ram:IssueDateTime", invoice.issue_date)
    for note in invoice.notes:
        document.branch("ram:IncludedNote").leaf("ram:Content", note)
    transaction = top.branch("rsm:SupplyChainTradeTransaction")
    for line in invoice.lines:
        _line(transaction.branch("ram:IncludedSupplyChainTradeLineItem"), line, invoice)
    _agreement(transaction.branch("ram:ApplicableHeaderTradeAgreement"), invoice)
    delivery = transaction.branch("ram:ApplicableHeaderTradeDelivery")
    _day(
        delivery.branch("ram:ActualDeliverySupplyChainEvent"),
        "ram:OccurrenceDateTime",
        invoice.delivery_date,
    )
    _settlement(transaction.branch("ram:ApplicableHeaderTradeSettlement"), invoice)
    return written(node)


def _day(parent: Element, name: str, day: date | None) -> None:
    if day is not None:
        parent.branch(name).leaf("udt:DateTimeString", f"{day:%Y%m%d}", format=_DAY)


def _agreement(agreement: Element, invoice: EInvoice) -> None:
    agreement.leaf("ram:BuyerReference", invoice.buyer_reference)
    _party(agreement.branch("ram:SellerTradeParty"), invoice.seller)
    _party(agreement.branch("ram:BuyerTradeParty"), invoice.buyer)
    for name, reference in (
        ("ram:BuyerOrderReferencedDocument", invoice.order_reference),
        ("ram:ContractReferencedDocument", invoice.contract_reference),
    ):
        if reference:
            agreement.branch(name).leaf("ram:IssuerAssignedID", reference)


def _party(element: Element, party: Party) -> None:
    element.leaf("ram:ID", party.identifier)
    element.leaf("ram:Name", party.name)
    if party.registration:
        organization = element.branch("ram:SpecifiedLegalOrganization")
        organization.leaf("ram:ID", party.registration, schemeID=party.registration_scheme)
    contact = party.contact
    if contact.name or contact.phone or contact.email:
        defined = element.branch("ram:DefinedTradeContact")
        defined.leaf("ram:PersonName", contact.name)
        if contact.phone:
            defined.branch("ram:TelephoneUniversalCommunication").leaf("ram:CompleteNumber", contact.phone)
        if contact.email:
            defined.branch("ram:EmailURIUniversalCommunication").leaf("ram:URIID", contact.email)
    address, postal = party.address, element.branch("ram:PostalTradeAddress")
    postal.leaf("ram:PostcodeCode", address.postcode)
    postal.leaf("ram:LineOne", address.line_1)
    postal.leaf("ram:LineTwo", address.line_2)
    postal.leaf("ram:LineThree", address.line_3)
    postal.leaf("ram:CityName", address.city)
    postal.leaf("ram:CountryID", address.country)
    postal.leaf("ram:CountrySubDivisionName", address.region)
    if reached := party.electronic_address:
        element.branch("ram:URIUniversalCommunication").leaf("ram:URIID", reached.id, schemeID=reached.scheme)
    for scheme, number in (("VA", party.vat_id), ("FC", party.tax_number)):
        if number:
            element.branch("ram:SpecifiedTaxRegistration").leaf("ram:ID", number, schemeID=scheme)


def _settlement(settlement: Element, invoice: EInvoice) -> None:
    payment = invoice.payment
    settlement.leaf("ram:PaymentReference", payment.reference)
    settlement.leaf("ram:TaxCurrencyCode", invoice.tax_currency)
    settlement.leaf("ram:InvoiceCurrencyCode", invoice.currency)
    means = settlement.branch("ram:SpecifiedTradeSettlementPaymentMeans")
    means.leaf("ram:TypeCode", payment.means_code)
    if payment.iban:
        account = means.branch("ram:PayeePartyCreditorFinancialAccount")
        account.leaf("ram:IBANID", payment.iban)
        account.leaf("ram:AccountName", payment.account_name)
    if payment.bic:
        means.branch("ram:PayeeSpecifiedCreditorFinancialInstitution").leaf("ram:BICID", payment.bic)
    for row in invoice.breakdown:
        tax = settlement.branch("ram:ApplicableTradeTax")
        tax.leaf("ram:CalculatedAmount", amount(row.tax, invoice.currency))
        tax.leaf("ram:TypeCode", "VAT")
        tax.leaf("ram:ExemptionReason", row.exemption_reason)
        tax.leaf("ram:BasisAmount", amount(row.taxable, invoice.currency))
        tax.leaf("ram:CategoryCode", row.category)
        tax.leaf("ram:ExemptionReasonCode", row.exemption_code)
        tax.leaf("ram:RateApplicablePercent", figure(row.rate))
    if invoice.period_start is not None:
        period = settlement.branch("ram:BillingSpecifiedPeriod")
        _day(period, "ram:StartDateTime", invoice.period_start)
        _day(period, "ram:EndDateTime", invoice.period_end)
    _adjustments(settlement, invoice.allowances, invoice.charges, invoice.currency)
    if invoice.terms or invoice.due_date:
        terms = settlement.branch("ram:SpecifiedTradePaymentTerms")
        terms.leaf("ram:Description", invoice.terms)
        _day(terms, "ram:DueDateDateTime", invoice.due_date)
    _totals(settlement.branch("ram:SpecifiedTradeSettlementHeaderMonetarySummation"), invoice)
    for preceding in invoice.preceding:
        _preceding(settlement.branch("ram:InvoiceReferencedDocument"), preceding)


def _adjustments(
    parent: Element,
    allowances: tuple[AllowanceOrCharge, ...],
    charges: tuple[AllowanceOrCharge, ...],
    currency: str,
) -> None:
    for each, is_charge in signed(allowances, charges):
        element = parent.branch("ram:SpecifiedTradeAllowanceCharge")
        element.branch("ram:ChargeIndicator").leaf("udt:Indicator", is_charge)
        element.leaf("ram:CalculationPercent", figure(each.percent))
        if each.base is not None:
            element.leaf("ram:BasisAmount", amount(each.base, currency))
        element.leaf("ram:ActualAmount", amount(each.amount, currency))
        element.leaf("ram:ReasonCode", each.reason_code)
        element.leaf("ram:Reason", each.reason)
        if each.category is not None:
            _category(element.branch("ram:CategoryTradeTax"), each.category, each.rate)


def _category(tax: Element, category: TaxCategory, rate: Decimal | None) -> None:
    tax.leaf("ram:TypeCode", "VAT")
    tax.leaf("ram:CategoryCode", category)
    tax.leaf("ram:RateApplicablePercent", figure(rate))


def _totals(totals: Element, invoice: EInvoice) -> None:
    currency = invoice.currency
    totals.leaf("ram:LineTotalAmount", amount(invoice.lines_net, currency))
    if invoice.charges:
        totals.leaf("ram:ChargeTotalAmount", amount(invoice.charges_sum, currency))
    if invoice.allowances:
        totals.leaf("ram:AllowanceTotalAmount", amount(invoice.allowances_sum, currency))
    totals.leaf("ram:TaxBasisTotalAmount", amount(invoice.net, currency))
    totals.leaf("ram:TaxTotalAmount", amount(invoice.tax, currency), currencyID=currency)
    if invoice.home_tax is not None:
        at_home = invoice.tax_currency
        totals.leaf("ram:TaxTotalAmount", amount(invoice.home_tax, at_home), currencyID=at_home)
    if invoice.rounding:
        totals.leaf("ram:RoundingAmount", amount(invoice.rounding, currency))
    totals.leaf("ram:GrandTotalAmount", amount(invoice.gross, currency))
    totals.leaf("ram:DuePayableAmount", amount(invoice.due, currency))


def _preceding(element: Element, preceding: Preceding) -> None:
    element.leaf("ram:IssuerAssignedID", preceding.number)
    if preceding.issue_date is not None:
        day = element.branch("ram:FormattedIssueDateTime")
        day.leaf("qdt:DateTimeString", f"{preceding.issue_date:%Y%m%d}", format=_DAY)


def _line(element: Element, line: Line, invoice: EInvoice) -> None:
    element.branch("ram:AssociatedDocumentLineDocument").leaf("ram:LineID", line.id)
    product = element.branch("ram:SpecifiedTradeProduct")
    product.leaf("ram:Name", line.name)
    product.leaf("ram:Description", line.description)
    price = element.branch("ram:SpecifiedLineTradeAgreement").branch("ram:NetPriceProductTradePrice")
    price.leaf("ram:ChargeAmount", figure(line.price))
    delivery = element.branch("ram:SpecifiedLineTradeDelivery")
    delivery.leaf("ram:BilledQuantity", figure(line.quantity), unitCode=line.unit)
    settlement = element.branch("ram:SpecifiedLineTradeSettlement")
    _category(settlement.branch("ram:ApplicableTradeTax"), line.category, line.rate)
    _adjustments(settlement, line.allowances, line.charges, invoice.currency)
    total = settlement.branch("ram:SpecifiedTradeSettlementLineMonetarySummation")
    total.leaf("ram:LineTotalAmount", amount(line.net, invoice.currency))
