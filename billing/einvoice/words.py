"""What a broken rule means to a finance person: what is missing, and where it is mended.

Rules an invoice of Billow can really break have a sentence of their own; of any other the official text is told,
without its XPath. Ids: EN 16931-1, table of business rules; CEN validation artefacts 1.3.16.
"""

from __future__ import annotations

import re

_CRM = "in the CRM"
_ISSUER = "in issuers.yaml"
_CLIENT = "in clients.yaml"
_REPORT = "that is a fault of Billow: report it with the draft"

_WORDS: dict[str, str] = {
    "BR-01": f"the document does not say which specification it follows; {_REPORT}",
    "BR-02": f"the document has no number; {_REPORT}",
    "BR-03": f"the document has no issue date; {_REPORT}",
    "BR-04": f"the document does not say what kind of invoice it is; {_REPORT}",
    "BR-05": f"the document names no currency; set the client's currency {_CLIENT}",
    "BR-06": f"the seller has no name; write it {_ISSUER}",
    "BR-07": f"the buyer has no name; write it {_CRM}",
    "BR-08": f"the seller has no postal address; write it {_ISSUER}",
    "BR-09": f"the seller's address has no country; write it {_ISSUER}",
    "BR-10": f"the buyer has no postal address; write it {_CRM}",
    "BR-11": f"the buyer's address has no country; write it {_CRM}",
    "BR-12": f"the sum of the lines is missing; {_REPORT}",
    "BR-13": f"the net amount is missing; {_REPORT}",
    "BR-14": f"the gross amount is missing; {_REPORT}",
    "BR-15": f"the amount due is missing; {_REPORT}",
    "BR-16": "the invoice has no line; bill something, or void the draft",
    "BR-17": f"whoever is paid in place of the seller has no name; write the account's holder {_ISSUER}",
    "BR-21": f"a line has no number; {_REPORT}",
    "BR-22": "a line has no quantity; correct the agreement or the entry that is billed",
    "BR-23": "a line has no unit; correct the agreement or the entry that is billed",
    "BR-24": f"a line has no net amount; {_REPORT}",
    "BR-25": "a line has no description; give the agreement, milestone or expense a title",
    "BR-26": "a line has no price; write it in the agreement",
    "BR-27": f"the price of a line is below zero; what is deducted is written with a negative quantity: {_REPORT}",
    "BR-28": f"the price of a line before its discount is below zero; {_REPORT}",
    "BR-29": "the billed period ends before it begins; correct the dates of the agreement",
    "BR-30": "the period of a line ends before it begins; correct the dates of the agreement",
    "BR-31": "an allowance has no amount; correct discounts.yaml",
    "BR-32": f"an allowance has no tax category; {_REPORT}",
    "BR-33": "an allowance has no reason; write one in discounts.yaml",
    "BR-36": "a charge has no amount; correct the agreement",
    "BR-37": f"a charge has no tax category; {_REPORT}",
    "BR-38": "a charge has no reason; write one in the agreement",
    "BR-41": "an allowance of a line has no amount; correct discounts.yaml",
    "BR-42": "an allowance of a line has no reason; write one in discounts.yaml",
    "BR-43": "a charge of a line has no amount; correct the agreement",
    "BR-44": "a charge of a line has no reason; write one in the agreement",
    "BR-45": f"a row of the tax breakdown has no taxable amount; {_REPORT}",
    "BR-46": f"a row of the tax breakdown has no tax amount; {_REPORT}",
    "BR-47": f"a row of the tax breakdown has no category; {_REPORT}",
    "BR-48": f"a row of the tax breakdown has no rate; {_REPORT}",
    "BR-49": f"the payment instructions do not say how to pay; {_REPORT}",
    "BR-50": f"there is no account to pay to; write bank_account {_ISSUER}",
    "BR-51": f"a card number shows more than its first six and last four digits; {_REPORT}",
    "BR-52": f"a supporting document has no reference; {_REPORT}",
    "BR-53": "the tax in the currency of the country is missing; add the rate to tax/exchange_rates.yaml",
    "BR-55": "the invoice that is corrected is not named; correct an issued invoice, by its number",
    "BR-57": f"the place of delivery has no country; write it {_CRM}",
    "BR-61": f"a credit transfer needs an account; write the IBAN in bank_account {_ISSUER}",
    "BR-62": f"the seller's electronic address has no scheme; write electronic_address as SCHEME:ID {_ISSUER}",
    "BR-63": f"the buyer's electronic address has no scheme; write electronic_address as SCHEME:ID {_CLIENT}",
    "BR-CO-04": f"a line has no tax category; {_REPORT}",
    "BR-CO-09": f"a VAT id does not begin with its country; correct it {_ISSUER} or, of the client, {_CRM}",
    "BR-CO-10": f"the sum of the lines is not what the lines come to; {_REPORT}",
    "BR-CO-11": f"the sum of the allowances is not what they come to; {_REPORT}",
    "BR-CO-12": f"the sum of the charges is not what they come to; {_REPORT}",
    "BR-CO-13": f"net is not lines less allowances plus charges; {_REPORT}",
    "BR-CO-14": f"the tax is not the sum of its breakdown; {_REPORT}",
    "BR-CO-15": f"gross is not net and tax together; {_REPORT}",
    "BR-CO-16": f"the amount due is not gross less what is paid, rounded; {_REPORT}",
    "BR-CO-17": f"a tax is not its rate on its taxable amount; {_REPORT}",
    "BR-CO-18": f"there is no tax breakdown; {_REPORT}",
    "BR-CO-19": "the billed period has neither beginning nor end; correct the dates of the agreement",
    "BR-CO-20": "the period of a line has neither beginning nor end; correct the dates of the agreement",
    "BR-CO-25": f"an amount is due, but neither a date nor terms of payment say when; write terms {_CLIENT}",
    "BR-CO-26": f"nothing identifies the seller; write vat_id or registration {_ISSUER}",
    "BR-CL-01": f"the kind of document is not in the code list; {_REPORT}",
    "BR-CL-03": f"a currency is not one of ISO 4217; set the client's currency {_CLIENT}",
    "BR-CL-04": f"the currency of the invoice is not one of ISO 4217; set the client's currency {_CLIENT}",
    "BR-CL-05": "the currency of the tax is not one of ISO 4217; correct tax/exchange_rates.yaml",
    "BR-CL-11": f"the scheme of a registration is not in the list ISO 6523; correct it {_ISSUER}",
    "BR-CL-14": f"a country is not one of ISO 3166-1; correct it {_ISSUER} or, of the client, {_CRM}",
    "BR-CL-15": f"a country is not one of ISO 3166-1; correct it {_ISSUER} or, of the client, {_CRM}",
    "BR-CL-16": f"the means of payment is not in the code list; {_REPORT}",
    "BR-CL-17": f"a tax category is not in the code list; {_REPORT}",
    "BR-CL-18": f"the tax category of a line is not in the code list; {_REPORT}",
    "BR-CL-19": f"the reason of an allowance is not in the code list; {_REPORT}",
    "BR-CL-20": f"the reason of a charge is not in the code list; {_REPORT}",
    "BR-CL-22": f"the reason of a tax exemption is not in the code list; {_REPORT}",
    "BR-CL-23": "the unit of a line is not in the code list; correct the agreement or the entry that is billed",
    "BR-CL-25": "the scheme of an electronic address is not in the Electronic Address Scheme list; correct "
    f"electronic_address {_ISSUER} or, of the client, {_CLIENT}",
    "CII-SR-470": f"a credit transfer needs an account; write the IBAN in bank_account {_ISSUER}",
    "XSD": f"the document has not the shape of its schema; {_REPORT}",
}

