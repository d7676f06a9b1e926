"""The steps as activities: each takes what was heard, acts if it is its turn, and returns the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from temporalio import activity

from activities.documents.errors import RenderingFailed
from activities.documents.look import LookFiles
from activities.invoicing import claims, issued_files, standing, together
from activities.invoicing.assembling import ask_next, assemble_draft
from activities.invoicing.calendars import business_days
from activities.invoicing.document_checks import findings_of, warnings_of
from activities.invoicing.effects import Effects
from activities.invoicing.instants import at_this_attempt
from activities.invoicing.speaking import CREDIT_NOTE, client_link, speak
from activities.ledger import (
    approvals,
    audit_trail,
    bank_data,
    client_credit,
    collection,
    company_records,
    credit_holds,
    credit_notes,
    disputes,
    exceptions,
    instalments,
    invoices,
    looks,
    notices,
    number_series,
    promises,
)
from activities.ledger.tables import CreditNoteRow, InvoiceRow
from billing.document import InvoiceDocument
from billing.document_check import placeholder
from billing.dunning_policy import BANK_DATA_OLD, DISPUTED, Act, NextStep
from billing.errors import WrongState
from billing.exceptions import Finding, ReasonCode
from billing.numbering import payment_reference
from billing.status import CollectionStatus, DocumentStatus
from workflows.activity_interfaces import InvoiceSteps, RenderingSteps
from workflows.messages import Failure, Plan, Step, StepInput


@dataclass(frozen=True)
class _Verdict:
    """What validating a draft found: why it may not be issued as it is, and what is only noted when it is."""

    findings: list[Finding]
    warnings: tuple[str, ...] = ()


class LedgerSteps(InvoiceSteps):
    """The steps on the `invoicing` queue; and `issue`, which validates first and so runs where there is CPU for it."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    @activity.defn(name="assemble")
    def assemble(self, step: StepInput) -> Plan:
        step = at_this_attempt(step)
        self._hear(step)
        return assemble_draft(self._effects, step)

    @activity.defn(name="approve")
    def approve(self, step: StepInput) -> Plan:
        step = at_this_attempt(step)
        with self._effects.ledger.transaction() as tx:
            row = invoices.find(tx, step.billing_key, lock=True)
            company = standing.pinned(tx, row)
            claims.hear(tx, row, step, company)
            if row.document_status == DocumentStatus.AWAITING_APPROVAL:
                version = company_records.at_version(tx, row.company_version)
                if approvals.attend(tx, row, company, at=step.as_of) is None:
                    for finding in ask_next(tx, row, version, step):
                        exceptions.raise_one(tx, row, finding, company, at=step.as_of)
            return standing.after_step(tx, row, step.as_of)

    @activity.defn(name="issue")
    def issue(self, step: StepInput) -> Plan:
        step = at_this_attempt(step)
        validated: dict[str, _Verdict] = {}
        while True:
            # Validating takes long, so it is done without a lock; the number is given only to the draft it was done on.
            with self._effects.ledger.transaction() as tx:
                row = invoices.find(tx, step.billing_key, lock=True)
                claims.hear(tx, row, step, standing.pinned(tx, row))
                exceptions.close_failed(tx, row, at=step.as_of)
                digest = row.draft_digest or ""
                if not _is_ready(tx, row) or digest in validated:
                    if _is_ready(tx, row):
                        _issue(tx, row, validated[digest], step)
                    return standing.after_step(tx, row, step.as_of)
                document, look = _as_issued(tx, row, step), _look(tx, row)
            validated[digest] = self._verdict(document, look)

    def _verdict(self, document: InvoiceDocument, look: LookFiles) -> _Verdict:
        try:
            breaches = self._effects.renderer.validate(document, look)
        except RenderingFailed as error:
            found = Finding(code=ReasonCode.INVALID_DOCUMENT, message=str(error), field="document")
            return _Verdict([found])
        return _Verdict(findings_of(breaches), warnings_of(breaches))

    @activity.defn(name="deliver")
    def deliver(self, step: StepInput) -> Plan:
        step = at_this_attempt(step)
        self._hear(step)
        client_credit.at_delivery(self._effects.ledger, step.billing_key, at=step.as_of)

        def due(tx: Session, row: InvoiceRow) -> list[InvoiceRow]:
            row = invoices.locked(tx, row.id)
            wanted = row.document is not None and row.document_status != DocumentStatus.CREDITED
            return [row] if wanted and row.delivered_at is None else []

        def record(_: Session, rows: Sequence[InvoiceRow], _message: str) -> None:
            rows[0].delivered_at = step.as_of

        if not speak(self._effects, step, "invoice", due=due, record=record):
            self._deliver_credit_note(step)
        return self._plan(step)

    def _deliver_credit_note(self, step: StepInput) -> None:
        """Sends the oldest credit note that is made and not with the client yet."""
        with self._effects.ledger.transaction() as tx:
            note = credit_notes.unfinished(tx, invoices.find(tx, step.billing_key))
            if note is None or note.document is None:
                return
            wanted, about = note.id, {"credit_note": note.number}

        def due(tx: Session, row: InvoiceRow) -> list[InvoiceRow]:
            row = invoices.locked(tx, row.id)
            return [row] if tx.get_one(CreditNoteRow, wanted).delivered_at is None else []

        def record(tx: Session, _: Sequence[InvoiceRow], _message: str) -> None:
            tx.get_one(CreditNoteRow, wanted).delivered_at = step.as_of

        speak(self._effects, step, CREDIT_NOTE, due=due, record=record, about=about)

    @activity.defn(name="collect")
    def collect(self, step: StepInput) -> Plan:
        step = at_this_attempt(step)
        self._hear(step)
        with self._effects.ledger.transaction() as tx:
            row = invoices.find(tx, step.billing_key, lock=True)
            company = standing.pinned(tx, row)
            coming = None
            sent = row.delivered_at is not None or row.document_status == DocumentStatus.CREDITED
            if sent and row.document_status != DocumentStatus.VOIDED:
                coming = standing.upcoming(tx, row, company, step.as_of)
                _follow(tx, row, coming, step)
                disputes.attend(tx, row, company, at=step.as_of)
                if coming.why.startswith(BANK_DATA_OLD):
                    bank_data.tell(tx, row, coming.why, at=step.as_of)
                if coming.act in (Act.ESCALATION, Act.HAND_OVER) and coming.at <= step.as_of:
                    self._escalate(tx, row, coming, step)
        if coming is not None and coming.act in (Act.COURTESY_NOTE, Act.REMINDER) and coming.at <= step.as_of:
            self._remind(step, coming)
        return self._plan(step)

    def _remind(self, step: StepInput, coming: NextStep) -> None:
        """Sends the note or reminder if, at the last look, it is still exactly what is due."""

        def due(tx: Session, row: InvoiceRow) -> list[InvoiceRow]:
            return together.due_with(tx, row, coming, step.as_of)

        def record(tx: Session, rows: Sequence[InvoiceRow], message: str) -> None:
            for each in rows:
                act = standing.upcoming(tx, each, standing.pinned(tx, each), step.as_of)
                collection.done(tx, each, act.name, planned_for=act.at, message=message, at=step.as_of)
                credit_holds.follow(tx, each, standing.pinned(tx, each), act, at=step.as_of)
                if act.act is Act.REMINDER:
                    each.collection_status = CollectionStatus.REMINDED
                if each.billing_key != step.billing_key:
                    invoices.wake(tx, each, step.as_of)

        speak(self._effects, step, coming.name, due=due, record=record)

    def _escalate(self, tx: Session, row: InvoiceRow, coming: NextStep, step: StepInput) -> None:
        """Tells the account manager; a hand-over also ends collection here."""
        company = standing.pinned(tx, row)
        owner = standing.company_owner(company, row)
        plan = collection.plan_now(tx, row)
        occasion = f"{coming.act}/plan-{plan}" if plan else None
        notices.escalated(tx, row, str(coming.act), owner, company, occasion=occasion, at=step.as_of)
        collection.done(tx, row, coming.name, planned_for=coming.at, message=None, at=step.as_of)
        credit_holds.follow(tx, row, company, coming, at=step.as_of)
        if coming.act is Act.HAND_OVER:
            row.handed_over_at = row.closed_at = step.as_of
            row.collection_status = CollectionStatus.HANDED_OVER
            # No message is sent from here any more, so nobody has to repair one.
            exceptions.reconcile(tx, row, [], company, at=step.as_of)

    @activity.defn(name="report-failure")
    def report_failure(self, failure: Failure) -> Plan:
        code = ReasonCode.NOT_DELIVERED if failure.step is Step.DELIVER else ReasonCode.STEP_FAILED
        finding = Finding(
            code=code,
            message=f"step {failure.step} did not work: {claims.storable(failure.error)[:500]}; "
            "mend what it names, then retry",
            field=failure.step,
        )
        with self._effects.ledger.transaction() as tx:
            row = invoices.find(tx, failure.billing_key, lock=True)
            claims.hear(tx, row, failure, standing.pinned(tx, row))
            if row.document_status != DocumentStatus.VOIDED:
                exceptions.raise_one(tx, row, finding, standing.pinned(tx, row), at=failure.as_of)
            exceptions.attend(tx, row, standing.pinned(tx, row), at=failure.as_of)
            return standing.plan(tx, row, standing.pinned(tx, row), failure.as_of)

    def _hear(self, step: StepInput) -> None:
        if step.heard:
            with self._effects.ledger.transaction() as tx:
                row = invoices.find(tx, step.billing_key, lock=True)
                claims.hear(tx, row, step, standing.pinned(tx, row))

    def _plan(self, step: StepInput) -> Plan:
        with self._effects.ledger.transaction() as tx:
            return standing.after_step(tx, invoices.find(tx, step.billing_key, lock=True), step.as_of)


