"""An e-invoice in the terms of EN 16931-1: what is said of an invoice, whatever the syntax it is written in.

BT-n is a business term of the standard, BG-n a group of them. Amounts are in the invoice's currency (BT-5) if nothing
else is said; texts hold no character XML cannot, and are empty where a term is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from billing.einvoice.electronic_addresses import PEPPOL_SCHEMES, ElectronicAddress
from billing.money import total
from billing.taxes.categories import TaxCategory

_ZERO = Decimal(0)

NOT_DEFINED = "1"
"""No means of payment in particular (BT-81): of a credit note nobody knows yet how it is settled."""


class Profile(StrEnum):
    """Which use of EN 16931 an e-invoice follows, as the metadata of a hybrid PDF name it."""

    EN_16931 = "EN 16931"
    XRECHNUNG = "XRECHNUNG"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """An address (BG-5, BG-8): up to three lines, the country by ISO 3166-1 alpha-2."""

    line_1: str = ""
    """BT-35, BT-50."""
    line_2: str = ""
    """BT-36, BT-51."""
    line_3: str = ""
    """BT-162, BT-163."""
    city: str = ""
    """BT-37, BT-52."""
    postcode: str = ""
    """BT-38, BT-53."""
    region: str = ""
    """BT-39, BT-54."""
    country: str
    """BT-40, BT-55."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """Whom to ask (BG-6, BG-9)."""

    name: str = ""
    """BT-41, BT-56."""
    phone: str = ""
    """BT-42, BT-57."""
    email: str = ""
    """BT-43, BT-58."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """The seller (BG-4) or the buyer (BG-7)."""

    name: str
    """BT-27, BT-44."""
    identifier: str = ""
    """BT-29, BT-46; no scheme."""
    registration: str = ""
    """The legal registration (BT-30, BT-47)."""
    registration_scheme: str = ""
    """The code of its scheme in the list ISO 6523 (BT-30-1); empty where it is none of them."""
    vat_id: str = ""
    """BT-31, BT-48; begins with a country code (BR-CO-9)."""
    tax_number: str = ""
    """What the seller's own tax office knows it by (BT-32)."""
    electronic_address: ElectronicAddress | None = None
    """BT-34, BT-49."""
    address: PostalAddress
    """BG-5, BG-8."""
    contact: ContactPoint = ContactPoint()
    """BG-6, BG-9."""


