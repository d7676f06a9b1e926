"""Agreements that cannot be billed, never will be, or say what has no effect: told before anybody waits for money."""

# ruff: noqa: E501 (a table of cases is read by its columns)

from contextlib import suppress
from datetime import date
from typing import Any, NamedTuple

import pytest

from billing.agreements import Agreement, Trigger, agreement_adapter
from billing.billability import CAN_BILL, can_bill
from billing.calendars import Calendar
from billing.company_checks import check_company
from billing.complaints import CompanyRecords, Complaint, Records
from billing.due import due
from billing.errors import Refused
from billing.events import BillingEvent, EventData, EventType
from billing.meter_reading import read
from billing.metering import measures
from billing.occasions import event_occasions
from billing.parties import Person

PEOPLE = [Person(id=each, name=each.title(), email=f"{each}@firm.example") for each in ("eva", "ole")]
BASE: dict[str, dict[str, Any]] = {
    "retainer": {"every": "month", "amount": "900"},
    "time and materials": {"project": "P-1", "rates": {"dev": "100"}},
    "expenses": {"project": "P-2"},
    "milestone": {"project": "P-3", "milestones": [{"id": "m1", "title": "One", "amount": "500"}]},
    "fixed price": {"project": "P-4", "amount": "900"},
    "prepaid block": {"project": "P-5", "hours": "40", "price": "4000", "contract": "CT-1"},
}
ORDER: dict[str, Any] = {
    "id": "more", "effective": "2026-06-01", "reason": "wider scope", "document": "CT-2", "proposed_by": "eva",
    "approved_by": "ole", "approved_on": "2026-05-20",
}  # fmt: skip


def agreement(model: str, key: str = "a", **changes: Any) -> Agreement:
    plain = {"id": key, "client": "acme", "title": "T", "currency": "EUR", "start": date(2026, 1, 1)}
    return agreement_adapter.validate_python({**plain, "model": model, **BASE[model], **changes})


def complaints(*agreements: Agreement) -> list[Complaint]:
    records = CompanyRecords(
        people=Records(dict(enumerate(PEOPLE)), [each.model_dump() for each in PEOPLE]),
        agreements=Records(dict(enumerate(agreements)), [each.model_dump() for each in agreements]),
    )
    return check_company(records)


POSSIBLE = {
    "retainer": {"time", "manual"},
    "time and materials": {"time", "project completed", "spend reached", "manual"},
    "expenses": {"time", "manual"},
    "milestone": {"milestone signed off", "progress reached", "manual"},
    "fixed price": {"project completed", "contract signed", "deal won", "manual"},
    "prepaid block": {"contract signed", "deal won", "manual"},
}
ENABLING: dict[str, dict[str, Any]] = {
    "spend reached": {"bill_at": "5000"},
    "progress reached": {"milestones": [{"id": "m1", "title": "One", "amount": "500", "progress": 50}]},
    "contract signed": {"contract": "CT-1"},
    "deal won": {"deal": "D-1"},
}


@pytest.mark.parametrize("trigger", list(Trigger), ids=str)
@pytest.mark.parametrize("model", list(BASE))
def test_a_model_with_a_trigger_that_cannot_bill_it_is_refused(model: str, trigger: Trigger) -> None:
    """Of all 54 pairs, those that can bill pass, and each other is refused with the triggers that can."""
    possible = trigger.value in POSSIBLE[model]
    made = agreement(model, trigger=trigger, **(ENABLING.get(trigger.value, {}) if possible else {}))
    refused = [each for each in complaints(made) if not each.warning]
    if possible:
        assert refused == []
    else:
        (complaint,) = refused
        assert complaint.path == ("agreements", 0, "trigger")
        assert f"{trigger.value!r} cannot bill a" in complaint.message
        assert all(each in complaint.message for each in POSSIBLE[model])


def test_a_start_centuries_ago_is_refused() -> None:
    """A slip such as the year 206 does not have eighteen centuries caught up; an old agreement passes."""
    (complaint,) = complaints(agreement("retainer", start=date(206, 1, 1)))
    assert not complaint.warning and "every period since then would be billed" in complaint.message
    assert complaints(agreement("retainer", start=date(1990, 1, 1))) == []


def test_every_default_trigger_can_bill() -> None:
    """Whoever leaves the trigger out gets one that bills the model, without a word."""
    assert {cls.model_fields["trigger"].default in triggers for cls, triggers in CAN_BILL.items()} == {True}
    made = [agreement(model, key=f"a{n}") for n, model in enumerate(BASE)]
    assert complaints(*made) == []
    assert [made[n].trigger in can_bill(made[n]) for n in range(len(made))] == [True] * len(made)


class Case(NamedTuple):
    """An agreement, the key path that is named, what is said, and whether it lets the folder through."""

    name: str
    model: str
    changes: dict[str, Any]
    path: tuple[str | int, ...]
    says: str
    warning: bool = False


