"""Read views of the ledger on a real database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from activities.ledger import commands, views
from activities.ledger.database import Ledger
from activities.ledger.views import InvoiceFilter
from billing.approval_policy import Channel, Verdict
from billing.errors import NotFound, Refused
from billing.exceptions import ReasonCode
from starter.local_stack.postgres import Cluster
from tests.starter.web.story import NOW, Story


@pytest.fixture
def story(ledger: Ledger) -> Story:
    return Story(ledger)


@pytest.fixture(scope="module")
def office(postgres: Cluster, template_database: str) -> Iterator[Story]:
    """An invoice of each kind, for tests that only read: waiting, stopped, open, late, paid, and one in yen."""
    story = Story(Ledger(postgres.create_database("views", template_database)))
    # numbers are given in order of date, so the oldest comes first
    story.paid(story.issued("settled", at=NOW - timedelta(days=30)), "8500.00")
    story.issued("late", at=NOW - timedelta(days=20), title="Late work")
    story.issued("yen", at=NOW - timedelta(days=2), client="kawa", name="Kawa 100% K.K.", prices=("150000",))
    story.issued("fresh", at=NOW - timedelta(days=1), title="Fresh work")
    story.raised(
        "stopped", ReasonCode.SOURCES_DIFFER, "value differs", at=NOW - timedelta(hours=2), client="ateliers"
    )
    story.asked("waiting", at=NOW - timedelta(hours=1))
    yield story
    story.ledger.close()


def keys(ledger: Ledger, **wanted: object) -> list[str]:
    with ledger.transaction() as tx:
        found = views.invoices(tx, InvoiceFilter(**wanted), NOW)  # type: ignore[arg-type]
        return [each.billing_key.removeprefix("manual/") for each in found]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["waiting", "stopped", "fresh", "yen", "late", "settled"]),
        ({"status": "waiting"}, ["waiting", "stopped"]),
        ({"status": "open"}, ["fresh", "yen", "late"]),
        ({"status": "late"}, ["late"]),
        ({"status": "paid"}, ["settled"]),
        ({"status": "draft"}, ["stopped"]),
        ({"status": "awaiting approval"}, ["waiting"]),
        ({"client": "kawa"}, ["yen"]),
        ({"text": "late work"}, ["late"]),
        ({"text": "KAWA 100%"}, ["yen"]),
        ({"text": "100%5"}, []),
        ({"text": "nordlicht fresh"}, ["fresh"]),
        ({"text": "elb-2026-00001"}, ["settled"]),
        ({"text": "late", "status": "paid"}, []),
    ],
)
def test_filter(office: Story, wanted: dict[str, str], found: list[str]) -> None:
    """A filter finds by any axis of status, client and words, newest request first."""
    assert keys(office.ledger, **wanted) == found


def test_unknown_status(office: Story) -> None:
    """A status that does not exist is refused with those that do."""
    with pytest.raises(Refused, match=r"no status 'payed'.*waiting, open, late, draft"):
        keys(office.ledger, status="payed")


def test_pages(story: Story) -> None:
    """Reading page after page shows every invoice once, even where many were requested in one instant."""
    for number in range(7):
        story.drafted(f"n{number}")
    seen: list[str] = []
    before = None
    with story.ledger.transaction() as tx:
        while page := views.invoices(tx, InvoiceFilter(limit=3, before=before), NOW):
            seen += [each.billing_key for each in page]
            before = page[-1].id
    assert seen == [f"manual/n{number}" for number in range(6, -1, -1)]


@pytest.mark.parametrize(
    ("as_of", "late", "days"),
    [
        (datetime.fromisoformat("2026-12-04T23:59+01:00"), False, 0),
        (datetime.fromisoformat("2026-12-05T00:00+01:00"), True, 1),
        (datetime.fromisoformat("2026-12-05T23:59+01:00"), True, 1),
        (datetime.fromisoformat("2026-12-20T12:00+01:00"), True, 16),
    ],
)
def test_days_late(story: Story, as_of: datetime, late: bool, days: int) -> None:
    """Lateness is counted in calendar days of the client's zone, from the day after the due date."""
    number = story.issued("one", at=NOW)
    with story.ledger.transaction() as tx:
        invoice = views.invoice(tx, number, as_of)
    assert (invoice.late, invoice.days_late) == (late, days)