def _is_ready(tx: Session, row: InvoiceRow) -> bool:
    """Whether the draft is whole and nobody has to repair it, decide about it or wants it made anew."""
    drafted = row.document_status in (DocumentStatus.DRAFT, DocumentStatus.AWAITING_APPROVAL)
    wanted = row.draft is not None and row.fetch_again_for is None
    return drafted and wanted and row.number is None and not invoices.open_exceptions(tx, row)


def _issue(tx: Session, row: InvoiceRow, verdict: _Verdict, step: StepInput) -> None:
    """Gives the number, if nothing speaks against it, and nobody has to agree any more: on the word of a plan, nothing
    is issued."""
    version = company_records.at_version(tx, row.company_version)
    findings = verdict.findings or ask_next(tx, row, version, step)
    for finding in findings:
        exceptions.raise_one(tx, row, finding, version.company, at=step.as_of)
    if not findings and approvals.waiting(tx, row) is None:
        number_series.issue(tx, row, at=step.as_of, warnings=verdict.warnings)


def _as_issued(tx: Session, row: InvoiceRow, step: StepInput) -> InvoiceDocument:
    """The draft under a number of full length."""
    draft, client = invoices.draft_of(row), standing.pinned(tx, row).client(row.client)
    today = step.as_of.astimezone(ZoneInfo(draft.issuer.zone)).date()
    return placeholder(draft, step.as_of, business_days(client, today) if client else None)


