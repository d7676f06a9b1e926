"""An issued document, proved: its stored bytes by their hash and, where nothing has moved on, by rendering it again."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.documents.look import PLAIN, LookFiles
from activities.documents.store import DocumentDamaged, DocumentMissing, DocumentStore
from activities.invoicing import issued_files
from activities.invoicing.issued_files import digest_of_facts
from activities.ledger import audit_trail, credit_notes, instalments, invoices, looks
from activities.ledger.database import Ledger
from activities.ledger.tables import CreditNoteRow, DocumentRow, InvoiceRow, LookRow
from billing.document import InvoiceDocument
from billing.draft import digest_of
from billing.errors import WrongState
from billing.numbering import payment_reference

LOOK = "look"
"""The name under which the digest of a look stands among the versions."""

_SHOWN = 12
_BESIDE = ("cii", "ubl")


@dataclass(frozen=True)
class Moved:
    """Something that made the document and is another now; empty where there was, or is, none."""

    what: str
    then: str
    now: str


@dataclass(frozen=True)
class Proof:
    """What was found: no `differences` where everything holds. `same_bytes` is None if it was not rendered again."""

    number: str
    sha256: str
    made_at: datetime
    moved: tuple[Moved, ...] = ()
    same_bytes: bool | None = None
    checked: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()


@dataclass
class _Findings:
    checked: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def compare(self, what: str, *, same: bool, otherwise: str) -> None:
        (self.checked if same else self.differences).append(what if same else otherwise)


@dataclass(frozen=True)
class _Issued:
    """What the ledger holds of it."""

    document: InvoiceDocument
    pdf: DocumentRow
    files: Mapping[str, DocumentRow]
    audited: Mapping[str, str] | None
    look: LookFiles | None
    disagreeing: tuple[str, ...]


def prove(ledger: Ledger, documents: DocumentStore, reference: str) -> Proof:
    """Proves the document of an invoice or credit note; holds a transaction only at its beginning.

    `WrongState` if it has none.
    """
    from activities.documents import rendering

    with ledger.transaction() as tx:
        note = credit_notes.with_number(tx, reference)
        issued = _issued_credit(tx, note) if note is not None else _issued(tx, reference)
    found = _Findings()
    found.differences += issued.disagreeing
    stored = {kind: _stored(documents, kind, row, found) for kind, row in issued.files.items()}
    _compare_with_trail(issued, found)
    pdf = stored[issued.pdf.kind]
    if pdf is not None and "cii" in issued.files:
        inside = _embedded(pdf)
        found.compare(
            "the XML inside is the one recorded",
            same=issued.files["cii"].sha256 in inside,
            otherwise="the XML inside the PDF is not the one that was recorded",
        )
    moved = _moved(
        issued.pdf.made_with, rendering.versions(issued.look or PLAIN), known=issued.look is not None
    )
    same = None
    if not moved and issued.look is not None:
        made = rendering.render(issued.document, issued.look)
        new = {issued.pdf.kind: made.pdf}
        if made.einvoice is not None:
            new |= {"cii": made.einvoice.cii, "ubl": made.einvoice.ubl}
        wrong = [kind for kind, row in issued.files.items() if _sha256(new.get(kind, b"")) != row.sha256]
        found.differences += [f"rendered again, {_called(kind)} has other bytes" for kind in wrong]
        same = not wrong
    number = issued.document.number
    differences = tuple(found.differences)
    return Proof(
        number, issued.pdf.sha256, issued.pdf.made_at, moved, same, tuple(found.checked), differences
    )


def _compare_with_trail(issued: _Issued, found: _Findings) -> None:
    """Every file the trail speaks of is in the ledger, and the same."""
    if issued.audited is None:
        found.differences.append("no event says which document was rendered")
        return
    for kind in dict.fromkeys((issued.pdf.kind, *issued.files, *_BESIDE)):
        said = issued.audited.get("sha256" if kind == issued.pdf.kind else kind)
        row = issued.files.get(kind)
        if said is not None and row is None:
            found.differences.append(f"{_called(kind)} is not in the ledger any more; {said} was made")
        elif said is not None and row is not None:
            found.compare(
                f"{_called(kind)} is the one of the audit trail",
                same=said == row.sha256,
                otherwise=f"the audit trail says {said} was made, the ledger holds {row.sha256} ({_called(kind)})",
            )
    said = issued.audited.get("made_from")
    if said is not None and said != digest_of_facts(issued.pdf.made_from):
        found.differences.append("what the document was made from was changed since")


def issued_document(
    tx: Session, row: InvoiceRow, made_from: Mapping[str, object] | None = None
) -> InvoiceDocument:
    """The invoice as it was rendered; `made_from` is what was recorded with it besides the draft."""
    if not (row.number and row.issue_date and row.due_date and row.issued_at):
        raise WrongState(f"{row.billing_key} has no number, so it has no document")
    facts: dict[str, object] = {
        "number": row.number,
        "issue_date": row.issue_date,
        "due_date": row.due_date,
        "issued_at": row.issued_at,
        "payment_reference": payment_reference(row.number),
        "instalments": instalments.issued(tx, row),
    }
    return InvoiceDocument.model_validate({**facts, **(made_from or {}), "draft": invoices.draft_of(row)})


def _issued(tx: Session, reference: str) -> _Issued:
    row = invoices.find(tx, reference)
    name = row.name
    if row.document is None:
        raise WrongState(f"{name} has no document here, so there is nothing to verify")
    pdf = tx.get_one(DocumentRow, row.document)
    if pdf.erased_at is not None:
        raise WrongState(_erased(name, pdf))
    beside = select(DocumentRow).where(
        DocumentRow.invoice == row.id,
        DocumentRow.made_at == pdf.made_at,
        DocumentRow.kind.not_in(issued_files.CREDIT_NOTE_KINDS),
    )
    files = {pdf.kind: pdf, **{each.kind: each for each in tx.scalars(beside) if each.kind != pdf.kind}}
    facts = {each.event: each.facts for each in audit_trail.trail(tx, row.id)}
    return _Issued(
        document=issued_document(tx, row, pdf.made_from),
        pdf=pdf,
        files=files,
        audited=facts.get("rendered"),
        look=_look(tx, str(pdf.made_with.get(LOOK, ""))),
        disagreeing=(*_disagreeing(row, pdf), *_broken(tx, row, facts.get("issued", {}))),
    )


def _issued_credit(tx: Session, note: CreditNoteRow) -> _Issued:
    """The same of a credit note: its events stand in the trail of the invoice it corrects."""
    row = tx.get_one(InvoiceRow, note.invoice)
    if note.document is None:
        raise WrongState(f"{note.number} has no document yet, so there is nothing to verify")
    pdf = tx.get_one(DocumentRow, note.document)
    if pdf.erased_at is not None:
        raise WrongState(_erased(note.number, pdf))
    own = {issued_files.CREDIT_NOTE_CII: "cii", issued_files.CREDIT_NOTE_UBL: "ubl"}
    files = {own.get(kind, kind): each for kind, each in issued_files.files_of(tx, note).items()}
    facts = {
        each.event: each.facts
        for each in audit_trail.trail(tx, row.id)
        if each.facts.get("number") == note.number
    }
    broken = [f"audit trail, event {each.position}: {each.reason}" for each in audit_trail.verify(tx, row.id)]
    if digest_of(note.draft) != facts.get("credited", {}).get("draft_digest"):
        broken.append("the stored draft is not the one that was issued")
    made_from = InvoiceDocument.model_validate(
        {**credit_notes.document_of(note).model_dump(), **(pdf.made_from or {}), "draft": note.draft}
    )
    return _Issued(
        document=made_from,
        pdf=pdf,
        files=files,
        audited=facts.get("credit note rendered"),
        look=_look(tx, str(pdf.made_with.get(LOOK, ""))),
        disagreeing=tuple(broken),
    )


def _erased(name: str, pdf: DocumentRow) -> str:
    return (
        f"the document of {name} was erased on {pdf.erased_at:%Y-%m-%d}, its retention over; "
        f"its SHA-256 was {pdf.sha256}"
    )


def _disagreeing(row: InvoiceRow, pdf: DocumentRow) -> Iterator[str]:
    """What the ledger says now, and the document was not made from."""
    made_from = pdf.made_from or {}
    for fact, stands in (("number", row.number), ("issue_date", row.issue_date), ("due_date", row.due_date)):
        if fact in made_from and str(stands) != made_from[fact]:
            name = fact.replace("_", " ")
            yield f"the ledger says {name} {stands}, but the document was made with {made_from[fact]}"


def _broken(tx: Session, row: InvoiceRow, issued: Mapping[str, object]) -> Iterator[str]:
    """Where the trail does not hold, and a draft that is not the one it says was issued."""
    for each in audit_trail.verify(tx, row.id):
        yield f"audit trail, event {each.position}: {each.reason}"
    if digest_of(row.draft or {}) != issued.get("draft_digest"):
        yield "the stored draft is not the one that was issued"


def _look(tx: Session, recorded: str) -> LookFiles | None:
    """The look by its digest, of which documents once recorded 16 figures; None if it was never recorded, or is not
    here any more."""
    if not recorded:
        return None
    if PLAIN.digest.startswith(recorded):
        return PLAIN
    digests = tx.scalars(select(LookRow.digest).where(LookRow.digest.startswith(recorded)).limit(2)).all()
    return looks.by_digest(tx, digests[0]) if len(digests) == 1 else None


def _stored(documents: DocumentStore, kind: str, row: DocumentRow, found: _Findings) -> bytes | None:
    try:
        data = documents.get(row.sha256)
    except (DocumentMissing, DocumentDamaged) as error:
        found.differences.append(str(error))
        return None
    found.checked.append(f"{_called(kind)} has its SHA-256")
    return data


def _embedded(pdf: bytes) -> set[str]:
    """The SHA-256 of every file inside; none of what is no PDF."""
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            return {_sha256(each.get_file().read_bytes()) for each in opened.attachments.values()}
    except pikepdf.PdfError:
        return set()


def _moved(then: Mapping[str, object], now: Mapping[str, str], *, known: bool) -> tuple[Moved, ...]:
    names = sorted({*then, *now} - {LOOK})
    moved = [Moved(each, str(then.get(each, "")), now.get(each, "")) for each in names]
    moved = [each for each in moved if each.then != each.now]
    if not known:
        recorded = str(then.get(LOOK, ""))
        moved.append(Moved(LOOK, recorded[:_SHOWN], ""))
    return tuple(moved)


def _called(kind: str) -> str:
    return {"cii": "the CII", "ubl": "the UBL"}.get(kind, "the PDF")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
