"""What is billed once is not billed again, and what came late is found: drafts made over a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from activities.invoicing.assembling import assemble_draft
from activities.invoicing.effects import Effects
from activities.ledger import invoices, number_series, triggers
from activities.ledger.tables import BilledItemRow, InvoiceRow
from billing.agreements import Occasion
from billing.draft import Draft
from billing.periods import Period
from tests.company import TestCompany, client, crm_client, retainer
from workers.assembly import effects
from workers.settings import Settings
from workflows.messages import StepInput

RATES = {"senior": "120.00"}
HEADER = "id,project,person,role,day,hours,approved,billable,note\n"


def at(day: str) -> datetime:
    """Nine in the morning of a day, in Berlin at most an hour later."""
    return datetime.fromisoformat(f"{day}T08:00:00").replace(tzinfo=UTC)


class Desk:
    """A company with hours on project P-1, billed and issued without a workflow."""

    def __init__(self, outside: Effects, company: TestCompany) -> None:
        self.outside, self.ledger, self.company = outside, outside.ledger, company
        self.rows: list[list[str]] = []
        company.projects = [{"id": "P-1", "name": "Portal", "client": "C-1"}]
        self.agreement()

    def agreement(self, *more: dict[str, Any], **changes: Any) -> None:
        """Time and materials monthly from January 2026, unless changed."""
        record = retainer("work", "acme", "0", model="time and materials", project="P-1", rates=RATES)
        del record["amount"]
        self.company.agreements = [{**record, "start": date(2026, 1, 1), **changes}, *more]
        self.company.apply(self.ledger)

    def work(self, *rows: str) -> None:
        """Each row is id, day, hours and, if it is not approved, `no`; the PSA has those up to the day it is asked.

        A row that ends in `ahead` is there before its day.
        """
        self.rows = [row.split() for row in rows]

    def _enter(self, today: str) -> None:
        self.company.time = HEADER + "".join(
            f"{key},P-1,Mira,senior,{day},{hours},{'no' if 'no' in rest else 'yes'},yes,\n"
            for key, day, hours, *rest in self.rows
            if day <= today or "ahead" in rest
        )
        self.company.write_sources()

    def bill(
        self,
        start: str,
        end: str,
        on: str,
        *,
        item: str = "time",
        agreement: str = "work",
        trigger: str = "time",
    ) -> InvoiceRow:
        """Asks for a period and makes its draft, on a day."""
        period = Period(start=date.fromisoformat(start), end=date.fromisoformat(end)) if start else None
        return self.ask(Occasion(agreement=agreement, item=item, period=period), on, trigger)

    def ask(self, occasion: Occasion, on: str, trigger: str = "time") -> InvoiceRow:
        with self.ledger.transaction() as tx:
            triggers.by_occasion(tx, occasion, trigger, by="billing-run", channel="billing run", at=at(on))
        return self.assemble(occasion.billing_key, on)

    def assemble(self, key: str, on: str) -> InvoiceRow:
        self._enter(on)
        assemble_draft(self.outside, StepInput(billing_key=key, as_of=at(on)))
        with self.ledger.transaction() as tx:
            return invoices.find(tx, key)

    def issue(self, row: InvoiceRow, on: str) -> None:
        """Numbers a draft that nothing holds."""
        assert self.held(row) == []
        with self.ledger.transaction() as tx:
            number_series.issue(tx, invoices.find(tx, row.billing_key, lock=True), at=at(on))

    def held(self, row: InvoiceRow) -> list[str]:
        with self.ledger.transaction() as tx:
            return [each.code for each in invoices.open_exceptions(tx, row)]

    def january(self) -> InvoiceRow:
        """January, billed and issued on 1 February."""
        row = self.bill("2026-01-01", "2026-01-31", "2026-02-01")
        self.issue(row, "2026-02-01")
        return row

    def february(self) -> InvoiceRow:
        return self.bill("2026-02-01", "2026-02-28", "2026-03-01")

    def billed_once(self) -> list[str]:
        """The time entries that stand on an invoice; the database lets none stand twice."""
        with self.ledger.transaction() as tx:
            return sorted(tx.scalars(select(BilledItemRow.item)))


@pytest.fixture
def desk(settings: Settings, company: TestCompany) -> Iterator[Desk]:
    outside = effects(settings)
    yield Desk(outside, company)
    outside.ledger.close()


def entries(row: InvoiceRow) -> list[list[str]]:
    """The entries on each line."""
    return [[ref.id for ref in line.sources] for line in Draft.model_validate(row.draft).lines]


JANUARY = ("T-1 2026-01-12 8", "T-2 2026-01-30 4")


def test_hours_that_came_late_hold_the_next_month(desk: Desk) -> None:
    """Hours of January approved after January was issued hold February by default, and are not on it."""
    desk.work(*JANUARY, "T-3 2026-01-20 2 no", "T-4 2026-02-10 1")
    january = desk.bill("2026-01-01", "2026-01-31", "2026-02-01")
    assert desk.held(january) == ["hours-unapproved"]
    desk.work(*JANUARY, "T-4 2026-02-10 1")
    desk.issue(desk.assemble(january.billing_key, "2026-02-01"), "2026-02-01")
    desk.work(*JANUARY, "T-3 2026-01-20 2", "T-4 2026-02-10 1")
    february = desk.february()
    assert desk.held(february) == ["leftovers"]
    assert entries(february) == [["T-4"]]


@pytest.mark.parametrize(
    ("leftovers", "lines"), [("bill", [["T-3"], ["T-4"]]), ("leave", [["T-4"]])], ids=["bill", "leave"]
)
def test_hours_that_came_late_are_billed_or_left(desk: Desk, leftovers: str, lines: list[list[str]]) -> None:
    """The agreement may have them billed along, or left."""
    desk.agreement(leftovers=leftovers)
    desk.work(*JANUARY)
    desk.january()
    desk.work(*JANUARY, "T-3 2026-01-20 2", "T-4 2026-02-10 1")
    february = desk.february()
    assert desk.held(february) == []
    assert entries(february) == lines
    desk.issue(february, "2026-03-01")
    march = desk.bill("2026-03-01", "2026-03-31", "2026-04-01")
    assert desk.held(march) == ["empty"]


def test_a_month_that_is_still_a_draft_leaves_nothing_over(desk: Desk) -> None:
    """Two months caught up at once: each has its own hours, though neither is issued when the other is made."""
    desk.agreement(leftovers="bill")
    desk.work(*JANUARY, "T-4 2026-02-10 1")
    february = desk.february()
    january = desk.bill("2026-01-01", "2026-01-31", "2026-03-01")
    assert (entries(january), entries(february)) == ([["T-1", "T-2"]], [["T-4"]])
    assert desk.held(january) + desk.held(february) == []


def test_a_draft_voided_to_be_billed_again_leaves_nothing_over(desk: Desk) -> None:
    """Its days are due again: February does not take them."""
    desk.agreement(leftovers="bill")
    desk.work(*JANUARY, "T-4 2026-02-10 1")
    row = desk.bill("2026-01-01", "2026-01-31", "2026-02-01")
    with desk.ledger.transaction() as tx:
        again = invoices.find(tx, row.billing_key, lock=True)
        invoices.void(tx, again, rebill=True, by="pia", channel="cli", reason="wrong", at=at("2026-02-02"))
    assert entries(desk.february()) == [["T-4"]]


def test_waived_work_is_not_looked_for_again(desk: Desk) -> None:
    """Whoever waives a draft waives its hours: they are no leftovers."""
    desk.work(*JANUARY, "T-4 2026-02-10 1")
    row = desk.bill("2026-01-01", "2026-01-31", "2026-02-01")
    with desk.ledger.transaction() as tx:
        waived = invoices.find(tx, row.billing_key, lock=True)
        invoices.void(tx, waived, rebill=False, by="pia", channel="cli", reason="gift", at=at("2026-02-02"))
    february = desk.february()
    assert (desk.held(february), entries(february)) == ([], [["T-4"]])


def test_an_early_invoice_and_its_rest(desk: Desk) -> None:
    """1 to 12 January early, 13 to 31 as planned: with what was approved late of the first days, each hour once."""
    desk.work("T-1 2026-01-05 8", "T-2 2026-01-12 2 no", "T-3 2026-01-20 4")
    early = desk.bill("2026-01-01", "2026-01-12", "2026-01-12", trigger="manual")
    assert desk.held(early) == ["hours-unapproved"]
    desk.work("T-1 2026-01-05 8", "T-3 2026-01-20 4")
    early = desk.assemble(early.billing_key, "2026-01-12")
    assert entries(early) == [["T-1"]]
    desk.issue(early, "2026-01-12")
    desk.work("T-1 2026-01-05 8", "T-2 2026-01-12 2", "T-3 2026-01-20 4")
    rest = desk.bill("2026-01-13", "2026-01-31", "2026-02-01")
    assert desk.held(rest) == []
    assert entries(rest) == [["T-2"], ["T-3"]]
    assert desk.billed_once() == ["T-1", "T-2", "T-3"]


def test_a_cap_counts_what_was_billed_early(desk: Desk) -> None:
    """960.00 early and 480.00 as planned are more than 1,400.00 for the month."""
    desk.agreement(cap="1400")
    desk.work("T-1 2026-01-05 8", "T-3 2026-01-20 4")
    early = desk.bill("2026-01-01", "2026-01-12", "2026-01-12", trigger="manual")
    desk.issue(early, "2026-01-12")
    assert desk.held(desk.bill("2026-01-13", "2026-01-31", "2026-02-01")) == ["scope-exceeded"]


def test_a_budget_counts_all_months(desk: Desk) -> None:
    """1,440.00 in January and 120.00 in February: 1,559.99 for all is too little, whatever the months are."""
    desk.work(*JANUARY, "T-4 2026-02-10 1")
    desk.january()
    desk.agreement(budget="1560")
    row = desk.february()
    assert desk.held(row) == []
    desk.agreement(budget="1559.99")
    assert desk.held(desk.assemble(row.billing_key, "2026-03-01")) == ["scope-exceeded"]


def test_an_empty_month_ends_by_itself(desk: Desk) -> None:
    """It is waived without anybody's look; hours entered for it afterwards are on the next."""
    desk.agreement(skip_empty=True, leftovers="bill")
    desk.work()
    january = desk.bill("2026-01-01", "2026-01-31", "2026-02-01")
    assert (january.document_status, january.rebill, desk.held(january)) == ("voided draft", False, [])
    desk.work("T-1 2026-01-12 8")
    assert entries(desk.february()) == [["T-1"]]


