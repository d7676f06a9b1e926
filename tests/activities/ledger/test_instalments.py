"""Terms at the moment of issue: the client's business days, the service, and instalments fixed in the trail."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.invoicing import late_payment
from activities.ledger import audit_trail, commands, instalments, invoices, number_series
from activities.ledger.number_audit import audit_numbers
from activities.ledger.opening_items import import_opening_item
from billing.approval_policy import Channel
from billing.dunning_policy import DunningPolicy
from billing.interest.accrual import Interest
from billing.opening_item import OpeningItem
from billing.payment_terms import PaymentTerms
from billing.periods import Period
from billing.status import DocumentStatus
from tests.starter.web.story import COMPANY, NOW, Story

LENA: dict[str, Any] = {"by": "lena", "channel": Channel.CLI}
THIRDS = {
    "instalments": [
        {"percent": "33.3", "net_days": 10},
        {"percent": "33.3", "net_days": 40},
        {"percent": "33.4", "net_days": 70},
    ]
}
"""Of 8,500.00 euros issued on 20 November 2026: 2,830.50 by 30 November, as much by 30 December, 2,839.00 by
29 January."""

TODAY = NOW.date()
SUPPLY = Period(start=date(2026, 12, 15), end=date(2026, 12, 31))


def issued(story: Story, key: str, terms: dict[str, Any]) -> str:
    """An issued invoice over 8,500 euros with those terms; its number."""
    made = story.drafted(key)
    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, made)
        changes = {"terms": PaymentTerms.model_validate(terms), "supply": SUPPLY}
        invoices.put_draft(tx, row, invoices.draft_of(row).model_copy(update=changes))
        number = number_series.issue(tx, row, at=NOW)
        row.document_status = DocumentStatus.ISSUED
        return number


def pay(story: Story, number: str, amount: str, at: datetime = NOW) -> None:
    commands.pay(story.ledger, number, Decimal(amount), "EUR", received_on=at.date(), at=at, **LENA)


def stands(story: Story, number: str, today: date = TODAY) -> tuple[str, str, str]:
    """Due date that holds, first day that is late, and what may be asked for."""
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        due = row.agreed_due_date or row.due_date
        assert due and row.late_from
        late = (row.late_from + timedelta(hours=1)).date()  # midnight in Berlin, in winter
        return due.isoformat(), late.isoformat(), f"{instalments.asked_amount(tx, row, today):.2f}"


@pytest.mark.parametrize(
    ("terms", "due"),
    [
        ({"net_days": 35}, "2026-12-25"),
        ({"net_days": 35, "business_day": "next"}, "2026-12-28"),  # Christmas, St Stephen's Day, Sunday
        ({"net_days": 35, "business_day": "previous"}, "2026-12-24"),
        ({"before_supply_days": 5}, "2026-12-10"),
        ({"before_supply_days": 3, "business_day": "next"}, "2026-12-14"),
        ({"before_supply_days": 60}, "2026-11-20"),
    ],
)
def test_due_by_calendar_and_service(story: Story, terms: dict[str, Any], due: str) -> None:
    """At issue the holidays of the client's country count, and the first day of the service."""
    assert stands(story, issued(story, "one", terms))[0] == due


def test_fixed_at_issue(story: Story) -> None:
    """The event of issue holds every instalment; the audit of numbers and the chain stay whole with each payment."""
    number = issued(story, "one", THIRDS)
    pay(story, number, "3000")
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        parts = instalments.issued(tx, row)
        assert [(f"{each.amount:.2f}", each.due_date.isoformat()) for each in parts] == [
            ("2830.50", "2026-11-30"),
            ("2830.50", "2026-12-30"),
            ("2839.00", "2027-01-29"),
        ]
        assert audit_trail.verify(tx, row.id) == []
        assert row.due_date == date(2026, 11, 30)
    with story.ledger.transaction() as tx:
        assert audit_numbers(tx).problems == []


