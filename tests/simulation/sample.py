"""The sample company in a folder, its simulation, and what the engine recorded, in the words of the simulation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.company.folder import read_folder
from activities.company.sample import write_sample
from activities.invoicing import simulating
from activities.ledger import audit_trail, invoices, payments
from activities.ledger.company_records import CompanyVersion, apply_company
from activities.ledger.database import Ledger
from activities.ledger.tables import MessageRow
from billing.company import Company
from billing.money import Money, rounded
from billing.simulation import outcome
from billing.simulation.outcome import Assumptions, Simulated, Simulation

RECORDED = {
    "triggered": outcome.BILLED,
    "approval asked": outcome.ASKED,
    "approval reminded": outcome.REMINDED,
    "approval escalated": outcome.ESCALATED,
    "approved": outcome.APPROVED,
    "issued": outcome.ISSUED,
    "payment received": outcome.PAID,
}
"""Events of the audit trail that are acts of a simulation under these names; acts of collection have the same name."""


@dataclass(frozen=True)
class Sample:
    """The firm Havelwerk IT in a folder of its own."""

    folder: Path

    def write(self, today: datetime, *, every_minutes: int) -> None:
        """Writes it as of a day, with a billing run so often."""
        write_sample(self.folder, today.date())
        company = self.folder / "company.yaml"
        text, found = re.subn(r"every_minutes: \d+", f"every_minutes: {every_minutes}", company.read_text())
        assert found == 1
        company.write_text(text)

    def apply(self, ledger: Ledger, at: datetime) -> CompanyVersion:
        reading = read_folder(self.folder)
        assert reading.company is not None, reading.problems
        version = apply_company(ledger, reading.company, str(self.folder), "lena", at)
        return CompanyVersion(version, reading.company, str(self.folder))


def simulated(
    ledger: Ledger, version: CompanyVersion, start: datetime, assumptions: Assumptions, days: int = 184
) -> Simulation:
    """What the company would do from the instant on, read from the ledger as it stands."""
    with ledger.transaction() as tx:
        simulating.read_only(tx)
        return simulating.simulated(tx, version, start, start + timedelta(days=days), assumptions)


def recorded(tx: Session, key: str, company: Company) -> list[Simulated]:
    """What the ledger says happened to an invoice: every act of its audit trail that a simulation knows."""
    row = invoices.find(tx, key)
    owed = Money.of(rounded(payments.open_amount(row), row.currency or "EUR"), row.currency or "EUR")
    ours = {person.email: person.id for person in company.people}
    messages = {
        each.event: each for each in tx.scalars(select(MessageRow).where(MessageRow.invoice == row.id))
    }
    found: list[Simulated] = []
    for event in audit_trail.trail(tx, row.id):
        act = RECORDED.get(event.event, event.event)
        message = messages.get("invoice" if event.event == "sent" else event.event)
        if event.event == "sent" and event.facts["message"] != "invoice":
            continue  # the act itself is recorded next to it
        if message is None and event.event not in RECORDED:
            continue
        who = ", ".join(event.facts.get("asked", ()))
        if message is not None:
            who = ours.get(message.recipient, message.recipient)
        elif act == outcome.APPROVED:
            who = event.actor
        found.append(
            Simulated(
                at=event.at,
                client=row.client,
                agreement=row.agreement or "",
                billing_key=key,
                act=act,
                who=who,
                amount=owed,
            )
        )
    return found
