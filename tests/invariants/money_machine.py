"""The state machine of what is owed: money, credit notes, refunds, disputes and reminders in any order, and twice.

Beside the ledger it keeps books of its own, from nothing but what was commanded and answered. After every act the two
must agree to the cent.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.bank.importing import import_file
from activities.ledger import (
    client_credit,
    commands,
    company_exceptions,
    company_records,
    credit_commands,
    dispute_commands,
    giving_up,
    invoices,
    settling_commands,
    unmatched_payments,
)
from activities.ledger.database import Ledger
from activities.ledger.settling_commands import Item
from activities.ledger.tables import BankEntryRow, GivingUpRow, InvoiceRow, PaymentRow, UnmatchedPaymentRow
from billing.approval_policy import Channel
from billing.credit_note import WHOLE, Selection
from billing.errors import BillowError
from tests.activities.bank.statements import Entry, Tx, file, paid
from tests.invariants import money_rules
from tests.invariants.world import Crash, Mail, World, empty
from workflows.messages import Step

NONE = Decimal(0)
CENT = Decimal("0.01")
WHICH = st.integers(0, 5)
PARTS = st.sampled_from(["all", "half", "more", "0.01", "odd"])
TWICE = st.sampled_from([1, 1, 2])


@dataclass
class Book:
    """What happened to one invoice, as it was commanded."""

    gross: Decimal
    client: str
    credited: Decimal = NONE
    received: Decimal = NONE
    refunded: Decimal = NONE
    credit_in: Decimal = NONE
    credit_out: Decimal = NONE
    written_off: Decimal = NONE

    @property
    def balance(self) -> Decimal:
        """Issued - credited - paid + refunded, with what moved to and from other invoices."""
        return self.gross - self.credited - self.received + self.refunded - self.credit_in + self.credit_out

    @property
    def open(self) -> Decimal:
        return self.balance - self.written_off

    def settle(self) -> None:
        """A write-off ends as far as money or a credit note makes it needless."""
        self.written_off -= min(self.written_off, max(-self.open, NONE))


@dataclass
class Kept:
    """A payment that came for no invoice."""

    amount: Decimal
    allocated: Decimal = NONE
    refunded: Decimal = NONE
    client: str | None = None

    @property
    def left(self) -> Decimal:
        return self.amount - self.allocated - self.refunded


@dataclass
class Books:
    """What the test knows, without asking the ledger."""

    invoices: dict[str, Book] = field(default_factory=dict)
    kept: dict[int, Kept] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)
    held: dict[str, datetime] = field(default_factory=dict)
    cash: Decimal = NONE
    keys: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    reminded: list[str] = field(default_factory=list)
    told_by_bank: list[tuple[str, Decimal]] = field(default_factory=list)


class MoneyMachine(RuleBasedStateMachine):
    """One company in one database; every example begins with an empty one and a few issued invoices."""

    ledger: ClassVar[Ledger]

    def __init__(self) -> None:
        super().__init__()
        empty(self.ledger)
        self._folder = tempfile.TemporaryDirectory(prefix="billow-money-")
        self.world = World(self.ledger, Path(self._folder.name))
        self.world.post.look = self.look
        self.books = Books()
        self.turns = 0

    def teardown(self) -> None:
        """At the end everybody is heard, and what is left still agrees."""
        for _ in range(3):
            self.carry()
            self.world.pass_time(timedelta(days=3))
        self.the_books_agree()
        self._folder.cleanup()

    # the world --------------------------------------------------------------------------------------------------

    @initialize(use_credit=st.sampled_from(["ask", "at once"]))
    def begins(self, use_credit: str) -> None:
        """Two invoices of one client and one of another are out."""
        alone = {"EUR": "5.00"}
        self.world.company.company_file = {
            "payments": {
                "use_credit": use_credit,
                "write_offs": {"approvers": ["noor"], "alone_up_to": alone},
                "refunds": {"approvers": ["noor", "otto"], "alone_up_to": alone},
                "credit_notes": {"alone_up_to": {"EUR": "100000"}},
            }
        }
        self.world.apply()
        for agreement in ("lyon-one", "acme-care"):
            self.bill(agreement)
        self.one_more(0)

    def bill(self, agreement: str) -> None:
        self.issued(self.world.trigger(agreement))

    def issued(self, key: str) -> None:
        self.world.work(key)
        row = self.world.row(key)
        if row.number is None or row.gross is None:
            return
        self.learn()

    @rule(which=st.integers(0, 1))
    def one_more(self, which: int) -> None:
        """Another invoice: credit may pay it before it is sent."""
        if len(self.books.invoices) < 5:
            self.turns += 1
            self.issued(self.world.one_off(("100.01", "250.00")[which], f"one-{self.turns}"))

    def learn(self) -> None:
        """What policy had credit pay by itself moves in the books, too; that it may, the rules check. An invoice that
        was held first may be issued whenever somebody is heard."""
        with self.ledger.transaction() as tx:
            for row in tx.scalars(
                select(InvoiceRow).where(InvoiceRow.number.is_not(None)).order_by(InvoiceRow.id)
            ):
                self.books.invoices.setdefault(row.number or "", Book(row.gross or NONE, row.client))
            used = tx.execute(
                select(PaymentRow.key, PaymentRow.amount, InvoiceRow.number, PaymentRow.received_as)
                .join(InvoiceRow, InvoiceRow.id == PaymentRow.invoice)
                .where(PaymentRow.key.startswith("credit/at delivery/"))
                .order_by(PaymentRow.id)
            ).all()
        for key, amount, number, kept in used:
            if key not in self.books.moved:
                self.books.moved.add(key)
                self.move(number or "", amount, kept)

    def move(self, number: str, amount: Decimal, kept: int | None) -> None:
        book = self.books.invoices[number]
        if amount < 0:
            assert -amount <= -book.open, f"{number} gave {-amount} and was paid {-book.open} too much"
            book.credit_out -= amount
        else:
            assert amount <= book.open, f"{number} got {amount} and {book.open} were open"
            book.credit_in += amount
        if kept is not None:
            assert amount <= self.books.kept[kept].left
            self.books.kept[kept].allocated += amount

    def number(self, which: int) -> str:
        numbers = list(self.books.invoices)
        return numbers[which % len(numbers)]

    def carry(self) -> None:
        """The workers do what they were woken for."""
        with suppress(Crash):
            for key in self.world.carry_outbox():
                with suppress(BillowError, Crash):
                    self.world.work(key, Step.COLLECT if self.world.row(key).delivered_at else Step.ASSEMBLE)
        self.learn()

    def refusable(self, act: Callable[[], Any]) -> Any:
        """What the command answered, None if it was refused: then it has changed nothing."""
        with self.world.refusable():
            return act()

    def said(self, by: str = "pia") -> dict[str, Any]:
        return {"by": by, "channel": Channel.CLI, "at": self.world.now}

    def amount(self, part: str, whole: Decimal) -> Decimal:
        found = {"all": whole, "half": whole / 2, "more": whole + 7, "0.01": CENT, "odd": Decimal("33.37")}[
            part
        ]
        return found.quantize(CENT)

    def look(self, mail: Mail) -> None:
        """Nobody is reminded for what is not due: by the test's own books, in the instant in which it is sent."""
        if not mail.text or "client.example" not in mail.to:
            return
        with self.ledger.transaction() as tx:
            event = money_rules.event_of(tx, mail)
        if not event.startswith("reminder"):
            return
        assert mail.numbers, mail.text
        for number in mail.numbers:
            book = self.books.invoices[number]
            self.books.reminded.append(number)
            assert book.open > 0, f"{number} is reminded for, and {book.open} are open"
            assert number not in self.books.disputed, f"{number} is reminded for, and disputed"
            held = self.books.held.get(number)
            assert held is None or held <= mail.at, f"{number} is reminded for before {held}"
            assert f"{book.open:,.2f}" in mail.text, (
                f"{number}: {book.open:,.2f} is not what the mail asks for"
            )

    # money ------------------------------------------------------------------------------------------------------

    @rule(which=WHICH, part=PARTS, again=TWICE)
    def money_comes(self, which: int, part: str, again: int) -> None:
        number = self.number(which)
        book = self.books.invoices[number]
        self.turns += 1
        amount = self.amount(part, book.open if book.open > 0 else book.gross)
        for _ in range(again):
            self.book(number, amount, f"bank/{self.turns}")

    @rule(which=WHICH, part=PARTS, again=TWICE)
    def money_is_taken_back(self, which: int, part: str, again: int) -> None:
        """A chargeback or a returned debit."""
        number = self.number(which)
        self.turns += 1
        amount = -self.amount(part, max(self.books.invoices[number].received, CENT))
        for _ in range(again):
            self.book(number, amount, f"back/{self.turns}")

    def book(self, number: str, amount: Decimal, key: str) -> None:
        pay = partial(commands.pay, self.ledger, number, amount, "EUR", key=key, **self.said())
        if self.refusable(partial(pay, received_on=self.world.now.date())):
            book = self.books.invoices[number]
            assert key not in self.books.keys, f"{key} is booked twice"
            self.books.keys.add(key)
            # what was used of a client's credit came once, too: whoever sent it may take it back
            came = book.received + book.credit_in
            assert came + amount >= 0, f"{number}: more was taken back than ever came"
            book.received += amount
            self.books.cash += amount
            book.settle()

    @rule(amount=st.sampled_from(["33.37", "300.00", "5000.00"]), again=TWICE)
    def money_for_no_invoice(self, amount: str, again: int) -> None:
        self.turns += 1
        for _ in range(again):
            payment, new = commands.keep_unmatched(
                self.ledger, Decimal(amount), "EUR", key=f"lost/{self.turns}", payer="Somebody",
                received_on=self.world.now.date(), by="pia", at=self.world.now,
            )  # fmt: skip
            if new:
                self.books.kept[payment] = Kept(Decimal(amount))
                self.books.cash += Decimal(amount)

    @rule(
        which=WHICH,
        what=st.sampled_from(["allocate", "part", "keep", "keep"]),
        client=st.sampled_from(["acme", "lyon"]),
    )
    def it_is_decided(self, which: int, what: str, client: str) -> None:
        if not self.books.kept:
            return
        payment = list(self.books.kept)[which % len(self.books.kept)]
        kept = self.books.kept[payment]
        if what == "keep":
            keep = partial(
                settling_commands.keep_as_credit, self.ledger, payment, client, by="pia", at=self.world.now
            )
            if self.refusable(keep) is not None:
                kept.client = client
            return
        self.allocate(payment, self.number(which), CENT if what == "part" else None)

    def allocate(self, payment: int, number: str, amount: Decimal | None) -> None:
        kept, book = self.books.kept[payment], self.books.invoices[number]

        def act() -> Decimal:
            with self.ledger.transaction() as tx:
                row = invoices.find(tx, number, lock=True)
                company = company_records.current(tx).company
                before = book.received
                found = unmatched_payments.allocate(tx, payment, row, company, amount=amount, **self.said())
                assert before == book.received
                return found.allocated - kept.allocated

        booked = self.refusable(act)
        if booked is not None:
            assert 0 < booked <= kept.left
            kept.allocated += booked
            book.received += booked
            book.settle()

    # the bank ---------------------------------------------------------------------------------------------------

    @rule(which=WHICH, part=PARTS, named=st.booleans(), again=TWICE)
    def the_bank_tells_of_money(self, which: int, part: str, named: bool, again: int) -> None:
        """It is booked, kept for a person, or known already: each cent once, however often it is told."""
        number = self.number(which)
        book = self.books.invoices[number]
        amount = max(self.amount(part, book.open if book.open > 0 else book.gross), CENT)
        name = f"BK{len(self.books.told_by_bank)}"
        self.books.told_by_bank.append((name, amount))
        text = f"Rechnung {number}" if named else "Danke"
        entry = paid(
            str(amount), text, bank=name, end_to_end_id=name, name="Somebody", account=f"DE{which}",
            day=self.world.now.date().isoformat(),
        )  # fmt: skip
        for _ in range(again):
            self.imported(entry, name)
        with self.ledger.transaction() as tx:
            row = self.entry(tx, name, amount)
            booked = self.parts_of(tx, row)
            kept = tx.get(UnmatchedPaymentRow, row.unmatched) if row.unmatched else None
            came = sum((each for _, each in booked), NONE) + (kept.amount if kept else NONE)
            assert came == amount if row.outcome != "known already" else came == 0, (row.outcome, row.because)
            if kept is not None:
                self.books.kept[kept.id] = Kept(kept.amount)
        self.books.cash += came
        self.receive(booked)

    @rule(which=WHICH, again=TWICE)
    def the_bank_takes_money_back(self, which: int, again: int) -> None:
        """A returned debit: from the invoices it had paid, or from nobody's; what nobody can tell, a person decides."""
        if not self.books.told_by_bank:
            return
        name, amount = self.books.told_by_bank[which % len(self.books.told_by_bank)]
        one = Tx(end_to_end_id=name, returned="AC04", name="Somebody")
        entry = Entry(
            str(-amount), self.world.now.date().isoformat(), (one,), f"R-{name}", code="PMNT/ICDT/RRTN"
        )
        with self.ledger.transaction() as tx:
            known = self.entry(tx, f"R-{name}", -amount)
        for _ in range(again):
            self.imported(entry, f"R-{name}")
        if known is not None:
            return
        with self.ledger.transaction() as tx:
            row, first = self.entry(tx, f"R-{name}", -amount), self.entry(tx, name, amount)
            booked = self.parts_of(tx, row)
            unmatched = first.unmatched
        self.books.cash += sum((each for _, each in booked), NONE)
        self.receive(booked)
        if row.outcome == "taken back" and unmatched is not None:
            kept = self.books.kept[unmatched]
            self.books.cash -= kept.left
            kept.amount -= kept.left
        elif row.outcome == "taken back":
            assert sum((each for _, each in booked), NONE) == -amount

    def imported(self, entry: Entry, name: str) -> None:
        data = file(
            [entry], id=f"S-{name}", opening=None, closing=None, day=self.world.now.date().isoformat()
        )
        import_file(self.ledger, io.BytesIO(data), file_name=name, by="pia", channel="cli", at=self.world.now)

    def entry(self, tx: Session, name: str, amount: Decimal) -> Any:
        """What became of a movement; None where the bank has not told of it."""
        reference = BankEntryRow.details["bank_reference"].astext
        return tx.scalars(
            select(BankEntryRow).where(reference == name, BankEntryRow.amount == amount)
        ).one_or_none()

    def parts_of(self, tx: Session, row: BankEntryRow) -> list[tuple[str, Decimal]]:
        """What was booked for it, by invoice."""
        found = (
            select(InvoiceRow.number, PaymentRow.amount)
            .join(PaymentRow, PaymentRow.invoice == InvoiceRow.id)
            .where(PaymentRow.key.startswith(f"bank/{row.key}/"))
        )
        return [(number or "", amount) for number, amount in tx.execute(found)]

    def receive(self, booked: list[tuple[str, Decimal]]) -> None:
        for number, amount in booked:
            self.books.invoices[number].received += amount
            self.books.invoices[number].settle()

    # credit notes -----------------------------------------------------------------------------------------------

    @rule(which=WHICH, part=st.sampled_from(["whole", "half", "odd", "0.01"]), again=TWICE)
    def it_is_credited(self, which: int, part: str, again: int) -> None:
        number = self.number(which)
        book = self.books.invoices[number]
        left = book.gross - book.credited
        selection = WHOLE if part == "whole" else Selection(gross=max(self.amount(part, left), CENT))
        self.turns += 1
        credit = partial(
            credit_commands.credit, self.ledger, number, selection=selection, reason="wrong", **self.said()
        )
        for _ in range(again):
            asked = self.refusable(partial(credit, key=f"credit/{self.turns}"))
            if asked is not None and f"credit/{self.turns}" not in self.books.keys:
                self.books.keys.add(f"credit/{self.turns}")
                taken = left if selection.gross is None else selection.gross
                assert taken <= left, f"{number}: {taken} credited, {left} were left"
                book.credited += taken
                self.books.disputed.discard(number)
                book.settle()

    # giving up --------------------------------------------------------------------------------------------------

    @rule(which=WHICH, part=st.sampled_from(["rest", "half", "odd", "0.01", "more"]), again=TWICE)
    def a_write_off_is_asked_for(self, which: int, part: str, again: int) -> None:
        number = self.number(which)
        amount = None if part == "rest" else self.amount(part, max(self.books.invoices[number].open, CENT))
        self.turns += 1
        ask = partial(
            settling_commands.write_off, self.ledger, number, amount=amount, reason="hopeless", **self.said()
        )
        for _ in range(again):
            item = self.refusable(partial(ask, key=f"off/{self.turns}"))
            if item is not None and item.new and item.status == "done":
                self.written_off(item)

    def written_off(self, item: Item) -> None:
        book = self.books.invoices[item.name]
        assert book.open > 0
        book.written_off += min(item.amount.amount, book.open)

    @rule(which=WHICH, part=PARTS, again=TWICE, lost=st.booleans())
    def a_refund_is_asked_for(self, which: int, part: str, again: int, lost: bool) -> None:
        name = self.number(which)
        whole = max(-self.books.invoices[name].open, CENT)
        if lost and self.books.kept:
            payment = list(self.books.kept)[which % len(self.books.kept)]
            name, whole = f"payment {payment}", max(self.books.kept[payment].left, CENT)
        self.turns += 1
        ask = partial(settling_commands.refund, self.ledger, name, reason="too much", **self.said())
        amount = None if part == "all" else self.amount(part, whole)
        for _ in range(again):
            self.refusable(partial(ask, amount=amount, key=f"refund/{self.turns}"))

    @rule(
        which=WHICH,
        how=st.sampled_from(["agree", "agree", "agree", "refuse", "withdraw", "paid", "paid"]),
        by=st.sampled_from(["noor", "noor", "otto", "pia"]),
        again=TWICE,
    )
    def what_was_asked_is_decided(self, which: int, how: str, by: str, again: int) -> None:
        with self.ledger.transaction() as tx:
            items = [
                (each.id, each.asked_by, each.status)
                for each in tx.scalars(select(GivingUpRow).order_by(GivingUpRow.id))
            ]
        waiting = [each for each in items if each[2] in ("asked", "agreed", "failed")] or items
        if not waiting:
            return
        item, asked_by, _ = waiting[which % len(waiting)]
        for _ in range(again):
            said = self.said(by)
            if how == "paid":
                on = self.world.now.date()
                paid = self.refusable(
                    partial(settling_commands.refund_paid, self.ledger, item, on=on, **said)
                )
                if paid is not None and paid[1]:
                    self.refund_went_out(paid[0])
                continue
            act = getattr(settling_commands, how)
            done = self.refusable(partial(act, self.ledger, item, comment="so be it", **said))
            if done is not None and how == "agree":
                assert by != asked_by, "who asked has agreed"
                if done.kind == "write-off":
                    self.written_off(done)

    def refund_went_out(self, item: Item) -> None:
        amount = item.amount.amount
        self.books.cash -= amount
        if item.name.startswith("payment "):
            self.books.kept[int(item.name.removeprefix("payment "))].refunded += amount
            return
        book = self.books.invoices[item.name]
        book.refunded += amount
        book.settle()

    # credit -----------------------------------------------------------------------------------------------------

    @rule(
        source=WHICH,
        which=WHICH,
        part=st.sampled_from(["rest", "half", "0.01", "more"]),
        lost=st.booleans(),
        again=TWICE,
    )
    def credit_is_used(self, source: int, which: int, part: str, lost: bool, again: int) -> None:
        name, number = self.number(source), self.number(which)
        book = self.books.invoices[number]
        kept = list(self.books.kept)[source % len(self.books.kept)] if lost and self.books.kept else None
        amount = None if part == "rest" else self.amount(part, max(book.open, CENT))
        self.turns += 1
        use = partial(settling_commands.use_credit, self.ledger, f"payment {kept}" if kept else name, number)
        for _ in range(again):
            answer = self.refusable(partial(use, amount=amount, key=f"use/{self.turns}", **self.said()))
            if answer is None or answer[1] is None:
                continue
            used = answer[1].amount
            owner = self.books.kept[kept].client if kept else self.books.invoices[name].client
            assert owner == book.client, "credit went to another client"
            if kept is None:
                self.move(name, -used, None)
            self.move(number, used, kept)

    @rule(which=WHICH, again=TWICE)
    def a_booking_is_undone(self, which: int, again: int) -> None:
        with self.ledger.transaction() as tx:
            moved = [
                (row.id, row.amount, row.source, row.received_as, row.key)
                for row in tx.scalars(select(PaymentRow).order_by(PaymentRow.id))
                if row.amount > 0 and (row.source == "credit" or row.received_as)
            ]
            if not moved:
                return
            booking, amount, source, kept, key = moved[which % len(moved)]
            out = tx.execute(
                select(InvoiceRow.number).join(PaymentRow).where(PaymentRow.key == f"{key[:-2]}out")
            ).scalar()
        for _ in range(again):
            undo = partial(settling_commands.undo, self.ledger, booking, reason="wrong", **self.said())
            answer = self.refusable(undo)
            if answer is None:
                continue
            book = self.books.invoices[answer[0]]
            if source == "credit":
                book.credit_in -= amount
            else:
                book.received -= amount
            if kept is not None:
                self.books.kept[kept].allocated -= amount
            elif out is not None:
                self.books.invoices[out].credit_out -= amount
                self.books.invoices[out].settle()
            book.settle()

    # what chance alone seldom puts in a row ---------------------------------------------------------------------

    @rule(
        which=WHICH,
        part=st.sampled_from(["all", "half", "0.01"]),
        then=st.sampled_from(["nothing", "again", "paid", "taken back", "more comes"]),
        again=TWICE,
    )
    def too_much_is_asked_back(self, which: int, part: str, then: str, again: int) -> None:
        """What is set apart for a refund is not there for another one; it goes out, or is needless after all."""
        self.money_comes(which, "more", 1)
        self.a_refund_is_asked_for(which, part, again, lost=False)
        self.the_books_agree()
        if then == "again":
            self.a_refund_is_asked_for(which, "all", 1, lost=False)
        elif then == "paid":
            self.what_was_asked_is_decided(which, "agree", "noor", 1)
            self.what_was_asked_is_decided(which, "paid", "pia", again)
        elif then == "taken back":
            self.money_is_taken_back(which, "odd", again)
        elif then == "more comes":
            self.money_comes(which, "0.01", again)

    @rule(
        which=WHICH,
        client=st.sampled_from(["acme", "lyon"]),
        then=st.sampled_from(["used", "refunded", "both"]),
        again=TWICE,
    )
    def lost_money_becomes_credit(self, which: int, client: str, then: str, again: int) -> None:
        """Kept as credit of a client, it pays an invoice or goes back, and never does both with one cent."""
        self.money_for_no_invoice("300.00", 1)
        newest = len(self.books.kept) - 1
        self.it_is_decided(newest, "keep", client)
        if then in ("refunded", "both"):
            self.refund_of(list(self.books.kept)[newest], "half", again)
        self.the_books_agree()
        if then in ("used", "both"):
            self.credit_is_used(newest, which, "rest", lost=True, again=again)

    def refund_of(self, payment: int, part: str, again: int) -> None:
        self.a_refund_is_asked_for(list(self.books.kept).index(payment), part, again, lost=True)

    @rule(which=WHICH, part=st.sampled_from(["rest", "0.01"]), undo=st.booleans(), again=TWICE)
    def too_much_pays_another(self, which: int, part: str, undo: bool, again: int) -> None:
        """What is paid too much for an invoice pays another one of the client, and may be given back."""
        number = self.number(which)
        client = self.books.invoices[number].client
        others = [
            position
            for position, (other, book) in enumerate(self.books.invoices.items())
            if other != number and book.client == client and book.open > 0
        ]
        if not others:
            return
        self.money_comes(which, "more", 1)
        self.credit_is_used(which, others[0], part, lost=False, again=again)
        self.the_books_agree()
        if undo:
            self.a_booking_is_undone(-1, again)

    @rule(which=WHICH, part=st.sampled_from(["0.01", "half", "rest"]), late=st.booleans(), again=TWICE)
    def money_comes_though_it_was_given_up(self, which: int, part: str, late: bool, again: int) -> None:
        """A write-off is taken back as far as money comes; agreed to late, it takes no more than is left by then."""
        self.a_write_off_is_asked_for(which, part, again)
        if late:
            self.money_comes(which, "half", 1)
        with self.ledger.transaction() as tx:
            asked = [each.id for each in tx.scalars(select(GivingUpRow)) if each.status == "asked"]
        if asked:
            self.what_was_asked_is_decided(-1, "agree", "noor", again)
        self.the_books_agree()
        self.money_comes(which, "more", 1)

    @rule(which=WHICH, first=st.sampled_from(["odd", "half"]), again=TWICE)
    def it_is_credited_in_parts(self, which: int, first: str, again: int) -> None:
        """Several credit notes of one invoice count together."""
        self.it_is_credited(which, first, again)
        self.it_is_credited(which, "0.01", again)
        self.it_is_credited(which, "half", again)

    # what stops reminders, and time --------------------------------------------------------------------------------

    @rule(which=WHICH, what=st.sampled_from(["dispute", "dispute", "end", "promise", "hold", "release"]))
    def something_is_agreed(self, which: int, what: str) -> None:
        number, at = self.number(which), self.world.now
        days = timedelta(days=6)
        act: dict[str, Callable[[], Any]] = {
            "dispute": partial(dispute_commands.dispute, self.ledger, number, reason="wrong", **self.said()),
            "end": partial(
                dispute_commands.end_dispute, self.ledger, number, answer="it stands", **self.said()
            ),
            "promise": partial(
                dispute_commands.promise, self.ledger, number, on=(at + days).date(), **self.said()
            ),
            "hold": partial(
                commands.hold, self.ledger, number, until=at + days, reason="asked", **self.said()
            ),
            "release": partial(commands.release, self.ledger, number, **self.said()),
        }
        if self.refusable(act[what]) is None:
            return
        match what:
            case "dispute":
                self.books.disputed.add(number)
            case "end":
                self.books.disputed.discard(number)
            case "hold":
                self.books.held[number] = at + days
            case "release":
                self.books.held.pop(number, None)

    @rule(which=WHICH, times=st.integers(1, 4))
    def time_passes_until_something_is_due(self, which: int, times: int) -> None:
        """Reminders, escalation, hand-over: what the invoice waits for comes, and is done."""
        number = self.number(which)
        for _ in range(times):
            plan = self.world.look(number)
            if plan.at is not None and plan.step is not None:
                self.world.pass_time(max(plan.at - self.world.now, timedelta(0)))
                with suppress(BillowError, Crash):
                    self.world.work(self.world.row(number).billing_key, plan.step)

    @rule()
    def the_outbox_is_carried(self) -> None:
        self.carry()

    @rule(time=st.sampled_from([timedelta(hours=3), timedelta(days=4), timedelta(days=20)]))
    def time_passes(self, time: timedelta) -> None:
        self.world.pass_time(time)
        with self.ledger.transaction() as tx:
            company = company_records.current(tx).company
            for each in (unmatched_payments, giving_up, company_exceptions):
                each.attend(tx, company, at=self.world.now)
            client_credit.attend(tx, at=self.world.now)

    @invariant()
    def the_books_agree(self) -> None:
        if not self.books.invoices:
            return
        with self.ledger.transaction() as tx:
            money_rules.check(tx, self.books, self.world.now)
            tx.rollback()