def test_an_empty_month_that_may_not_be_skipped_waits(desk: Desk) -> None:
    """By default a person looks at a month without work; so they do if they asked for it themselves."""
    desk.work()
    assert desk.held(desk.bill("2026-01-01", "2026-01-31", "2026-02-01")) == ["empty"]
    desk.agreement(skip_empty=True)
    assert desk.held(desk.bill("2026-02-01", "2026-02-28", "2026-03-01", trigger="manual")) == ["empty"]


def test_hours_to_approve_keep_an_empty_month_open(desk: Desk) -> None:
    """A month with nothing but unapproved hours is not empty."""
    desk.agreement(skip_empty=True)
    desk.work("T-1 2026-01-12 8 no")
    row = desk.bill("2026-01-01", "2026-01-31", "2026-02-01")
    assert sorted(desk.held(row)) == ["empty", "hours-unapproved"]


def overage(desk: Desk, **changes: Any) -> None:
    record = {"model": "retainer", "amount": "1000", "included_hours": "10", **changes}
    desk.agreement(**record)


def test_hours_within_the_included_ones_are_done_with(desk: Desk) -> None:
    """Eight of ten hours: nothing to bill and nobody asked, and none of them is left over in February."""
    overage(desk)
    desk.work("T-1 2026-01-12 8", "T-2 2026-02-12 11")
    january = desk.bill("2026-01-01", "2026-01-31", "2026-02-01", item="overage")
    assert (january.document_status, desk.held(january)) == ("voided draft", [])
    assert desk.billed_once() == ["T-1"]
    february = desk.bill("2026-02-01", "2026-02-28", "2026-03-01", item="overage")
    assert (desk.held(february), february.net) == ([], Decimal("120.00"))
    assert entries(february) == [["T-2"], ["T-2"]]


