"""Assembly: client, work and contract become a checked draft; what does not fit waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from activities.documents.pdf import RenderingFailed, proof
from activities.invoicing import standing
from activities.invoicing.calendars import business_days
from activities.invoicing.document_checks import rule_findings, text_findings
from activities.invoicing.effects import Effects
from activities.invoicing.fetching import fetch
from activities.invoicing.live_source import noted
from activities.invoicing.sources import Systems
from activities.invoicing.tax_id_evidence import with_evidence
from activities.ledger import approvals, audit_trail, company_records, exceptions, invoices
from activities.ledger.billed import LedgerBilled
from activities.ledger.company_records import CompanyVersion
from activities.ledger.look_alikes import look_alikes
from activities.ledger.tables import InvoiceRow
from activities.providers.http import at_most
from billing.assembly import BY_CALENDAR, Assembly, assemble, client_of
from billing.calendars import Calendar
from billing.document_check import check_document, placeholder
from billing.draft import Draft
from billing.errors import SourceFaulty, SourceUnavailable
from billing.exceptions import Finding, ReasonCode
from billing.overrides import overridden
from billing.request import BillingRequest
from billing.status import DocumentStatus
from workflows.messages import Plan, StepInput

READING = 45.0
"""Seconds the sources of one draft may take together; the step has a minute."""

AS_THE_RUN_READ_IT = 60.0
"""Seconds for which the first look at what the calendar asked for takes what the billing run has just read."""


def assemble_draft(effects: Effects, step: StepInput) -> Plan:
    """Makes and checks the draft from what the sources say now, under the company's newest version."""
    with effects.ledger.transaction() as tx:
        row = invoices.find(tx, step.billing_key)
        request = (
            BillingRequest.model_validate(row.request)
            if row.document_status == DocumentStatus.DRAFT
            else None
        )
        version = company_records.current(tx)
        corrects = (request.one_off.corrects if request and request.one_off else None) or ""
        preceding_date = invoices.issued_on(tx, corrects) if corrects else None
        first = row.trigger == BY_CALENDAR and row.draft is None and not row.fetch_again_for
        first = first and not invoices.open_exceptions(tx, row)
        fresh_for = AS_THE_RUN_READ_IT if first else 0.0
    billed = LedgerBilled(effects.ledger, but=row.id)
    made = None
    if request:
        made = _assembled(effects, version, request, row.overrides, preceding_date, step, billed, fresh_for)
    with effects.ledger.transaction() as tx:
        row = invoices.find(tx, step.billing_key, lock=True)
        if made is None or row.document_status != DocumentStatus.DRAFT:
            return standing.after_step(tx, row, step.as_of)
        row.company_version = version.version
        _keep(tx, row, made, version, step)
        return standing.after_step(tx, row, step.as_of)


def _assembled(
    effects: Effects,
    version: CompanyVersion,
    request: BillingRequest,
    overrides: Mapping[str, str],
    preceding_date: date | None,
    step: StepInput,
    billed: LedgerBilled,
    fresh_for: float,
) -> Assembly:
    client = version.company.client(client_of(request, version.company) or "")
    note = noted(effects.ledger, version.company, step.as_of)
    today = step.as_of.astimezone(ZoneInfo(client.zone if client else "UTC")).date()
    try:
        with at_most(READING):
            facts = fetch(Systems.of(version, note, fresh_for), version.company, request, today, billed)
        facts = overridden(facts, overrides).model_copy(update={"preceding_date": preceding_date})
        facts = with_evidence(effects, version.company, request, facts, step.as_of)
        made = assemble(request, version.company, facts, today)
    except SourceUnavailable as error:
        unreadable = Finding(
            code=ReasonCode.SOURCE_UNREADABLE,
            message=str(error),
            left=error.system,
            may_pass=not isinstance(error, SourceFaulty),
        )
        return Assembly(draft=None, findings=(unreadable,))
    if made.draft is None or client is None:
        return made
    checked = _document_check(made.draft, step.as_of, business_days(client, today))
    return made.model_copy(update={"findings": (*made.findings, *checked)})


def _document_check(draft: Draft, at: datetime, calendar: Calendar) -> list[Finding]:
    """The draft as a whole, under a placeholder number: sums, characters, template. No number is lost on a bad one."""
    findings = check_contents(draft, at, calendar)
    if not findings:
        try:
            proof(placeholder(draft, at, calendar))
        except RenderingFailed as error:
            findings.append(Finding(code=ReasonCode.INVALID_DOCUMENT, message=str(error), field="document"))
    return findings


def check_contents(draft: Draft, at: datetime, calendar: Calendar | None) -> list[Finding]:
    """The same without the template, which takes a hundred times as long."""
    findings = check_document(draft, at, calendar) or rule_findings(placeholder(draft, at, calendar))
    return [*findings, *text_findings(draft)]


def _keep(tx: Session, row: InvoiceRow, made: Assembly, version: CompanyVersion, step: StepInput) -> None:
    """Stores the draft, raises what nobody has accepted, and asks for approval when nothing holds it."""
    company, at = version.company, step.as_of
    changed_by, row.fetch_again_for = row.fetch_again_for, None
    findings = list(made.findings)
    if made.draft is not None:
        before = row.draft_digest
        if made.draft.client != row.client:
            findings.append(_other_client(row, made.draft))
        findings += invoices.put_draft(tx, row, made.draft)
        findings += look_alikes(tx, row, made.draft)
        if before != made.draft.digest:
            if changed_by and changed_by not in row.took_part:
                row.took_part = [*row.took_part, changed_by]
            audit_trail.record(
                tx,
                row,
                "assembled",
                at=at,
                gross=made.draft.due,
                currency=made.draft.currency,
                lines=len(made.draft.lines),
                tax=[each.why for each in made.draft.taxes],
                draft_digest=made.draft.digest,
            )
    elif any(each.code == ReasonCode.EMPTY for each in findings):
        invoices.drop_draft(tx, row)
    open_findings = exceptions.unaccepted(row, findings)
    if made.skip and {each.code for each in open_findings} == {ReasonCode.EMPTY}:
        approvals.withdraw(tx, row, at=at)
        invoices.void(tx, row, rebill=False, by="billow", channel="assembly", reason=made.skip, at=at)
        return
    if open_findings:
        approvals.withdraw(tx, row, at=at)
    else:
        open_findings = ask_next(tx, row, version, step)
    if any(each.code == ReasonCode.SOURCE_UNREADABLE for each in open_findings):
        for each in open_findings:  # nothing is known about the other exceptions, so they stand
            exceptions.raise_one(tx, row, each, company, at=at)
    else:
        exceptions.reconcile(tx, row, open_findings, company, at=at)


def _other_client(row: InvoiceRow, draft: Draft) -> Finding:
    return Finding(
        code=ReasonCode.RULES_CHANGED,
        message=f"agreement {draft.agreement!r} belonged to client {row.client!r} when this was asked for, and now to "
        f"{draft.client!r}; void this draft to be billed again, or apply a folder that has it as it was",
        field="client",
        left=f"invoice {row.client}",
        right=f"agreement {draft.client}",
    )


def ask_next(tx: Session, row: InvoiceRow, version: CompanyVersion, step: StepInput) -> list[Finding]:
    """Asks the next tier that must agree; a finding if nobody in it may decide."""
    tier = approvals.next_tier(tx, row, version.company)
    if tier is None:
        approvals.withdraw(tx, row, at=step.as_of)
        return []
    asked = approvals.ask(tx, row, tier, version.company, at=step.as_of)
    if not isinstance(asked, Finding):
        return []
    row.document_status = DocumentStatus.DRAFT
    return [asked]
