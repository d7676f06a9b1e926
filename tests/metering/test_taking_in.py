"""Taking entries in: from the PSA and by hand, what is held or refused, what people are told and when that ends."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.invoicing import billing_runs
from activities.ledger import billing_run_records, invoices, meters, triggers
from billing.agreements import PrepaidBlock
from billing.blocks import Use, draw_down
from billing.errors import NotFound, Refused
from billing.meter_entries import Measure, MeterEntry
from billing.one_off import OneOff, OneOffLine
from billing.request import BillingRequest
from billing.status import DocumentStatus
from tests.metering import agreements
from tests.metering.conftest import HEADER, Desk, hours


def change_order(**changes: Any) -> dict[str, Any]:
    given = {"id": "co-1", "effective": date(2026, 6, 16), "reason": "more", "document": "K-2"}
    return {**given, "proposed_by": "pia", "approved_by": "mara", "approved_on": "2026-06-16", **changes}


def test_only_approved_billable_hours_of_the_psa_count(desk: Desk) -> None:
    """Hours count once they are approved; taken back, edited or gone, the meter follows; nothing else is written."""
    desk.apply(agreements.block())
    desk.psa("t1,dev,2026-06-01,4,yes", "t2,dev,2026-06-02,5,no")
    assert desk.standing("acme-block").used == 4
    desk.psa("t1,dev,2026-06-01,4.5,yes", "t2,dev,2026-06-02,5,yes")
    assert desk.standing("acme-block").used == Decimal("9.5")
    desk.psa("t2,dev,2026-06-02,5,no")
    assert desk.standing("acme-block").used == 0
    desk.psa("t1,dev,2026-06-01,4,yes")
    assert desk.standing("acme-block").used == 4
    assert desk.crossed() == {} and desk.open_exceptions() == {}


def test_what_cannot_count_is_told_once_and_ends_by_itself(desk: Desk) -> None:
    """Negative hours and hours to come are kept and told; corrected, or once their day has come, the telling ends."""
    desk.apply(agreements.block())
    for _ in range(2):
        desk.psa("t1,dev,2026-06-01,-2,yes", "t2,dev,2026-06-20,3,yes")
    open_ones = desk.open_exceptions()
    assert {subject: row.code for subject, row in open_ones.items()} == {
        "meter/acme-block/held/hours/future": "entry-held",
        "meter/acme-block/held/hours/negative": "entry-held",
    }
    assert {row.owner for row in open_ones.values()} == {"pia"}
    desk.psa("t1,dev,2026-06-01,2,yes", "t2,dev,2026-06-20,3,yes")
    assert list(desk.open_exceptions()) == ["meter/acme-block/held/hours/future"]
    desk.now += timedelta(days=5)
    desk.run()
    assert desk.open_exceptions() == {}
    assert desk.standing("acme-block").used == 5


def test_tomorrow_is_today_further_east(desk: Desk) -> None:
    """Hours dated tomorrow are left until then without a word."""
    desk.apply(agreements.block())
    desk.psa("t1,dev,2026-06-16,2,yes")
    assert desk.standing("acme-block").used == 0 and desk.open_exceptions() == {}
    desk.now += timedelta(days=1)
    desk.run()
    assert desk.standing("acme-block").used == 2


def test_a_psa_nobody_can_read(desk: Desk) -> None:
    """The meters stay where they stood, one exception tells of all of them, and ends with the next reading."""
    desk.apply(agreements.block(), agreements.spend())
    desk.psa("t1,dev,2026-06-01,4,yes")
    desk.folder.time = "nonsense"
    desk.folder.write_sources()
    assert sorted(desk.run().unread) == ["acme-block", "acme-spend"]
    (told,) = desk.open_exceptions().values()
    assert (told.subject, told.code) == ("meters/psa", "source-unreadable")
    assert "meters of 2 agreements stand where they stood" in told.finding["message"]
    assert desk.standing("acme-block").used == 4
    desk.psa("t1,dev,2026-06-01,4,yes")
    assert desk.open_exceptions() == {}


def test_what_a_billing_run_says_of_meters(desk: Desk) -> None:
    """The invoice a meter made stands among what the run did, as nothing late; a meter nobody can read is held."""
    desk.apply(agreements.block())
    desk.psa("t1,dev,2026-06-01,12,no")
    desk.folder.time = f"{HEADER}t1,P-1,Ada,dev,2026-06-01,12,yes,yes,\n"
    desk.folder.write_sources()
    first = billing_runs.run(desk.ledger, "first", desk.now)
    assert (first.triggered, first.caught_up, first.held) == (1, 0, 0)
    desk.folder.time = "nonsense"
    desk.folder.write_sources()
    second = billing_runs.run(desk.ledger, "second", desk.now)
    assert (second.triggered, second.held) == (0, 1)
    with desk.ledger.transaction() as tx:
        (asked,), (held,) = (billing_run_records.items(tx, each) for each in ("first", "second"))
    assert (asked.billing_key, asked.because, asked.caught_up) == (
        "acme-block/block-2",
        "block-2 reached",
        False,
    )
    assert (held.billing_key, held.code) == ("acme-block", "meter-unread")
    assert held.because.startswith("its meter stands where it stood before: ")


def test_hours_nobody_can_store(desk: Desk) -> None:
    """What the database refuses of one agreement is told with its name, and keeps no other agreement back."""
    desk.apply(agreements.block(), agreements.block("other", project="P-2"))
    desk.folder.time = (
        f"{HEADER}t1,P-1,Ada,d\x00ev,2026-06-01,1,yes,yes,\nt2,P-2,Ada,dev,2026-06-01,12,yes,yes,\n"
    )
    desk.folder.write_sources()
    assert desk.run().agreements == 1
    assert desk.crossed() == {"other/block-2": "invoice asked for"}
    (told,) = desk.open_exceptions().values()
    assert (told.subject, told.code) == ("meter/acme-block", "step-failed")
    desk.psa("t1,dev,2026-06-01,1,yes")
    assert desk.open_exceptions() == {}


def test_two_agreements_over_one_project(desk: Desk) -> None:
    """Both meter the same hours, none takes them from the other; one that gets the project to itself goes on."""
    desk.apply(agreements.block(), agreements.spend())
    desk.psa("t1,dev,2026-06-01,4,yes")
    assert (desk.standing("acme-block").used, desk.standing("acme-spend").used) == (Decimal(4), Decimal(400))
    desk.apply(agreements.block())
    desk.psa("t1,dev,2026-06-01,5,yes")
    assert desk.standing("acme-block").used == 5


def test_progress_of_the_psa(desk: Desk) -> None:
    """The project's progress counts for milestones, until the PSA keeps it by milestone."""
    desk.apply(agreements.milestones())
    desk.folder.projects[0]["progress"] = 40
    desk.psa()
    assert desk.crossed() == {"acme-build/plan": "invoice asked for"}
    desk.folder.projects[0] |= {"progress": 90, "milestones": [{"id": "build", "progress": 60}]}
    desk.psa()
    assert list(desk.crossed()) == ["acme-build/plan"]
    desk.folder.projects[0]["milestones"][0]["progress"] = 80
    desk.psa()
    assert desk.keys() == ["acme-build/build", "acme-build/plan"]


