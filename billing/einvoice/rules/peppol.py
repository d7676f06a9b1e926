"""What Peppol BIS Billing 3 asks of an invoice beyond EN 16931, in any country.

SOURCE: OpenPEPPOL, BIS Billing 3.0.21 (May 2026), rules PEPPOL-EN16931-R…, -P… and -CL…. Left out is what CEN's rules
say as well (currency and reason codes), and what no invoice in our terms can break: identifiers of specification and
process are constants (R001, R004, R007), none goes to an address outside the network (CL008), dates are dates (F001),
and there are no gross prices, base quantities, periods of lines, attachments or project references (R044, R046, R121,
R130, R110, R111, R100, R101, R080).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial

from billing.einvoice.breach import Severity
from billing.einvoice.model import AllowanceOrCharge, EInvoice, Line, Party
from billing.einvoice.rules import codes
from billing.einvoice.rules.rule import Rule, both_in, each_adjustment, each_line, is_near, unless
from billing.money import total

FATAL, WARNING = Severity.FATAL, Severity.WARNING

Slack = Callable[[EInvoice], Decimal]

_DIRECT_DEBIT = frozenset({"49", "59"})


def two_cents(_: EInvoice) -> Decimal:
    """What Peppol lets sums and products differ by, in the invoice's currency."""
    return Decimal("0.02")


def half_a_forint(invoice: EInvoice) -> Decimal:
    """What XRechnung lets them differ by: half a forint, or two cents of anything else."""
    return Decimal("0.5") if invoice.currency == "HUF" else two_cents(invoice)


def shared(slack: Slack, arithmetic: Severity) -> tuple[Rule, ...]:
    """The Peppol rules that XRechnung 3.0 asks for too: it bears other differences of rounding, and warns of them."""
    return (
        Rule(
            "PEPPOL-EN16931-R005",
            FATAL,
            unless("BT-6", lambda invoice: invoice.tax_currency != invoice.currency),
            "the currency of the tax is that of the invoice, and is then not named twice; that is a fault of Billow",
        ),
        Rule(
            "PEPPOL-EN16931-R008",
            FATAL,
            _empty,
            "a text is nothing but blanks; write it, or leave it out, where it comes from: agreement, CRM or "
            "issuers.yaml",
        ),
        Rule(
            "PEPPOL-EN16931-R010",
            FATAL,
            unless("BT-49", lambda invoice: invoice.buyer.electronic_address),
            "the buyer has no electronic address to send the e-invoice to; write electronic_address (SCHEME:ID) in "
            "clients.yaml",
        ),
        Rule(
            "PEPPOL-EN16931-R020",
            FATAL,
            unless("BT-34", lambda invoice: invoice.seller.electronic_address),
            "the seller has no electronic address, by which answers come back; write electronic_address (SCHEME:ID) in "
            "issuers.yaml",
        ),
        Rule(
            "PEPPOL-EN16931-R040",
            FATAL,
            each_adjustment("BT-92", partial(_is_percentage, slack)),
            "an allowance or charge is not its percentage of its base; correct discounts.yaml or the agreement",
        ),
        Rule(
            "PEPPOL-EN16931-R041",
            FATAL,
            each_adjustment("BT-93", lambda _, each: each.percent is None or each.base is not None),
            "an allowance or charge has a percentage and no base; correct discounts.yaml or the agreement",
        ),
        Rule(
            "PEPPOL-EN16931-R042",
            FATAL,
            each_adjustment("BT-94", lambda _, each: each.base is None or each.percent is not None),
            "an allowance or charge has a base and no percentage; correct discounts.yaml or the agreement",
        ),
        Rule(
            "PEPPOL-EN16931-R054",
            FATAL,
            unless("BT-111", lambda invoice: bool(invoice.tax_currency) == (invoice.home_tax is not None)),
            "the tax in the currency of the country and that currency go together; add the rate to "
            "tax/exchange_rates.yaml",
        ),
        Rule(
            "PEPPOL-EN16931-R055",
            FATAL,
            unless("BT-111", _has_one_sign),
            "the tax has one sign and the same tax in the currency of the country another, or is not there; that is a "
            "fault of Billow",
        ),
        Rule(
            "PEPPOL-EN16931-R061",
            FATAL,
            unless("BT-89", lambda invoice: invoice.payment.means_code not in _DIRECT_DEBIT),
            "a direct debit needs the reference of its mandate, and Billow knows none; collect by credit transfer",
        ),
        Rule(
            "PEPPOL-EN16931-R120",
            arithmetic,
            each_line("BT-131", partial(_adds_up, slack)),
            "the net amount of a line is not quantity times price, less allowances, plus charges; that is a fault of "
            "Billow: report it with the draft",
        ),
    )


