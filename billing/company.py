"""A company: the reviewed records by which it bills."""

from __future__ import annotations

from datetime import time

from pydantic import Field, field_validator

from billing.agreements import Agreement
from billing.approval_policy import ApprovalPolicy
from billing.connections import Connection, Port
from billing.discounts import Discount
from billing.dunning_policy import DunningPolicy
from billing.exceptions import ExceptionPolicy
from billing.exchange_rates import ExchangeRates
from billing.looks import Look
from billing.money import Currency, Figure
from billing.parties import (
    ElectronicAddress,
    EmailAddress,
    Identifier,
    Issuer,
    Language,
    Person,
    Strict,
    TimeZone,
)
from billing.payment_policy import PaymentPolicy
from billing.payment_terms import PaymentTerms
from billing.taxes.company_rules import TaxRules
from billing.work_records import HoursAppendix

_LONGEST_LOCAL_PART = 39
"""With the token of a message it has the 64 octets of RFC 5321, section 4.5.3.1.1."""


class Client(Strict):
    """How a client is billed; who it is, the CRM knows. The id is an alias without personal data."""

    id: Identifier
    crm: str = Field(min_length=1, description="id of the company in the CRM")
    issuer: Identifier
    currency: Currency
    language: Language = "en"
    zone: TimeZone
    calendar: str = Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="public holidays: DE or DE-BE")
    terms: PaymentTerms
    dunning: Identifier
    account_manager: Identifier
    buyer_reference: str = Field(
        default="",
        max_length=100,
        description="what the client routes invoices by (BT-10); German authorities: Leitweg-ID",
    )
    electronic_address: ElectronicAddress = Field(default="", description="where its e-invoices go (BT-49)")
    ubl_by_mail: bool = Field(
        default=False, description="the UBL e-invoice goes with the mail, beside the PDF"
    )
    hours_appendix: HoursAppendix = Field(
        default=HoursAppendix.NONE, description="pages that list the hours of an invoice"
    )


class Delivery(Strict):
    """How documents go out."""

    copies_to: tuple[EmailAddress, ...] = Field(default=(), description="get a copy of every invoice mail")
    reply_to: EmailAddress | None = None
    bounces_to: EmailAddress | None = Field(
        default=None,
        description="mailbox to which mail comes back, as name+token@domain; else the issuer's address",
    )

    @field_validator("bounces_to")
    @classmethod
    def _leaves_room(cls, address: str | None) -> str | None:
        local = (address or "").rpartition("@")[0]
        if len(local) > _LONGEST_LOCAL_PART or not (address or "").isascii():
            raise ValueError(
                f"before the @ there may be {_LONGEST_LOCAL_PART} ASCII characters: a token is added to them"
            )
        return address


class Integrations(Strict):
    """Where client, project and contract data come from: a folder of files, relative to the company folder."""

    crm: str = "data/crm"
    psa: str = "data/psa"
    contracts: str = "data/contracts"


class Deliveries(Strict):
    """What systems deliver by webhook, and how long it is kept."""

    keep_days: int = Field(
        default=90, ge=1, le=3650, description="days after which what was said is erased; that it was, stays"
    )


class BillingRuns(Strict):
    """How often Billow looks for periods that are due and unbilled."""

    every_minutes: int = Field(default=60, ge=1, le=1440)
    requested_by: Identifier = Field(default="billing-run", description="who counts as having triggered them")
    most_waiting: int = Field(
        default=200,
        ge=1,
        le=10_000,
        description="invoices that may wait to be assembled; a run pauses above that",
    )


class SourceChecks(Strict):
    """How far sources may differ before a person must look."""

    tolerance: dict[Currency, Figure] = Field(
        default_factory=dict, description="by currency, the difference of two net values that is let pass"
    )
    look_back_days: int = Field(
        default=365, ge=0, le=3650, description="how far back unbilled work is looked for"
    )


class Reconciliation(Strict):
    """The nightly search for what should have been billed and was not."""

    at: time = Field(
        default=time(3, 30),
        description="time of day, in the zone of the first issuer; best after 03:00, for clocks are put forward before",
    )
    grace_days: int = Field(
        default=3, ge=0, le=90, description="how late something may be before it is a leak"
    )
    look_back_days: int = Field(default=400, ge=1, le=3650)
    owner: Identifier | None = Field(
        default=None, description="who looks into leaks, else the client's owner"
    )


class Company(Strict):
    """Everything a company folder says, as one value."""

    name: str
    people: tuple[Person, ...]
    issuers: tuple[Issuer, ...]
    clients: tuple[Client, ...]
    agreements: tuple[Agreement, ...] = ()
    approvals: ApprovalPolicy
    exceptions: ExceptionPolicy
    dunning: tuple[DunningPolicy, ...]
    delivery: Delivery = Delivery()
    integrations: Integrations = Integrations()
    deliveries: Deliveries = Deliveries()
    billing_runs: BillingRuns = BillingRuns()
    source_checks: SourceChecks = SourceChecks()
    reconciliation: Reconciliation = Reconciliation()
    discounts: tuple[Discount, ...] = ()
    exchange_rates: ExchangeRates = ExchangeRates()
    tax: TaxRules = TaxRules()
    looks: tuple[Look, ...] = ()
    connections: tuple[Connection, ...] = ()
    payments: PaymentPolicy = PaymentPolicy()

    @property
    def people_by_id(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

    def connection(self, port: Port) -> Connection | None:
        """The system of that port; None where files of the company folder serve it."""
        return next((each for each in self.connections if each.port is port), None)

    def issuer(self, key: str) -> Issuer | None:
        return next((issuer for issuer in self.issuers if issuer.id == key), None)

    def client(self, key: str) -> Client | None:
        return next((client for client in self.clients if client.id == key), None)

    def agreement(self, key: str) -> Agreement | None:
        return next((agreement for agreement in self.agreements if agreement.id == key), None)

    def dunning_policy(self, key: str) -> DunningPolicy | None:
        return next((policy for policy in self.dunning if policy.id == key), None)

    def person_name(self, key: str) -> str:
        person = self.people_by_id.get(key)
        return person.name if person else key