@dataclass(frozen=True, slots=True)
class Preceding:
    """An invoice that this one corrects or refers to (BG-3)."""

    number: str
    """BT-25."""
    issue_date: date | None = None
    """BT-26."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInstructions:
    """How it is to be paid (BG-16), and on which account (BG-17)."""

    means_code: str
    """BT-81, UNTDID 4461."""
    reference: str = ""
    """What to write on the transfer (BT-83)."""
    iban: str = ""
    """BT-84, without blanks."""
    account_name: str = ""
    """BT-85."""
    bic: str = ""
    """BT-86."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceOrCharge:
    """An allowance or charge, of the document (BG-20, BG-21) or of a line (BG-27, BG-28).

    `category` and `rate` are those of the document's own (BT-95, BT-96; BT-102, BT-103); a line's has that of its line.
    """

    amount: Decimal
    """BT-92, BT-99, BT-136, BT-141."""
    base: Decimal | None = None
    """BT-93, BT-100, BT-137, BT-142."""
    percent: Decimal | None = None
    """BT-94, BT-101, BT-138, BT-143."""
    reason: str = ""
    """BT-97, BT-104, BT-139, BT-144."""
    reason_code: str = ""
    """BT-98 and BT-140 (UNTDID 5189), BT-105 and BT-145 (UNTDID 7161)."""
    category: TaxCategory | None = None
    rate: Decimal | None = None
    """Per cent; None outside the scope of VAT (BR-O-6, BR-O-7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VatBreakdown:
    """All that is taxed at one category and rate (BG-23)."""

    taxable: Decimal
    """BT-116."""
    tax: Decimal
    """BT-117."""
    category: TaxCategory
    """BT-118."""
    rate: Decimal | None
    """BT-119, per cent; None outside the scope of VAT (BR-48), but zero for a German receiver (BR-DE-14)."""
    exemption_reason: str = ""
    """BT-120."""
    exemption_code: str = ""
    """BT-121, of the VATEX list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An invoice line (BG-25)."""

    id: str
    """BT-126: its position, from 1."""
    quantity: Decimal
    """BT-129; bears the sign of the line."""
    unit: str
    """BT-130, UN/ECE recommendation 20."""
    net: Decimal
    """BT-131."""
    price: Decimal
    """Of one unit, net (BT-146); never below zero (BR-27), with as many decimals as the line needs."""
    category: TaxCategory
    """BT-151."""
    rate: Decimal | None
    """BT-152, per cent; None outside the scope of VAT (BR-O-5)."""
    name: str
    """BT-153."""
    description: str = ""
    """BT-154."""
    allowances: tuple[AllowanceOrCharge, ...] = ()
    """BG-27."""
    charges: tuple[AllowanceOrCharge, ...] = ()
    """BG-28."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoice:
    """An invoice, credit note, corrected or prepayment invoice as EN 16931 knows it. Dates are the issuer's."""

    profile: Profile
    number: str
    """BT-1."""
    issue_date: date
    """BT-2."""
    type_code: str
    """BT-3, UNTDID 1001; amounts of a credit note (381) are what the buyer gets back, without a sign."""
    currency: str
    """BT-5, ISO 4217."""
    tax_currency: str = ""
    """Accounting currency (BT-6), where the law wants the VAT in another than BT-5."""
    due_date: date | None
    """BT-9; with instalments, of the first of them."""
    buyer_reference: str = ""
    """BT-10."""
    contract_reference: str = ""
    """BT-12."""
    order_reference: str = ""
    """BT-13: the buyer's purchase order."""
    terms: str = ""
    """BT-20: in words, one line each."""
    notes: tuple[str, ...] = ()
    """BT-22."""
    preceding: tuple[Preceding, ...] = ()
    """BG-3."""
    seller: Party
    """BG-4."""
    buyer: Party
    """BG-7."""
    delivery_date: date
    """BT-72: the day on which the service was completed, or will be."""
    period_start: date | None = None
    """BT-73; None where the service was supplied on one day."""
    period_end: date | None = None
    """BT-74."""
    payment: PaymentInstructions
    """BG-16."""
    allowances: tuple[AllowanceOrCharge, ...] = ()
    """BG-20."""
    charges: tuple[AllowanceOrCharge, ...] = ()
    """BG-21."""
    net: Decimal
    """BT-109: without VAT."""
    tax: Decimal
    """BT-110."""
    home_tax: Decimal | None = None
    """BT-111: the VAT in `tax_currency`."""
    gross: Decimal
    """BT-112: with VAT."""
    rounding: Decimal = _ZERO
    """BT-114: what is added to the gross so that the amount due can be paid."""
    due: Decimal
    """BT-115. Nothing is prepaid (BT-113): prepayments are deducted by lines, with their tax."""
    breakdown: tuple[VatBreakdown, ...]
    """BG-23."""
    lines: tuple[Line, ...]
    """BG-25."""

    @property
    def for_peppol(self) -> bool:
        """Whether it can go through Peppol: both parties have an address there, and no other usage is asked for.

        Only then does the UBL claim to be Peppol BIS Billing 3 and are the rules of that held against it.
        """
        if self.profile is not Profile.EN_16931:
            return False
        addresses = (self.seller.electronic_address, self.buyer.electronic_address)
        return all(each is not None and each.scheme in PEPPOL_SCHEMES for each in addresses)

    @property
    def is_credit_note(self) -> bool:
        return self.type_code == "381"

    @property
    def lines_net(self) -> Decimal:
        """BT-106."""
        return total(each.net for each in self.lines)

    @property
    def allowances_sum(self) -> Decimal:
        """BT-107."""
        return total(each.amount for each in self.allowances)

    @property
    def charges_sum(self) -> Decimal:
        """BT-108."""
        return total(each.amount for each in self.charges)
