"""A company with something of everything a page could show."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO

from pydantic import TypeAdapter

from activities.bank.importing import import_file
from activities.ledger import company_records, promises
from billing.agreements import Agreement
from billing.approval_policy import Channel
from billing.dunning_policy import DunningPolicy, Offset
from billing.exceptions import ReasonCode
from tests.activities.bank import statements
from tests.starter.runs import HELD, LATE, USUAL, finished
from tests.starter.web.story import COMPANY, Story

_AGREEMENTS = TypeAdapter(tuple[Agreement, ...])


def agreements(today: date) -> tuple[Agreement, ...]:
    """One of several models; the first is due since the first of the month."""
    month = today.replace(day=1)
    about = {"currency": "EUR", "start": month.isoformat()}
    return _AGREEMENTS.validate_python(
        [
            about
            | {"id": "support", "client": "nordlicht", "model": "retainer", "title": "Platform support"}
            | {"amount": "3900.00", "every": "month", "timing": "in advance"},
            about
            | {"id": "relaunch", "client": "ateliers", "model": "milestone", "title": "Relaunch of the shop"}
            | {"project": "P-7", "milestones": MILESTONES},
            about
            | {"id": "hours", "client": "nordlicht", "model": "prepaid block", "title": "Hours in advance"}
            | {"project": "P-8", "hours": "40", "price": "4800.00"},
        ]
    )


MILESTONES = [
    {"id": "concept", "title": "Concept agreed", "amount": "8000.00"},
    {"id": "launch", "title": "Launch", "amount": "12000.00"},
]


def furnish(story: Story) -> None:
    """Invoices in many states, agreements, a run, a promise, a bank statement with a payment nobody knows."""
    late = story.at - timedelta(days=40)
    story.issued("older", at=story.at - timedelta(days=82), title="Server operations", prices=("4200",))
    for number in range(3):  # three make a habit
        story.paid(story.issued(f"paid-{number}", at=late - timedelta(days=1 + number)), "8500.00")
    story.paid(
        story.issued("part", at=late, title="A title that is as long as titles of projects are"), "10.00"
    )
    story.issued("fresh", title="Platform support", prices=("3900",))
    promised = story.issued(
        "promised", at=late, client="ateliers", name="Ateliers Vauban SARL", prices=("6100",)
    )
    story.issued("yen", client="kawa", name="Kawa Design K.K.", prices=("150000",))
    story.asked("waiting")
    story.raised("stopped", ReasonCode.SOURCES_DIFFER, "the CRM says 8,500.00 EUR, the contract 9,200.00 EUR")
    finished(story.ledger, "run:1", HELD, LATE, USUAL)
    dunning = DunningPolicy(
        id="standard", levels=(Offset(days=7), Offset(days=21)), hand_over_after_due=Offset(days=60)
    )
    company = COMPANY.model_copy(update={"agreements": agreements(story.at.date()), "dunning": (dunning,)})
    company_records.apply_company(story.ledger, company, "company", "uma", story.at)
    with story.ledger.transaction() as tx:
        row = story.invoice(tx, promised)
        promises.make(
            tx,
            row,
            company,
            on=story.at.date() + timedelta(days=9),
            by="lena",
            channel=Channel.WEB,
            at=story.at,
        )
    statement(story)


def statement(story: Story) -> int:
    """Imports a statement in which one payment is known by its number, and one is not; its id."""
    day = (story.at - timedelta(days=1)).date().isoformat()
    entries = [
        statements.paid("3900.00", "Invoice of ours, no number", bank="B1", day=day),
        statements.paid("77.50", "thank you", bank="B2", day=day),
    ]
    file = statements.file(entries, id="2026-11", day=day)
    (made,) = import_file(
        story.ledger, BytesIO(file), file_name="statement.xml", by="lena", channel=Channel.WEB, at=story.at
    )
    return made.id