def test_late_hours_use_what_their_month_has_left(desk: Desk) -> None:
    """January had 8 of 10 hours; three that came late are two free and one billed with February's."""
    overage(desk, leftovers="bill")
    desk.work("T-1 2026-01-12 8")
    desk.bill("2026-01-01", "2026-01-31", "2026-02-01", item="overage")
    desk.work("T-1 2026-01-12 8", "T-9 2026-01-30 3", "T-2 2026-02-12 11")
    february = desk.bill("2026-02-01", "2026-02-28", "2026-03-01", item="overage")
    assert february.net == Decimal("240.00")
    assert entries(february) == [["T-9", "T-2"], ["T-9"], ["T-2"]]


def test_an_entry_that_moves_is_billed_once(desk: Desk) -> None:
    """Moved to February after January was issued, an entry is on no second invoice, and holds none."""
    desk.work(*JANUARY)
    desk.january()
    desk.work("T-1 2026-01-12 8", "T-2 2026-02-02 4", "T-4 2026-02-10 1")
    february = desk.february()
    assert (desk.held(february), entries(february)) == ([], [["T-4"]])


def test_an_entry_two_agreements_bill_is_told(desk: Desk) -> None:
    """What stands on an invoice of another agreement is a contradiction for a person."""
    other = retainer("also", "acme", "0", model="time and materials", project="P-1", rates=RATES)
    del other["amount"]
    desk.agreement({**other, "start": date(2026, 1, 1)})
    desk.work(*JANUARY)
    desk.january()
    again = desk.bill("2026-01-01", "2026-01-31", "2026-02-01", agreement="also")
    assert "already-billed" in desk.held(again)


