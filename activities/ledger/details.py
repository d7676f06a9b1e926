"""One invoice in full, and its timeline."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from activities.ledger import audit_trail, company_records, credit_notes, dispute_files, disputes, invoices
from activities.ledger import timeline as telling
from activities.ledger.read_models import (
    Action,
    AdjustmentView,
    ApprovalView,
    CollectionActView,
    CreditNoteView,
    DisputeView,
    DocumentFile,
    DocumentView,
    ExceptionView,
    InvoiceView,
    LineView,
    MessageView,
    PaymentView,
    TaxView,
    TimelineEntry,
)
from activities.ledger.records.disputes import shown
from activities.ledger.resolutions import resolutions_of
from activities.ledger.summaries import exact, summary_values
from activities.ledger.tables import (
    ApprovalRow,
    CollectionActRow,
    CreditNoteRow,
    DocumentRow,
    ExceptionRow,
    InvoiceRow,
    MessageRow,
    PaymentRow,
)
from billing.credit_note import credited_position
from billing.draft import Draft
from billing.errors import NotFound
from billing.exceptions import Finding
from billing.money import rounded
from billing.status import ISSUED, DocumentStatus


def invoice(tx: Session, reference: str, as_of: datetime, generation: int | None = None) -> InvoiceView:
    """All about the invoice with that number or billing key; its newest generation unless one is named.

    The number of a credit note stands for the invoice it corrects.
    """
    row = _find(tx, reference)
    generations = tx.scalars(
        select(InvoiceRow.generation)
        .where(InvoiceRow.billing_key == row.billing_key)
        .order_by(InvoiceRow.generation)
    ).all()
    if generation is not None and generation != row.generation:
        row = _generation(tx, row.billing_key, generation)
    draft = Draft.model_validate(row.draft) if row.draft else None
    columns = {column.key: getattr(row, column.key) for column in InvoiceRow.__mapper__.column_attrs}
    named = columns | {
        "buyer": draft.buyer.name if draft else None,
        "zone": draft.zone if draft else None,
        "due_date": row.agreed_due_date or row.due_date,
    }
    return InvoiceView.model_validate(
        summary_values(named, as_of)
        | _draft_values(draft)
        | {
            "net": exact(row.net, row.currency),
            "tax": exact(row.tax, row.currency),
            "disputed_amount": exact(row.disputed_amount, row.currency),
            "digest": row.draft_digest,
            "asked_because": invoices.asked_because(row.request),
            "generations": tuple(generations),
            "approvals": [_approval(each, row) for each in _of(tx, ApprovalRow, row, ApprovalRow.id)],
            "exceptions": [_exception(each, row) for each in _of(tx, ExceptionRow, row, ExceptionRow.id)],
            "payments": [_payment(each) for each in _of(tx, PaymentRow, row, PaymentRow.received_on)],
            "acts": [
                CollectionActView(act=each.act, planned_for=each.planned_for, done_at=each.done_at)
                for each in _of(tx, CollectionActRow, row, CollectionActRow.done_at)
            ],
            "messages": [_message(each) for each in _of(tx, MessageRow, row, MessageRow.prepared_at)],
            "documents": _documents(tx, row),
            "actions": _actions(row, as_of),
            "credit_notes": [_credit_note(each) for each in credit_notes.of_invoice(tx, row)],
            "disputes": _disputes(tx, row),
            "corrects": _name(tx, InvoiceRow.id == row.corrects) if row.corrects else None,
            "corrected_by": _name(tx, InvoiceRow.corrects == row.id),
        }
    )


def _find(tx: Session, reference: str) -> InvoiceRow:
    try:
        return invoices.find(tx, reference)
    except NotFound:
        if (note := credit_notes.with_number(tx, reference)) is None:
            raise
        return tx.get_one(InvoiceRow, note.invoice)


def _name(tx: Session, which: ColumnElement[bool]) -> str | None:
    """Number or billing key of the newest of these that is not a voided draft."""
    name = func.coalesce(InvoiceRow.number, InvoiceRow.billing_key)
    living = InvoiceRow.document_status != DocumentStatus.VOIDED
    return tx.scalar(select(name).where(which, living).order_by(InvoiceRow.id.desc()).limit(1))


def _credit_note(row: CreditNoteRow) -> CreditNoteView:
    named = [credited_position(each) for each in credit_notes.draft_of(row).lines]
    return CreditNoteView(
        number=row.number,
        issue_date=row.issue_date,
        issued_at=row.issued_at,
        whole=row.whole,
        net=rounded(row.net, row.currency),
        tax=rounded(row.tax, row.currency),
        gross=rounded(row.gross, row.currency),
        currency=row.currency,
        reason=row.reason,
        lines=tuple(each for each in named if each),
        asked_by=row.asked_by,
        document=row.document,
        delivered_at=row.delivered_at,
    )


def _disputes(tx: Session, row: InvoiceRow) -> list[DisputeView]:
    found = disputes.of_invoice(tx, row)
    files = dispute_files.of_invoice(tx, row) if found else ()
    return [shown(each, (file for file in files if file.dispute == each.id), row.currency) for each in found]


def _generation(tx: Session, billing_key: str, generation: int) -> InvoiceRow:
    row = tx.scalars(
        select(InvoiceRow).where(InvoiceRow.billing_key == billing_key, InvoiceRow.generation == generation)
    ).first()
    if row is None:
        raise NotFound(f"{billing_key} has no generation {generation}")
    return row


def _of(tx: Session, table: type[Any], row: InvoiceRow, order: Any) -> Sequence[Any]:
    return tx.scalars(select(table).where(table.invoice == row.id).order_by(order)).all()


def _draft_values(draft: Draft | None) -> dict[str, Any]:
    if draft is None:
        return dict.fromkeys(("terms", "supply", "contract_reference", "order_reference", "contact"), "") | {
            "agreement": None,
            "account_manager": None,
            "lines": (),
            "taxes": (),
        }
    return {
        "terms": str(draft.terms),
        "supply": str(draft.supply or ""),
        "agreement": draft.agreement,
        "contract_reference": draft.contract_reference,
        "order_reference": draft.order_reference,
        "contact": f"{draft.buyer.contact.name} <{draft.buyer.contact.email}>",
        "account_manager": draft.account_manager,
        "lines": [LineView.model_validate(each.model_dump()) for each in draft.lines],
        "adjustments": [*_adjustments(draft)],
        "rounding": draft.rounding,
        "taxes": [TaxView.model_validate(each.model_dump()) for each in draft.taxes],
    }


def _adjustments(draft: Draft) -> Iterator[AdjustmentView]:
    for off in draft.allowances:
        yield AdjustmentView(reason=off.reason or "Allowance", amount=-off.amount, why=off.why)
    for on in draft.charges:
        yield AdjustmentView(reason=on.reason or "Charge", amount=on.amount, why=on.why)


def _approval(row: ApprovalRow, invoice: InvoiceRow) -> ApprovalView:
    return ApprovalView(
        id=row.id,
        tier=row.tier,
        asked=tuple(row.asked),
        asked_at=row.asked_at,
        deadline=row.deadline,
        status=row.status,
        approved_by=tuple(row.approved_by),
        digest=row.digest,
        current=row.digest == invoice.draft_digest,
    )


def _exception(row: ExceptionRow, invoice: InvoiceRow) -> ExceptionView:
    finding = Finding.model_validate(row.finding)
    return exception_view(row, resolutions_of(finding, issued=invoice.number is not None))


def exception_view(row: ExceptionRow, resolutions: tuple[str, ...]) -> ExceptionView:
    """The exception, with what may be done about it until it is closed."""
    finding = Finding.model_validate(row.finding)
    return ExceptionView(
        id=row.id,
        code=row.code,
        message=finding.message,
        field=finding.field,
        left=finding.left,
        right=finding.right,
        owner=row.owner,
        raised_at=row.raised_at,
        deadline=row.deadline,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        resolution=row.resolution,
        resolutions=() if row.resolved_at else resolutions,
    )


def _payment(row: PaymentRow) -> PaymentView:
    return PaymentView(
        id=row.id,
        amount=rounded(row.amount, row.currency),
        currency=row.currency,
        received_on=row.received_on,
        source=row.source,
        reference=row.reference,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
    )


def _message(row: MessageRow) -> MessageView:
    return MessageView(
        key=row.key,
        message_id=row.message_id,
        event=row.event,
        audience=row.audience,
        to=row.recipient,
        cc=tuple(row.copies_to),
        subject=row.subject,
        prepared_at=row.prepared_at,
        handed_over_at=row.handed_over_at,
        attempts=row.attempts,
        last_error=row.last_error,
        server_reply=row.server_reply,
        delivered_at=row.delivered_at,
    )


def _documents(tx: Session, invoice: InvoiceRow) -> list[DocumentView]:
    """Oldest first, those of credit notes too; of those made together the PDF, then the XML in each syntax."""
    rows = tx.scalars(select(DocumentRow).where(DocumentRow.invoice == invoice.id))
    in_order = sorted(rows, key=lambda each: (each.made_at, not each.media_type.endswith("pdf"), each.kind))
    return [_document(each, invoice) for each in in_order]


def _document(row: DocumentRow, invoice: InvoiceRow) -> DocumentView:
    return DocumentView(
        name=row.name or _file_name(invoice.name, row.media_type),
        sha256=row.sha256,
        kind=row.kind,
        media_type=row.media_type,
        size=row.size,
        made_at=row.made_at,
        current=row.sha256 == invoice.document,
        erased_at=row.erased_at,
    )


def _actions(row: InvoiceRow, as_of: datetime) -> tuple[Action, ...]:
    if row.number is None or row.document_status not in ISSUED:
        return ()
    if row.closed_at is not None:
        return ("pay",)
    held = row.held_until is not None and row.held_until > as_of
    return ("pay", "release" if held else "hold", "promise", "dispute")


def document(tx: Session, sha256: str) -> DocumentFile | None:
    """The document with this hash and the name it is saved under; None if the ledger knows none, or it was erased."""
    row = tx.execute(
        select(
            DocumentRow.sha256,
            DocumentRow.media_type,
            DocumentRow.name,
            InvoiceRow.number,
            InvoiceRow.billing_key,
        )
        .join(InvoiceRow, InvoiceRow.id == DocumentRow.invoice)
        .where(DocumentRow.sha256 == sha256, DocumentRow.erased_at.is_(None))
    ).first()
    if row is None:
        return None
    name = row.name or _file_name(row.number or row.billing_key, row.media_type)
    return DocumentFile(sha256=row.sha256, media_type=row.media_type, file_name=name)


def _file_name(invoice: str, media_type: str) -> str:
    """What a document is saved as that was stored before documents had names."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", invoice) + (mimetypes.guess_extension(media_type) or "")


