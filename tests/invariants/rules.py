"""The rules that must never break, as questions to ledger and mailbox; an AssertionError names what broke."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.documents.store import DocumentStore
from activities.invoicing import standing
from activities.invoicing.calendars import calendar_of
from activities.ledger import approvals, audit_trail, exceptions, invoices
from activities.ledger.number_audit import NumberAudit, audit_numbers
from activities.ledger.resending import COPY
from activities.ledger.tables import (
    AuditEventRow,
    BilledItemRow,
    CollectionActRow,
    InvoiceRow,
    MessageRow,
    PaymentRow,
)
from billing.approval_policy import Circumstances
from billing.dunning_policy import DunningPolicy
from billing.money import Money
from billing.status import ISSUED, DocumentStatus
from tests.invariants.world import Mail, World
from workflows.messages import Plan

PAYLOAD = 16 * 1024

Trails = Mapping[int, Sequence[AuditEventRow]]
"""The audit events of each invoice, oldest first."""


@dataclass
class Memory:
    """What was seen before: an issued invoice must look the same for ever."""

    issued: dict[int, dict[str, Any]] = field(default_factory=dict)
    verified: dict[int, str] = field(default_factory=dict)
    """The head of each audit trail that was found whole."""


def one_living_invoice(tx: Session, rows: Sequence[InvoiceRow]) -> None:
    """1. One billing key, one living invoice; what an issued invoice bills stands on no other living one."""
    living = Counter(
        row.billing_key for row in rows if not (row.document_status == DocumentStatus.VOIDED and row.rebill)
    )
    assert all(times == 1 for times in living.values()), living
    holders = {(each.source, each.item): each.invoice for each in tx.scalars(select(BilledItemRow))}
    for row in rows:
        if row.number is None or row.draft is None:
            continue
        for line in row.draft["lines"]:
            for ref in line["sources"]:
                holder = holders.get((ref["source"], ref["id"]))
                assert holder == row.id, f"{ref} stands on {row.number} and belongs to invoice {holder}"


def numbers(found: NumberAudit, rows: Sequence[InvoiceRow]) -> None:
    """2. Numbers are gapless, unique, in order of date; draft, issue date and due date come with them, never before."""
    assert not found.problems, found.problems
    for row in rows:
        given = (row.number, row.issue_date, row.issued_at, row.due_date, row.late_from)
        if row.document_status in ISSUED:
            assert None not in given and row.draft is not None, (row.billing_key, given)
        else:
            assert given == (None,) * 5 and row.document is None, (row.billing_key, given)


def issued_is_immutable(rows: Sequence[InvoiceRow], documents: DocumentStore, memory: Memory) -> None:
    """3. What was issued never changes, nor its document once there is one."""
    for row in rows:
        before = memory.issued.get(row.id)
        if row.number is None:
            assert before is None, f"{before} has lost its number"
            continue
        names = (
            "number",
            "issue_date",
            "issued_at",
            "due_date",
            "draft",
            "draft_digest",
            "net",
            "tax",
            "gross",
        )
        now = {
            name: getattr(row, name) for name in (*names, "currency", "title", "client", "issuer", "document")
        }
        if before is not None:
            if before["document"] is None:
                before["document"] = now["document"]
            changed = {name: (before[name], now[name]) for name in now if before[name] != now[name]}
            assert not changed, (row.number, changed)
        if row.document is not None:
            assert hashlib.sha256(documents.get(row.document)).hexdigest() == row.document
        memory.issued[row.id] = now


def trails_of(tx: Session) -> Trails:
    """All audit events there are."""
    found: dict[int, list[AuditEventRow]] = {}
    for event in tx.scalars(select(AuditEventRow).order_by(AuditEventRow.invoice, AuditEventRow.position)):
        found.setdefault(event.invoice, []).append(event)
    return found


def everything_is_recorded(tx: Session, rows: Sequence[InvoiceRow], trails: Trails, memory: Memory) -> None:
    """4. What the audit trail tells, replayed, is what the ledger shows; the trails are whole."""
    acts: dict[int, set[str]] = {}
    for act in tx.scalars(select(CollectionActRow)):
        acts.setdefault(act.invoice, set()).add(act.act)
    paid: dict[int, Decimal] = {}
    for payment in tx.scalars(select(PaymentRow)):
        paid[payment.invoice] = paid.get(payment.invoice, Decimal(0)) + payment.amount
    for row in rows:
        if memory.verified.get(row.id) != row.audit_hash:
            assert audit_trail.verify(tx, row.id) == []
            memory.verified[row.id] = row.audit_hash
        told = _replayed(trails[row.id])
        shown = {
            "number": row.number,
            "document": row.document,
            "document_status": row.document_status,
            "paid": paid.get(row.id, Decimal(0)),
            "delivered": row.delivered_at is not None,
            "acts": acts.get(row.id, set()),
            "handed over": row.handed_over_at is not None,
            "disputed": row.disputed is not None,
            "digest": row.draft_digest,
        }
        assert told == shown, (
            row.billing_key,
            {key: (told[key], shown[key]) for key in told if told[key] != shown[key]},
        )
        assert row.paid == shown["paid"]
        owed = row.open_amount
        expected = (
            "unpaid" if not row.paid else "partly paid" if owed > 0 else "paid" if owed == 0 else "overpaid"
        )
        assert row.payment_status == expected, (row.billing_key, row.payment_status, row.paid)


def _replayed(trail: Iterable[AuditEventRow]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": None, "document": None, "document_status": DocumentStatus.DRAFT, "paid": Decimal(0),
        "delivered": False, "acts": set(), "handed over": False, "disputed": False, "digest": None,
    }  # fmt: skip
    for event in trail:
        facts, name = event.facts, event.event
        what = facts["code"] if name == "exception raised" else name
        told["document_status"] = _STATUS_AFTER.get(what, told["document_status"])
        match name:
            case "assembled":
                told["digest"] = facts["draft_digest"]
            case "issued":
                told |= {"number": facts["number"], "digest": facts["draft_digest"]}
            case "rendered":
                told["document"] = facts["sha256"]
            case "payment received" | "payment taken back":
                told["paid"] += Decimal(facts["amount"])
            case "sent" if facts["message"] == "invoice":
                told["delivered"] = True
            case "disputed" | "dispute ended":
                told["disputed"] = name == "disputed"
            case _ if _is_act(name):
                assert name not in told["acts"], f"{name} twice"
                told["acts"] = {*told["acts"], name}
                told["handed over"] = told["handed over"] or name == "hand-over"
    return told


_STATUS_AFTER = {
    "fetch again": DocumentStatus.DRAFT,
    "no-approver": DocumentStatus.DRAFT,
    "approval asked": DocumentStatus.AWAITING_APPROVAL,
    "approval goes on": DocumentStatus.AWAITING_APPROVAL,
    "issued": DocumentStatus.DOCUMENT_PENDING,
    "rendered": DocumentStatus.ISSUED,
    "voided": DocumentStatus.VOIDED,
}


def one_message_id(tx: Session, taken: Sequence[Mail]) -> None:
    """4. A message has one Message-ID, however often it is repeated: before a client hears of an invoice under another
    one, what was said under the last is done and noted."""
    messages = {each.message_id: each for each in tx.scalars(select(MessageRow))}
    acts = select(InvoiceRow.number, CollectionActRow.message).join(
        CollectionActRow, CollectionActRow.invoice == InvoiceRow.id
    )
    noted = {(number, key) for number, key in tx.execute(acts)}
    heard: dict[tuple[str, str], list[str]] = {}
    for mail in taken:
        message = messages.get(mail.message_id)
        assert message is not None, f"{mail.message_id} went out, and nobody wrote it down before"
        if message.audience == "client" and message.event != COPY:
            about = "reminder" if message.event.startswith("reminder") else message.event
            for number in mail.numbers:
                heard.setdefault((number, about), []).append(mail.message_id)
    for (number, about), ids in heard.items():
        before = [each for each in ids if each != ids[-1]]
        assert not before or about == "reminder", f"{number}: {about} went out under {set(ids)}"
        for each in before:
            assert (number, messages[each].key) in noted, (
                f"{number}: {each} went out, then {ids[-1]} for the same"
            )


def looked_before_speaking(tx: Session, mail: Mail) -> None:
    """5. When a reminder reaches the mail server, everything in it is open, undisputed, not held, not promised, and
    6. it is a decent hour of a business day at the client's."""
    message = tx.scalars(select(MessageRow).where(MessageRow.message_id == mail.message_id)).one()
    if not message.event.startswith(("reminder", "courtesy")):
        return
    assert mail.numbers, mail.text
    for number in mail.numbers:
        row = invoices.find(tx, number)
        company = standing.pinned(tx, row)
        client = company.client(row.client)
        assert client is not None
        policy = company.dunning_policy(client.dunning) or DunningPolicy(id="none")
        today = mail.at.astimezone(ZoneInfo(client.zone)).date()
        calendar = calendar_of(client, policy, today)
        said = f"{message.event} for {number} at {mail.at}"
        assert row.open_amount > 0, f"{said}: paid"
        assert not row.disputed, f"{said}: disputed"
        assert row.held_until is None or row.held_until <= mail.at, f"{said}: held until {row.held_until}"
        assert row.promised_for is None or row.promised_for < today, (
            f"{said}: promised for {row.promised_for}"
        )
        assert row.handed_over_at is None and row.closed_at is None, f"{said}: closed"
        assert calendar.is_decent(mail.at), f"{said}: not a decent hour"
        if message.event.startswith("reminder"):
            assert row.late_from is not None and row.late_from <= mail.at, f"{said}: not late"


