"""Invoices: one billing key, one living invoice; what is billed stands on one of them only."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta

import pytest

from activities.ledger import invoices, number_series
from activities.ledger.database import Ledger
from activities.ledger.tables import InvoiceRow
from billing.draft import Draft, SourceRef
from billing.errors import NotFound, NumberingError, Refused, WrongState
from billing.exceptions import ReasonCode
from billing.status import DocumentStatus
from tests.activities.ledger.conftest import at_once, breaks, during, events, one_off, rows
from tests.activities.ledger.test_number_audit import opening_item
from tests.starter.web.story import NOW, Story


def asked(ledger: Ledger, key: str, by: str = "lena") -> tuple[int, bool, int]:
    """Id, whether it was made, generation."""
    with ledger.transaction() as tx:
        requested = invoices.request(tx, one_off(key, by), at=NOW, channel="cli")
        return requested.invoice.id, requested.new, requested.invoice.generation


def voided(ledger: Ledger, reference: str, *, rebill: bool, reason: str = "wrong") -> None:
    with ledger.transaction() as tx:
        row = invoices.find(tx, reference, lock=True)
        invoices.void(tx, row, rebill=rebill, by="lena", channel="cli", reason=reason, at=NOW)


def test_fifty_at_once(story: Story) -> None:
    """Fifty that ask for one key at once get one invoice, made for one of them, woken once."""
    got = at_once(40, lambda _: asked(story.ledger, "one"))
    assert not [each for each in got if isinstance(each, Exception)]
    assert len({each[0] for each in got if not isinstance(each, Exception)}) == 1
    assert [each[1] for each in got if not isinstance(each, Exception)].count(True) == 1
    assert events(story.ledger, "manual/one") == ["triggered"]
    assert rows(story.ledger, "select kind, subject from outbox") == [("wake", "manual/one")]


def test_rebill(story: Story) -> None:
    """A draft voided to be billed again frees its key: the next request makes generation 2, once."""
    first, _, _ = asked(story.ledger, "one")
    voided(story.ledger, "manual/one", rebill=True)
    got = at_once(8, lambda _: asked(story.ledger, "one"))
    assert sorted({each[2] for each in got if not isinstance(each, Exception)}) == [2]
    assert [each[1] for each in got if not isinstance(each, Exception)].count(True) == 1
    voided(story.ledger, "manual/one", rebill=True)
    third = asked(story.ledger, "one")
    assert (third[1], third[2]) == (True, 3) and third[0] != first


def test_waived(story: Story) -> None:
    """A waived draft keeps its key taken: whoever asks again gets the waived one, and nothing is made."""
    first = asked(story.ledger, "one")
    voided(story.ledger, "manual/one", rebill=False)
    assert asked(story.ledger, "one") == (first[0], False, 1)


def test_made_and_voided_meanwhile(story: Story) -> None:
    """A request is not lost when another invoice of the key is made and voided to be billed again meanwhile."""
    other = Ledger(story.ledger.url)

    def meanwhile() -> None:
        asked(other, "one")
        voided(other, "manual/one", rebill=True)

    during(story.ledger, "INSERT INTO invoices", meanwhile)
    assert asked(story.ledger, "one")[1:] == (True, 2)
    other.close()


def test_read_afresh_when_locked(story: Story) -> None:
    """An invoice looked up with its lock is as the ledger has it, even if it was read before in the transaction."""
    key = story.drafted("one")
    other = Ledger(story.ledger.url)
    with story.ledger.transaction() as tx:
        assert invoices.find(tx, "manual/one").waits_for == ""
        with other.transaction() as meanwhile:
            invoices.locked(meanwhile, key).waits_for = "something else"
        assert invoices.find(tx, "manual/one", lock=True).waits_for == "something else"
    other.close()


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("manual/one", True),
        (" invoice/manual/one ", True),
        ("ELB-2026-00001", True),
        ("elb-2026-00001", False),
    ],
)
def test_find(story: Story, reference: str, found: bool) -> None:
    """An invoice is found by number, billing key or workflow id; a near miss is named."""
    story.issued("one")
    with story.ledger.transaction() as tx:
        if found:
            assert invoices.find(tx, reference).billing_key == "manual/one"
        else:
            with pytest.raises(NotFound, match="similar: manual/one"):
                invoices.find(tx, reference)


def put(ledger: Ledger, key: str, items: Iterable[str]) -> list[str]:
    """Puts a draft that bills these items of the PSA; what is found wrong."""
    with ledger.transaction() as tx:
        row = invoices.find(tx, f"manual/{key}", lock=True)
        return [f"{each.code}: {each.message}" for each in invoices.put_draft(tx, row, billing(row, items))]


def billing(row: InvoiceRow, items: Iterable[str]) -> Draft:
    draft = invoices.draft_of(row)
    sources = tuple(SourceRef(source="psa", id=item) for item in items)
    return draft.model_copy(update={"lines": (draft.lines[0].model_copy(update={"sources": sources}),)})


@pytest.fixture
def drafts(story: Story) -> Ledger:
    """Three drafts."""
    for key in ("one", "two", "three"):
        story.drafted(key)
    return story.ledger


def test_item_on_two_drafts(drafts: Ledger) -> None:
    """A time entry that stands on another living invoice is a finding that names both."""
    assert put(drafts, "one", ["t1", "t2"]) == []
    assert put(drafts, "two", ["t2", "t3"]) == [
        f"{ReasonCode.ALREADY_BILLED}: t2 already on invoice manual/one; void that draft, or leave the work out here"
    ]
    assert put(drafts, "one", ["t1"]) == []
    assert put(drafts, "two", ["t2", "t3"]) == []


def test_item_of_another_source(drafts: Ledger) -> None:
    """The same id in two systems is two items."""
    put(drafts, "one", ["t1"])
    with drafts.transaction() as tx:
        row = invoices.find(tx, "manual/two", lock=True)
        draft = billing(row, [])
        other = draft.lines[0].model_copy(
            update={"sources": (SourceRef(source="crm", id="t1"), SourceRef(source="psa", id="t2"))}
        )
        assert invoices.put_draft(tx, row, draft.model_copy(update={"lines": (other,)})) == []


@pytest.mark.parametrize(("rebill", "found"), [(True, 0), (False, 1)])
def test_items_of_a_voided_draft(drafts: Ledger, rebill: bool, found: int) -> None:
    """Voiding to bill again frees the items, waiving does not."""
    put(drafts, "one", ["t1"])
    voided(drafts, "manual/one", rebill=rebill)
    assert len(put(drafts, "two", ["t1"])) == found


@pytest.mark.parametrize("count", [10_000, 30_000])
def test_many_items(drafts: Ledger, count: int) -> None:
    """Many thousand items are claimed in moments, and a double among them is found."""
    items = [f"t{number}" for number in range(count)]
    assert put(drafts, "one", items[:1]) == []
    began = time.monotonic()
    assert len(put(drafts, "two", items)) == 1
    assert put(drafts, "two", items[1:]) == []
    assert time.monotonic() - began < 10
    assert rows(drafts, "select count(*) from billed_items") == [(count + 2,)]


def test_items_in_any_order(drafts: Ledger) -> None:
    """Drafts that claim the same items at once, in any order, all end: each item stands on one of them."""
    keys = ["one", "two", "three"]
    for turn in range(6):
        items = [f"{turn}-{number}" for number in range(200)]
        got = at_once(3, lambda n, items=items: put(drafts, keys[n], items[n * 66 :] + items[: n * 66]))  # type: ignore[misc]
        assert not [each for each in got if isinstance(each, Exception)], got
        assert sum(each == [] for each in got) == 1


def test_items_exchanged(drafts: Ledger) -> None:
    """Two drafts that each also want what the other has do not block each other."""
    put(drafts, "one", ["a"])
    put(drafts, "two", ["b"])
    other = Ledger(drafts.url)
    with drafts.transaction() as tx:
        one = invoices.find(tx, "manual/one", lock=True)
        assert len(invoices.put_draft(tx, one, billing(one, ["a", "b"]))) == 1
        with other.transaction() as meanwhile:
            meanwhile.connection().exec_driver_sql("set local lock_timeout = '1s'")
            two = invoices.find(meanwhile, "manual/two", lock=True)
            assert len(invoices.put_draft(meanwhile, two, billing(two, ["a", "b"]))) == 1
    other.close()


def test_items_freed_while_they_are_claimed(drafts: Ledger) -> None:
    """An entry whose other invoice is voided in the very moment of the claim is claimed: no third draft gets it too."""
    put(drafts, "one", ["t1"])
    during(drafts, "DELETE FROM billed_items", lambda: voided(drafts, "manual/one", rebill=True))
    assert put(drafts, "two", ["t1", "t2"]) == []
    assert len(put(drafts, "three", ["t1"])) == 1


def test_void_refused(story: Story) -> None:
    """An issued invoice, a voided draft, and an empty reason are refused, each with what to do."""
    number = story.issued("issued")
    story.drafted("draft")
    for reference, reason, error, message in (
        (number, "wrong", WrongState, "correct it with a credit note"),
        ("manual/draft", " ", Refused, "needs a reason"),
    ):
        with pytest.raises(error, match=message):
            voided(story.ledger, reference, rebill=True, reason=reason)
    voided(story.ledger, "manual/draft", rebill=True)
    with pytest.raises(WrongState, match="voided already"):
        voided(story.ledger, "manual/draft", rebill=True)
    assert breaks(story.ledger, number) == [] and breaks(story.ledger, "manual/draft") == []


def test_only_a_draft_is_numbered(story: Story) -> None:
    """A voided draft and one without content get no number, and the series stands still."""
    story.drafted("voided")
    voided(story.ledger, "manual/voided", rebill=False)
    asked(story.ledger, "empty")
    for key, message in (("voided", "only a draft can be issued"), ("empty", "has no draft yet")):
        with pytest.raises(WrongState, match=message), story.ledger.transaction() as tx:
            number_series.issue(tx, invoices.find(tx, f"manual/{key}", lock=True), at=NOW)
    assert story.issued("next") == "ELB-2026-00001"


def test_number_of_the_system_before(story: Story) -> None:
    """A number that an opening item has already is not given again; the refusal says what to do."""
    opening_item(story.ledger, "ELB-2026-00001")
    story.drafted("one")
    with (
        pytest.raises(NumberingError, match="choose another number_prefix"),
        story.ledger.transaction() as tx,
    ):
        number_series.issue(tx, invoices.find(tx, "manual/one", lock=True), at=NOW)
    with story.ledger.transaction() as tx:
        assert invoices.find(tx, "manual/one").document_status == DocumentStatus.DRAFT


def test_issued_digest_is_the_approved_one(story: Story) -> None:
    """The event says the digest that was approved, though the program may read more into the draft by now."""
    key = story.drafted("one")
    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, key)
        row.draft_digest = "as approved"
        number_series.issue(tx, row, at=NOW + timedelta(days=1))
    assert rows(story.ledger, "select facts->>'draft_digest' from audit_events where event = 'issued'") == [
        ("as approved",)
    ]
