"""Why something was billed: what made it due, when, who asked, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from activities.ledger import company_records, taken, triggers, why_not
from activities.ledger.agreement_models import Why
from activities.ledger.agreement_views import invoices_of
from activities.ledger.summaries import exact
from activities.ledger.tables import (
    AuditEventRow,
    BillingRunItemRow,
    BillingRunRow,
    EventRow,
    ExceptionRow,
    InvoiceRow,
    MeterCrossingRow,
)
from billing.company import Company
from billing.errors import NotFound
from billing.exceptions import Finding
from billing.outlook import outlook
from billing.status import DocumentStatus


def explain(tx: Session, reference: str, as_of: datetime) -> list[Why]:
    """Why what the reference names was billed or not; of an agreement, everything billed, due, and next to come.

    It is an invoice's number or billing key, a billing key nothing was billed under, or an agreement's id.
    `NotFound` if nothing has that name.
    """
    wanted = reference.strip().removeprefix("invoice/")
    company = company_records.current(tx).company
    named = tx.scalars(
        select(InvoiceRow)
        .where(or_(InvoiceRow.number == wanted, InvoiceRow.billing_key == wanted))
        .order_by(InvoiceRow.generation)
    ).all()
    teller = _Teller(tx, company, as_of)
    if named:
        return [teller.invoice(named)]
    agreement = company.agreement(wanted)
    if agreement is not None:
        today = triggers.company_today(company, agreement, as_of)
        calendar = triggers.calendar_of_agreement(company, agreement, today)
        coming = outlook(agreement, today, calendar, taken.of_agreement(tx, wanted), 1)
        again = {each.occasion.billing_key for each in coming}
        ours = [each for each in _generations(invoices_of(tx, wanted)) if each[0].billing_key not in again]
        return [teller.invoice(each) for each in ours] + [
            why_not.explain(tx, company, agreement, each, as_of) for each in coming
        ]
    before = invoices_of(tx, wanted)
    if before:
        return [teller.invoice(each) for each in _generations(before)]
    key, _, rest = wanted.partition("/")
    agreement = company.agreement(key)
    if agreement is not None and rest:
        return [why_not.explain_key(tx, company, agreement, rest, as_of)]
    ids = [each.id for each in company.agreements]
    near = get_close_matches(key, ids, n=3)
    hint = (
        f"; similar: {', '.join(near)}"
        if near
        else "; `billow agreements` and `billow invoices` list what there is"
    )
    raise NotFound(f"no agreement, invoice or billing key is called {wanted[:80]!r}{hint}")


def _generations(rows: Sequence[InvoiceRow]) -> list[list[InvoiceRow]]:
    """The invoices by billing key, each key's generations oldest first."""
    by_key: dict[str, list[InvoiceRow]] = {}
    for row in sorted(rows, key=lambda each: each.generation):
        by_key.setdefault(row.billing_key, []).append(row)
    order = {row.billing_key: position for position, row in enumerate(rows)}
    return sorted(by_key.values(), key=lambda each: order[each[0].billing_key])