def _look(tx: Session, row: InvoiceRow) -> LookFiles:
    """How the issuer's documents look now, not when the draft was made: a repaired template takes effect."""
    return looks.of_issuer(tx, company_records.current(tx).version, row.issuer or "")


def _follow(tx: Session, row: InvoiceRow, coming: NextStep, step: StepInput) -> None:
    """Brings the collection status up to date with what the rule says, and closes what is settled."""
    promises.follow(tx, row, is_over=standing.promise_is_over(tx, row, step.as_of), at=step.as_of)
    if coming.act is Act.SETTLE:
        if row.collection_status != CollectionStatus.CLOSED:
            row.closed_at = step.as_of
            row.collection_status = CollectionStatus.CLOSED
            disputes.settled(tx, row, standing.pinned(tx, row), how=coming.why, at=step.as_of)
            audit_trail.record(tx, row, "settled", at=step.as_of, how=coming.why)
        exceptions.reconcile(tx, row, [], standing.pinned(tx, row), at=step.as_of)
        credit_holds.lift_if_nothing_is_late(tx, row, at=step.as_of)
        return
    stopped = (CollectionStatus.PROMISED, CollectionStatus.BLOCKED)
    over = row.collection_status in stopped and coming.act is not Act.WAIT
    if over or (row.collection_status not in stopped and coming.why == DISPUTED):
        today = collection.client_today(row, standing.pinned(tx, row), step.as_of)
        row.collection_status = collection.status_without_hold(tx, row, today, step.as_of)


