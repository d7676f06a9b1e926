"""A small company and invoices in every state a page must show, made by the ledger's own functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from activities.ledger import approvals, commands, company_records, exceptions, invoices, number_series
from activities.ledger.database import Ledger
from activities.ledger.tables import DocumentRow, InvoiceRow
from billing.approval_policy import ApprovalPolicy, ApprovalTier, Channel, Verdict
from billing.company import Client, Company
from billing.draft import Draft, SourceRef, line
from billing.dunning_policy import DunningPolicy
from billing.exceptions import ExceptionPolicy, Finding, ReasonCode
from billing.money import total
from billing.one_off import OneOff, OneOffLine
from billing.parties import Address, BankAccount, Buyer, Contact, Issuer, Person
from billing.payment_terms import PaymentTerms
from billing.request import BillingRequest
from billing.status import DocumentStatus
from billing.taxes.decision import TaxCategory, TaxDecision
from billing.totals import breakdowns

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

_BERLIN = Address(street="Lindenufer 4", postcode="10557", city="Berlin", country="DE")
DOMESTIC = TaxDecision(
    category=TaxCategory.STANDARD,
    rate=Decimal(19),
    why="S: domestic service in DE, standard rate 19 %, § 12(1) UStG",
)
EXPORT = TaxDecision(
    category=TaxCategory.OUTSIDE_SCOPE,
    rate=Decimal(0),
    why="O: service to a business in JP, outside the EU, Art. 44",
)

COMPANY = Company(
    name="Elbwerk IT",
    people=(
        Person(
            id="lena",
            name="Lena Brandt",
            email="lena@elbwerk.example",
            roles=("finance operator", "operator"),
            reports_to="tom",
        ),
        Person(
            id="tom", name="Tom Iversen", email="tom@elbwerk.example", roles=("head of finance", "approver")
        ),
        Person(
            id="rosa", name="Rosa Akel", email="rosa@elbwerk.example", roles=("managing director", "approver")
        ),
        Person(id="uma", name="Uma Keller", email="uma@elbwerk.example", roles=("system owner", "admin")),
        Person(id="vito", name="Vito Sala", email="vito@elbwerk.example", roles=("auditor",)),
    ),
    issuers=(
        Issuer(
            id="elbwerk",
            name="Elbwerk IT GmbH",
            address=_BERLIN,
            vat_id="DE136695976",
            email="billing@elbwerk.example",
            bank_account=BankAccount(iban="DE02120300000000202051"),
            zone="Europe/Berlin",
            number_prefix="ELB-",
        ),
    ),
    clients=tuple(
        Client(
            id=client,
            crm=f"crm-{client}",
            issuer="elbwerk",
            currency=currency,
            zone=zone,
            calendar="DE",
            terms=PaymentTerms(net_days=14),
            dunning="standard",
            account_manager="lena",
        )
        for client, currency, zone in (
            ("nordlicht", "EUR", "Europe/Berlin"),
            ("kawa", "JPY", "Asia/Tokyo"),
            ("ateliers", "EUR", "Europe/Paris"),
        )
    ),
    approvals=ApprovalPolicy(
        tiers=(
            ApprovalTier(
                id="large", above={"EUR": Decimal(5000), "JPY": Decimal(500000)}, approvers=("tom", "rosa")
            ),
        )
    ),
    exceptions=ExceptionPolicy(default_owner="lena"),
    dunning=(DunningPolicy(id="standard"),),
)


class Story:
    """Invoices of the company; every step is a transaction of its own, at `at` unless told otherwise."""

    def __init__(self, ledger: Ledger, at: datetime = NOW) -> None:
        self.ledger, self.at = ledger, at
        company_records.apply_company(ledger, COMPANY, "company", "lena", at - timedelta(days=90))

    def drafted(
        self,
        key: str,
        *,
        client: str = "nordlicht",
        name: str = "Nordlicht Verlag GmbH",
        title: str = "Platform support, November",
        prices: tuple[str, ...] = ("5000", "2142.86"),
        by: str = "lena",
        at: datetime | None = None,
    ) -> int:
        """An invoice with a draft of one line a price; its id."""
        at = at or self.at
        currency = "JPY" if client == "kawa" else "EUR"
        asked = BillingRequest(
            billing_key=f"manual/{key}",
            trigger="manual",
            requested_by=by,
            one_off=OneOff(
                client=client,
                currency=currency,
                title=title,
                reason="asked for",
                lines=(OneOffLine(description="Work", quantity=Decimal(1), unit_price=Decimal(1)),),
            ),
        )
        with self.ledger.transaction() as tx:
            row = invoices.request(tx, asked, at=at, channel="cli").invoice
            invoices.put_draft(tx, row, draft_of(row, name, title, currency, prices))
            return row.id

    def asked(self, key: str, **draft: object) -> int:
        """An invoice that waits for tier "large"; its id."""
        made = self.drafted(key, **draft)  # type: ignore[arg-type]
        at = draft.get("at") or self.at
        assert isinstance(at, datetime)
        with self.ledger.transaction() as tx:
            approvals.ask(tx, invoices.locked(tx, made), COMPANY.approvals.tiers[0], COMPANY, at=at)
        return made

    def raised(self, key: str, code: ReasonCode, message: str, **draft: object) -> int:
        """An invoice with an open exception; the exception's id."""
        made = self.drafted(key, **draft)  # type: ignore[arg-type]
        at = draft.get("at") or self.at
        assert isinstance(at, datetime)
        finding = Finding(code=code, message=message, field="value", left="CRM 8,500.00 EUR")
        with self.ledger.transaction() as tx:
            row = invoices.locked(tx, made)
            exceptions.raise_one(tx, row, finding, COMPANY, at=at)
            return invoices.open_exceptions(tx, row)[-1].id

    def issued(self, key: str, at: datetime | None = None, **draft: object) -> str:
        """An issued invoice, due 14 days after `at`; its number."""
        at = at or self.at
        made = self.drafted(key, at=at, **draft)  # type: ignore[arg-type]
        with self.ledger.transaction() as tx:
            row = invoices.locked(tx, made)
            number = number_series.issue(tx, row, at=at)
            row.document_status = DocumentStatus.ISSUED
            row.waits_for, row.next_at = "payment", at + timedelta(days=11)
            return number

    def approved(self, key: str, by: str = "tom") -> None:
        commands.decide(self.ledger, f"manual/{key}", Verdict.APPROVE, by=by, channel=Channel.CLI, at=self.at)

    def paid(self, number: str, amount: str, currency: str = "EUR") -> None:
        commands.pay(
            self.ledger,
            number,
            Decimal(amount),
            currency,
            received_on=self.at.date(),
            by="lena",
            channel=Channel.CLI,
            at=self.at,
        )

    def with_document(self, number: str, sha256: str = "ab" * 32, size: int = 9) -> str:
        """Gives the invoice a PDF that the ledger knows; its hash."""
        with self.ledger.transaction() as tx:
            row = self.invoice(tx, number)
            tx.add(
                DocumentRow(
                    sha256=sha256,
                    invoice=row.id,
                    kind="invoice",
                    name=f"{number}.pdf",
                    media_type="application/pdf",
                    size=size,
                    made_at=self.at,
                    made_with={},
                )
            )
            tx.flush()
            row.document = sha256
        return sha256

    def invoice(self, tx: Session, reference: str) -> InvoiceRow:
        return invoices.find(tx, reference)


def draft_of(row: InvoiceRow, name: str, title: str, currency: str, prices: tuple[str, ...]) -> Draft:
    """A draft for the invoice, of one line a price."""
    decision = EXPORT if currency == "JPY" else DOMESTIC
    lines = tuple(
        line(
            f"{title} ({number})" if len(prices) > 1 else title,
            Decimal(1),
            "C62",
            Decimal(price),
            currency,
            why="one-off: asked for",
            sources=[SourceRef(source="psa", id=f"{row.billing_key}-{number}")],
        )
        for number, price in enumerate(prices, 1)
    )
    (tax,) = breakdowns(lines, decision, currency)
    net = total(each.net for each in lines)
    return Draft(
        billing_key=row.billing_key,
        title=title,
        issuer=COMPANY.issuers[0],
        buyer=Buyer(
            name=name, address=_BERLIN, contact=Contact(name="Kim Sommer", email="ap@nordlicht.example")
        ),
        client=row.client,
        account_manager="lena",
        language="en",
        zone=next(client.zone for client in COMPANY.clients if client.id == row.client),
        currency=currency,
        lines=lines,
        taxes=(tax,),
        net=net,
        tax=tax.tax,
        gross=net + tax.tax,
        terms=PaymentTerms(net_days=14),
    )