@dataclass(frozen=True)
class _Teller:
    """Answers about invoices there are."""

    tx: Session
    company: Company
    as_of: datetime

    def invoice(self, generations: Sequence[InvoiceRow]) -> Why:
        row = generations[-1]
        reasons = [
            line for earlier in generations[:-1] for line in (self._triggered(earlier), self._voided(earlier))
        ]
        reasons.append(self._triggered(row))
        commands = [f"billow show {row.name}"]
        net = f", {row.currency} {exact(row.net, row.currency):,} net" if row.net is not None else ""
        if row.document_status == DocumentStatus.VOIDED:
            reasons.append(self._voided(row))
            answer = (
                "Not billed: its draft was voided, to be billed again."
                if row.rebill
                else "Not billed: waived."
            )
            agreement, _, item = row.billing_key.partition("/")
            if row.rebill and row.agreement == agreement and "/" not in item:
                # no billing run finds it again: an event or a person had asked for it
                commands.append(f"billow trigger --agreement {agreement} --item {item} --as WHO")
            return self._why(row, answer, reasons, commands)
        if row.number is None:
            reasons += self._waits(row)
            return self._why(
                row, f"Asked for, and not issued yet: {row.document_status}{net}.", reasons, commands
            )
        answer = f"Billed: {row.number} of {row.issue_date}{net}."
        return Why(
            billing_key=row.billing_key,
            billed=True,
            answer=answer,
            reasons=tuple(reasons),
            commands=tuple(commands),
        )

    def _why(self, row: InvoiceRow, answer: str, reasons: list[str], commands: list[str]) -> Why:
        return Why(
            billing_key=row.billing_key,
            billed=False,
            answer=answer,
            reasons=tuple(reasons),
            commands=tuple(commands),
        )

    def _triggered(self, row: InvoiceRow) -> str:
        """What made it due, when, and who asked."""
        at, by = self._moment(row, row.requested_at), row.requested_by
        key, reason = row.billing_key, str(row.request.get("reason") or "")
        if row.trigger.startswith("event "):
            event = self.tx.scalars(
                select(EventRow)
                .where(EventRow.billing_keys.contains([key]))
                .order_by(EventRow.received_at)
                .limit(1)
            ).first()
            told = (
                f"{event.event} of {event.source}, which came by {event.channel or 'file'},"
                if event
                else f"of {by}"
            )
            return f"{row.trigger.capitalize()} {told} made it due on {at}."
        if row.trigger == "threshold":
            crossing = self.tx.scalars(
                select(MeterCrossingRow).where(MeterCrossingRow.billing_key == key).limit(1)
            ).first()
            entry = (
                f"; the entry that did it: {crossing.entry} of {crossing.source}"
                if crossing and crossing.entry
                else ""
            )
            return f"A meter reached its line on {at}: {reason or row.item}{entry}."
        if row.trigger == "manual":
            return f"{self.company.person_name(by)} asked for it on {at}" + (
                f": {reason}." if reason else "."
            )
        return self._by_calendar(row, at, by)

    def _by_calendar(self, row: InvoiceRow, at: str, by: str) -> str:
        found = self.tx.execute(
            select(BillingRunItemRow, BillingRunRow.requested_by)
            .join(BillingRunRow, BillingRunRow.run == BillingRunItemRow.run)
            .where(BillingRunItemRow.billing_key == row.billing_key, BillingRunItemRow.outcome == "triggered")
            .order_by(BillingRunRow.as_of.desc())
            .limit(1)
        ).first()
        if found is None:
            return f"The calendar made it due; {by} asked for it on {at}."
        item, asked_by = found
        who = f", which {self.company.person_name(asked_by)} started," if asked_by else ""
        late = ", late: it was caught up" if item.because else ""
        return f"By the calendar due since {item.due_since}; billing run {item.run}{who} asked for it on {at}{late}."

    def _voided(self, row: InvoiceRow) -> str:
        event = self.tx.scalars(
            select(AuditEventRow)
            .where(AuditEventRow.invoice == row.id, AuditEventRow.event.in_(["voided", "rejected"]))
            .order_by(AuditEventRow.position.desc())
            .limit(1)
        ).first()
        then = "it can be billed again" if row.rebill else "waived: it is not billed any more"
        if event is None:
            return f"The draft was voided; {then}."
        why = event.facts.get("reason") or event.facts.get("comment") or "no reason given"
        who, at = self.company.person_name(event.actor), self._moment(row, event.at)
        return f"{who} voided the draft on {at} ({why}); {then}."

    def _waits(self, row: InvoiceRow) -> list[str]:
        """What keeps the draft from being issued."""
        held = self.tx.scalars(
            select(ExceptionRow)
            .where(ExceptionRow.invoice == row.id, ExceptionRow.resolved_at.is_(None))
            .order_by(ExceptionRow.id)
        ).all()
        if not held:
            return [f"It waits for {row.waits_for}."] if row.waits_for else ["A worker takes the next step."]
        return [
            f"Held, to be decided by {self.company.person_name(each.owner)} until {self._moment(row, each.deadline)}: "
            f"{Finding.model_validate(each.finding).message}."
            for each in held
        ]

    def _moment(self, row: InvoiceRow, at: datetime) -> str:
        issuer = self.company.issuer(row.issuer or "")
        return f"{at.astimezone(ZoneInfo(issuer.zone if issuer else 'UTC')):%Y-%m-%d %H:%M %Z}"
