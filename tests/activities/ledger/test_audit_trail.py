"""The audit trail: whatever is done to it behind Billow's back is found."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.ledger import audit_trail, invoices
from activities.ledger.audit_trail import Break
from activities.ledger.database import Ledger
from tests.activities.ledger.conftest import at_once, breaks, events, tamper
from tests.starter.web.story import NOW, Story

FIVE = ["triggered", "one", "two", "three", "four"]


@pytest.fixture
def five(story: Story) -> Ledger:
    """An invoice with five events."""
    story.drafted("one")
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, "manual/one", lock=True)
        for number, event in enumerate(FIVE[1:]):
            audit_trail.record(tx, row, event, at=NOW + timedelta(hours=number), amount=Decimal("1.50"))
    return story.ledger


def test_whole(five: Ledger) -> None:
    """Events that nobody touched hold, in the order in which they were recorded."""
    assert events(five, "manual/one") == FIVE
    assert breaks(five, "manual/one") == []


@pytest.mark.parametrize("position", [1, 3, 5])
@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'",
        "event = 'approved'",
        "actor = 'somebody'",
        "channel = 'web'",
        'facts = facts || \'{"amount": "2.50"}\'',
        "facts = facts - 'amount' - 'trigger'",
        "hash = repeat('a', 64)",
        "previous = repeat('b', 64)",
    ],
)
def test_changed(five: Ledger, change: str, position: int) -> None:
    """A change to any column of any event is found where it was made."""
    tamper(five, f"update audit_events set {change} where position = :position", position=position)
    assert position in {each.position for each in breaks(five, "manual/one")}


@pytest.mark.parametrize(
    ("positions", "found"),
    [
        ([1], (1, "event 1 is missing")),
        ([3], (3, "event 3 is missing")),
        ([2, 3, 4], (2, "events 2 to 4 are missing")),
        ([5], (5, "event 5 is missing")),
        ([3, 4, 5], (3, "events 3 to 5 are missing")),
        ([1, 2, 3, 4, 5], (1, "the invoice has no audit trail")),
    ],
)
def test_deleted(five: Ledger, positions: list[int], found: tuple[int, str]) -> None:
    """A deleted event is missed, the last one too, and each once."""
    tamper(five, "delete from audit_events where position = any(:positions)", positions=positions)
    assert [(each.position, each.reason) for each in breaks(five, "manual/one")] == [found]


def test_reordered(five: Ledger) -> None:
    """Two events that changed places are found, both."""
    tamper(
        five,
        "update audit_events set position = case position when 2 then 30 else 2 end where position in (2, 3)",
    )
    tamper(five, "update audit_events set position = 3 where position = 30")
    assert {each.position for each in breaks(five, "manual/one")} >= {2, 3}


def test_moved_to_another_invoice(five: Ledger, story: Story) -> None:
    """An event of one invoice is no event of another."""
    story.drafted("two")
    tamper(
        five,
        "update audit_events set invoice = (select id from invoices where billing_key = 'manual/two') "
        "where position = 2",
    )
    assert breaks(five, "manual/one") and breaks(five, "manual/two")


def test_added(five: Ledger) -> None:
    """An event added by hand is found even if it is chained and hashed rightly."""
    with five.transaction() as tx:
        row = invoices.find(tx, "manual/one", lock=True)
        position, head = row.audit_position, row.audit_hash
        audit_trail.record(tx, row, "forged", at=NOW)
    tamper(
        five,
        "update invoices set audit_position = :position, audit_hash = :head",
        position=position,
        head=head,
    )
    assert [(each.position, each.reason) for each in breaks(five, "manual/one")] == [
        (6, "is not the event with which the invoice says its trail ends")
    ]


def test_last_event_exchanged(five: Ledger) -> None:
    """The last event exchanged for another one that is hashed rightly is found."""
    tamper(five, "delete from audit_events where position = 5")
    tamper(
        five,
        "update invoices set audit_position = 4, audit_hash = (select hash from audit_events where position = 4)",
    )
    with five.transaction() as tx:
        row = invoices.find(tx, "manual/one", lock=True)
        before = row.audit_hash
        audit_trail.record(tx, row, "forged", at=NOW)
    tamper(five, "update invoices set audit_hash = :before", before=before)
    assert [each.position for each in breaks(five, "manual/one")] == [5]


def test_of_many(story: Story) -> None:
    """A break names its invoice; other invoices hold."""
    one, two = story.drafted("one"), story.drafted("two")
    tamper(story.ledger, "update audit_events set actor = 'x' where invoice = :one", one=one)
    with story.ledger.transaction() as tx:
        assert audit_trail.verify(tx, one) == [Break(one, 1, "'triggered' was changed after it was written")]
        assert audit_trail.verify(tx, two) == []


def test_at_once(story: Story) -> None:
    """Events recorded at once, each under the invoice's lock, make one chain."""
    key = story.drafted("one")

    def one_more(number: int) -> None:
        with story.ledger.transaction() as tx:
            audit_trail.record(tx, invoices.locked(tx, key), f"event {number}", at=NOW)

    assert at_once(16, one_more) == [None] * 16
    assert sorted(events(story.ledger, "manual/one")) == sorted(
        ["triggered", *(f"event {n}" for n in range(16))]
    )
    assert breaks(story.ledger, "manual/one") == []


def test_rolled_back(five: Ledger) -> None:
    """An event whose transaction failed leaves nothing, and the chain goes on."""
    with five.transaction() as tx:
        audit_trail.record(tx, invoices.find(tx, "manual/one", lock=True), "never", at=NOW)
        tx.rollback()
    with five.transaction() as tx:
        audit_trail.record(tx, invoices.find(tx, "manual/one", lock=True), "after", at=NOW)
    assert events(five, "manual/one") == [*FIVE, "after"]
    assert breaks(five, "manual/one") == []


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
FACTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes()
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=FACTS)
def test_any_facts(five: Ledger, facts: Any) -> None:
    """Whatever an event tells, it is read back as it was hashed."""
    with five.transaction() as tx:
        audit_trail.record(tx, invoices.find(tx, "manual/one", lock=True), "told", at=NOW, told=facts)
    assert breaks(five, "manual/one") == []
