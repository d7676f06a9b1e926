"""Assembly: from a billing request and the facts of the sources to a checked draft, or to findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from billing.agreements import Agreement, Milestones, Occasion, Prices, Recurring
from billing.allowances import Allowance, sum_of
from billing.company import Client, Company
from billing.contract_checks import check_change_orders, check_dates
from billing.discounts import Discount, DiscountFacts, applied, effective
from billing.document_kind import DocumentKind
from billing.draft import Draft, InvoiceLine
from billing.due import OVERAGE, all_milestones
from billing.exceptions import Finding, ReasonCode
from billing.gross_prices import without_tax
from billing.home_tax import HomeTax, home_tax
from billing.hours import HOUR
from billing.hours_appendix import hours_of, work_behind
from billing.limits import check_limits, check_whole
from billing.line_words import LineWords, line_words
from billing.lines import agreed_lines, is_work, lines_apart, one_off_lines
from billing.money import total
from billing.one_off import OneOff
from billing.parties import Buyer, Issuer, is_address
from billing.periods import Period
from billing.prepayments import check_settled, deductions, in_other_currency, taxed_by
from billing.request import BillingRequest
from billing.sales import Sale, Taxed
from billing.source_checks import MAX_LINES, check_agreement, check_client
from billing.sources import CrmClient, Sources
from billing.taxes.decision import TaxDecision, TaxUnknown
from billing.taxes.outcome import Outcome
from billing.totals import apportioned, totals
from billing.work_checks import check_work
from billing.work_records import HoursAppendix, WorkRecord

BY_CALENDAR = "time"
"""The trigger of a request that a billing run made."""


class Assembly(BaseModel):
    """The draft, if all that is needed was there, and everything that does not fit.

    `skip` says why nobody needs to look if being empty is all there is to find; then the draft holds what it leaves
    at nothing, so that it is not looked for again.
    """

    model_config = ConfigDict(frozen=True)

    draft: Draft | None
    findings: tuple[Finding, ...]
    skip: str = ""


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
    words = line_words(client.language)
    findings = [*check_client(client, sources.client)]
    if agreement is not None and request.occasion is not None:
        findings += _check_agreed(agreement, request.occasion, client, company, sources, today)
    source = agreement or request.one_off
    if source and (foreign := tuple(in_other_currency(sources.prepayments, source.currency))):
        return Assembly(draft=None, findings=(*findings, *foreign))
    lines = _lines(request, agreement, sources, today, words)
    supply = _supply(request, sources, lines, today)
    tax, tax_point, lines, others = _taxed(
        request, company, sources, today, words, agreement, issuer, supply, lines
    )
    if isinstance(tax, TaxUnknown):
        findings.append(Finding(code=ReasonCode.TAX_UNKNOWN, message=tax.why, field="tax"))
    lines, agreed_gross = _without_tax(source, tax, lines)
    allowances: tuple[Allowance, ...] = ()
    if source and lines:
        allowances = _discounts(source, client, company.discounts, lines, supply.start)
    off = effective(allowances, total(each.net for each in lines))
    if sources.prepayments and source and isinstance(tax, TaxDecision):
        findings += check_settled(sources.prepayments)
        lines = taxed_by(lines, tax.taxes)
        lines += deductions(sources.prepayments, source.currency, words, tax.taxes)
        allowances = tuple(each.model_copy(update={"taxes": tax.taxes}) for each in allowances)
        agreed_gross = None
    net = total(each.net for each in lines) - sum_of(allowances)
    findings += _check_lines(lines, net)
    if agreement is not None and request.occasion is not None:
        tolerance = company.source_checks.tolerance.get(agreement.currency, Decimal(0))
        findings += check_limits(agreement, request.occasion, sources, net, today)
        findings += check_whole(agreement, sources, net, tolerance)
    draft = None
    contact = sources.client and sources.client.billing_contact
    if lines and isinstance(tax, TaxDecision) and source and sources.client and contact:
        buyer = Buyer(
            name=sources.client.name,
            address=sources.client.address,
            vat_id=sources.client.vat_id,
            contact=contact,
            electronic_address=client.electronic_address,
        )
        agreed_gross = None if allowances else agreed_gross  # what comes off, comes off the net
        sums = totals(
            lines,
            tax,
            source.currency,
            allowances=allowances,
            others=others,
            round_due_to=issuer.round_due_to.get(source.currency),
            agreed_gross=agreed_gross,
        )
        at_home = home_tax(
            issuer, tax.jurisdiction, sums.tax, source.currency, company.exchange_rates, tax_point
        )
        work = _work(agreement, request.occasion, client, sources, lines, today)
        findings += [at_home] if isinstance(at_home, Finding) else []
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
            taxes=sums.taxes,
            net=sums.net,
            tax=sums.tax,
            gross=sums.gross,
            discount=max(source.discount, off) if company.discounts else source.discount,
            terms=source.terms or client.terms,
            non_standard_terms=source.terms is not None and source.terms != client.terms,
            supply=supply,
            agreement=agreement.id if agreement else None,
            contract_reference=(agreement.contract or "") if agreement else "",
            order_reference=source.order_reference,
            note=tax.note,
            preceding=(request.one_off.corrects or "") if request.one_off else "",
            allowances=allowances,
            rounding=sums.rounding,
            agreed_gross=agreed_gross,
            kind=_kind(request, agreement),
            buyer_reference=client.buyer_reference.strip(),
            preceding_date=sources.preceding_date,
            work=work,
            hours_appendix=client.hours_appendix if work else HoursAppendix.NONE,
            home_tax=at_home if isinstance(at_home, HomeTax) else None,
        )
    return Assembly(draft=draft, findings=tuple(findings), skip=_skip(request, agreement))


def _kind(request: BillingRequest, agreement: Agreement | None) -> DocumentKind:
    """What the law calls it: what a one-off corrects, or a milestone says of itself, and an invoice else."""
    if request.one_off and request.one_off.corrects:
        return DocumentKind.CORRECTED
    if isinstance(agreement, Milestones) and request.occasion:
        for each in all_milestones(agreement):
            if each.id == request.occasion.item and each.prepayment:
                return DocumentKind.PREPAYMENT
            if each.id == request.occasion.item and each.final:
                return DocumentKind.FINAL
    return DocumentKind.INVOICE


def _work(
    agreement: Agreement | None,
    occasion: Occasion | None,
    client: Client,
    sources: Sources,
    lines: Sequence[InvoiceLine],
    today: date,
) -> tuple[WorkRecord, ...]:
    """The hours behind the lines, for a client who wants to see them."""
    if agreement is None or occasion is None or client.hours_appendix is HoursAppendix.NONE:
        return ()
    return work_behind(lines, hours_of(agreement, occasion, sources, today))


def _taxed(
    request: BillingRequest,
    company: Company,
    sources: Sources,
    today: date,
    words: LineWords,
    agreement: Agreement | None,
    issuer: Issuer,
    supply: Period,
    lines: list[InvoiceLine],
) -> tuple[Outcome | None, date, list[InvoiceLine], tuple[TaxDecision, ...]]:
    """The tax, its tax point, and the lines; where a law taxes parts of the period apart, each line with its own."""
    source = agreement or request.one_off
    if sources.client is None or source is None:
        return None, today, lines, ()
    sale = Sale(issuer, sources.client, source, supply, issued=today, evidence=sources.tax_id)
    taxed = sale.tax(company.tax)
    tax_point = min(taxed.point.day, today)
    if isinstance(taxed.outcome, TaxUnknown) and sources.tax_by_hand is not None:
        return sources.tax_by_hand, tax_point, lines, ()
    if not taxed.apart:
        return taxed.outcome, tax_point, lines, ()
    divided = _apart(agreement, request, sources, today, words, taxed)
    if not divided:
        return sale.cannot_be_told_apart(taxed), tax_point, lines, ()
    return taxed.outcome, tax_point, divided, tuple(decision for _, decision in taxed.apart)


def _apart(
    agreement: Agreement | None,
    request: BillingRequest,
    sources: Sources,
    today: date,
    words: LineWords,
    taxed: Taxed,
) -> list[InvoiceLine]:
    """The lines of each part of the period with its own taxes; empty where they cannot be told apart."""
    if agreement is None or request.occasion is None or agreement.prices is not Prices.NET:
        return []
    parts = [part for part, _ in taxed.apart]
    divided = lines_apart(agreement, request.occasion, sources, today, words, parts)
    if divided is None or sources.prepayments:
        return []
    return [
        each
        for lines, (_, decision) in zip(divided, taxed.apart, strict=True)
        for each in taxed_by(lines, decision.taxes)
    ]


def _without_tax(
    source: Agreement | OneOff | None, tax: Outcome | None, lines: list[InvoiceLine]
) -> tuple[list[InvoiceLine], Decimal | None]:
    """The lines at net prices, and what they come to with tax if that is what was agreed."""
    if source is None or source.prices is Prices.NET or not isinstance(tax, TaxDecision):
        return lines, None
    net = without_tax(lines, tax.taxes, source.currency)
    return list(net.lines), total(each.net for each in lines)


def _discounts(
    source: Agreement | OneOff,
    client: Client,
    rules: Sequence[Discount],
    lines: Sequence[InvoiceLine],
    day: date,
) -> tuple[Allowance, ...]:
    """The agreed discount and those by rule, each in a part for every set of taxes the lines bear."""
    facts = DiscountFacts(
        client=client.id,
        currency=source.currency,
        net=total(each.net for each in lines),
        day=day,
        words=line_words(client.language),
        language=client.language,
        agreement="" if isinstance(source, OneOff) else source.id,
        agreement_start=None if isinstance(source, OneOff) else source.start,
        agreed=source.discount,
    )
    whole = applied(rules, facts)
    return tuple(part for each in whole for part in apportioned(each, lines, source.currency))


def _check_agreed(
    agreement: Agreement,
    occasion: Occasion,
    client: Client,
    company: Company,
    sources: Sources,
    today: date,
) -> Iterator[Finding]:
    """What the agreement, the contracts, the CRM and the PSA say must fit together."""
    tolerance = company.source_checks.tolerance.get(agreement.currency, Decimal(0))
    billed_until = max(occasion.period.end, today) if occasion.period else today
    yield from check_agreement(agreement, client, sources, tolerance)
    yield from check_change_orders(agreement, client, sources, billed_until, tolerance)
    yield from check_dates(agreement, occasion, sources)
    yield from check_work(agreement, occasion, sources, today)


def _skip(request: BillingRequest, agreement: Agreement | None) -> str:
    """Why an empty period ends by itself: the calendar asked for it, and the agreement does not mind."""
    occasion = request.occasion
    if agreement is None or occasion is None or occasion.period is None or request.trigger != BY_CALENDAR:
        return ""
    skips = isinstance(agreement, Recurring) and agreement.skip_empty and is_work(agreement, occasion.item)
    return f"nothing to bill in {occasion.period}" if skips or occasion.item == OVERAGE else ""


def _lines(
    request: BillingRequest, agreement: Agreement | None, sources: Sources, today: date, words: LineWords
) -> list[InvoiceLine]:
    if request.one_off:
        return one_off_lines(request.one_off)
    if agreement is not None and request.occasion is not None:
        return agreed_lines(agreement, request.occasion, sources, today, words)
    return []


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


def _check_lines(lines: Sequence[InvoiceLine], net: Decimal) -> Iterator[Finding]:
    if net <= 0:
        free = any(each.unit == HOUR and not each.unit_price for each in lines)
        work = "all hours are within the included ones" if free else "no approved, billable work"
        yield Finding(
            code=ReasonCode.EMPTY,
            message=f"there is nothing to bill: {work}; add it, or void this draft and waive it",
        )
    if len(lines) > MAX_LINES:
        yield Finding(
            code=ReasonCode.TOO_MANY_LINES,
            message=f"{len(lines):,} lines do not fit one document (at most {MAX_LINES:,}); bill a shorter period",
        )


def _supply(request: BillingRequest, sources: Sources, lines: Sequence[InvoiceLine], today: date) -> Period:
    """When the service was or will be supplied (Art. 226(7) Directive 2006/112/EC): the period, the days on which it
    was done, or the day of billing where it is paid in advance or a person says nothing else."""
    if request.occasion and request.occasion.period:
        return request.occasion.period
    billed = {ref.id for each in lines for ref in each.sources}
    days = [each.day for each in sources.time_entries if each.id in billed]
    days += [each.day for each in sources.expenses if each.id in billed]
    if days:
        return Period(start=min(days), end=max(days))
    milestone, project = sources.milestone, sources.project
    done = (milestone and milestone.signed_off) or (project and project.completed)
    if request.one_off and request.one_off.supplied_on:
        done = request.one_off.supplied_on
    return Period(start=done or today, end=done or today)