def levels_in_order(tx: Session, rows: Sequence[InvoiceRow], trails: Trails) -> None:
    """6. Levels in order, none skipped, none doubled, never two within the gap."""
    for row in rows:
        trail = trails[row.id]
        done = [(each.event, each.at) for each in trail if _is_act(each.event)]
        levels = [event for event, _ in done if event.startswith("reminder")]
        assert levels == [f"reminder-{level}" for level in range(1, len(levels) + 1)], (row.number, levels)
        order = ["courtesy-note", *levels, "escalation", "hand-over"]
        assert [event for event, _ in done] == [each for each in order if each in dict(done)], (
            row.number,
            done,
        )
        if not done:
            continue
        company = standing.pinned(tx, row)
        client = company.client(row.client)
        policy = company.dunning_policy(client.dunning) if client else None
        assert policy is not None
        planned = len(policy.levels)
        if {"escalation", "hand-over"} & dict(done).keys():
            assert len(levels) == planned, (row.number, done)
        for (_, before), (event, after) in pairwise(done):
            assert after - before >= policy.gap.length, (row.number, event, before, after)


def _is_act(event: str) -> bool:
    return event in ("escalation", "hand-over", "courtesy-note") or event.startswith("reminder-")


def unknown_means_stop(rows: Sequence[InvoiceRow], trails: Trails) -> None:
    """7. No number is given while an exception is open."""
    for row in rows:
        held: set[int] = set()
        for event in trails[row.id]:
            if event.event == "exception raised":
                held.add(event.facts["exception"])
            elif event.event in ("exception repaired", "exception: accept"):
                held.discard(event.facts["exception"])
            elif event.event == "voided":
                held.clear()
            elif event.event == "issued":
                assert not held, f"{row.number} was issued while exceptions {held} were open"