DATED = [{"since": "2026-03-01", "price": "90"}]
STEP = {"percent": "2", "source": "CPI"}
CASES = [
    Case("only by hand", "retainer", {"trigger": "manual"}, ("trigger",), "billow trigger --agreement a", True),
    Case("contract signed, no contract", "fixed price", {"trigger": "contract signed"}, ("trigger",), "no contract is named", True),
    Case("block without a contract", "prepaid block", {"contract": None}, ("trigger",), "no contract is named", True),
    Case("deal won, no deal", "fixed price", {"trigger": "deal won"}, ("trigger",), "add deal: its id", True),
    Case("spend without a line", "time and materials", {"trigger": "spend reached"}, ("trigger",), "add bill_at"),
    Case("progress without a line", "milestone", {"trigger": "progress reached"}, ("milestones", 0, "progress"), "per cent, such as 50"),
    Case("hours in advance", "time and materials", {"timing": "in advance"}, ("timing",), "hours are known only"),
    Case("expenses in advance", "expenses", {"timing": "in advance"}, ("timing",), "expenses are known only"),
    Case("overage without a rate", "prepaid block", {"overage": "rate"}, ("overage",), "add overage_rate"),
    Case("a line nobody reaches for", "time and materials", {"bill_at": "500"}, ("bill_at",), "unless trigger: spend reached", True),
    Case("a period that is none", "time and materials", {"trigger": "project completed", "every": "month"}, ("every",), "not billed by the period", True),
    Case("a billing day of no period", "time and materials", {"trigger": "project completed", "bill_on": 15, "every": "month", "cap": "900"}, ("bill_on",), "not billed by the period", True),
    Case("a rate without overage", "prepaid block", {"overage_rate": "90"}, ("overage_rate",), "unless overage: rate", True),
    Case("replenished never", "prepaid block", {"overage": "hold", "replenish_at": "5"}, ("replenish_at",), "unless overage: next block", True),
    Case("replenished at once", "prepaid block", {"replenish_at": "40"}, ("replenish_at",), "with the first hour"),
    Case("rolled over without expiry", "prepaid block", {"roll_over": "5"}, ("roll_over",), "blocks never expire", True),
    Case("more rolled over than bought", "prepaid block", {"expires_after_months": 12, "roll_over": "50"}, ("roll_over",), "at most 40"),
    Case("included hours of no project", "retainer", {"included_hours": "5"}, ("included_hours",), "only with project", True),
    Case("an anchor on the start", "retainer", {"anchor": "2026-01-01"}, ("anchor",), "leave it out", True),
    Case("a day of the month for days", "retainer", {"every": "90 days", "bill_on": 15}, ("bill_on",), "while 90 days begin and end within months", True),
    Case("an index step at the start", "retainer", {"indexation": [{"since": "2026-01-01", **STEP}]}, ("indexation", 0, "since"), "is not after the start"),
    Case("an index step after the end", "retainer", {"end": "2026-12-31", "indexation": [{"since": "2027-01-01", **STEP}]}, ("indexation", 0, "since"), "it changes nothing", True),
    Case("index steps out of order", "retainer", {"indexation": [{"since": "2027-01-01", **STEP}, {"since": "2026-07-01", **STEP}]}, ("indexation", 1, "since"), "does not come after 2027-01-01"),
    Case("a rate that begins late", "time and materials", {"rates": {"dev": DATED}}, ("rates", "dev"), "no price before 2026-03-01", True),
    Case("half a cent of a budget", "time and materials", {"budget": "10.005"}, ("budget",), "more decimals than EUR knows"),
    Case("half a cent of a change", "retainer", {"change_orders": [{**ORDER, "amount": "10.005"}]}, ("change_orders", 0, "amount"), "more decimals"),
    Case("a change not approved", "retainer", {"change_orders": [{**ORDER, "amount": "950", "approved_by": None, "approved_on": None}]}, ("change_orders", 0), "not approved: changes nothing", True),
    Case("a change of nothing", "retainer", {"change_orders": [ORDER]}, ("change_orders", 0), "says nothing that changes"),
    Case("rates of a fixed price", "fixed price", {"change_orders": [{**ORDER, "rates": {"dev": "90"}}]}, ("change_orders", 0, "rates"), "a fixed price agreement has no rates"),
    Case("the fee of hours", "time and materials", {"change_orders": [{**ORDER, "amount": "950"}]}, ("change_orders", 0, "amount"), "has no amount to change"),
    Case("a change before the start", "retainer", {"change_orders": [{**ORDER, "amount": "950", "effective": "2025-12-31"}]}, ("change_orders", 0, "effective"), "lies before the agreement starts"),
    Case("a change after the end", "retainer", {"end": "2026-05-31", "change_orders": [{**ORDER, "amount": "950"}]}, ("change_orders", 0, "effective"), "or end: the new last day"),
    Case("an end before the start", "retainer", {"change_orders": [{**ORDER, "end": "2025-05-31"}]}, ("change_orders", 0, "end"), "write a later day"),
    Case("a change twice", "retainer", {"change_orders": [{**ORDER, "amount": "950"}, {**ORDER, "amount": "960"}]}, ("change_orders", 1, "id"), "taken already"),
    Case("a change by nobody", "retainer", {"change_orders": [{**ORDER, "amount": "950", "proposed_by": "evs"}]}, ("change_orders", 0, "proposed_by"), "did you mean 'eva'?"),
    Case("a change approved by nobody", "retainer", {"change_orders": [{**ORDER, "amount": "950", "approved_by": "olaf"}]}, ("change_orders", 0, "approved_by"), "no person 'olaf'"),
    Case("a milestone added twice", "milestone", {"change_orders": [{**ORDER, "milestones": [{"id": "m1", "title": "Again", "amount": "5"}]}]}, ("change_orders", 0, "milestones", 0, "id"), "taken already"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_does_not_fit_is_said_once_at_its_place(case: Case) -> None:
    """One mistake is one complaint: where it stands, what to write instead, and whether it stops the folder."""
    (complaint,) = complaints(agreement(case.model, **case.changes))
    assert complaint.path == ("agreements", 0, *case.path)
    assert case.says in complaint.message
    assert complaint.warning is case.warning


def test_progress_of_milestones_that_somebody_must_ask_for() -> None:
    """Progress bills nothing that only a person who asks bills: both are warned of, each at its place."""
    made = agreement("milestone", trigger="manual", **ENABLING["progress reached"])
    found = complaints(made)
    assert [each.path[2:] for each in found] == [("trigger",), ("milestones", 0, "progress")]
    assert all(each.warning for each in found)


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (("time and materials", {}), ("time and materials", {}), "the hours of 'P-1' are billed by agreement 'one'"),
        (("time and materials", {"end": "2026-06-30"}), ("time and materials", {"start": "2026-07-01"}), None),
        (("time and materials", {"end": "2026-07-01"}), ("time and materials", {"start": "2026-07-01"}), "the hours"),
        (("time and materials", {}), ("time and materials", {"project": "P-9"}), None),
        (("time and materials", {}), ("prepaid block", {"project": "P-1"}), "the hours"),
        (("time and materials", {}), ("retainer", {"project": "P-1"}), None),
        (("time and materials", {}), ("retainer", {"project": "P-1", "included_hours": "5", "rates": {"dev": "9"}}), "the hours"),
        (("time and materials", {}), ("expenses", {"project": "P-1"}), None),
        (("time and materials", {"expenses": True}), ("expenses", {"project": "P-1"}), "the expenses"),
        (("fixed price", {}), ("fixed price", {}), "the whole of 'P-4' is billed"),
        (("fixed price", {}), ("milestone", {"project": "P-4"}), None),
        (("retainer", {}), ("retainer", {}), None),
        (("time and materials", {"change_orders": [{**ORDER, "end": "2026-06-30"}]}), ("time and materials", {"start": "2026-07-01"}), None),
    ],
)  # fmt: skip
def test_work_that_two_agreements_bill(
    one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]], says: str | None
) -> None:
    """Two agreements that bill the same work on the same day are warned of, at the second; one after the other is fine."""
    found = complaints(agreement(one[0], "one", **one[1]), agreement(other[0], "other", **other[1]))
    assert [each.path for each in found] == ([("agreements", 1, "project")] if says else [])
    assert all(says is not None and says in each.message and each.warning for each in found)