def test_completion_bills_what_spend_did_not(desk: Desk) -> None:
    """What was billed when the spend came to its line is not billed again at completion."""
    desk.agreement(trigger="project completed")
    desk.work("T-1 2026-01-12 8", "T-2 2026-01-13 1 no")
    spend = desk.bill("", "", "2026-01-20", item="spend-1")
    assert (desk.held(spend), entries(spend)) == ([], [["T-1"]])
    desk.work("T-1 2026-01-12 8", "T-2 2026-01-13 1", "T-3 2026-02-02 3")
    desk.company.projects[0]["completed"] = date(2026, 2, 3)
    done = desk.bill("", "", "2026-02-04", item="completion")
    assert (desk.held(done), entries(done)) == ([], [["T-2", "T-3"]])


def test_hours_of_days_to_come_are_told(desk: Desk) -> None:
    """A date with a wrong year would else be found a year later; tomorrow's may be today's further east."""
    desk.work(*JANUARY, "T-8 2026-02-02 1 ahead", "T-9 2027-01-13 8 ahead")
    row = desk.bill("2026-01-01", "2026-01-31", "2026-02-01")
    assert desk.held(row) == ["sources-differ"]
    assert entries(row) == [["T-1", "T-2"]]


def test_an_agreement_that_belongs_to_another_client_now_is_held(desk: Desk) -> None:
    """Who is chased and who is billed must be one."""
    desk.work(*JANUARY)
    row = desk.bill("2026-01-01", "2026-01-31", "2026-02-01")
    desk.company.clients.append(client("other", "C-2"))
    desk.company.crm.append(crm_client("C-2", "Other GmbH"))
    desk.company.projects = [{"id": "P-1", "name": "Portal", "client": "C-2"}]
    desk.agreement(client="other")
    assert desk.held(desk.assemble(row.billing_key, "2026-02-01")) == ["rules-changed"]


def block(**changes: Any) -> dict[str, Any]:
    return {
        "model": "prepaid block",
        "hours": "20",
        "price": "2000",
        "overage": "rate",
        "overage_rate": "110",
        **changes,
    }