def test_a_rate_that_is_added_later(desk: Desk) -> None:
    """Hours of a role without a rate are kept and told; with the rate they count, and the telling ends."""
    desk.apply(agreements.spend())
    desk.psa("t1,boss,2026-06-01,6,yes")
    (told,) = desk.open_exceptions().values()
    assert (told.code, desk.standing("acme-spend").used) == ("rate-missing", Decimal(0))
    assert "role 'boss' has no rate on 2026-06-01" in told.finding["message"]
    desk.apply(agreements.spend(rates={"dev": "100", "boss": "200"}))
    desk.run()
    assert desk.keys() == ["acme-spend/spend-1"]
    assert desk.open_exceptions() == {}


def test_a_budget_is_passed(desk: Desk) -> None:
    """A person is told once what is worked beyond it; a change order that raises the budget ends that, and is a line
    of its own."""
    record = agreements.spend(trigger="time", budget="1000")
    desk.apply(record)
    desk.take(hours("a", "12", "acme-spend"))
    desk.take(hours("b", "1", "acme-spend"))
    (told,) = desk.open_exceptions().values()
    assert (told.subject, told.code, told.owner) == ("meter/acme-spend/budget-1000", "scope-exceeded", "pia")
    assert told.at_stake == 200 and desk.keys() == []
    desk.apply({**record, "change_orders": [change_order(budget="2000")]})
    desk.now += timedelta(days=1)
    desk.run()
    assert desk.open_exceptions() == {}
    desk.take(hours("c", "8", "acme-spend"))
    assert list(desk.open_exceptions()) == ["meter/acme-spend/budget-2000"]


def test_a_block_that_is_held_when_it_is_used_up(desk: Desk) -> None:
    """Overage is held: nothing is billed, the account manager is told; billing the next block by hand ends it."""
    desk.apply(agreements.block(overage="hold"))
    (crossing,) = desk.take(hours("a", "10.5")).crossings
    assert (crossing.outcome, desk.keys()) == ("told: block-used-up", [])
    (told,) = desk.open_exceptions().values()
    assert (told.owner, told.at_stake) == ("pia", Decimal(1000))
    assert "billow trigger --agreement acme-block --item block-2" in told.finding["message"]
    with desk.ledger.transaction() as tx:
        triggers.by_agreement(tx, "acme-block", "block-2", by="pia", channel="cli", at=desk.now)
    desk.run()
    assert desk.open_exceptions() == {}


