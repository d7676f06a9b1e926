"""What the source systems say: the facts a draft is assembled from and checked against."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from billing.money import Figure
from billing.parties import Address, Contact
from billing.prepayments import Prepayment
from billing.taxes.facts import IdEvidence
from billing.taxes.outcome import TaxDecision


class Fact(BaseModel):
    """A record as a source system gave it; keys we do not know are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class CrmClient(Fact):
    """A company in the CRM."""

    id: str
    name: str = Field(min_length=1)
    address: Address
    vat_id: str = ""
    tax_number: str = Field(
        default="", description="another number it has with its tax authority: GSTIN, UID"
    )
    business: bool = Field(default=True, description="a taxable person, not a consumer")
    public_body: bool = Field(default=False, description="an authority or other body of public law")
    special_zone: bool = Field(default=False, description="India: in a special economic zone, authorised")
    exemption_certificate: str = Field(default="", description="number of its certificate of exemption")
    active: bool = True
    billing_contact: Contact | None = None
    copies_to: tuple[str, ...] = Field(default=(), description="e-mail addresses that get a copy")


class CrmDeal(Fact):
    """A won deal in the CRM; value is net."""

    id: str
    client: str
    value: Figure
    currency: str
    won: bool = True
    won_on: date | None = None
    owner: str = ""


class SignedContract(Fact):
    """A contract as signed; value is net: the fee of a period, the price of a project or of a block."""

    id: str
    client: str
    value: Figure
    currency: str
    signed_on: date
    start: date | None = None
    end: date | None = None


class TimeEntry(Fact):
    """Hours somebody worked on a project."""

    id: str
    project: str
    person: str
    role: str
    day: date
    hours: Figure
    approved: bool = False
    billable: bool = True
    task: str = ""
    ticket: str = ""
    note: str = ""


class Expense(Fact):
    """Money somebody spent for a project; the amount is net, in its own currency."""

    id: str
    project: str
    person: str
    day: date
    description: str
    amount: Figure
    currency: str
    approved: bool = False
    billable: bool = True
    receipt: str = ""


class Milestone(Fact):
    """A milestone of a project and the day the client signed it off."""

    id: str
    project: str
    title: str = ""
    signed_off: date | None = None
    progress: int = Field(default=0, ge=0, le=100, description="per cent done")


class Project(Fact):
    """A project in the PSA."""

    id: str
    name: str
    client: str
    completed: date | None = None
    progress: int = Field(default=0, ge=0, le=100, description="per cent done")


class Sources(Fact):
    """Everything the sources say about one invoice."""

    client: CrmClient | None = None
    tax_id: IdEvidence | None = Field(default=None, description="what an authority said about its VAT id")
    tax_by_hand: TaxDecision | None = Field(
        default=None, description="set by a person; holds where no rule decides"
    )
    deal: CrmDeal | None = None
    contract: SignedContract | None = None
    project: Project | None = None
    milestone: Milestone | None = None
    time_entries: tuple[TimeEntry, ...] = Field(
        default=(), description="of the billed period, on no other invoice"
    )
    expenses: tuple[Expense, ...] = Field(default=(), description="of the billed period")
    earlier_time: tuple[TimeEntry, ...] = Field(
        default=(), description="of earlier periods, on no living invoice"
    )
    earlier_expenses: tuple[Expense, ...] = Field(
        default=(), description="of earlier periods, on no living invoice"
    )
    billed_time: tuple[TimeEntry, ...] = Field(
        default=(),
        description="approved, billable, on other living invoices: they have used up included hours",
    )
    amendments: dict[str, SignedContract] = Field(
        default_factory=dict, description="the signed documents of the agreement's change orders, by id"
    )
    billed_net: Figure = Field(
        default=Decimal(0), description="net billed under the agreement so far, elsewhere"
    )
    billed_in_period: Figure = Field(
        default=Decimal(0), description="net billed elsewhere of other parts of the same whole period"
    )
    prepayments: tuple[Prepayment, ...] = Field(
        default=(), description="issued under the agreement, for its final invoice to deduct"
    )
    preceding_date: date | None = Field(
        default=None, description="when the invoice was issued that this one corrects"
    )
    hours_so_far: Figure = Field(default=Decimal(0), description="billable hours of the project up to now")
    line_reached: bool = Field(default=False, description="a meter has reached the line that bills this")
    beyond_block: Figure = Field(
        default=Decimal(0),
        description="hours up to the end of the billed period that no prepaid block holds and nobody has billed",
    )