def test_paid_is_not_late(story: Story) -> None:
    """Nothing that is paid is late, whatever the date."""
    number = story.issued("one", at=NOW - timedelta(days=60))
    story.paid(number, "8500.00")
    with story.ledger.transaction() as tx:
        invoice = views.invoice(tx, number, NOW)
    assert (invoice.late, invoice.days_late, str(invoice.open)) == (False, 0, "0.00")


@pytest.mark.parametrize(
    ("draft", "gross", "taken"),
    [
        ({}, "8500.00", "0.00"),
        ({"client": "kawa", "prices": ("150000",)}, "150000", "0"),
    ],
)
def test_amounts(story: Story, draft: dict[str, object], gross: str, taken: str) -> None:
    """Amounts are strings in JSON, with the decimals of their currency."""
    number = story.issued("one", **draft)  # type: ignore[arg-type]
    with story.ledger.transaction() as tx:
        shown = json.loads(views.invoice(tx, number, NOW).model_dump_json())
        listed = json.loads(views.invoices(tx, InvoiceFilter(), NOW)[0].model_dump_json())
    for each in (shown, listed):
        assert (each["gross"], each["open"], each["paid"]) == (gross, gross, taken)


def test_invoice_in_full(story: Story) -> None:
    """One invoice shows its lines and taxes with why, its payments, its approvals, and what may be done."""
    story.asked("one")
    story.approved("one")
    with story.ledger.transaction() as tx:
        draft = views.invoice(tx, "manual/one", NOW)
    assert [(each.status, each.approved_by, each.current) for each in draft.approvals] == [
        ("approved", ("tom",), True)
    ]
    assert [line.why for line in draft.lines] == ["one-off: asked for"] * 2
    assert draft.taxes[0].why.startswith("S: domestic service")
    assert draft.actions == ()
    number = story.issued("two")
    story.paid(number, "100.00")
    commands.hold(
        story.ledger,
        number,
        until=NOW + timedelta(days=3),
        reason="talks",
        by="lena",
        channel=Channel.CLI,
        at=NOW,
    )
    with story.ledger.transaction() as tx:
        issued = views.invoice(tx, number, NOW)
    assert [str(payment.amount) for payment in issued.payments] == ["100.00"]
    assert (str(issued.open), issued.payment_status) == ("8400.00", "partly paid")
    assert issued.actions == ("pay", "release", "promise", "dispute")


def test_generations(story: Story) -> None:
    """A billing key shows its newest draft, and an earlier one when asked for it."""
    story.asked("one", title="Wrong")
    commands.decide(
        story.ledger,
        "manual/one",
        Verdict.REJECT,
        by="tom",
        channel=Channel.CLI,
        comment="no",
        rebill=True,
        at=NOW,
    )
    story.drafted("one", title="Right")
    with story.ledger.transaction() as tx:
        newest, first = (views.invoice(tx, "manual/one", NOW, generation) for generation in (None, 1))
        told = [entry.event for entry in views.timeline(tx, "manual/one", 1)]
        with pytest.raises(NotFound, match="no generation 9"):
            views.invoice(tx, "manual/one", NOW, 9)
    assert (newest.title, newest.generations) == ("Right", (1, 2))
    assert (first.title, first.document_status, str(first.open)) == ("Wrong", "voided draft", "0.00")
    assert told == ["triggered", "approval asked", "rejected", "voided"]


def test_timeline(story: Story) -> None:
    """Each event reads as one line: amounts in the currency, instants in the issuer's zone."""
    story.asked("one")
    with story.ledger.transaction() as tx:
        asked = views.timeline(tx, "manual/one")[-1]
    assert asked.line == "of tom, rosa, tier large, until 2026-11-21 10:30 CET"
    number = story.issued("two")
    story.paid(number, "1500.00")
    with story.ledger.transaction() as tx:
        told = {entry.event: entry.line for entry in views.timeline(tx, number)}
    assert told["issued"] == f"{number} over EUR 8,500.00, due 2026-12-04"
    assert told["payment received"] == "EUR 1,500.00 on 2026-11-20; open: EUR 7,000.00"