def _empty(invoice: EInvoice) -> Iterable[str]:
    """Texts of nothing but blanks: an element is written for them, and it is empty."""
    texts = {
        "BT-1": invoice.number,
        "BT-10": invoice.buyer_reference,
        "BT-12": invoice.contract_reference,
        "BT-13": invoice.order_reference,
        "BT-20": invoice.terms,
        "BT-83": invoice.payment.reference,
        "BT-85": invoice.payment.account_name,
        **_texts_of(invoice.seller, "BG-4"),
        **_texts_of(invoice.buyer, "BG-7"),
        **{f"BT-22, {n}": note for n, note in enumerate(invoice.notes, start=1)},
        **{f"line {line.id}, BT-153": line.name or " " for line in invoice.lines},
        **{f"line {line.id}, BT-154": line.description for line in invoice.lines},
    }
    return (place for place, text in texts.items() if text and not text.strip())


def _texts_of(party: Party, group: str) -> dict[str, str]:
    address, contact = party.address, party.contact
    return {
        f"{group}, name": party.name or " ",
        f"{group}, identifier": party.identifier,
        f"{group}, registration": party.registration,
        f"{group}, street": address.line_1,
        f"{group}, address line 2": address.line_2,
        f"{group}, address line 3": address.line_3,
        f"{group}, city": address.city,
        f"{group}, postcode": address.postcode,
        f"{group}, region": address.region,
        f"{group}, contact": contact.name,
        f"{group}, phone": contact.phone,
        f"{group}, e-mail": contact.email,
    }


def _has_one_sign(invoice: EInvoice) -> bool:
    if not invoice.tax_currency:
        return True
    return invoice.home_tax is not None and invoice.tax * invoice.home_tax >= 0


def _is_percentage(slack: Slack, invoice: EInvoice, each: AllowanceOrCharge) -> bool:
    if each.base is None or each.percent is None:
        return True
    return is_near(each.amount, each.base * each.percent / 100, slack(invoice))


def _adds_up(slack: Slack, invoice: EInvoice, line: Line) -> bool:
    less = total(each.amount for each in line.allowances)
    plus = total(each.amount for each in line.charges)
    return is_near(line.net, line.quantity * line.price + plus - less, slack(invoice))


def _other_category(code: str, category: str, invoice: EInvoice) -> Iterable[str]:
    return (
        f"BG-23, {each.category}"
        for each in invoice.breakdown
        if each.exemption_code.upper() == code and each.category != category
    )


def _has_known_type(invoice: EInvoice) -> bool:
    return invoice.is_credit_note or invoice.type_code in codes.INVOICE_TYPES


RULES = (
    *shared(two_cents, FATAL),
    Rule(
        "PEPPOL-EN16931-R002",
        FATAL,
        unless("BT-22", lambda invoice: len(invoice.notes) <= 1 or both_in(invoice, "DE")),
        "there may be one note only, unless both sides are in Germany; that is a fault of Billow",
    ),
    Rule(
        "PEPPOL-EN16931-R003",
        FATAL,
        unless("BT-10", lambda invoice: invoice.buyer_reference or invoice.order_reference),
        "the buyer wants to be told a reference of its own: write buyer_reference in clients.yaml, or order_reference "
        "in agreements.yaml",
    ),
    Rule(
        "PEPPOL-EN16931-P0100",
        FATAL,
        unless("BT-3", _has_known_type),
        "Peppol does not take this kind of invoice; that is a fault of Billow",
    ),
    Rule(
        "PEPPOL-EN16931-P0112",
        FATAL,
        unless("BT-3", lambda invoice: invoice.type_code not in {"326", "384"} or both_in(invoice, "DE")),
        "a corrected invoice (384) goes over Peppol only where both sides are in Germany; send a credit note and a new "
        "invoice",
    ),
    *(
        Rule(
            f"PEPPOL-EN16931-{rule}",
            FATAL,
            partial(_other_category, code, category),
            f"the exemption {code} goes with VAT category {category}; correct tax/rules.yaml",
        )
        for code, (rule, category) in codes.EXEMPTIONS.items()
    ),
)
