"""The tax of a sale as the records say now: an invoice's, an agreement's, or one somebody asks about."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from activities.invoicing.effects import client_record
from activities.ledger import company_records, tax_id_checks
from activities.ledger.company_records import CompanyVersion
from activities.ledger.tables import InvoiceRow
from billing.draft import Draft
from billing.errors import NotFound, Refused
from billing.overrides import overridden
from billing.periods import Period
from billing.request import BillingRequest
from billing.sales import Question, Sale, Sold
from billing.sources import CrmClient, Sources
from billing.tax_explanation import Explanation, explain


def of_invoice(tx: Session, row: InvoiceRow, today: date) -> Explanation:
    """What the rules say today about an invoice, under the company version it is pinned to; its draft stays as it is.

    `Refused` for what was taken over from another system: nobody knows what it was decided from.
    """
    version = company_records.at_version(tx, row.company_version)
    request = BillingRequest.model_validate(row.request) if "billing_key" in row.request else None
    sold: Sold | None = request.one_off if request else None
    if request and request.occasion:
        sold = version.company.agreement(request.occasion.agreement)
    if request is None or sold is None:
        raise Refused(
            f"{row.name} was taken over, or its agreement is gone: there is nothing to explain its tax from"
        )
    draft = Draft.model_validate(row.draft) if row.draft else None
    occasion = request.occasion
    supply = (draft and draft.supply) or (occasion and occasion.period) or Period(start=today, end=today)
    said_by = f"agreement {occasion.agreement}" if occasion else "one-off"
    issued = row.issue_date or today
    return _explained(tx, version, sold, supply, issued, said_by, overrides=row.overrides)


def of_agreement(tx: Session, agreement: str, day: date) -> Explanation:
    """Of service under an agreement on a day. `NotFound` if there is no such agreement."""
    version = company_records.current(tx)
    found = version.company.agreement(agreement)
    if found is None:
        raise NotFound(f"there is no agreement {agreement!r}; `billow agreements` lists all")
    return _explained(tx, version, found, Period(start=day, end=day), day, f"agreement {agreement}")


def of_question(tx: Session, question: Question, issuer: str | None, day: date) -> Explanation:
    """Of a sale to a client on a day, by its issuer or another. `NotFound` if one of them is not there."""
    version = company_records.current(tx)
    return _explained(tx, version, question, Period(start=day, end=day), day, "asked", issuer=issuer)


def _explained(
    tx: Session,
    version: CompanyVersion,
    sold: Sold,
    supply: Period,
    issued: date,
    said_by: str,
    *,
    issuer: str | None = None,
    overrides: dict[str, str] | None = None,
) -> Explanation:
    company = version.company
    client = company.client(sold.client)
    seller = company.issuer(issuer or (client.issuer if client else ""))
    if client is None:
        raise NotFound(f"there is no client {sold.client!r}; `billow agreements` lists clients")
    if seller is None:
        known = ", ".join(each.id for each in company.issuers)
        raise NotFound(f"there is no issuer {issuer or client.issuer!r}; there are: {known}")
    record = client_record(version, client.id)
    if record is None:
        raise NotFound(f"the CRM has no company {client.crm!r} for client {client.id!r}; add it there")
    record = _as_set_by_hand(record, overrides or {})
    answer = tax_id_checks.newest(tx, "".join(record.vat_id.split()).upper()) if record.vat_id else None
    evidence = answer and answer.model_copy(update={"number": record.vat_id})
    sale = Sale(seller, record, sold, supply, issued, evidence)
    return explain(sale, company.tax, said_by)


def _as_set_by_hand(record: CrmClient, overrides: dict[str, str]) -> CrmClient:
    return overridden(Sources(client=record), overrides).client or record