def every_wait_ends(tx: Session, rows: Sequence[InvoiceRow], at: datetime) -> None:
    """8. What is not ended has a next step, at once or at an instant; where a person must act, one is named and is told
    again in time. What has ended leaves nobody waiting."""
    newest = {row.billing_key: row for row in rows}
    for row in newest.values():
        plan = standing.plan(tx, row, standing.pinned(tx, row), at)
        waiting = invoices.open_exceptions(tx, row)
        ended = row.document_status == DocumentStatus.VOIDED or row.closed_at is not None
        if plan.step is None:
            assert ended, f"{row.billing_key} is given up: {plan.state}"
            assert not waiting, (
                f"{row.billing_key} has ended with {[each.code for each in waiting]} undecided"
            )
            continue
        if plan.at is None:
            continue
        assert plan.waits_for, (row.billing_key, plan)
        if plan.state in ("exception", "awaiting approval", "disputed"):
            assert plan.owner, (row.billing_key, plan)
        told_again = [exceptions.attention_at(each) for each in waiting]
        question = approvals.waiting(tx, row)
        if question is not None and row.document_status == DocumentStatus.AWAITING_APPROVAL:
            told_again.append(approvals.attention_at(question))
        assert all(plan.at <= instant for instant in told_again), (row.billing_key, plan, told_again)


