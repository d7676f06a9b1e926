"""The state machine: people, clients, workers and servers do anything in any order, twice, too early and too late."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from activities.ledger import approvals, commands, events, exceptions, invoices
from activities.ledger.database import Ledger
from activities.ledger.exceptions import Resolution
from activities.ledger.tables import InvoiceRow
from billing.approval_policy import Channel, Verdict
from billing.errors import BillowError
from billing.events import BillingEvent
from billing.status import DocumentStatus
from tests.company import crm_client
from tests.invariants import rules
from tests.invariants.rules import Memory
from tests.invariants.world import TIERS, Crash, World, empty
from workflows.messages import HeardClaim, Plan, Step

AGREEMENTS = st.sampled_from(
    [
        "acme-care",
        "acme-large",
        "lyon-one",
        "lyon-two",
        "boise-care",
        "acme-hours",
        "acme-support",
        "acme-build",
    ]
)
PEOPLE = st.sampled_from(["noor", "otto", "mara", "pia", "stranger", ""])
APPROVERS = st.sampled_from(["noor", "otto", "mara"])
CHANNELS = st.sampled_from(list(Channel))
FATES = st.sampled_from(["deferred", "deferred after", "refused", "crash before", "crash after"])
WHICH = st.integers(0, 9)
"""Which of the invoices there are: taken modulo their number; 0 is any, others one that fits."""


def _is_draft(row: InvoiceRow) -> bool:
    return row.number is None and row.document_status != DocumentStatus.VOIDED


def _awaits_approval(row: InvoiceRow) -> bool:
    return row.document_status == DocumentStatus.AWAITING_APPROVAL


def _is_open(row: InvoiceRow) -> bool:
    return row.number is not None and row.closed_at is None


def _is_issued(row: InvoiceRow) -> bool:
    return row.number is not None


def _goes_on(row: InvoiceRow) -> bool:
    return row.closed_at is None


TIMES = st.sampled_from(
    [timedelta(minutes=7), timedelta(hours=3), timedelta(hours=13), timedelta(days=1), timedelta(days=3),
     timedelta(days=8), timedelta(days=15)]
)  # fmt: skip
CLAIMS = st.one_of(
    st.builds(lambda who: json.dumps([{"approver": who}]), PEOPLE),
    st.builds(lambda who: json.dumps([{"approver": who, "draft_digest": "0" * 64}]), PEOPLE),
    st.sampled_from(
        ["", "[]", "null", "[null]", "[[[]]]", '[{"approver": 7}]', '[{"approver": "noor", "comment": ["x"]}]',
         "[" * 1000 + "]" * 1000, '["\\u0000"]', '[{"approver": "\\u0000\\ud800"}]', '[{"approver": "no', "NaN"]
    ),
    st.text(max_size=40),
)  # fmt: skip
SIGNALS = st.sampled_from(["approve", "reject", "wake", "apprové", "\x00"])


class Machine(RuleBasedStateMachine):
    """One company in one database; every example begins with an empty one."""

    ledger: ClassVar[Ledger]
    current: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        empty(self.ledger)
        self._folder = tempfile.TemporaryDirectory(prefix="billow-invariants-")
        self.world = Machine.current = World(self.ledger, Path(self._folder.name))
        self.world.post.look = lambda mail: rules.look_at(self.world, mail)
        self.memory = Memory()
        self.plans: dict[str, Plan] = {}
        self.claims = 0

    def teardown(self) -> None:
        """At the end the servers work again, and every invoice gets on with its life."""
        self.world.post.next.clear()
        self.world.post.between, self.world.rendering.fails = None, 0
        for _ in range(2):
            for key in self.keys():
                self.work(key)
            self.world.pass_time(timedelta(days=2))
        rules.check(self.world, self.memory)
        self._folder.cleanup()

    # what people and programs do ------------------------------------------------------------------------------

    def keys(self) -> list[str]:
        return list(dict.fromkeys(row.billing_key for row in self.world.rows()))

    def key(self, which: int, *, fit: Callable[[InvoiceRow], object] = lambda _: True) -> str | None:
        """One of the invoices, as a rule one for which it makes sense; sometimes any."""
        newest = {row.billing_key: row for row in self.world.rows()}
        fitting = [key for key, row in newest.items() if fit(row)]
        keys = list(newest) if which == 0 or not fitting else fitting
        return keys[which % len(keys)] if keys else None

    def is_held(self, row: InvoiceRow) -> bool:
        return bool(self.world.open_exceptions(row.billing_key))

    def work(self, key: str) -> None:
        """Takes the invoice as far as it goes; a server that does not work is no fault of the invoice's."""
        with suppress(BillowError, Crash):
            self.keep(key, self.world.work(key))

    def keep(self, key: str, plan: Plan) -> None:
        rules.history_is_small([plan])
        self.plans[key] = plan

    def command(self, act: Callable[[], object]) -> None:
        with self.world.refusable():
            act()

    @initialize(
        lives=st.lists(
            st.tuples(AGREEMENTS, st.integers(0, 5)), min_size=3, max_size=5, unique_by=lambda each: each[0]
        )
    )
    def begins(self, lives: list[tuple[str, int]]) -> None:
        """Some invoices, each lived up to somewhere: triggered, assembled, approved, reminded once or more."""
        for agreement, steps in sorted(lives, key=lambda each: each[1]):
            key = self.world.trigger(agreement, "plan" if agreement == "acme-build" else None)
            for step in range(steps):
                self.until_due(key) if step >= 2 else self.work(key)
                if step:
                    self.approved(key)

    def approved(self, key: str, tiers: int = 3) -> None:
        """Everybody who is asked agrees, tier after tier."""
        for _ in range(tiers):
            with self.world.ledger.transaction() as tx:
                question = approvals.waiting(tx, invoices.find(tx, key))
                asked = list(question.asked) if question else []
            for who in asked:
                decide = partial(commands.decide, channel=Channel.WEB, at=self.world.now)
                self.command(partial(decide, self.world.ledger, key, Verdict.APPROVE, by=who))
            self.work(key)

    def until_due(self, key: str) -> None:
        """What the invoice waits for comes, and is done."""
        plan = self.world.look(key)
        if plan.at is not None and plan.step is not None:
            self.world.pass_time(max(plan.at - self.world.now, timedelta(0)))
            with suppress(BillowError, Crash):
                self.keep(key, self.world.work(key, plan.step))

    @rule(agreement=AGREEMENTS, item=st.sampled_from([None, "plan", "done"]), by=PEOPLE)
    def somebody_triggers(self, agreement: str, item: str | None, by: str) -> None:
        self.command(lambda: self.world.trigger(agreement, item, by or "pia"))

    @rule(
        amount=st.sampled_from(["100", "1000", "1300", "7000"]),
        key=st.sampled_from(["a", "b", "c/d"]),
        by=APPROVERS,
    )
    def somebody_bills_a_one_off(self, amount: str, key: str, by: str) -> None:
        self.command(lambda: self.world.one_off(amount, key, by))

    @rule(milestone=st.sampled_from(["plan", "done", "other"]), event=st.sampled_from(["e1", "e2"]))
    def a_milestone_is_signed_off(self, milestone: str, event: str) -> None:
        content: dict[str, Any] = {
            "specversion": "1.0", "id": event, "source": "/psa", "type": "billow.milestone.signed_off",
            "data": {"agreement": "acme-build", "milestone": milestone},
        }  # fmt: skip

        def come() -> None:
            events.take_in(
                self.world.ledger, BillingEvent.model_validate(content), channel="webhook", at=self.world.now
            )

        self.command(come)

    @rule()
    def a_billing_run(self) -> None:
        self.world.billing_run()

    @rule(which=WHICH)
    def an_invoice_is_worked_on(self, which: int) -> None:
        if key := self.key(which):
            self.work(key)

    @rule()
    def everything_is_worked_on(self) -> None:
        for key in self.keys():
            self.work(key)

    @rule(
        which=WHICH,
        step=st.sampled_from(list(Step)),
        late=st.sampled_from([timedelta(0), timedelta(0), timedelta(minutes=30), timedelta(days=2)]),
        heard=st.lists(st.tuples(SIGNALS, CLAIMS), max_size=2),
        again=st.booleans(),
    )
    def a_step_out_of_turn(
        self, which: int, step: Step, late: timedelta, heard: list[tuple[str, str]], again: bool
    ) -> None:
        """Any step at any time, twice, and counted as taken before others that were taken earlier."""
        key = self.key(which, fit=self.is_held if again else _goes_on)
        if key is None:
            return
        claims = []
        for signal, content in heard:
            self.claims += 1
            claims.append(HeardClaim(id=f"claim {self.claims}", signal=signal, content=content))
        for _ in range(2 if again else 1):
            with suppress(BillowError, Crash):
                self.keep(key, self.world.take(key, step, as_of=self.world.now - late, heard=tuple(claims)))

    @rule(which=WHICH)
    def the_next_step_fails_for_good(self, which: int) -> None:
        key = self.key(which, fit=_goes_on)
        plan = self.world.look(key) if key else None
        if key and plan and plan.step is not None:
            self.keep(key, self.world.report_failure(key, plan.step))

    @rule(
        which=WHICH,
        by=PEOPLE,
        channel=CHANNELS,
        verdict=st.sampled_from(Verdict),
        stale=st.booleans(),
        rebill=st.booleans(),
    )
    def somebody_decides(
        self, which: int, by: str, channel: Channel, verdict: Verdict, stale: bool, rebill: bool
    ) -> None:
        if key := self.key(which, fit=_awaits_approval):
            digest = "0" * 64 if stale else self.world.row(key).draft_digest
            self.command(
                lambda: commands.decide(
                    self.world.ledger,
                    key,
                    verdict,
                    by=by,
                    channel=channel,
                    draft_digest=digest,
                    rebill=rebill,
                    at=self.world.now,
                )
            )

    @rule(which=WHICH, tiers=st.integers(1, 3))
    def those_asked_approve(self, which: int, tiers: int) -> None:
        """What usually happens, so that invoices get on."""
        if key := self.key(which, fit=_awaits_approval):
            self.approved(key, tiers)

    @rule(which=WHICH, tiers=st.integers(0, 1), by=APPROVERS, street=st.sampled_from(["Way 3", "Way 4"]))
    def a_draft_changes_while_it_is_decided(self, which: int, tiers: int, by: str, street: str) -> None:
        """Some have agreed; then it is made anew and looks different, and some agree again."""
        if key := self.key(which, fit=_awaits_approval):
            self.approved(key, tiers)
            for record in self.world.company.crm:
                record["address"]["street"] = street
            self.world.company.write_sources()
            at = self.world.now
            self.command(
                partial(commands.fetch_again, self.world.ledger, key, by=by, channel=Channel.WEB, at=at)
            )
            self.approved(key, tiers)
            self.work(key)

    @rule(
        which=WHICH,
        resolution=st.sampled_from(Resolution),
        by=PEOPLE,
        rebill=st.booleans(),
        field=st.sampled_from(["contact.email", "name", "amount"]),
        again=st.booleans(),
    )
    def somebody_resolves(
        self, which: int, resolution: Resolution, by: str, rebill: bool, field: str, again: bool
    ) -> None:
        key = self.key(which, fit=self.is_held)
        found = self.world.open_exceptions(key) if key else []
        overrides = {field: "set@client.example"} if resolution is Resolution.OVERRIDE else exceptions.NOTHING
        for exception, _ in found * (2 if again else 1):
            self.command(
                partial(
                    commands.resolve,
                    self.world.ledger,
                    exception,
                    resolution,
                    by=by,
                    channel=Channel.WEB,
                    reason="agreed",
                    rebill=rebill,
                    overrides=overrides,
                    at=self.world.now,
                )
            )

    @rule(which=WHICH, by=PEOPLE)
    def somebody_fetches_again(self, which: int, by: str) -> None:
        if key := self.key(which, fit=_is_draft):
            self.command(
                lambda: commands.fetch_again(
                    self.world.ledger, key, by=by, channel=Channel.WEB, at=self.world.now
                )
            )

    # what changes outside -------------------------------------------------------------------------------------

    @rule(
        what=st.sampled_from(["client", "deal", "time"]),
        client=st.sampled_from([0, 1, 2]),
        state=st.sampled_from(["no contact", "whole", "renamed", "inactive"]),
        entry=st.sampled_from(["t3", "t4"]),
        right=st.booleans(),
    )
    def the_sources_change(self, what: str, client: int, state: str, entry: str, right: bool) -> None:
        company = self.world.company
        if what == "client":
            crm = company.crm[client]
            usual = crm_client(crm["id"], crm["name"])["billing_contact"]
            crm["billing_contact"] = None if state == "no contact" else usual
            crm["active"] = state != "inactive"
            crm["address"]["street"] = "New street 1" if state == "renamed" else "Weg 2"
        elif what == "deal":
            company.deals[0]["value"] = "9200.00" if right else "8500.00"
        else:
            kept = [line for line in company.time.splitlines() if not line.startswith(entry)]
            kept.append(f"{entry},P-1,Bo,dev,2026-02-1{entry[1]},20,{'yes' if right else 'no'},yes,")
            company.time = "\n".join(kept) + "\n"
        company.write_sources()

    @rule(which=WHICH, file=st.sampled_from(["crm/clients.yaml", "psa/time.csv"]))
    def a_source_cannot_be_read_for_a_while(self, which: int, file: str) -> None:
        if key := self.key(which, fit=_is_draft):
            (self.world.company.folder / "data" / file).write_text("{ half saved")
            self.work(key)
            self.world.company.write_sources()

    @rule(
        tiers=st.sampled_from(sorted(TIERS)),
        amount=st.sampled_from(["1000.00", "1500.00", "100.00"]),
        gone=st.booleans(),
    )
    def a_new_version_is_applied(self, tiers: str, amount: str, gone: bool) -> None:
        company = self.world.company
        company.tiers = TIERS[tiers]
        company.agreements[0]["amount"] = amount
        kept = [each for each in company.agreements if each["id"] != "lyon-two"]
        dropped = [each for each in company.agreements if each["id"] == "lyon-two"] or [
            {**kept[2], "id": "lyon-two", "amount": "400.00"}
        ]
        company.agreements = kept if gone else kept + dropped
        self.world.apply()

    @rule(fates=st.lists(FATES, max_size=2), renderings=st.integers(0, 2))
    def servers_fail(self, fates: list[str], renderings: int) -> None:
        self.world.post.next, self.world.rendering.fails = fates, renderings

    @rule()
    def the_outbox_is_carried(self) -> None:
        with suppress(Crash):
            for key in self.world.carry_outbox():
                self.work(key)

    @rule(time=TIMES)
    def time_passes(self, time: timedelta) -> None:
        self.world.pass_time(time)

    @rule(which=WHICH, fate=st.one_of(st.none(), FATES), times=st.integers(1, 4))
    def time_passes_until_something_is_due(self, which: int, fate: str | None, times: int) -> None:
        """What an invoice waits for comes, and is done: once or several times, the mail server failing or not."""
        key = self.key(which, fit=_goes_on)
        if key is None:
            return
        self.world.post.next = [fate] if fate else []
        for _ in range(times):
            self.until_due(key)
            rules.check(self.world, self.memory)

    # what clients do, and what is agreed with them ------------------------------------------------------------

    @rule(
        which=WHICH,
        part=st.sampled_from(["all", "half", "more", "back", "0.01"]),
        key=st.sampled_from([None, None, "bank/1", "bank/2"]),
        again=st.booleans(),
    )
    def money_comes(self, which: int, part: str, key: str | None, again: bool) -> None:
        if reference := self.key(which, fit=_is_issued):
            for _ in range(2 if again else 1):
                self.command(lambda: self.pay(reference, part, key))

    def pay(self, reference: str, part: str, key: str | None = None) -> None:
        row, owed = self.world.row(reference), self.world.open_amount(reference)
        amounts = {
            "all": owed,
            "half": owed / 2,
            "more": owed + 5,
            "back": -row.paid,
            "0.01": Decimal("0.01"),
        }
        commands.pay(
            self.world.ledger, reference, amounts[part].quantize(Decimal("0.01")), "EUR", key=key,
            received_on=self.world.now.date(), by="pia", channel=Channel.CLI, at=self.world.now,
        )  # fmt: skip

    @rule(which=WHICH, what=st.sampled_from(["pay", "hold", "dispute", "promise", "release"]))
    def something_happens_while_a_mail_is_prepared(self, which: int, what: str) -> None:
        """Between the writing down of a message and the last look before it goes out."""
        key = self.key(which, fit=_is_open)
        if key is None:
            return

        def happen() -> None:
            with suppress(BillowError):
                self.pay(key, "all") if what == "pay" else self.agree(key, what, 10, "pia")

        self.world.post.between = happen

    @rule(
        which=WHICH,
        what=st.sampled_from(["hold", "release", "promise", "dispute", "end of dispute", "due date"]),
        days=st.sampled_from([-3, 0, 2, 10, 400]),
        by=PEOPLE,
    )
    def something_is_agreed(self, which: int, what: str, days: int, by: str) -> None:
        if key := self.key(which, fit=_is_open):
            self.command(lambda: self.agree(key, what, days, by))

    def agree(self, key: str, what: str, days: int, by: str) -> None:
        ledger, at = self.world.ledger, self.world.now
        said: dict[str, Any] = {"by": by, "channel": Channel.WEB, "at": at}
        on = at + timedelta(days=days)
        match what:
            case "hold":
                commands.hold(ledger, key, until=on, reason="asked for", **said)
            case "release":
                commands.release(ledger, key, **said)
            case "promise":
                commands.promise(ledger, key, on=on.date(), **said)
            case "dispute":
                commands.dispute(ledger, key, reason="wrong hours", **said)
            case "end of dispute":
                commands.end_dispute(ledger, key, answer="the claim stands", **said)
            case _:
                commands.change_due_date(ledger, key, to=on.date(), reason="agreed", **said)

    @rule(which=WHICH, to=st.sampled_from([None, "other@client.example", "nobody"]), again=st.booleans())
    def an_invoice_is_sent_again(self, which: int, to: str | None, again: bool) -> None:
        if key := self.key(which, fit=_is_issued):
            for _ in range(2 if again else 1):
                self.command(
                    lambda: commands.resend(
                        self.world.ledger, key, to=to, by="pia", channel=Channel.CLI, at=self.world.now
                    )
                )

    @rule(which=WHICH)
    def a_mail_comes_back(self, which: int) -> None:
        if self.world.post.taken:
            mail = self.world.post.taken[which % len(self.world.post.taken)]
            self.command(
                lambda: commands.bounced(
                    self.world.ledger,
                    mail.message_id,
                    reason="mailbox full",
                    by="mail server",
                    channel="mail",
                    at=self.world.now,
                )
            )

    @invariant()
    def the_rules_hold(self) -> None:
        rules.check(self.world, self.memory)