def test_a_block_that_was_bought_before_it_was_needed(desk: Desk) -> None:
    """Overage is held, but the next block is billed already: nobody is told when the first one is used up."""
    desk.apply(agreements.block(overage="hold"))
    with desk.ledger.transaction() as tx:
        triggers.by_agreement(tx, "acme-block", "block-2", by="pia", channel="cli", at=desk.now)
    (crossing,) = desk.take(hours("a", "10.5")).crossings
    assert (crossing.outcome, crossing.billing_key) == ("billed already", "acme-block/block-2")
    assert desk.open_exceptions() == {}


def test_a_line_comes_to_the_meter(desk: Desk) -> None:
    """A change order makes blocks smaller: the next run bills what that makes due, though nobody worked."""
    desk.apply(agreements.block())
    desk.take(hours("a", "9"))
    desk.apply(agreements.block(change_orders=[change_order(hours="8")]))
    assert desk.run().crossings == []
    desk.now += timedelta(days=1)
    assert [each.billing_key for each in desk.run().crossings] == ["acme-block/block-2"]


def test_an_entry_moves_to_another_agreement(desk: Desk) -> None:
    """Booked on the wrong agreement and moved: both meters follow, and the line it crosses there fires."""
    desk.apply(agreements.block(), agreements.block("acme-other"))
    desk.take(hours("a", "9"), hours("b", "9", "acme-other"))
    intake = desk.take(hours("b", "9"))
    assert intake.stored.agreements == {"acme-block", "acme-other"}
    assert (desk.standing("acme-block").used, desk.standing("acme-other").used) == (Decimal(18), Decimal(0))
    assert desk.keys() == ["acme-block/block-2"]


def test_a_deletion_that_comes_before_its_entry(desk: Desk) -> None:
    """With revisions the order does not matter: the entry stays deleted."""
    desk.apply(agreements.block())
    desk.take(MeterEntry(source="clock", id="a", agreement="acme-block", revision=2, deleted=True))
    intake = desk.take(hours("a", "12", revision=1))
    assert intake.stored.late == 1
    assert desk.standing("acme-block").used == 0 and desk.keys() == []


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (hours("a", "1", "nobody"), "there is no agreement 'nobody'; there are: acme-block"),
        (hours("a", "-1"), "less than nothing"),
        (hours("a", "1", day=date(2026, 6, 16)), "is still to come"),
        (hours("a", "1", day=date(2025, 12, 31)), "lies outside the agreement"),
        (hours("a", "1", measure=Measure.SPEND), "does not meter spend; write hours"),
    ],
)
def test_refused(desk: Desk, entry: MeterEntry, words: str) -> None:
    """One entry that cannot be taken in refuses all of them, with its reason."""
    desk.apply(agreements.block())
    with pytest.raises(Refused, match=words):
        desk.take(hours("good", "1"), entry)
    assert desk.standing("acme-block").used == 0


def test_an_agreement_nobody_knows_is_refused_even_where_entries_are_held(desk: Desk) -> None:
    """There is nobody it could be told to."""
    desk.apply(agreements.block())
    with pytest.raises(NotFound, match="no agreement 'nobody'"):
        desk.take(hours("a", "1", "nobody"), hold=True)


def test_a_block_whose_invoice_is_credited(desk: Desk) -> None:
    """Its ten hours are bought no longer: four used are unpaid. A corrected invoice, not voided, has them bought."""
    desk.apply(agreements.block())
    desk.take(hours("a", "4"))
    with desk.ledger.transaction() as tx:
        triggers.by_agreement(tx, "acme-block", "block-1", by="pia", channel="cli", at=desk.now)
    assert bought_and_left(desk) == (10, 6)
    block = desk.invoice("acme-block/block-1")
    desk.change(block, document_status=DocumentStatus.CREDITED)
    assert bought_and_left(desk) == (0, -4)
    with desk.ledger.transaction() as tx:
        instead = invoices.request(tx, one_off(), at=desk.now, channel="cli").invoice.id
    desk.change(instead, corrects=block)
    assert bought_and_left(desk) == (10, 6)
    desk.change(instead, document_status=DocumentStatus.VOIDED)
    assert bought_and_left(desk) == (0, -4)


def bought_and_left(desk: Desk) -> tuple[int, int]:
    with desk.ledger.transaction() as tx:
        agreement = desk.company.agreement("acme-block")
        assert isinstance(agreement, PrepaidBlock)
        blocks = meters.bought(tx, agreement, desk.company)
        drawn = draw_down(agreement, blocks, [Use(date(2026, 6, 1), "a", Decimal(4))], desk.now.date())
    return int(drawn.bought), int(drawn.left)


def one_off() -> BillingRequest:
    line = OneOffLine(description="Ten hours", quantity=Decimal(10), unit_price=Decimal(100))
    return BillingRequest(
        billing_key="manual/corrected",
        trigger="manual",
        requested_by="pia",
        one_off=OneOff(client="acme", currency="EUR", title="Block", reason="wrong name", lines=(line,)),
    )