def timeline(tx: Session, reference: str, generation: int | None = None) -> list[TimelineEntry]:
    """The invoice's audit trail, oldest first, each event with its facts in one line, in the issuer's zone."""
    row = _find(tx, reference)
    if generation is not None and generation != row.generation:
        row = _generation(tx, row.billing_key, generation)
    return timeline_of(tx, row)


def timeline_of(tx: Session, row: InvoiceRow) -> list[TimelineEntry]:
    """The same of an invoice that was read already."""
    issuer = company_records.at_version(tx, row.company_version).company.issuer(row.issuer or "")
    zone = issuer.zone if issuer else None
    trail = audit_trail.trail(tx, row.id)
    written = disputes.words(tx, row) if any("dispute" in each.facts for each in trail) else {}
    entries = []
    for event in trail:
        facts = _with_words(event.facts, written)
        entries.append(
            TimelineEntry(
                position=event.position,
                at=event.at,
                event=event.event,
                actor=event.actor,
                channel=event.channel,
                line=telling.line(event.event, facts, row.currency, zone),
                facts=facts,
            )
        )
    return entries


def _with_words(facts: dict[str, Any], written: Mapping[int, dict[str, str]]) -> dict[str, Any]:
    """The facts of an event, with what was written where the event has a seal of it."""
    found = written.get(facts.get("dispute", 0), {})
    return facts | {key: text for key, text in found.items() if f"{key}_sha256" in facts}
