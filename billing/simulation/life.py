"""The life of a simulated invoice: assembled, approved, issued, sent, collected; from wherever it stands."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from billing.agreements import Agreement, Retainer, TimeAndMaterials
from billing.assembly import Assembly, assemble
from billing.draft import Draft
from billing.dunning_policy import CollectionFacts
from billing.errors import SourceUnavailable
from billing.exceptions import Finding, ReasonCode
from billing.instalments import schedule
from billing.money import Money
from billing.periods import Period
from billing.request import BillingRequest
from billing.simulation import hours_to_come, outcome
from billing.simulation.approval import Approval
from billing.simulation.collection import collected, noon, paid_at
from billing.simulation.facts import DraftedInvoice, OpenInvoice
from billing.simulation.invoice import Invoice, Life
from billing.sources import Sources


def requested(invoice: Invoice, request: BillingRequest, agreement: Agreement | None, at: datetime) -> Life:
    """From the request on: assembled from what the sources say now, or held for what does not fit."""
    begun, today = invoice.today(invoice.stage.start), invoice.today(at)
    period = request.occasion.period if request.occasion else None
    why = str(period) if period else ""
    try:
        if agreement is not None and period is not None and hours_to_come.to_come(request, begun):
            made = _estimated(invoice, request, agreement, period, begun)
            if made is None:
                told = hours_to_come.so_far(_sources(invoice, request, begun))
                invoice.note(at, outcome.BILLED, why=f"{why}; {told}")
                return
        else:
            made = assemble(request, invoice.company, _sources(invoice, request, today), today)
    except SourceUnavailable as error:
        invoice.hold(at, [Finding(code=ReasonCode.SOURCE_UNREADABLE, message=str(error))])
        return
    findings = list(made.findings)
    if made.draft is not None:
        invoice.amount = made.draft.amount_due
        findings += _checked(invoice, request, made.draft, at)
    if made.skip and {each.code for each in findings} == {ReasonCode.EMPTY}:
        invoice.note(at, outcome.SKIPPED, why=made.skip)
        return
    if findings or made.draft is None:
        invoice.hold(at, findings)
        return
    invoice.note(at, outcome.BILLED, why=why)
    asked = Approval(invoice, made.draft, request.trigger, frozenset({request.requested_by}), at)
    yield from _approved(asked)


def drafted(invoice: Invoice, standing: DraftedInvoice, at: datetime) -> Life:
    """From a draft on that waits for approval, or that everybody has agreed to."""
    invoice.amount = standing.draft.amount_due
    yield from _approved(
        Approval(
            invoice,
            standing.draft,
            standing.trigger,
            standing.took_part,
            at,
            standing.agreed,
            standing.question,
        )
    )


def opened(invoice: Invoice, standing: OpenInvoice, at: datetime) -> Life:
    """From an issued invoice on. One that is late already is paid only where somebody has promised so."""
    invoice.amount, facts = standing.amount, standing.facts
    if not standing.delivered:
        invoice.note(at, outcome.SENT, who=standing.contact)
        facts = facts.model_copy(update={"last_act_at": at})
    pays = paid_at(invoice, facts, at)
    if pays is not None and facts.promised_for is not None:
        pays = max(noon(invoice, facts.promised_for), at)
    elif facts.late_from <= at:
        pays = None
    yield from collected(invoice, facts, standing.contact, pays, at)


def _estimated(
    invoice: Invoice, request: BillingRequest, agreement: Agreement, period: Period, begun: date
) -> Assembly | None:
    """The draft over the hours to be expected; None where none are wanted, or nothing tells what to expect."""
    window = hours_to_come.look_back(agreement, begun)
    by_period = isinstance(agreement, TimeAndMaterials | Retainer) and agreement.project is not None
    if not invoice.stage.assumptions.expect or window is None or not by_period:
        return None
    worked = invoice.stage.world.worked(agreement.project or "", window)
    entries = hours_to_come.expected(period, window, worked)
    if not entries:
        return None
    over = period.end + timedelta(days=1)
    left_over = {"earlier_time": (), "earlier_expenses": ()}
    sources = _sources(invoice, request, over).model_copy(update={"time_entries": entries, **left_over})
    invoice.estimate = True
    return assemble(request, invoice.company, sources, over)


def _sources(invoice: Invoice, request: BillingRequest, today: date) -> Sources:
    return invoice.stage.world.sources(request, today, invoice.stage.register)


def _checked(invoice: Invoice, request: BillingRequest, draft: Draft, at: datetime) -> list[Finding]:
    """The document as a whole, and what it has in common with other invoices."""
    world, findings = invoice.stage.world, list[Finding]()
    if others := world.elsewhere(draft):
        message = f"{', '.join(others[:5])} already on another invoice"
        findings.append(Finding(code=ReasonCode.ALREADY_BILLED, message=message, field="work"))
    findings += invoice.stage.register.enter(request, draft, invoice.today(at))
    return [*world.check(draft, at), *findings]


def _approved(approval: Approval) -> Life:
    yield from approval.given()
    if approval.granted:
        yield from _issued(approval.invoice, approval.draft, approval.at)


def _issued(invoice: Invoice, draft: Draft, at: datetime) -> Life:
    """Numbered and sent at once, then collected, instalment by instalment."""
    issue_date = invoice.stage.register.issue_date(draft, at)
    calendar = invoice.stage.world.business_days(invoice.client, issue_date)
    first, *more = schedule(draft, issue_date, at, calendar)
    contact = draft.buyer.contact.email
    invoice.note(at, outcome.ISSUED, why=f"due on {first.due_date.isoformat()}")
    invoice.note(at, outcome.SENT, who=contact)
    facts = CollectionFacts(
        due_date=first.due_date, late_from=first.late_from, open_amount=first.amount, last_act_at=at
    )
    for part in (first, *more):
        invoice.amount = Money.of(part.amount, draft.currency)
        facts = facts.model_copy(update=part.model_dump(include={"due_date", "late_from"}))
        pays = paid_at(invoice, facts, at, by_the_minute=draft.terms.net_minutes is not None)
        facts = yield from collected(invoice, facts, contact, pays, at)
        if pays is None:
            return  # nobody pays the first, so nobody pays the next
        at = pays