class DocumentSteps(RenderingSteps):
    """The steps on the `rendering` queue: CPU work, one document at a time."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    @activity.defn(name="render")
    def render(self, step: StepInput) -> Plan:
        step = at_this_attempt(step)
        with self._effects.ledger.transaction() as tx:
            row = invoices.find(tx, step.billing_key, lock=True)
            note = credit_notes.unfinished(tx, row)
            wanted, look = _wanted(tx, row, note), _look(tx, row)
            if wanted is not None and self._effects.public and not wanted.draft.kind.is_credit:
                company = company_records.current(tx).company
                link = client_link(tx, row, company, self._effects.portal_url, at=step.as_of)
                wanted = wanted.model_copy(update={"payment_link": link})
        problem, made = None, None
        if wanted is not None:
            try:
                rendered = self._effects.renderer.render(wanted, look)
                made = issued_files.store(self._effects.documents, rendered, wanted)
            except RenderingFailed as error:
                problem = str(error)
        with self._effects.ledger.transaction() as tx:
            row = invoices.find(tx, step.billing_key, lock=True)
            company = standing.pinned(tx, row)
            claims.hear(tx, row, step, company)
            if problem is not None:
                finding = Finding(code=ReasonCode.DOCUMENT_PENDING, message=problem, field="document")
                exceptions.raise_one(tx, row, finding, company, at=step.as_of)
            elif made is not None and row.document_status == DocumentStatus.DOCUMENT_PENDING:
                issued_files.record(tx, row, made, at=step.as_of)
            elif made is not None and note is not None:
                _record_credit_note(tx, row, note.id, made, at=step.as_of)
            return standing.after_step(tx, row, step.as_of)


def _wanted(tx: Session, row: InvoiceRow, note: CreditNoteRow | None) -> InvoiceDocument | None:
    """What is still to be rendered: the invoice itself, or its credit note."""
    if row.document_status == DocumentStatus.DOCUMENT_PENDING:
        return _document(tx, row)
    return credit_notes.document_of(note) if note is not None and note.document is None else None


def _record_credit_note(
    tx: Session, row: InvoiceRow, wanted: int, made: issued_files.Kept, *, at: datetime
) -> None:
    note = tx.get_one(CreditNoteRow, wanted, populate_existing=True)
    if note.document is None:
        issued_files.record_credit_note(tx, row, note, made, at=at)


def _document(tx: Session, row: InvoiceRow) -> InvoiceDocument:
    if not (row.number and row.issue_date and row.due_date and row.issued_at):
        raise WrongState(f"{row.billing_key} has no number yet, so there is nothing to render")
    return InvoiceDocument(
        draft=invoices.draft_of(row),
        number=row.number,
        issue_date=row.issue_date,
        due_date=row.due_date,
        issued_at=row.issued_at,
        payment_reference=payment_reference(row.number),
        instalments=instalments.issued(tx, row),
    )