_CATEGORIES = {
    "S": "standard rate",
    "Z": "zero rate",
    "E": "exemption",
    "AE": "reverse charge",
    "IC": "supply within the EU",
    "G": "export",
    "O": "no tax at all",
    "AF": "tax of the Canary Islands",
    "AG": "tax of Ceuta and Melilla",
}

_PARTS = {"02": "line", "03": "allowance", "04": "charge", "05": "line", "06": "allowance", "07": "charge"}

_BY_CATEGORY = re.compile(r"BR-(S|Z|E|AE|IC|G|O|AF|AG)-(\d\d)$")
_DECIMALS = re.compile(r"BR-DEC-\d\d$")
_TAG = re.compile(r"^\s*\[[^\]]*\]\s*[-:–]?\s*")
_XPATH = re.compile(r"\s*\((?=[^()]*\b(?:cac|cbc|ram|rsm|udt|qdt):)[^()]*\)")
_PREFIX = re.compile(r"\b(?:cac|cbc|ram|rsm|udt|qdt):")


_WHOLE = frozenset({"CrossIndustryInvoice", "Invoice", "CreditNote"})
_SPOTS = {
    "IncludedSupplyChainTradeLineItem": "line ",
    "InvoiceLine": "line ",
    "CreditNoteLine": "line ",
    "SpecifiedTradeAllowanceCharge": "allowance or charge ",
    "AllowanceCharge": "allowance or charge ",
}
_COUNTED = re.compile(rf"(?<![A-Za-z])({'|'.join(_SPOTS)})(?:\[(\d+)\])?(?![A-Za-z])")
_PARTIES = {
    "SellerTradeParty": "seller",
    "AccountingSupplierParty": "seller",
    "BuyerTradeParty": "buyer",
    "AccountingCustomerParty": "buyer",
}


