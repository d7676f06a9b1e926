"""Assembly: from a billing request and the facts of the sources to a checked draft, or to findings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from billing.agreements import (
    Agreement,
    Expenses,
    FixedPrice,
    Milestones,
    Occasion,
    PrepaidBlock,
    Retainer,
    TimeAndMaterials,
)
from billing.company import Company
from billing.draft import Draft, InvoiceLine, SourceRef, breakdown, line
from billing.due import all_milestones
from billing.exceptions import Finding, ReasonCode
from billing.money import rounded, total, written
from billing.one_off import OneOff
from billing.parties import Buyer, Issuer, is_address
from billing.periods import Period
from billing.rates import rate_on
from billing.request import BillingRequest
from billing.source_checks import MAX_LINES, check_agreement, check_client, check_work
from billing.sources import CrmClient, Sources, TimeEntry
from billing.taxes.decision import TaxDecision, TaxFacts, TaxUnknown, decide_tax

HOUR, PIECE, MONTH = "HUR", "C62", "MON"
"""Unit codes of UN/ECE recommendation 20."""


class Assembly(BaseModel):
    """The draft, if all that is needed was there, and everything that does not fit."""

    model_config = ConfigDict(frozen=True)

    draft: Draft | None
    findings: tuple[Finding, ...]


def client_of(request: BillingRequest, company: Company) -> str | None:
    """The client a request is about, if its agreement or one-off names one."""
    if request.one_off:
        return request.one_off.client
    agreement = company.agreement(request.occasion.agreement) if request.occasion else None
    return agreement.client if agreement else None


def assemble(request: BillingRequest, company: Company, sources: Sources, today: date) -> Assembly:
    """The draft of a request as of `today`, checked against the sources; findings name what a person must decide."""
    agreement = company.agreement(request.occasion.agreement) if request.occasion else None
    client = company.client(client_of(request, company) or "")
    issuer = company.issuer(client.issuer) if client else None
    if client is None or issuer is None or (request.occasion and agreement is None):
        return Assembly(draft=None, findings=(_gone(request, agreement),))
    findings = [*check_client(client, sources.client)]
    if agreement is not None and request.occasion is not None:
        findings += check_agreement(agreement, client, sources)
        findings += check_work(agreement, request.occasion, sources, today)
    tax = _tax(issuer, sources.client)
    if isinstance(tax, TaxUnknown):
        findings.append(Finding(code=ReasonCode.TAX_UNKNOWN, message=tax.why, field="tax"))
    lines, more = _lines(request, agreement, sources)
    findings += more
    source = agreement or request.one_off
    if source and source.discount and lines:
        lines.append(_discount(lines, source.discount, source.currency))
    draft = None
    contact = sources.client and sources.client.billing_contact
    if lines and isinstance(tax, TaxDecision) and source and sources.client and contact:
        buyer = Buyer(
            name=sources.client.name,
            address=sources.client.address,
            vat_id=sources.client.vat_id,
            contact=contact,
        )
        tax_breakdown = breakdown(lines, tax, source.currency)
        net = total(each.net for each in lines)
        draft = Draft(
            billing_key=request.billing_key,
            title=source.title,
            issuer=issuer,
            buyer=buyer,
            client=client.id,
            copies_to=_copies(sources.client, company),
            account_manager=client.account_manager,
            language=client.language,
            zone=client.zone,
            currency=source.currency,
            lines=tuple(lines),
            taxes=(tax_breakdown,),
            net=net,
            tax=tax_breakdown.tax,
            gross=rounded(net + tax_breakdown.tax, source.currency),
            discount=source.discount,
            terms=source.terms or client.terms,
            non_standard_terms=source.terms is not None and source.terms != client.terms,
            supply=_supply(request, sources, today),
            agreement=agreement.id if agreement else None,
            contract_reference=(agreement.contract or "") if agreement else "",
            order_reference=source.order_reference,
            note=tax.note,
        )
    return Assembly(draft=draft, findings=tuple(findings))


def _gone(request: BillingRequest, agreement: Agreement | None) -> Finding:
    what = f"client {request.one_off.client!r}, or its issuer," if request.one_off else "the agreement"
    if request.occasion:
        what = f"agreement {request.occasion.agreement!r}"
    if agreement:
        what = f"client {agreement.client!r} of {what}, or its issuer,"
    return Finding(
        code=ReasonCode.RULES_CHANGED,
        message=f"{what} is not in the company folder any more; apply a folder that has it, or void this draft",
    )


def _copies(client: CrmClient, company: Company) -> tuple[str, ...]:
    """Each address once; what is none has a finding of its own and gets no copy."""
    wanted = dict.fromkeys((*client.copies_to, *company.delivery.copies_to))
    return tuple(address for address in wanted if is_address(address))


def _tax(issuer: Issuer, client: CrmClient | None) -> TaxDecision | TaxUnknown | None:
    if client is None:
        return None
    return decide_tax(
        TaxFacts(
            issuer_country=issuer.address.country,
            issuer_vat_id=issuer.vat_id,
            client_country=client.address.country,
            client_vat_id=client.vat_id,
            client_is_business=client.business,
        )
    )


def _lines(
    request: BillingRequest, agreement: Agreement | None, sources: Sources
) -> tuple[list[InvoiceLine], list[Finding]]:
    if request.one_off:
        lines = _one_off_lines(request.one_off)
    elif agreement is not None and request.occasion is not None:
        lines = _agreed_lines(agreement, request.occasion, sources)
    else:
        lines = []
    findings = []
    if not lines or total(each.net for each in lines) <= 0:
        findings.append(
            Finding(
                code=ReasonCode.EMPTY,
                message="there is nothing to bill: no approved, billable work; add it, or void this draft and waive it",
            )
        )
    if len(lines) > MAX_LINES:
        findings.append(
            Finding(
                code=ReasonCode.TOO_MANY_LINES,
                message=f"{len(lines):,} lines do not fit one document (at most {MAX_LINES:,}); bill a shorter period",
            )
        )
    if isinstance(agreement, TimeAndMaterials) and agreement.cap is not None:
        net = total(each.net for each in lines)
        worked = f"{written(net, agreement.currency)} {agreement.currency}"
        if net > agreement.cap:
            findings.append(
                Finding(
                    code=ReasonCode.CAP_EXCEEDED,
                    message=f"{worked} exceed the cap of {written(agreement.cap, agreement.currency)} a period; "
                    "agree on a change order, or accept to bill the whole",
                    field="cap",
                    left=f"PSA {worked}",
                    right=f"agreement {written(agreement.cap, agreement.currency)} {agreement.currency}",
                )
            )
    return lines, findings


def _discount(lines: Sequence[InvoiceLine], percent: Decimal, currency: str) -> InvoiceLine:
    """The discount as a line of its own, before tax; rounded once, on the net of all lines."""
    off = rounded(total(each.net for each in lines) * percent / 100, currency)
    return line(
        f"Discount {percent.normalize():f} %", Decimal(1), PIECE, -off, currency, why="agreed discount"
    )


def _one_off_lines(one_off: OneOff) -> list[InvoiceLine]:
    return [
        line(
            each.description, each.quantity, each.unit, each.unit_price, one_off.currency, why=one_off.reason
        )
        for each in one_off.lines
    ]


def _agreed_lines(agreement: Agreement, occasion: Occasion, sources: Sources) -> list[InvoiceLine]:
    title, currency, one = agreement.title, agreement.currency, Decimal(1)
    match agreement:
        case Retainer():
            why = f"retainer of agreement {agreement.id}, {agreement.timing}"
            return [line(title, one, PIECE, agreement.amount, currency, why=why)]
        case FixedPrice():
            ref = SourceRef(source="psa/project", id=agreement.project)
            why = f"project {agreement.project} completed"
            return [line(title, one, PIECE, agreement.amount, currency, why=why, sources=[ref])]
        case Milestones():
            instalment = next((each for each in all_milestones(agreement) if each.id == occasion.item), None)
            if instalment is None:
                return []
            ref = SourceRef(source="psa/milestone", id=f"{agreement.project}/{instalment.id}")
            why = f"milestone {instalment.id} of agreement {agreement.id} signed off"
            return [
                line(
                    f"{title}: {instalment.title}",
                    one,
                    PIECE,
                    instalment.amount,
                    currency,
                    why=why,
                    sources=[ref],
                )
            ]
        case PrepaidBlock():
            why = f"prepaid block of {agreement.hours} hours, agreement {agreement.id}"
            return [line(f"{title} ({agreement.hours} h)", one, PIECE, agreement.price, currency, why=why)]
        case TimeAndMaterials():
            return _time_lines(agreement, sources.time_entries)
        case Expenses():
            return []


def _time_lines(agreement: TimeAndMaterials, entries: Sequence[TimeEntry]) -> list[InvoiceLine]:
    """One line a person and role, oldest entry first; each entry is named, so that it is billed once."""
    groups: dict[tuple[str, str], list[TimeEntry]] = {}
    for entry in sorted(entries, key=lambda each: (each.day, each.id)):
        if entry.approved and entry.billable and entry.role in agreement.rates and entry.hours > 0:
            groups.setdefault((entry.person, entry.role), []).append(entry)
    return [
        line(
            f"{agreement.title}: {role}",
            total(entry.hours for entry in group),
            HOUR,
            rate_on(agreement.rates, role, group[0].day) or Decimal(0),
            agreement.currency,
            detail=person,
            why=f"{len(group)} approved time entries of project {agreement.project}",
            sources=[SourceRef(source="psa/time", id=entry.id) for entry in group],
        )
        for (person, role), group in groups.items()
    ]


def _supply(request: BillingRequest, sources: Sources, today: date) -> Period:
    """When the service was or will be supplied (Art. 226(7) Directive 2006/112/EC): the period, the day it was done,
    or the day of billing where it is paid in advance or a person says nothing else."""
    if request.occasion and request.occasion.period:
        return request.occasion.period
    milestone, project = sources.milestone, sources.project
    done = (milestone and milestone.signed_off) or (project and project.completed)
    if request.one_off and request.one_off.supplied_on:
        done = request.one_off.supplied_on
    return Period(start=done or today, end=done or today)
