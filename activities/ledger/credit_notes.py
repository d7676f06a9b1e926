"""Credit notes in the ledger: issued, found, made and delivered. The only way to correct an issued invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from activities.documents.printable import unprintable
from activities.invoicing.document_checks import rule_findings
from activities.ledger import audit_trail, disputes, invoices, number_series, payments
from activities.ledger.actors import check_person
from activities.ledger.tables import BilledItemRow, CreditNoteRow, InvoiceRow
from billing.company import Company
from billing.credit_note import Credited, Selection, credit_draft, left_of_lines, left_to_credit
from billing.dispute import Outcome
from billing.document import InvoiceDocument
from billing.document_check import check_document, placeholder
from billing.document_kind import DocumentKind
from billing.draft import Draft
from billing.erased import is_erased
from billing.errors import Conflicting, NotFound, Refused, WrongState
from billing.numbering import payment_reference
from billing.status import DocumentStatus


def issue(
    tx: Session,
    row: InvoiceRow,
    company: Company,
    *,
    selection: Selection,
    reason: str,
    key: str,
    dispute: int | None = None,
    bill_again: bool = False,
    by: str,
    channel: str,
    at: datetime,
) -> CreditNoteRow:
    """Credits the invoice, which the caller has locked: number, amounts, audit event and status, in one transaction.

    The reason stands on the document. The same key again is the same credit note; `Conflicting` if it was another one.
    `dispute` is the one it decides. With `bill_again` the entries and milestones on lines that are credited in full are
    free to be billed by another invoice; else nothing credited is ever billed again by itself. `Refused` where not
    enough is left, or the document would break a rule; `WrongState` for what is no issued invoice with its document.
    """
    check_person(company, by)
    if not reason.strip():
        raise Refused("say why: the reason stands on the credit note")
    if (earlier := _same(tx, row, key, selection, reason.strip())) is not None:
        return earlier
    original = _original(row)
    before = credited(tx, row)
    draft = preview(row, company, selection, before, reason=reason.strip())
    check_issuable(draft, at)
    taken = number_series.take(tx, draft.issuer, DocumentKind.CREDIT_NOTE, at)
    found = CreditNoteRow(
        invoice=row.id,
        key=key,
        number=taken.number,
        issuer=draft.issuer.id,
        issue_date=taken.issue_date,
        issued_at=at,
        reason=reason.strip(),
        whole=draft.due == left_to_credit(original, before),
        draft=draft.model_dump(mode="json"),
        draft_digest=draft.digest,
        currency=draft.currency,
        net=draft.net,
        tax=draft.tax,
        gross=draft.due,
        dispute=dispute,
        asked_by=by,
        channel=channel,
    )
    tx.add(found)
    tx.flush()
    _reckon(tx, row, original)
    freed = (
        _free(tx, row, original, [*before, Credited(number=taken.number, draft=draft)]) if bill_again else 0
    )
    audit_trail.record(
        tx,
        row,
        "credited",
        at=at,
        actor=by,
        channel=channel,
        number=taken.number,
        issue_date=taken.issue_date,
        gross=draft.due,
        net=draft.net,
        tax=draft.tax,
        currency=draft.currency,
        reason=found.reason,
        draft_digest=found.draft_digest,
        open=row.open_amount,
        **({"dispute": dispute} if dispute else {}),
        **({"billed_again": freed} if freed else {}),
    )
    payments.bring_up_to_date(tx, row, at=at)
    if row.disputed and (dispute is not None or row.document_status == DocumentStatus.CREDITED):
        disputes.end(tx, row, company, outcome=Outcome.CREDITED, by=by, channel=channel, at=at)
    invoices.wake(tx, row, at)
    return found


def preview(
    row: InvoiceRow, company: Company, selection: Selection, before: Sequence[Credited], *, reason: str
) -> Draft:
    """The credit note as it would be issued now. The numbers are written as the issuer writes them now, all else is as
    on the invoice."""
    original = _original(row)
    draft = credit_draft(
        original, selection, before, number=row.number or "", issued_on=_issued_on(row), reason=reason
    )
    current = company.issuer(original.issuer.id)
    if current is None:
        return draft
    series = {each: getattr(current, each) for each in ("number_prefix", "numbers", "fiscal_year_starts")}
    return draft.model_copy(update={"issuer": draft.issuer.model_copy(update=series)})


def of_invoice(tx: Session, row: InvoiceRow) -> Sequence[CreditNoteRow]:
    """The credit notes of the invoice, oldest first."""
    return tx.scalars(
        select(CreditNoteRow).where(CreditNoteRow.invoice == row.id).order_by(CreditNoteRow.id)
    ).all()


def credited(tx: Session, row: InvoiceRow) -> list[Credited]:
    """The same as the rule wants them."""
    return [Credited(number=each.number, draft=draft_of(each)) for each in of_invoice(tx, row)]


def find(tx: Session, number: str) -> CreditNoteRow:
    """The credit note with that number; `NotFound`."""
    found = with_number(tx, number)
    if found is None:
        raise NotFound(
            f"no credit note has the number {number.strip()[:80]!r}; `billow show INVOICE` lists them"
        )
    return found


def with_number(tx: Session, number: str) -> CreditNoteRow | None:
    """The credit note with that number, if there is one."""
    return tx.scalars(select(CreditNoteRow).where(CreditNoteRow.number == number.strip())).first()


def with_key(tx: Session, key: str) -> CreditNoteRow | None:
    """The credit note that was asked for with that key, if it is issued."""
    return tx.scalars(select(CreditNoteRow).where(CreditNoteRow.key == key)).first()


def unfinished(tx: Session, row: InvoiceRow) -> CreditNoteRow | None:
    """The oldest credit note of the invoice that has no document yet, or that the client does not have."""
    if not row.credited:
        return None
    missing = or_(CreditNoteRow.document.is_(None), CreditNoteRow.delivered_at.is_(None))
    query = select(CreditNoteRow).where(CreditNoteRow.invoice == row.id, missing)
    return tx.scalars(query.order_by(CreditNoteRow.id).limit(1)).first()


def draft_of(note: CreditNoteRow) -> Draft:
    """What it says."""
    return Draft.model_validate(note.draft)


def document_of(note: CreditNoteRow) -> InvoiceDocument:
    """The credit note as it is rendered; it is due to nobody, so its due date says nothing."""
    return InvoiceDocument(
        draft=draft_of(note),
        number=note.number,
        issue_date=note.issue_date,
        due_date=note.issue_date,
        issued_at=note.issued_at,
        payment_reference=payment_reference(note.number),
    )


def _same(tx: Session, row: InvoiceRow, key: str, selection: Selection, reason: str) -> CreditNoteRow | None:
    """The credit note with that key. `Conflicting` if it is of another invoice, or not what is asked for."""
    earlier = with_key(tx, key)
    if earlier is None:
        return None
    if earlier.invoice != row.id or earlier.reason != reason or _says_other(tx, row, earlier, selection):
        raise Conflicting(
            f"{key!r} is credit note {earlier.number} already, over {earlier.gross.normalize():f} {earlier.currency}; "
            "use another key for another one"
        )
    return earlier


def _says_other(tx: Session, row: InvoiceRow, earlier: CreditNoteRow, selection: Selection) -> bool:
    """Whether the selection, credited when the credit note was, would not have come to what it says.

    Of an invoice that was erased since nothing is left to compare but the amount.
    """
    if is_erased(row.draft) or is_erased(earlier.draft):
        return selection.gross is not None and selection.gross != earlier.gross
    there = [
        Credited(number=each.number, draft=draft_of(each))
        for each in of_invoice(tx, row)
        if each.id < earlier.id
    ]
    said = draft_of(earlier)
    try:
        asked = credit_draft(
            invoices.draft_of(row),
            selection,
            there,
            number=row.number or "",
            issued_on=_issued_on(row),
            reason=earlier.reason,
        )
    except Refused:
        return True
    return (asked.due, _credits(asked)) != (said.due, _credits(said))


def _credits(draft: Draft) -> list[tuple[Decimal, Decimal, list[tuple[str, str]]]]:
    """What lines take back: how much, of which of the invoice's."""
    return [
        (line.quantity, line.net, [(each.source, each.id) for each in line.sources]) for line in draft.lines
    ]