@pytest.mark.parametrize(
    ("person", "found"),
    [
        (None, ["exception stopped", "approval waiting"]),
        ("tom", ["approval waiting"]),
        ("rosa", ["approval waiting"]),
        ("lena", ["exception stopped"]),
        ("nobody", []),
    ],
)
def test_inbox(story: Story, person: str | None, found: list[str]) -> None:
    """The inbox holds what a person may decide or owns, oldest deadline first."""
    story.asked("waiting", at=NOW)
    story.raised("stopped", ReasonCode.SOURCES_DIFFER, "value differs", at=NOW - timedelta(hours=60))
    story.issued("elsewhere")
    with story.ledger.transaction() as tx:
        items = views.inbox(tx, person, NOW)
        counts = views.counts(tx, NOW, person)
    assert [f"{item.kind} {(item.billing_key or '').removeprefix('manual/')}" for item in items] == found
    assert [item.overdue for item in items if item.kind == "exception"] in ([True], [])
    assert (counts.approvals, counts.exceptions, counts.mine) == (1, 1, len(found) if person else 0)


@pytest.mark.parametrize(
    ("code", "possible"),
    [
        (ReasonCode.SOURCES_DIFFER, ("retry", "accept", "void")),
        (ReasonCode.TAX_UNKNOWN, ("retry", "override", "void")),
    ],
)
def test_what_can_be_done(story: Story, code: ReasonCode, possible: tuple[str, ...]) -> None:
    """Only findings that may stand offer to be accepted."""
    story.raised("one", code, "it does not fit")
    with story.ledger.transaction() as tx:
        assert views.inbox(tx, None, NOW)[0].resolutions == possible
        assert views.invoice(tx, "manual/one", NOW).exceptions[0].resolutions == possible


def test_approval_says_what_is_approved(story: Story) -> None:
    """An approval shows amount, first lines, limit and the digest that is approved."""
    story.asked("one", prices=("4000", "2000", "1000", "500", "250"))
    with story.ledger.transaction() as tx:
        item = views.inbox(tx, "tom", NOW)[0]
        digest = views.invoice(tx, "manual/one", NOW).digest
    assert (str(item.amount), [str(line.net) for line in item.lines]) == (
        "9222.50",
        ["4000.00", "2000.00", "1000.00"],
    )
    assert (item.line_count, item.digest) == (5, digest)
    assert "above EUR 5,000" in item.why


def test_counts(office: Story) -> None:
    """The head of a page sums what is open and late, each currency for itself."""
    with office.ledger.transaction() as tx:
        counts = views.counts(tx, NOW)
    assert [(each.currency, each.count, str(each.amount)) for each in counts.open] == [
        ("EUR", 2, "17000.00"),
        ("JPY", 1, "150000"),
    ]
    assert [(each.currency, each.count, str(each.amount)) for each in counts.late] == [("EUR", 1, "8500.00")]
    assert counts.invoices == 6


def test_nothing_yet(ledger: Ledger) -> None:
    """An empty ledger has views too."""
    with ledger.transaction() as tx:
        assert views.invoices(tx, InvoiceFilter(status="open", text="x"), NOW) == []
        assert views.inbox(tx, "tom", NOW) == []
        assert views.counts(tx, NOW, "tom").waiting == 0
        with pytest.raises(NotFound):
            views.timeline(tx, "nothing")


def test_queries_do_not_grow(story: Story) -> None:
    """A longer list takes no more queries than a short one."""

    def queries() -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(story.ledger.engine, "before_cursor_execute", counted)
        with story.ledger.transaction() as tx:
            views.invoices(tx, InvoiceFilter(), NOW)
            views.inbox(tx, None, NOW)
            views.counts(tx, NOW, "tom")
        event.remove(story.ledger.engine, "before_cursor_execute", counted)
        return count

    story.asked("first")
    story.raised("second", ReasonCode.EMPTY, "nothing to bill")
    short = queries()
    for number in range(12):
        story.asked(f"more-{number}")
        story.raised(f"stop-{number}", ReasonCode.EMPTY, "nothing to bill")
    assert queries() == short