DAY = date(2026, 3, 10)


def fires_by_itself(made: Agreement) -> set[str]:
    """What bills the first thing of an agreement without anybody asking: calendar, events by their type, meter."""
    calendar = Calendar(zone="UTC")
    found = {"time"} if list(due(made, DAY, calendar)) else set()
    for kind in EventType:
        data = {"agreement": "a", "milestone": "m1", "block": 1}
        event = BillingEvent(
            specversion="1.0", id="1", source="s", type=kind, data=EventData.model_validate(data)
        )
        with suppress(Refused):
            found |= {
                kind.value for each in event_occasions(event, made, DAY, calendar) if each.item != "block-2"
            }
    for measure in measures(made, DAY):
        lines = read(made, measure, [], [], DAY).lines
        found |= {measure.value for line in lines if line.item and line.item != "block-2"}
    return found


FIRES = {
    "time": "time",
    "deal won": "billow.deal.won",
    "contract signed": "billow.contract.signed",
    "project completed": "billow.project.completed",
    "milestone signed off": "billow.milestone.signed_off",
    "spend reached": "spend",
    "progress reached": "progress",
}


@pytest.mark.parametrize(
    ("model", "trigger"), [(model, each) for model in POSSIBLE for each in sorted(POSSIBLE[model])]
)
def test_what_may_bill_does_bill(model: str, trigger: str) -> None:
    """Every pair that passes the check has something that fires, of its trigger; by hand nothing fires by itself."""
    enabling = ENABLING["progress reached"] if model == "milestone" else ENABLING.get(trigger, {})
    fired = fires_by_itself(agreement(model, trigger=trigger, **enabling))
    if trigger == "manual":
        assert fired == set()
    else:
        assert FIRES[trigger] in fired