def _original(row: InvoiceRow) -> Draft:
    """What is to be corrected. `WrongState` if it is no issued invoice of ours with its document."""
    if row.trigger == "opening item":
        raise WrongState(
            f"{row.number} was issued by the system before; credit it there, and book what it came to with billow pay"
        )
    if row.number is None:
        raise WrongState(
            f"{row.billing_key} is {row.document_status}: nobody has it yet; repair or void the draft"
        )
    if row.document_status == DocumentStatus.DOCUMENT_PENDING:
        raise WrongState(
            f"{row.number} has no document yet, so there is nothing to correct; see billow inbox"
        )
    if row.document_status == DocumentStatus.CREDITED:
        raise WrongState(f"{row.number} is credited in full already")
    if is_erased(row.draft):
        raise WrongState(
            f"what {row.number} says was erased, its retention over; nothing of it can be credited"
        )
    draft = invoices.draft_of(row)
    if draft.kind.is_credit:
        raise WrongState(f"{row.number} is a credit note itself; bill the amount again instead")
    return draft


def _issued_on(row: InvoiceRow) -> date:
    if row.issue_date is None:
        raise WrongState(f"{row.number} has no issue date")
    return row.issue_date


def check_issuable(draft: Draft, at: datetime) -> None:
    """`Refused` for what would keep the document from being made: nothing gets a number that cannot be rendered."""
    found = [each.message for each in check_document(draft, at)]
    found += [each.message for each in rule_findings(placeholder(draft, at))] if not found else []
    found += [str(each) for each in unprintable([draft.note])]
    if found:
        raise Refused(f"the credit note cannot be issued: {'; '.join(found[:3])}")


def _reckon(tx: Session, row: InvoiceRow, original: Draft) -> None:
    """What is credited so far; the document is credited once nothing of it is left."""
    sum_of_all = select(func.sum(CreditNoteRow.gross)).where(CreditNoteRow.invoice == row.id)
    row.credited = tx.scalar(sum_of_all) or Decimal(0)
    if row.credited == original.due:
        row.document_status = DocumentStatus.CREDITED
    row.payment_status = payments.payment_status(row)


def _free(tx: Session, row: InvoiceRow, original: Draft, now: Sequence[Credited]) -> int:
    """Frees what stands on lines that are credited in full; how many items these are."""
    everything = left_to_credit(original, now) == 0
    lefts = left_of_lines(original, now)
    items = [
        (source.source, source.id)
        for line, left in zip(original.lines, lefts, strict=True)
        if everything or not left
        for source in line.sources
    ]
    if items:
        tx.execute(
            delete(BilledItemRow).where(
                BilledItemRow.invoice == row.id,
                tuple_(BilledItemRow.source, BilledItemRow.item).in_(items),
            )
        )
    return len(items)
