"""Events: stored, then acted on once, in whatever order and however often they arrive; held and never lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.ledger import commands, events, invoices
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from activities.ledger.events import EventStatus
from activities.ledger.exceptions import Resolution
from activities.ledger.views import inbox
from billing.approval_policy import Channel
from billing.errors import Conflicting, NotFound, Refused, WrongState
from billing.events import BillingEvent
from tests.activities.ledger.conftest import at_once, everything, rows
from tests.company import TestCompany, retainer
from tests.starter.web.story import NOW

LATER = NOW + timedelta(days=1)


@pytest.fixture
def company(ledger: Ledger, tmp_path: Path) -> TestCompany:
    """Milestones, a fixed price, a block and a retainer of three months, each of a deal, a contract and a project."""
    company = TestCompany(tmp_path)
    common = {"client": "acme", "title": "Work", "currency": "EUR", "start": "2026-01-01"}
    company.agreements = [
        {
            "id": "shop",
            "model": "milestone",
            "project": "P-1",
            "deal": "D-1",
            "milestones": [
                {"id": "design", "title": "Design", "amount": "1000.00"},
                {"id": "launch", "title": "Launch", "amount": "2000.00"},
            ],
            **common,
        },
        {
            "id": "move",
            "model": "fixed price",
            "project": "P-2",
            "deal": "D-2",
            "contract": "K-2",
            "amount": "5000.00",
            "trigger": "contract signed",
            **common,
        },
        {"id": "rest", "model": "fixed price", "project": "P-4", "amount": "900.00", **common},
        {
            "id": "hours",
            "model": "prepaid block",
            "project": "P-3",
            "deal": "D-2",
            "contract": "K-2",
            "hours": "10",
            "price": "1000.00",
            **common,
        },
        retainer("care", "acme", "100.00", start="2026-09-01", deal="D-1"),
    ]
    apply_company(ledger, company.company(), "company", "mara", NOW)
    return company


def event(id_: str, kind: str = "milestone.signed_off", source: str = "/psa", **data: Any) -> BillingEvent:
    return BillingEvent.model_validate(
        {
            "specversion": "1.0",
            "id": id_,
            "source": source,
            "type": f"billow.{kind}",
            "data": data or {"agreement": "shop", "milestone": "design"},
        }
    )


def fire(ledger: Ledger, fired: BillingEvent) -> list[tuple[str, bool]]:
    """Billing keys, and whether the event made their invoices."""
    acted = events.take_in(ledger, fired, channel="webhook", at=NOW)
    return [(each.invoice.billing_key, each.new) for each in acted.invoices]


def status(ledger: Ledger, id_: str, source: str = "/psa") -> tuple[str, str]:
    with ledger.transaction() as tx:
        row = events.find(tx, source, id_)
        return row.status, row.outcome


@pytest.mark.usefixtures("company")
def test_stored_then_acted_on(ledger: Ledger) -> None:
    """An event is stored before it is acted on, and what is waiting is acted on later, once."""
    with ledger.transaction() as tx:
        assert events.receive(tx, event("e1"), channel="webhook", at=NOW)
    assert status(ledger, "e1") == ("waiting", "")
    assert rows(ledger, "select kind, subject from outbox") == [("event", '["/psa", "e1"]')]
    assert rows(ledger, "select 1 from invoices") == []
    assert events.act_on_waiting(ledger, LATER) == 1
    assert status(ledger, "e1") == ("acted on", "shop/design")
    assert rows(ledger, "select trigger, requested_by, requested_at from invoices") == [
        ("event billow.milestone.signed_off", "/psa", LATER)
    ]
    before = everything(ledger)
    assert events.act_on_waiting(ledger, LATER) == 0
    assert everything(ledger) == before


@pytest.mark.usefixtures("company")
def test_same_event_again(ledger: Ledger) -> None:
    """The same event again, also at once, changes nothing and is answered with the same invoice."""
    got = at_once(6, lambda _: fire(ledger, event("e1")))
    assert sorted(map(str, got)) == ["[('shop/design', False)]"] * 5 + ["[('shop/design', True)]"]
    before = everything(ledger)
    assert fire(ledger, event("e1")) == [("shop/design", False)]
    written_anew = event("e1").model_copy(update={"time": NOW})
    assert fire(ledger, written_anew) == [("shop/design", False)]
    assert everything(ledger) == before


@pytest.mark.usefixtures("company")
def test_several_acting_at_once(ledger: Ledger) -> None:
    """The dispatcher, a billing run and a person who act on one event at once make one invoice."""
    with ledger.transaction() as tx:
        events.receive(tx, event("e1"), channel="webhook", at=NOW)

    def act(_: int) -> str:
        with ledger.transaction() as tx:
            return events.act(tx, "/psa", "e1", at=NOW).status

    assert at_once(5, act) == ["acted on"] * 5
    assert rows(ledger, "select billing_key from invoices") == [("shop/design",)]
    assert rows(ledger, "select attempts from events") == [(1,)]


@pytest.mark.usefixtures("company")
def test_two_events_for_one_thing(ledger: Ledger) -> None:
    """Two events that make the same thing due are two events and one invoice."""
    assert fire(ledger, event("e1")) == [("shop/design", True)]
    assert fire(ledger, event("e2")) == [("shop/design", False)]
    assert rows(ledger, "select status from events") == [("acted on",), ("acted on",)]
    assert rows(ledger, "select count(*) from invoices") == [(1,)]


@pytest.mark.usefixtures("company")
def test_same_id_of_another_source(ledger: Ledger) -> None:
    """An id is unique with its source."""
    fire(ledger, event("e1"))
    other = event("e1", source="/crm", agreement="shop", milestone="launch")
    assert fire(ledger, other) == [("shop/launch", True)]


@pytest.mark.usefixtures("company")
def test_same_id_other_content(ledger: Ledger) -> None:
    """An id that comes again with something else is refused, so that nothing is left out in silence or billed twice."""
    fire(ledger, event("e1"))
    before = everything(ledger)
    for other in (
        event("e1", agreement="shop", milestone="launch"),
        event("e1", kind="project.completed", agreement="move"),
        event("e1", agreement="shop", milestone="design", client="acme"),
    ):
        with pytest.raises(
            Conflicting, match="event 'e1' of /psa was received already and said something else"
        ):
            fire(ledger, other)
    assert everything(ledger) == before


@pytest.mark.usefixtures("company")
def test_again_after_a_rebill(ledger: Ledger) -> None:
    """An event that comes again after its draft was voided does not bill it again; a person or a new event does."""
    fire(ledger, event("e1"))
    with ledger.transaction() as tx:
        row = invoices.find(tx, "shop/design", lock=True)
        invoices.void(tx, row, rebill=True, by="pia", channel="cli", reason="wrong", at=NOW)
    before = everything(ledger)
    assert fire(ledger, event("e1")) == [("shop/design", False)]
    assert everything(ledger) == before
    assert fire(ledger, event("e2")) == [("shop/design", True)]


@pytest.mark.usefixtures("company")
def test_several_periods(ledger: Ledger) -> None:
    """A signed contract makes every due period of a retainer due, each once."""
    signed = event("e1", kind="contract.signed", agreement="care")
    keys = [key for key, new in fire(ledger, signed) if new]
    assert keys == [f"care/fee/2026-{month:02d}-01" for month in (9, 10, 11)]
    assert fire(ledger, signed) == [(key, False) for key in keys]
    assert fire(ledger, event("e2", kind="contract.signed", agreement="care")) == []
    assert status(ledger, "e2")[0] == "nothing due"


@pytest.mark.parametrize(
    ("kind", "data", "billed"),
    [
        ("milestone.signed_off", {"project": "P-1", "milestone": "launch"}, ["shop/launch"]),
        ("milestone.signed_off", {"deal": "D-1", "milestone": "design"}, ["shop/design"]),
        ("contract.signed", {"contract": "K-2"}, ["hours/block-1", "move/price"]),
        ("contract.signed", {"deal": "D-2", "client": "acme"}, ["hours/block-1", "move/price"]),
        ("contract.signed", {"deal": "D-2", "project": "P-2"}, ["move/price"]),
        ("deal.won", {"deal": "D-1"}, [f"care/fee/2026-{month:02d}-01" for month in (9, 10, 11)]),
        ("project.completed", {"project": "P-4"}, ["rest/price"]),
    ],
)
@pytest.mark.usefixtures("company")
def test_found_by(ledger: Ledger, kind: str, data: dict[str, str], billed: list[str]) -> None:
    """A deal, a contract or a project stands for its agreements: each one that such an event bills is billed."""
    assert fire(ledger, event("e1", kind=kind, **data)) == [(key, True) for key in billed]


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("deal.won", {"agreement": "move"}, "its trigger: contract signed"),
        (
            "deal.won",
            {"deal": "D-2"},
            "of move nothing is due now that is not billed already (its trigger: contract signed)",
        ),
        ("project.completed", {"project": "P-1"}, "shop (milestone) is not billed by it"),
    ],
)
@pytest.mark.usefixtures("company")
def test_nothing_due(ledger: Ledger, kind: str, data: dict[str, str], why: str) -> None:
    """What the agreement is not billed by is kept with the reason, and asks nobody anything."""
    assert fire(ledger, event("e1", kind=kind, **data)) == []
    said, outcome = status(ledger, "e1")
    assert said == "nothing due" and why in outcome
    assert rows(ledger, "select 1 from exceptions") == []


@pytest.mark.usefixtures("company")
def test_deal_and_contract_meet(ledger: Ledger) -> None:
    """A won deal and its signed contract, in either order, bill one thing once."""
    fire(ledger, event("e1", kind="contract.signed", contract="K-2"))
    fire(ledger, event("e2", kind="deal.won", deal="D-2"))
    fire(ledger, event("e3", kind="contract.signed", deal="D-2"))
    assert rows(ledger, "select billing_key from invoices order by 1") == [
        ("hours/block-1",),
        ("move/price",),
    ]


HELD: list[tuple[str, dict[str, str], str]] = [
    (
        "milestone.signed_off",
        {"agreement": "nothing", "milestone": "design"},
        "there is no agreement 'nothing'; there are: care, hours, move, rest, shop",
    ),
    (
        "milestone.signed_off",
        {"agreement": "shop", "milestone": "nothing"},
        "has no milestone 'nothing'; it has: design, launch",
    ),
    ("milestone.signed_off", {"agreement": "care", "milestone": "design"}, "cannot bill agreement 'care'"),
    ("milestone.signed_off", {"project": "P-2", "milestone": "design"}, "cannot bill agreement 'move'"),
    ("deal.won", {"deal": "D-9"}, "no agreement has the deal 'D-9'; there are: D-1, D-2"),
    ("contract.signed", {"contract": "K-2", "client": "globex"}, "no agreement has the client 'globex'"),
    ("deal.won", {"deal": "D-1", "contract": "K-2"}, "they belong to different ones"),
]


@pytest.mark.parametrize(("kind", "data", "why"), HELD)
@pytest.mark.usefixtures("company")
def test_held(ledger: Ledger, kind: str, data: dict[str, str], why: str) -> None:
    """An event that cannot be acted on is kept, bills nothing, and asks its owner once, however often it comes."""
    for _ in range(2):
        assert fire(ledger, event("e1", kind=kind, **data)) == []
    events.act_on_waiting(ledger, LATER)
    said, outcome = status(ledger, "e1")
    assert said == "held" and why in outcome
    with ledger.transaction() as tx:
        [item] = inbox(tx, "pia", LATER)
    assert (item.subject, item.code, item.resolutions) == ("event//psa/e1", "event-held", ("retry", "accept"))
    assert why in item.why
    assert rows(ledger, "select recipient from messages") == [("pia@issuer.example",)]
    assert rows(ledger, "select 1 from invoices") == []


def test_held_until_the_agreement_is_there(ledger: Ledger, company: TestCompany) -> None:
    """A contract signed before its agreement was written down is billed when it is applied, and the question ends."""
    fire(ledger, event("e1", kind="contract.signed", contract="K-7"))
    assert events.act_on_waiting(ledger, NOW) == 0
    company.agreements.append({**company.agreements[1], "id": "new", "contract": "K-7", "project": "P-7"})
    apply_company(ledger, company.company(), "company", "mara", NOW)
    assert events.act_on_waiting(ledger, LATER) == 1
    assert status(ledger, "e1") == ("acted on", "new/price")
    assert rows(ledger, "select resolution, resolved_by, resolved_at from exceptions") == [
        ("repaired", "billow", LATER)
    ]


def resolve(ledger: Ledger, resolution: Resolution, reason: str = "") -> str:
    return commands.resolve(ledger, 1, resolution, by="pia", channel=Channel.WEB, reason=reason, at=LATER)


def test_resolved_by_a_person(ledger: Ledger, company: TestCompany) -> None:
    """Trying again acts on the event at once if it can be by now; until then the question stays open."""
    fire(ledger, event("e1", kind="contract.signed", contract="K-7"))
    assert resolve(ledger, Resolution.RETRY) == "event//psa/e1"
    assert status(ledger, "e1")[0] == "held"
    company.agreements[1]["contract"] = "K-7"
    apply_company(ledger, company.company(), "company", "mara", NOW)
    resolve(ledger, Resolution.RETRY)
    assert status(ledger, "e1") == ("acted on", "move/price")
    with pytest.raises(WrongState, match="decided already: repaired, by billow"):
        resolve(ledger, Resolution.RETRY)


@pytest.mark.usefixtures("company")
def test_held_events_with_slashes(ledger: Ledger) -> None:
    """Source and id that run into each other are two questions still; deciding one leaves the other open."""
    for source, id_ in (("/psa/x", "1"), ("/psa", "x/1"), ("/psa", "x%2F1")):
        fire(ledger, event(id_, kind="contract.signed", source=source, contract="K-7"))
    assert rows(ledger, "select subject from exceptions order by id") == [
        ("event//psa/x/1",),
        ("event//psa/x%2F1",),
        ("event//psa/x%252F1",),
    ]
    commands.resolve(ledger, 2, Resolution.ACCEPT, by="pia", channel=Channel.WEB, reason="a test", at=LATER)
    said = [status(ledger, *each)[0] for each in (("1", "/psa/x"), ("x/1", "/psa"), ("x%2F1", "/psa"))]
    assert said == ["held", "set aside", "held"]


def test_set_aside(ledger: Ledger, company: TestCompany) -> None:
    """Accepted as it is, an event is left alone with the reason, until a person asks to look at it again."""
    fire(ledger, event("e1", kind="contract.signed", contract="K-7"))
    with pytest.raises(Refused, match="needs a reason"):
        resolve(ledger, Resolution.ACCEPT)
    with pytest.raises(Refused, match="has no invoice to void"):
        resolve(ledger, Resolution.VOID, "wrong")
    resolve(ledger, Resolution.ACCEPT, "a test of theirs")
    assert status(ledger, "e1") == ("set aside", "a test of theirs")
    assert rows(ledger, "select resolution, resolved_by from exceptions") == [
        ("accepted: a test of theirs", "pia")
    ]
    company.agreements[1]["contract"] = "K-7"
    apply_company(ledger, company.company(), "company", "mara", NOW)
    assert events.act_on_waiting(ledger, LATER) == 0
    assert fire(ledger, event("e1", kind="contract.signed", contract="K-7")) == []
    with ledger.transaction() as tx:
        assert events.retry(tx, "/psa", "e1", at=LATER).outcome == "move/price"
    with ledger.transaction() as tx, pytest.raises(WrongState, match="was acted on: move/price"):
        events.retry(tx, "/psa", "e1", at=LATER)
    with ledger.transaction() as tx, pytest.raises(NotFound, match="`billow events` lists"):
        events.retry(tx, "/psa", "e2", at=LATER)


@pytest.mark.usefixtures("company")
def test_accepted_and_still_so(ledger: Ledger) -> None:
    """Looked at again for the very reason a person accepted, an event is set aside again and asks nobody."""
    fire(ledger, event("e1", kind="deal.won", deal="D-9"))
    resolve(ledger, Resolution.ACCEPT, "not ours")
    with ledger.transaction() as tx:
        assert events.retry(tx, "/psa", "e1", at=LATER).status is EventStatus.SET_ASIDE
    assert rows(ledger, "select count(*) from exceptions where resolved_at is null") == [(0,)]


def test_all_or_nothing(ledger: Ledger, company: TestCompany) -> None:
    """Of an event that bills two agreements, one that cannot be billed holds both: nothing is half done."""
    company.agreements[1]["client"] = "ghost"
    apply_company(ledger, company.company(), "company", "mara", NOW)
    assert fire(ledger, event("e1", kind="contract.signed", contract="K-2")) == []
    assert status(ledger, "e1") == ("held", "there is no client 'ghost' in the company folder")
    assert rows(ledger, "select 1 from invoices") == []


@pytest.mark.usefixtures("company")
def test_kept_of_another_version(ledger: Ledger) -> None:
    """A stored event this version cannot read is held like any other, and keeps no other back."""
    with ledger.transaction() as tx:
        events.receive(tx, event("e1"), channel="webhook", at=NOW)
        events.receive(tx, event("e2"), channel="webhook", at=LATER)
        row = events.find(tx, "/psa", "e1")
        row.content = {**row.content, "type": "billow.unknown"}
    assert events.act_on_waiting(ledger, LATER) == 1
    assert [status(ledger, each)[0] for each in ("e1", "e2")] == ["held", "acted on"]


STREAM = [
    event("m1"),
    event("m2", agreement="shop", milestone="launch"),
    event("p1", kind="project.completed", project="P-4"),
    event("d1", kind="deal.won", deal="D-2", source="/crm"),
    event("k1", kind="contract.signed", contract="K-2", source="/esign"),
    event("k2", kind="contract.signed", deal="D-2", source="/crm"),
    event("b1", kind="block.used_up", agreement="hours", block=1),
    event("u1", kind="deal.won", deal="D-9", source="/crm"),
]
BILLED = ["hours/block-1", "hours/block-2", "move/price", "rest/price", "shop/design", "shop/launch"]


@given(st.lists(st.sampled_from(STREAM), max_size=12).flatmap(lambda more: st.permutations([*STREAM, *more])))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("company")
def test_any_order(ledger: Ledger, stream: list[BillingEvent]) -> None:
    """Whatever the order of events and however often each comes, the same things are billed, once each."""
    with ledger.transaction() as tx:
        tx.connection().exec_driver_sql(
            "truncate events, exceptions, messages, outbox, audit_events, invoices restart identity cascade"
        )
    for number, each in enumerate(stream):
        if number % 3:
            fire(ledger, each)
        else:  # stored, and the process died
            with ledger.transaction() as tx:
                events.receive(tx, each, channel="webhook", at=NOW)
    events.act_on_waiting(ledger, NOW)
    assert [key for (key,) in rows(ledger, "select billing_key from invoices order by 1")] == BILLED
    assert rows(ledger, "select event from events where status = 'held'") == [("u1",)]
    assert rows(ledger, "select count(*) from events") == [(len(STREAM),)]
