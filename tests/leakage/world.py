"""A company that billed everything from January to March 2026, and ways to forget something.

It is 3 April 2026, noon in London. Bills are made by real billing runs and real steps, only at instants of the past.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from activities.invoicing import billing_runs, metering
from activities.invoicing.effects import Effects
from activities.invoicing.reconciliation import Reconciled, reconcile
from activities.invoicing.steps import LedgerSteps
from activities.ledger import commands, invoices, triggers
from activities.ledger.tables import InvoiceRow
from billing.approval_policy import Channel, Verdict
from billing.one_off import OneOff
from billing.status import DocumentStatus
from tests.company import TestCompany, client, crm_client
from workflows.messages import StepInput

NOW = datetime(2026, 4, 3, 12, tzinfo=UTC)
START = "2026-01-01"

RUNS = [datetime(2026, month, day, 6, tzinfo=UTC) for month in (1, 2, 3) for day in (1, 2, 15, 28)]
RUNS += [datetime(2026, 4, 1, 6, tzinfo=UTC), datetime(2026, 4, 2, 6, tzinfo=UTC)]


def agreement(key: str, model: str, client: str, **more: Any) -> dict[str, Any]:
    record = {
        "id": key,
        "model": model,
        "client": client,
        "title": key.title(),
        "currency": "EUR",
        "start": START,
    }
    return {**record, **more}


AGREEMENTS = [
    agreement("care", "retainer", "acme", every="month", amount="1000.00", contract="CT-1", deal="D-1"),
    agreement("watch", "retainer", "acme", every="quarter", amount="6000.00"),
    agreement(
        "hours",
        "time and materials",
        "bolt",
        project="P-1",
        rates={"senior": "120.00", "junior": "95.00"},
    ),
    agreement("spent", "expenses", "bolt", project="P-1", markup="5"),
    agreement(
        "shop",
        "milestone",
        "acme",
        project="P-2",
        milestones=[
            {"id": "design", "title": "Design", "amount": "3200.00"},
            {"id": "launch", "title": "Launch", "amount": "6000.00"},
        ],
    ),
    agreement("move", "fixed price", "bolt", project="P-3", amount="9200.00"),
    agreement("block", "prepaid block", "acme", project="P-4", hours="20", price="2000.00", contract="CT-4"),
    agreement(
        "help",
        "retainer",
        "bolt",
        every="month",
        amount="500.00",
        project="P-5",
        included_hours="10",
        rates={"senior": "110.00"},
    ),
    agreement(
        "port",
        "time and materials",
        "acme",
        project="P-6",
        rates={"senior": "100.00"},
        trigger="project completed",
    ),
    agreement(
        "legacy", "time and materials", "bolt", project="P-7", rates={"senior": "100.00"}, end="2026-02-28"
    ),
    agreement(
        "steps",
        "time and materials",
        "acme",
        project="P-8",
        rates={"senior": "100.00"},
        trigger="spend reached",
        bill_at="3000.00",
    ),
]


def worked(
    entry: str, project: str, day: str, hours: str, role: str = "senior", **more: Any
) -> dict[str, Any]:
    record = {"id": entry, "project": project, "person": "Mira", "role": role, "day": day, "hours": hours}
    return {**record, "approved": "yes", "billable": "yes", "note": "", **more}


def spent(entry: str, project: str, day: str, amount: str, **more: Any) -> dict[str, Any]:
    record = {"id": entry, "project": project, "person": "Mira", "day": day, "description": "Train"}
    return {**record, "amount": amount, "currency": "EUR", "approved": "yes", "billable": "yes", **more}


TIME = [
    # of the retainer by the hour; the entry of April is of a month that runs still
    worked("t-1", "P-1", "2026-01-12", "10"),
    worked("t-2", "P-1", "2026-01-20", "4", "junior"),
    worked("t-3", "P-1", "2026-02-09", "8"),
    worked("t-4", "P-1", "2026-03-10", "6.5", "junior"),
    worked("t-5", "P-1", "2026-03-11", "2", billable="no"),
    worked("t-21", "P-1", "2026-03-20", "2", "junior"),  # after the early invoice of 15 March
    worked("t-6", "P-1", "2026-04-01", "3"),
    worked("t-7", "P-1", "2025-12-20", "5"),  # before the agreement: billed elsewhere
    worked("t-8", "P-2", "2026-02-12", "30"),  # of a milestone: its price covers them
    worked("t-9", "P-3", "2026-02-12", "40"),
    worked("t-10", "P-4", "2026-01-22", "8"),
    worked("t-11", "P-4", "2026-03-02", "7"),
    worked("t-12", "P-5", "2026-01-13", "9"),  # within the ten hours of the month
    worked("t-13", "P-5", "2026-02-13", "14"),  # four beyond them
    worked("t-14", "P-6", "2026-02-16", "12"),  # of a project that is not completed
    worked("t-15", "P-7", "2026-01-19", "5"),
    worked("t-16", "P-7", "2026-02-19", "5"),
    worked("t-17", "P-8", "2026-02-03", "20"),
    worked("t-18", "P-8", "2026-02-24", "15"),  # over the line of 3,000.00
    worked("t-19", "P-8", "2026-03-24", "9"),  # below the next
    worked("t-20", "P-0", "2026-03-24", "9", billable="no"),  # our own
]

EXPENSES = [
    spent("e-1", "P-1", "2026-01-14", "50.00"),
    spent("e-2", "P-1", "2026-02-10", "100.00"),
    spent("e-3", "P-1", "2026-03-10", "40.00"),
    spent("e-4", "P-1", "2026-03-11", "25.00", billable="no"),
]


class World:
    """The company and its ledger."""

    def __init__(self, effects: Effects, company: TestCompany) -> None:
        self.effects, self.company = effects, company
        self.time, self.expenses = [*TIME], [*EXPENSES]
        self._steps = LedgerSteps(effects)
        company.clients = [client("acme", "C-1"), client("bolt", "C-2")]
        company.crm = [crm_client("C-1", "Acme GmbH"), crm_client("C-2", "Bolt AG")]
        company.agreements = [*AGREEMENTS]
        company.deals = [
            {"id": "D-1", "client": "C-1", "value": "1000.00", "currency": "EUR", "won_on": "2025-12-10"},
            {"id": "D-2", "client": "C-2", "value": "7000.00", "currency": "EUR", "won": False},
            {"id": "D-3", "client": "C-2", "value": "300.00", "currency": "EUR", "won_on": "2026-04-02"},
        ]
        company.contracts = [
            {"id": "CT-1", "client": "C-1", "value": "1000.00", "currency": "EUR", "signed_on": "2025-12-15"},
            {"id": "CT-4", "client": "C-1", "value": "2000.00", "currency": "EUR", "signed_on": "2026-01-05"},
        ]
        company.projects = [
            {"id": f"P-{number}", "name": f"Project {number}", "client": crm}
            for number, crm in enumerate(("C-2", "C-2", "C-1", "C-2", "C-1", "C-2", "C-1", "C-2", "C-1"))
        ]
        self.project("P-2")["milestones"] = [
            {"id": "design", "title": "Design", "signed_off": "2026-02-20"},
            {"id": "launch", "title": "Launch"},
        ]

    def project(self, key: str) -> dict[str, Any]:
        return next(each for each in self.company.projects if each["id"] == key)

    def apply(self, at: datetime = NOW) -> None:
        """Writes what the sources say by then, and makes the company the one that runs."""
        by_then = at.date().isoformat()
        self.company.time = _csv([each for each in self.time if each["day"] <= by_then], TIME[0])
        self.company.apply(self.effects.ledger)
        expenses = [each for each in self.expenses if each["day"] <= by_then]
        (self.company.folder / "data/psa/expenses.csv").write_text(_csv(expenses, EXPENSES[0]))

    def live(self) -> None:
        """Bills everything from January to 2 April, as it became due, and forgets nothing."""
        self.apply(RUNS[0])
        self.trigger("block", "block-1", at=datetime(2026, 1, 6, 9, tzinfo=UTC))
        for number, instant in enumerate(RUNS):
            self.apply(instant)
            if instant.date() == date(2026, 2, 28):
                self.trigger("shop", "design", at=instant)
            if instant.date() == date(2026, 3, 15):
                self.trigger("hours", "time", at=instant, reason="their financial year ends")
            self.run(f"run-{number}", instant)
        self.one_off("training", datetime(2026, 3, 2, 9, tzinfo=UTC))
        self.void("manual/training", "a present", datetime(2026, 3, 3, 9, tzinfo=UTC), rebill=False)
        self.apply()

    def run(self, name: str, at: datetime) -> None:
        """A billing run, and what follows from it."""
        metering.take_in(self.effects.ledger, at)
        billing_runs.run(self.effects.ledger, name, at)
        self.work(at + timedelta(minutes=5))

    def trigger(self, agreement: str, item: str, at: datetime, reason: str = "") -> None:
        """Bills an agreement by hand."""
        with self.effects.ledger.transaction() as tx:
            triggers.by_agreement(tx, agreement, item, by="pia", channel="cli", reason=reason, at=at)

    def work(self, at: datetime) -> None:
        """Assembles every draft, has it approved and issues it; but for that of `watch`, which nobody looks at."""
        with self.effects.ledger.transaction() as tx:
            keys = tx.scalars(
                select(InvoiceRow.billing_key)
                .where(InvoiceRow.number.is_(None), InvoiceRow.closed_at.is_(None))
                .order_by(InvoiceRow.id)
            ).all()
        for key in keys:
            self._steps.assemble(StepInput(billing_key=key, as_of=at))
            row = self.row(key)
            if row.document_status == DocumentStatus.AWAITING_APPROVAL and key != "watch/fee/2026-01-01":
                commands.decide(
                    self.effects.ledger, key, Verdict.APPROVE, by="noor", channel=Channel.WEB, at=at
                )
            self._steps.issue(StepInput(billing_key=key, as_of=at))

    def reconcile(self, at: datetime = NOW) -> Reconciled:
        """What a reconciliation of that instant finds."""
        return reconcile(self.effects.ledger, at)

    def row(self, key: str) -> InvoiceRow:
        with self.effects.ledger.transaction() as tx:
            return invoices.find(tx, key)

    def void(self, key: str, reason: str, at: datetime, *, rebill: bool) -> None:
        """Ends a draft: its key is free, or waived."""
        with self.effects.ledger.transaction() as tx:
            row = invoices.find(tx, key, lock=True)
            invoices.void(tx, row, rebill=rebill, by="pia", channel="cli", reason=reason, at=at)

    def one_off(self, key: str, at: datetime) -> None:
        """Asks for an invoice of 900.00 that no agreement covers."""
        asked = OneOff.model_validate(
            {
                "client": "acme",
                "currency": "EUR",
                "title": "Training",
                "reason": "asked for",
                "lines": [{"description": "Day", "quantity": "1", "unit_price": "900.00"}],
            }
        )
        with self.effects.ledger.transaction() as tx:
            triggers.one_off(tx, asked, key, by="pia", channel="cli", at=at)


def _csv(records: list[dict[str, Any]], like: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(like))
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()
