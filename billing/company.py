"""A company: the reviewed records by which it bills."""

from __future__ import annotations

from pydantic import Field

from billing.agreements import Agreement
from billing.approval_policy import ApprovalPolicy
from billing.dunning_policy import DunningPolicy
from billing.exceptions import ExceptionPolicy
from billing.money import Currency
from billing.parties import EmailAddress, Identifier, Issuer, Language, Person, Strict, TimeZone
from billing.payment_terms import PaymentTerms


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


class Delivery(Strict):
    """How documents go out."""

    copies_to: tuple[EmailAddress, ...] = Field(default=(), description="get a copy of every invoice mail")
    reply_to: EmailAddress | None = None


class Integrations(Strict):
    """Where client, project and contract data come from: a folder of files, relative to the company folder."""

    crm: str = "data/crm"
    psa: str = "data/psa"
    contracts: str = "data/contracts"


class BillingRuns(Strict):
    """How often Billow looks for periods that are due and unbilled."""

    every_minutes: int = Field(default=60, ge=1, le=1440)
    requested_by: Identifier = Field(default="billing-run", description="who counts as having triggered them")


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
    billing_runs: BillingRuns = BillingRuns()

    @property
    def people_by_id(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

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