def test_hours_beyond_a_block_are_billed_by_the_month(desk: Desk) -> None:
    """Of 20 hours 15 were used in January and 10 in February: five are beyond; two that came late follow in March."""
    record = {
        key: value for key, value in desk.company.agreements[0].items() if key not in ("every", "rates")
    }
    desk.company.agreements = [{**record, **block()}]
    desk.company.apply(desk.ledger)
    work = ["T-1 2026-01-12 15", "T-2 2026-02-05 4", "T-3 2026-02-20 6"]
    desk.work(*work)
    bought = desk.bill("", "", "2026-01-01", item="block-1", trigger="event")
    desk.issue(bought, "2026-01-01")
    january = desk.bill("2026-01-01", "2026-01-31", "2026-02-01", item="overage")
    assert january.document_status == "voided draft"
    february = desk.bill("2026-02-01", "2026-02-28", "2026-03-01", item="overage")
    assert (desk.held(february), february.net, entries(february)) == ([], Decimal("550.00"), [["T-3"]])
    desk.issue(february, "2026-03-01")
    desk.work(*work, "T-9 2026-01-30 2")
    march = desk.bill("2026-03-01", "2026-03-31", "2026-04-01", item="overage")
    assert (desk.held(march), march.net) == ([], Decimal("220.00"))


EXPENSES = "id,project,person,day,description,amount,currency,approved,billable,receipt\n"


def test_expenses_are_billed_once(desk: Desk) -> None:
    """With the hours of their month, marked with their receipt; handed in late, they are left over."""
    desk.agreement(expenses=True)
    desk.company.expenses = EXPENSES + "E-1,P-1,Mira,2026-01-13,Train,39.90,EUR,yes,yes,R-1\n"
    desk.work(*JANUARY)
    assert desk.january().net == Decimal("1479.90")
    desk.company.expenses += "E-2,P-1,Mira,2026-01-14,Taxi,20,EUR,yes,yes,\n"
    desk.work(*JANUARY, "T-4 2026-02-10 1")
    assert desk.held(desk.february()) == ["leftovers"]


def test_work_of_long_ago_is_not_looked_for(desk: Desk) -> None:
    """What is older than the company looks back is nobody's business any more."""
    desk.work(*JANUARY)
    desk.january()
    desk.company.company_file = {"source_checks": {"look_back_days": 30}}
    desk.agreement()
    desk.work(*JANUARY, "T-3 2026-01-20 2", "T-4 2026-02-10 1")
    assert desk.held(desk.february()) == []


@pytest.mark.parametrize("skip_empty", [True, False])
def test_hours_that_left_a_draft_are_free(desk: Desk, skip_empty: bool) -> None:
    """A draft whose only hours were moved to another month holds nothing back, skipped, waived or neither."""
    desk.agreement(skip_empty=skip_empty)
    desk.work("T-1 2026-01-12 8", "T-2 2026-01-13 4 no")
    january = desk.bill("2026-01-01", "2026-01-31", "2026-02-01")
    assert (desk.held(january), desk.billed_once()) == (["hours-unapproved"], ["T-1"])
    desk.work("T-1 2026-02-12 8")
    january = desk.assemble(january.billing_key, "2026-02-15")
    assert january.draft is None and january.net is None and desk.billed_once() == []
    assert january.document_status == ("voided draft" if skip_empty else "draft")
    assert entries(desk.february()) == [["T-1"]]


def test_overage_of_a_draft_that_became_empty(desk: Desk) -> None:
    """Hours beyond the block that left a skipped draft do not count as billed."""
    block = {"id": "work", "model": "prepaid block", "client": "acme", "title": "Hours", "currency": "EUR"}
    terms = {"hours": "2", "price": "200.00", "overage": "rate", "overage_rate": "90.00", "trigger": "manual"}
    desk.company.agreements = [{**block, **terms, "project": "P-1", "start": date(2026, 1, 1)}]
    desk.company.apply(desk.ledger)
    desk.work("T-1 2026-01-12 8", "T-2 2026-01-13 4 no")
    january = desk.bill("2026-01-01", "2026-01-31", "2026-02-01", item="overage")
    assert (entries(january), january.net) == ([["T-1"]], Decimal("540.00"))
    desk.work("T-1 2026-01-12 2")
    assert desk.assemble(january.billing_key, "2026-02-02").document_status == "voided draft"
    desk.work("T-1 2026-01-12 8")
    february = desk.bill("2026-02-01", "2026-02-28", "2026-03-01", item="overage")
    assert february.net == Decimal("540.00")