def test_moves_on_with_each_payment(story: Story) -> None:
    """Paid in full, a part gives way to the next; taken back, it is the open one again; each in one transaction."""
    number = issued(story, "one", THIRDS)
    assert stands(story, number) == ("2026-11-30", "2026-12-01", "2830.50")
    pay(story, number, "1000")
    assert stands(story, number) == ("2026-11-30", "2026-12-01", "1830.50")
    pay(story, number, "1830.50")
    assert stands(story, number) == ("2026-12-30", "2026-12-31", "2830.50")
    pay(story, number, "4000")
    assert stands(story, number) == ("2027-01-29", "2027-01-30", "1669.50")
    pay(story, number, "-4000.01")
    assert stands(story, number) == ("2026-11-30", "2026-12-01", "0.01")


def test_what_fell_due_meanwhile_is_asked_for_too(story: Story) -> None:
    """A client who pays nothing is asked for the first part, later for two, in the end for all."""
    number = issued(story, "one", THIRDS)
    asked = [
        stands(story, number, day)[2] for day in (date(2026, 12, 29), date(2026, 12, 30), date(2027, 2, 1))
    ]
    assert asked == ["2830.50", "5661.00", "8500.00"]


def test_a_late_part_that_is_paid_is_late_no_more(story: Story) -> None:
    """The status of collection follows the part that is open: due while the first is late, not due after it."""
    number = issued(story, "one", THIRDS)
    pay(story, number, "2830.49", at=datetime(2026, 12, 5, 12, tzinfo=UTC))
    with story.ledger.transaction() as tx:
        invoices.find(tx, number, lock=True).collection_status = "reminded"
    pay(story, number, "0.01", at=datetime(2026, 12, 6, 12, tzinfo=UTC))
    with story.ledger.transaction() as tx:
        assert invoices.find(tx, number).collection_status == "not due"


def test_each_instalment_bears_its_own_interest(story: Story) -> None:
    """Each is late from the day after its due date; 1,000 of 10 December goes to the first. Swiss law, 5 %."""
    number = issued(story, "one", THIRDS)
    pay(story, number, "1000", at=datetime(2026, 12, 10, 12, tzinfo=UTC))
    swiss = DunningPolicy(id="standard", interest_law="CH")
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        company = COMPANY.model_copy(update={"dunning": (swiss,)})
        found = late_payment.interest(tx, row, company, date(2027, 3, 1))
    assert isinstance(found, Interest)
    assert [(f"{each.principal:.2f}", each.days, f"{each.amount:.2f}") for each in found.segments] == [
        ("2830.50", 10, "3.88"),
        ("1830.50", 21, "5.27"),
        ("2830.50", 1, "0.39"),
        ("1830.50", 60, "15.05"),
        ("2830.50", 60, "23.26"),
        ("2839.00", 31, "12.06"),
    ]


def test_another_due_date_takes_their_place(story: Story) -> None:
    """Once another due date was agreed, all that is open is due then, whatever is paid before."""
    number = issued(story, "one", THIRDS)
    commands.change_due_date(
        story.ledger, number, to=date(2026, 12, 24), reason="agreed by phone", at=NOW, **LENA
    )
    pay(story, number, "2830.50")
    assert stands(story, number) == ("2026-12-24", "2026-12-25", "5669.50")


def test_without_instalments_nothing_moves(story: Story) -> None:
    """An invoice with one due date keeps it, and all that is open is asked for."""
    number = issued(story, "one", {"net_days": 14})
    pay(story, number, "8000")
    assert stands(story, number) == ("2026-12-04", "2026-12-05", "500.00")
    with story.ledger.transaction() as tx:
        assert instalments.issued(tx, invoices.find(tx, number)) == ()


def test_opening_items_are_late_after_their_own_due_date(story: Story) -> None:
    """Whatever the client's terms are now, an item of the system before is late the day after the date on it."""
    terms = PaymentTerms.model_validate({"end_of_month_plus": 30, "business_day": "next"})
    clients = [each.model_copy(update={"terms": terms}) for each in COMPANY.clients]
    company = COMPANY.model_copy(update={"clients": tuple(clients)})
    item = OpeningItem(
        number="OLD-1",
        client="nordlicht",
        title="Before",
        currency="EUR",
        net=Decimal(100),
        tax=Decimal(19),
        gross=Decimal(119),
        issue_date=date(2026, 11, 1),
        due_date=date(2026, 11, 15),
    )
    with story.ledger.transaction() as tx:
        assert import_opening_item(tx, item, company, 1, by="lena", at=NOW)
    assert stands(story, "OLD-1")[:2] == ("2026-11-15", "2026-11-16")
