"""Carries the outbox to where it is meant: wake-ups to Temporal, notices to the mail server, events to be acted on.

Any number may run: rows are locked while they are carried. A crash after carrying and before noting it repeats a
wake-up, which is harmless, or a notice under the same Message-ID; an event is acted on where that is noted.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import psycopg
from sqlalchemy import func
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from activities.delivery.chat import ChatBusy
from activities.delivery.smtp import MailRefused
from activities.invoicing import chat_notices, copies, staff_mail
from activities.invoicing.effects import Effects
from activities.ledger import company_records, deliveries, events, notices, outbox
from activities.ledger.tables import InvoiceRow, MessageRow, OutboxRow
from billing.errors import BillowError, SourceUnavailable
from billing.money import rounded
from billing.source_checks import agreed_value
from workflows.identifiers import INVOICE_WORKFLOW, INVOICING_QUEUE, WAKE, invoice_workflow_id
from workflows.messages import InvoiceRef

_log = logging.getLogger(__name__)

T = TypeVar("T")

POLL_SECONDS = 2.0
"""How often it looks without being notified: for rows that wait for a second try."""

BATCH = 50

LANES = 4
"""Messages of vendors that are acted on at a time: each may mean asking its vendor."""


def _stop_if_told() -> None:
    """Ends a task that was told to, though what it was at has put an error of its own in the place of that."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Waits for a thread even when told to stop: nobody may roll a transaction back while another is at it."""
    running = asyncio.create_task(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


class PutOff(Exception):
    """What carries a row has noted itself that it is to be tried again, and when."""


@dataclass(frozen=True)
class _Labels:
    """What operators see of a workflow in Temporal's lists; no personal data."""

    client: str
    issuer: str
    summary: str

    @classmethod
    def of(cls, tx: Session, row: OutboxRow) -> _Labels:
        """Client, amount and due date; before there is a draft, what was agreed: net amount and terms."""
        invoice = tx.get(InvoiceRow, row.invoice) if row.invoice else None
        if invoice is None:
            return cls("", "", row.subject[:180])
        company = company_records.at_version(tx, invoice.company_version).company
        if invoice.gross is not None and invoice.currency:
            amount = f"{invoice.currency} {rounded(invoice.gross, invoice.currency):,}"
        else:
            name, _, item = row.subject.partition("/")
            agreement = company.agreement(name)
            agreed = agreed_value(agreement, item) if agreement else None
            amount = (
                f"{agreement.currency} {agreed:,} net"
                if agreement and agreed is not None
                else "amount to come"
            )
        client = company.client(invoice.client)
        due = f"due {invoice.due_date}" if invoice.due_date else str(client.terms) if client else ""
        return cls(invoice.client, invoice.issuer or "", f"{invoice.client} · {amount} · {due}")


class OutboxDispatcher:
    """Runs until stopped; survives a database, a Temporal or a mail server that is away for a while."""

    def __init__(self, client: Client, effects: Effects) -> None:
        self._client, self._effects = client, effects
        self._written = {
            kind: asyncio.Event()
            for kind in (outbox.WAKE, outbox.NOTICE, outbox.EVENT, outbox.DELIVERY, outbox.CHAT)
        }
        self._stop = threading.Event()
        self._vendors = ThreadPoolExecutor(LANES, "vendor")
        self._chats = ThreadPoolExecutor(1, "chat")

    async def run(self) -> None:
        """Carries what there is, then sleeps until something is written or it is time to look."""
        loop = asyncio.get_running_loop()
        listener = threading.Thread(target=self._listen, args=(loop,), name="outbox-listener", daemon=True)
        listener.start()
        try:
            # A mail server that is slow must not keep invoices from being woken.
            await asyncio.gather(
                self._repeat(self._written[outbox.WAKE], self.carry_wake_ups),
                self._repeat(self._written[outbox.NOTICE], self.carry_notices),
                self._repeat(self._written[outbox.EVENT], self.carry_events),
                self._repeat(self._written[outbox.DELIVERY], self.carry_deliveries),
                self._repeat(self._written[outbox.CHAT], self.carry_chats),
            )
        finally:
            self._stop.set()

    async def _repeat(self, written: asyncio.Event, carry: Callable[[], Awaitable[int]]) -> None:
        while True:
            _stop_if_told()
            written.clear()
            try:
                carried = await carry()
            except (SQLAlchemyError, psycopg.Error) as error:
                _log.warning(
                    "outbox: the ledger cannot be reached, trying again: %s", str(error).splitlines()[0]
                )
                carried = 0
            if carried < BATCH:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(written.wait(), POLL_SECONDS)

    async def carry(self) -> int:
        """Carries one batch of each kind; returns how many rows it took."""
        delivered = await self.carry_deliveries()
        return (
            delivered
            + await self.carry_events()
            + await self.carry_wake_ups()
            + await self.carry_notices()
            + await self.carry_chats()
        )

    async def carry_wake_ups(self) -> int:
        """Wakes the workflows of one batch; returns how many rows it took."""
        with self._effects.ledger.transaction() as tx:
            rows = await _to_the_end(asyncio.to_thread(outbox.take, tx, outbox.WAKE, BATCH))
            labelled = [(row, _Labels.of(tx, row)) for row in rows]
            await asyncio.gather(*(self._carry(row, labels) for row, labels in labelled))
            return len(rows)

    async def carry_notices(self) -> int:
        """Sends the notices of one batch, each in a transaction of its own; returns how many rows it took."""
        return await self._one_by_one(outbox.NOTICE, self._send)

    async def carry_chats(self) -> int:
        """Posts the chat notices of one batch, each in a transaction of its own; returns how many rows it took."""
        return await self._one_by_one(outbox.CHAT, self._post, self._chats)

    async def carry_events(self) -> int:
        """Acts on the events of one batch, each in a transaction of its own; returns how many rows it took."""
        return await self._one_by_one(outbox.EVENT, self._act)

    async def carry_deliveries(self) -> int:
        """Reads the vendors' messages of one batch, each in a transaction of its own; returns how many rows it took.

        Several at a time, in threads of their own: a vendor that is slow keeps nothing else back.
        """
        lanes = (self._one_by_one(outbox.DELIVERY, self._read, self._vendors) for _ in range(LANES))
        return sum(await asyncio.gather(*lanes))

    async def _one_by_one(
        self, kind: str, carry: Callable[[Session, OutboxRow], None], threads: Executor | None = None
    ) -> int:
        loop = asyncio.get_running_loop()
        for carried in range(BATCH):
            if not await loop.run_in_executor(threads, self._carry_one, kind, carry):
                return carried
        return BATCH

    def _carry_one(self, kind: str, carry: Callable[[Session, OutboxRow], None]) -> bool:
        with self._effects.ledger.transaction() as tx:
            rows = outbox.take(tx, kind, 1)
            for row in rows:
                self._try(tx, row, carry)
            return bool(rows)

    async def _carry(self, row: OutboxRow, labels: _Labels) -> None:
        try:
            await self._wake(row, labels)
            outbox.done(row)
        except (RPCError, TemporalError) as error:  # whatever it is, one row never ends the dispatcher
            _log.warning("outbox: %s not woken, trying again: %s", row.subject, error)
            outbox.failed(row, str(error))

    async def _wake(self, row: OutboxRow, labels: _Labels) -> None:
        """Signal-with-start: a workflow that is closed, lost or not there yet starts and resumes from the ledger."""
        attributes = {"BillowClient": labels.client, "BillowIssuer": labels.issuer, "BillowState": "draft"}
        await self._client.start_workflow(
            INVOICE_WORKFLOW,
            InvoiceRef(billing_key=row.subject),
            id=invoice_workflow_id(row.subject),
            task_queue=INVOICING_QUEUE,
            start_signal=WAKE,
            static_summary=labels.summary,
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(SearchAttributeKey.for_keyword(name), value)
                    for name, value in attributes.items()
                    if value
                ]
            ),
        )

    def _try(self, tx: Session, row: OutboxRow, carry: Callable[[Session, OutboxRow], None]) -> None:
        try:
            carry(tx, row)
            outbox.done(row)
        except PutOff as later:
            _log.warning("outbox: %s %s waits: %s", row.kind, row.subject, later.__cause__)
        except MailRefused as error:
            _log.warning("outbox: notice %s refused for good: %s", row.subject, error)
            row.last_error = str(error)[:1000]
            outbox.done(row)
        except (BillowError, LookupError, TypeError, ValueError) as error:  # one bad row keeps no other back
            _log.warning("outbox: %s %s not carried, trying again: %s", row.kind, row.subject, error)
            outbox.failed(row, str(error))

    def _act(self, tx: Session, row: OutboxRow) -> None:
        source, event = json.loads(row.subject)
        try:
            with tx.begin_nested():
                events.act(tx, source, event, at=datetime.now(UTC))
        except (DataError, IntegrityError) as error:  # of this event alone, not of the connection
            raise ValueError(str(error)) from error

    def _read(self, tx: Session, row: OutboxRow) -> None:
        connection, delivery = json.loads(row.subject)
        at = datetime.now(UTC)
        try:
            with tx.begin_nested():
                deliveries.act(tx, connection, delivery, at=at)
        except SourceUnavailable as error:  # noted, so that people see it; the row is tried again
            if not deliveries.put_off(tx, connection, delivery, error, at=at):
                outbox.failed(row, str(error))
                outbox.pause(tx, row.kind, json.dumps([connection])[:-1] + ",", row)
                raise PutOff from error
        except (DataError, IntegrityError) as error:
            raise ValueError(str(error)) from error

    def _post(self, tx: Session, row: OutboxRow) -> None:
        try:
            chat_notices.post(tx, row, self._effects.web_url, datetime.now(UTC), self._effects.links)
        except SourceUnavailable as error:
            outbox.failed(row, str(error))
            if isinstance(error, ChatBusy):
                row.not_before = func.greatest(row.not_before, func.now() + timedelta(seconds=error.seconds))
            outbox.pause(tx, row.kind, "", row)
            raise PutOff from error

    def _send(self, tx: Session, row: OutboxRow) -> None:
        message = tx.get(MessageRow, row.subject, with_for_update=True)
        if message is None:
            return
        if message.audience == notices.STAFF:
            staff_mail.send(tx, message, self._effects)
        else:
            copies.send(tx, message, self._effects)

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wakes the loop when a transaction that wrote to the outbox commits."""
        url = self._effects.ledger.url.replace("postgresql+psycopg://", "postgresql://", 1)
        while not self._stop.is_set():
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
                    connection.execute(f"listen {outbox.CHANNEL}")
                    while not self._stop.is_set():
                        for _ in connection.notifies(timeout=1.0, stop_after=1):
                            for written in self._written.values():
                                loop.call_soon_threadsafe(written.set)
            except (psycopg.Error, RuntimeError):
                self._stop.wait(POLL_SECONDS)