def people_are_told(tx: Session, rows: Sequence[InvoiceRow], trails: Trails) -> None:
    """8. Whoever is asked, reminded or escalated to is written to, each time."""
    told: dict[tuple[int, datetime], set[str]] = {}
    notices: Counter[tuple[int, datetime, str]] = Counter()
    for message in tx.scalars(select(MessageRow).where(MessageRow.audience == "staff")):
        if message.invoice is not None:
            told.setdefault((message.invoice, message.prepared_at), set()).add(message.facts["person"])
            notices[message.invoice, message.prepared_at, message.event] += 1
    for row in rows:
        trail = trails[row.id]
        for event in trail:
            heard = told.get((row.id, event.at), set())
            said = f"{row.billing_key}: {event.event} at {event.at}, and only {heard or 'nobody'} is told"
            if event.event == "approval asked":
                assert set(event.facts["asked"]) <= heard, said
            elif event.event in ("exception raised", "exception escalated", "exception reminded"):
                assert notices[row.id, event.at, "exception"], said
            elif event.event in ("approval reminded", "approval escalated"):
                assert set(event.facts["asked"]) <= heard | _agreed(trail[: event.position]), said
            elif event.event == "dispute brought up again":
                assert heard, said
            elif event.event in ("escalation", "hand-over"):
                assert notices[row.id, event.at, event.event], said


def _agreed(trail: Sequence[AuditEventRow]) -> set[str]:
    """Who has said yes already, and is left in peace."""
    return {event.actor for event in trail if event.event == "approved"}


def history_is_small(plans: Iterable[Plan]) -> None:
    """9. What goes into history is small."""
    for plan in plans:
        assert len(plan.model_dump_json().encode()) < PAYLOAD, plan


def approved_by_others(tx: Session, rows: Sequence[InvoiceRow], trails: Trails, memory: Memory) -> None:
    """10. Issued is only what every tier required has agreed to, by enough people, on this very draft, and by nobody
    who took part in it."""
    for row in rows:
        if row.number is None or row.id in memory.issued:
            continue
        draft = invoices.draft_of(row)
        circumstances = Circumstances(
            discount=draft.discount,
            non_standard_terms=draft.non_standard_terms,
            client=row.client,
            trigger=row.trigger.split(" ")[0],
        )
        company = standing.pinned(tx, row)
        trail = trails[row.id]
        for tier in company.approvals.required(Money.of(draft.gross, draft.currency), circumstances):
            agreed: set[str] = set()
            for event in trail:
                about = (event.facts.get("tier"), event.facts.get("draft_digest"))
                if event.event == "approval asked" and about == (tier.id, row.draft_digest):
                    agreed = set()
                elif event.event == "approved" and about == (tier.id, row.draft_digest):
                    agreed.add(event.actor)
            said = f"{row.number}, tier {tier.id}: approved by {agreed}, took part: {row.took_part}"
            assert len(agreed) >= tier.quorum, said
            assert not agreed & set(row.took_part), said


def check(world: World, memory: Memory) -> None:
    """All rules, on the ledger as it is now; leaves no trace in it."""
    with world.ledger.transaction() as tx:
        found = audit_numbers(tx)
        rows, trails = tx.scalars(select(InvoiceRow).order_by(InvoiceRow.id)).all(), trails_of(tx)
        one_living_invoice(tx, rows)
        numbers(found, rows)
        approved_by_others(tx, rows, trails, memory)
        issued_is_immutable(rows, world.effects.documents, memory)
        everything_is_recorded(tx, rows, trails, memory)
        one_message_id(tx, world.post.taken)
        levels_in_order(tx, rows, trails)
        unknown_means_stop(rows, trails)
        people_are_told(tx, rows, trails)
        every_wait_ends(tx, rows, world.now)
        tx.rollback()


def look_at(world: World, mail: Mail) -> None:
    """What the rules say about a message in the instant in which the mail server has it."""
    with world.ledger.transaction() as tx:
        looked_before_speaking(tx, mail)
        tx.rollback()
