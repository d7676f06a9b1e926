"""A small company with a clock of its own: real ledger, real steps; mail server and renderer fail when told to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from activities.delivery.smtp import Handover, MailDeferred, MailRefused
from activities.documents.errors import RenderingFailed
from activities.documents.look import LookFiles
from activities.documents.rendering import Rendered
from activities.documents.store import FolderStore
from activities.invoicing import billing_runs, copies, staff_mail, standing
from activities.invoicing.effects import Effects
from activities.invoicing.steps import DocumentSteps, LedgerSteps
from activities.ledger import company_records, events, invoices, notices, outbox, triggers
from activities.ledger.database import Ledger
from activities.ledger.tables import InvoiceRow, MessageRow, OutboxRow, Table
from billing.document import InvoiceDocument
from billing.einvoice.breach import Breach
from billing.errors import BillowError
from billing.one_off import OneOff
from tests.company import TestCompany, client, crm_client, retainer
from workflows.messages import Failure, HeardClaim, Plan, Step, StepInput

BEGINNING = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)
"""A Thursday. Ahead lie a change of clocks, Easter, and the first of May."""

NUMBER = re.compile(r"\bB20\d\d-\d{5}\b")


class Crash(Exception):
    """The process dies here."""


@dataclass
class Mail:
    """A message the mail server took, and the instant of the step that sent it."""

    message_id: str
    to: str
    text: str
    at: datetime

    @property
    def numbers(self) -> set[str]:
        """The invoices it speaks of."""
        return set(NUMBER.findall(self.text))


@dataclass
class Post:
    """A mail server in the process. `next` says how it treats messages to clients: deferred, refused, lost before
    it took them, or taken and then the process dies. `between` happens once, after a message was prepared and before
    the last look."""

    at: datetime = BEGINNING
    taken: list[Mail] = field(default_factory=list)
    next: list[str] = field(default_factory=list)
    look: Callable[[Mail], None] = lambda _: None
    between: Callable[[], None] | None = None

    def send(
        self,
        message: EmailMessage,
        last_look: Callable[[], EmailMessage] | None = None,
        returns: object = None,
    ) -> Handover:
        to = str(message["To"])
        fate = self.next.pop(0) if self.next and "client.example" in to else "taken"
        if fate == "deferred":
            raise MailDeferred("the mail server answers 451 later; it may take the message later")
        if fate == "refused":
            raise MailRefused(550, "no such mailbox", to)
        if fate == "crash before":
            raise Crash(fate)
        if last_look is not None:
            then, self.between = self.between, None
            if then is not None:
                then()
            message = last_look()
        body = message.get_body(("plain",))
        mail = Mail(str(message["Message-ID"]), to, body.get_content() if body else "", self.at)
        self.look(mail)
        self.taken.append(mail)
        if fate == "crash after":
            raise Crash(fate)
        if fate == "deferred after":
            raise MailDeferred(
                "the mail server did not answer within 20 s; whether it took the message is open"
            )
        return Handover(reply="250 taken")


def company_in(folder: Path) -> TestCompany:
    """Retainers below and above the limit, work shared by two agreements, milestones; three clients, one abroad."""
    company = TestCompany(folder)
    start = date(2026, 3, 1)
    company.clients = [
        client("acme", "C-1"),
        client("lyon", "C-2", zone="Europe/Paris", calendar="FR", dunning="together", terms={"net_days": 7}),
        client("boise", "C-3", zone="America/Boise", calendar="US-ID", dunning="courteous"),
    ]
    address = {"street": "1 rue", "postcode": "69001", "city": "Lyon", "country": "FR"}
    company.crm = [
        crm_client("C-1", "Acme GmbH"),
        crm_client("C-2", "Lyon SARL", address=address, vat_id="FR40303265045"),
        crm_client("C-3", "Boise Inc", address={**address, "city": "Boise", "country": "US"}, vat_id=""),
    ]
    company.agreements = [
        retainer("acme-care", "acme", "1000.00", start=start),
        retainer("acme-large", "acme", "9200.00", start=start, deal="D-1", contract="K-1"),
        retainer("lyon-one", "lyon", "300.00", start=start),
        retainer("lyon-two", "lyon", "400.00", start=start),
        retainer("boise-care", "boise", "500.00", start=start),
        *(_by_time(f"acme-{name}") for name in ("hours", "support")),
        {
            **retainer("acme-build", "acme", "0", start=start, model="milestone", project="P-2"),
            "milestones": [
                {"id": "plan", "title": "Plan", "amount": "2000.00"},
                {"id": "done", "title": "Done", "amount": "7000.00"},
            ],
        },
    ]
    for each in company.agreements[-1:]:
        del each["amount"], each["every"]
    company.deals = [{"id": "D-1", "client": "C-1", "value": "9200.00", "currency": "EUR"}]
    company.contracts = [{**company.deals[0], "id": "K-1", "signed_on": "2026-01-05"}]
    company.projects = [
        {"id": "P-1", "name": "Operation", "client": "C-1"},
        {
            "id": "P-2",
            "name": "Build",
            "client": "C-1",
            "milestones": [{"id": "plan", "signed_off": "2026-03-02"}, {"id": "done"}],
        },
    ]
    company.time += "t1,P-1,Ada,dev,2026-02-10,4,yes,yes,\nt2,P-1,Ada,dev,2026-02-11,3.5,yes,yes,\n"
    company.tiers = TIERS["usual"]
    company.dunning = [
        *({**each} for each in company.dunning),
        {"id": "together", "levels": [{"days": 3}, {"days": 6}], "consolidate": True},
    ]
    company.dunning[-1]["hand_over_after_due"] = {"days": 20}
    return company


def _by_time(key: str) -> dict[str, Any]:
    record = retainer(key, "acme", "0", model="time and materials", project="P-1", start=date(2026, 2, 1))
    del record["amount"]
    return {**record, "rates": {"dev": "100.00"}}


_LARGE = {"id": "large", "above": {"EUR": "1500"}, "approvers": ["noor", "otto"]}
_BOARD = {"id": "board", "above": {"EUR": "8000"}, "approvers": ["mara", "otto"], "needed": "all"}
TIERS: Mapping[str, list[dict[str, Any]]] = {
    "usual": [_LARGE, {**_BOARD, "channels": ["web"]}],
    "none": [],
    "strict": [{**_LARGE, "above": {"EUR": "200"}}, {**_BOARD, "channels": ["web", "signal"], "needed": 1}],
}


@dataclass
class Rendering:
    """A renderer in the process that is cheap, and fails as often as it is told to. `breaches` is what it finds in
    every document; `meanwhile` happens once, while it validates."""

    fails: int = 0
    processes: int = 1
    breaches: tuple[Breach, ...] = ()
    validated: list[InvoiceDocument] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None

    def render(self, document: InvoiceDocument, look: LookFiles) -> Rendered:
        if self.fails:
            self.fails -= 1
            raise RenderingFailed("the template asks for a font that is not there")
        return Rendered(hashlib.sha256(document.model_dump_json().encode()).digest(), None, {})

    def validate(self, document: InvoiceDocument, look: LookFiles) -> tuple[Breach, ...]:
        self.validated.append(document)
        then, self.meanwhile = self.meanwhile, None
        if then is not None:
            then()
        return self.breaches


class World:
    """What happens to one ledger. Every act is at `now`; nothing moves the clock but `pass_time`."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger, self.now = ledger, BEGINNING
        self.post = Post()
        self.rendering = Rendering()
        self.effects = Effects(
            ledger,
            FolderStore(folder / "documents"),
            self.post,  # type: ignore[arg-type]
            "https://billow.test",
            renderer=self.rendering,
        )
        self._ledger_steps, self._render = LedgerSteps(self.effects), DocumentSteps(self.effects).render
        self.company = company_in(folder / "company")
        self.apply()

    # the company ----------------------------------------------------------------------------------------------

    def apply(self) -> int:
        """Writes the sources and makes the company as it is now the one that runs."""
        self.company.write_sources()
        return company_records.apply_company(
            self.ledger, self.company.company(), str(self.company.folder), "mara", self.now
        )

    def pass_time(self, time: timedelta) -> None:
        self.now += time
        self.post.at = self.now

    # triggers -------------------------------------------------------------------------------------------------

    def trigger(self, agreement: str, item: str | None = None, by: str = "pia") -> str:
        with self.ledger.transaction() as tx:
            asked = triggers.by_agreement(tx, agreement, item, by=by, channel="cli", at=self.now)
            return asked.invoice.billing_key

    def one_off(self, amount: str, key: str, by: str = "pia") -> str:
        line = {"description": "Help", "quantity": "1", "unit_price": amount}
        content = {
            "client": "acme",
            "currency": "EUR",
            "title": "Help",
            "reason": "asked for",
            "lines": [line],
        }
        with self.ledger.transaction() as tx:
            asked = triggers.one_off(
                tx, OneOff.model_validate(content), key, by=by, channel="cli", at=self.now
            )
            return asked.invoice.billing_key

    def billing_run(self) -> None:
        billing_runs.run(self.ledger, f"run {self.now.isoformat()}", self.now)

    # steps ----------------------------------------------------------------------------------------------------

    def take(
        self, key: str, step: Step, *, as_of: datetime | None = None, heard: tuple[HeardClaim, ...] = ()
    ) -> Plan:
        """Takes a step as a worker does; what it raises is left to the caller."""
        order = StepInput(billing_key=key, as_of=as_of or self.now, heard=heard)
        self.post.at = order.as_of
        take: dict[Step, Callable[[StepInput], Plan]] = {
            Step.ASSEMBLE: self._ledger_steps.assemble,
            Step.APPROVE: self._ledger_steps.approve,
            Step.ISSUE: self._ledger_steps.issue,
            Step.RENDER: self._render,
            Step.DELIVER: self._ledger_steps.deliver,
            Step.COLLECT: self._ledger_steps.collect,
        }
        try:
            return take[step](order)
        finally:
            self.post.at = self.now

    def report_failure(self, key: str, step: Step) -> Plan:
        """What the workflow does once a step has failed for good."""
        return self._ledger_steps.report_failure(
            Failure(billing_key=key, as_of=self.now, step=step, error="the disk is full")
        )

    def look(self, key: str) -> Plan:
        """What the ledger says comes next, without noting it."""
        with self.ledger.transaction() as tx:
            row = invoices.find(tx, key)
            plan = standing.plan(tx, row, standing.pinned(tx, row), self.now)
            tx.rollback()
            return plan

    def work(self, key: str, begin: Step = Step.ASSEMBLE) -> Plan:
        """Takes steps as the workflow would until it waits or ends; each credit note that is not out yet takes two."""
        plan = Plan(step=begin)
        seen: list[str] = []
        while plan.step is not None and (plan.at is None or plan.at <= self.now):
            seen.append(plan.name or plan.step)
            assert len(seen) <= 40, f"{key} goes round in circles: {' '.join(seen)}"
            plan = self.take(key, plan.step)
        return plan

    def carry_outbox(self) -> set[str]:
        """Sends the notices and copies that are waiting; returns the keys to be woken."""
        woken: set[str] = set()
        for entry in self._waiting_in_outbox():
            with self.ledger.transaction() as tx:
                row = tx.get_one(OutboxRow, entry, with_for_update=True)
                if row.kind == outbox.WAKE:
                    woken.add(row.subject)
                elif row.kind == outbox.EVENT:
                    events.act(tx, *json.loads(row.subject), at=self.now)
                else:
                    message = tx.get_one(MessageRow, row.subject, with_for_update=True)
                    try:
                        send = staff_mail.send if message.audience == notices.STAFF else copies.send
                        send(tx, message, self.effects)
                    except MailDeferred:
                        continue
                    except MailRefused as error:
                        row.last_error = str(error)
                outbox.done(row)
        return woken

    def _waiting_in_outbox(self) -> list[int]:
        with self.ledger.transaction() as tx:
            return list(
                tx.scalars(select(OutboxRow.id).where(OutboxRow.done_at.is_(None)).order_by(OutboxRow.id))
            )

    # looking --------------------------------------------------------------------------------------------------

    def row(self, reference: str) -> InvoiceRow:
        with self.ledger.transaction() as tx:
            return invoices.find(tx, reference)

    def rows(self) -> list[InvoiceRow]:
        with self.ledger.transaction() as tx:
            return list(tx.scalars(select(InvoiceRow).order_by(InvoiceRow.id)))

    def open_exceptions(self, key: str) -> list[tuple[int, str]]:
        """Ids and codes of what a person must decide."""
        with self.ledger.transaction() as tx:
            return [(each.id, each.code) for each in invoices.open_exceptions(tx, invoices.find(tx, key))]

    def open_amount(self, key: str) -> Decimal:
        return self.row(key).open_amount

    def contents(self) -> dict[str, str | None]:
        """A hash of every table but the audit trail, whose head on the invoices does not count either."""
        names = [name for name in Table.metadata.tables if name not in ("audit_events", "company_versions")]
        query = " union all ".join(
            f"select '{name}', md5(string_agg((to_jsonb(t) - 'audit_position' - 'audit_hash')::text, ',' "
            f'order by t::text)) from "{name}" t'
            for name in names
        )
        with self.ledger.transaction() as tx:
            return {row[0]: row[1] for row in tx.execute(text(query))}

    @contextmanager
    def refusable(self) -> Iterator[None]:
        """A command that may be refused; refused, it has changed nothing but the audit trail."""
        before = self.contents()
        refused = None
        try:
            yield
        except BillowError as error:
            refused = error
        if refused:
            changed = [name for name, content in self.contents().items() if before[name] != content]
            assert not changed, f"refused ({refused}), and yet changed: {changed}"


def empty(ledger: Ledger) -> None:
    """Deletes everything; ids go on, since versions of a company are kept by id in the process."""
    with ledger.transaction() as tx:
        tx.execute(text("set local session_replication_role = replica"))
        for name in Table.metadata.tables:
            tx.execute(text(f'delete from "{name}"'))