def plain(rule: str, official: str = "") -> str:
    """What the rule means, in a sentence without a full stop; `official` is the text of the rule file."""
    if own := _WORDS.get(rule) or _of_category(rule):
        return own
    if _DECIMALS.match(rule):
        return f"an amount has more than two decimals; {_REPORT}"
    return cleaned(official) or f"rule {rule} is broken"


def spot(place: str) -> str:
    """A place as people call it: `line 3`, `buyer`, `BT-84`; empty where its path says no more than the rule does."""
    if "/" not in place:
        return "" if place in _WHOLE else place
    names = (f"{name} {number or 1}" for name, number in _COUNTED.findall(place))
    parts = [_SPOTS[name] + number for name, _, number in (each.partition(" ") for each in names)]
    return ", ".join(parts) or next((said for name, said in _PARTIES.items() if name in place), "")


def cleaned(official: str) -> str:
    """The text without the id in front of it, without XPath, in one line."""
    text = _TAG.sub("", " ".join(official.split()))
    return " ".join(_PREFIX.sub("", _XPATH.sub("", text)).split()).rstrip(".")


def _of_category(rule: str) -> str:
    """Each VAT category has the same ten rules, numbered alike (EN 16931-1, 6.4.3)."""
    found = _BY_CATEGORY.match(rule)
    if not found:
        return ""
    category, number = found.groups()
    name = _CATEGORIES[category]
    if number in {"02", "03", "04"}:
        return _ids(category, name, _PARTS[number])
    if number in {"05", "06", "07"}:
        rate = "above zero" if category == "S" else "absent" if category == "O" else "zero"
        return f"the rate of a {_PARTS[number]} with {name} is not {rate}; {_REPORT}"
    return {
        "01": f"the tax breakdown has no row, or not just one, for {name}; {_REPORT}",
        "08": f"the taxable amount for {name} is not the sum of what bears it; {_REPORT}",
        "09": f"the tax for {name} is not its rate on the taxable amount; {_REPORT}",
        "10": f"the row for {name} names a reason for exemption, and there is none; {_REPORT}"
        if category in {"S", "Z"}
        else f"the row for {name} does not say why no tax is charged; correct tax/rules.yaml, or report it",
        "11": "a supply within the EU needs a delivery date or a billed period; write dates in the agreement",
        "12": f"a supply within the EU needs the country of delivery; write the buyer's country {_CRM}",
    }.get(number, "")


def _ids(category: str, name: str, part: str) -> str:
    if category == "O":
        return f"a {part} is not subject to VAT, but a VAT id stands on the invoice; correct tax/rules.yaml"
    seller = f"a {part} with {name} needs the seller's VAT id: write vat_id {_ISSUER}"
    if category == "AE":
        return f"{seller}; and the buyer's VAT id or registration: write it {_CRM}"
    return f"{seller}; and the buyer's VAT id: write it {_CRM}" if category == "IC" else seller
