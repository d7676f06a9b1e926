"""What people and other systems hand in: events, requests, one-offs, opening items, addresses; and who owns what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from billing.agreements import Occasion
from billing.events import BillingEvent
from billing.exceptions import ACCEPTABLE, ExceptionPolicy, ReasonCode
from billing.one_off import OneOff
from billing.opening_item import OpeningItem
from billing.parties import TimeZone, is_address
from billing.request import BillingRequest

EVENT = {
    "specversion": "1.0",
    "id": "E-1",
    "source": "/psa",
    "type": "billow.project.completed",
    "time": "2026-06-16T10:00:00+02:00",
    "data": {"agreement": "move"},
}
ONE_OFF = {
    "client": "acme",
    "currency": "EUR",
    "title": "Workshop",
    "reason": "asked by mail",
    "lines": [{"description": "Day", "quantity": "1", "unit_price": "900"}],
}
ITEM = {
    "number": "RE-2025-0042",
    "client": "acme",
    "title": "Care",
    "issue_date": "2025-12-01",
    "due_date": "2025-12-15",
    "currency": "EUR",
    "net": "100.00",
    "tax": "19.00",
    "gross": "119.00",
}
RECEIVED = datetime(2026, 6, 17, tzinfo=UTC)


def test_when_an_event_happened() -> None:
    """The event's own time counts; one that says none happened when it was received."""
    assert BillingEvent.model_validate(EVENT).happened(RECEIVED) == datetime(2026, 6, 16, 8, tzinfo=UTC)
    assert BillingEvent.model_validate({**EVENT, "time": None}).happened(RECEIVED) == RECEIVED


def test_attributes_of_other_systems_are_left_alone() -> None:
    """CloudEvents carry extensions; they do not stop an event, while its data is read strictly."""
    assert BillingEvent.model_validate({**EVENT, "traceparent": "00-1"}).id == "E-1"
    with pytest.raises(ValidationError):
        BillingEvent.model_validate({**EVENT, "data": {"agreement": "move", "amount": 1}})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"type": "billow.milestone.signed_off"}, "data.milestone"),
        ({"type": "billow.block.used_up"}, "data.block"),
        ({"type": "billow.block.used_up", "data": {"agreement": "block", "block": 0}}, "greater than"),
        ({"type": "deal.won"}, "Input should be"),
        ({"specversion": "0.3"}, "1.0"),
        ({"id": ""}, "at least 1"),
        ({"id": "x" * 201}, "at most 200"),
        ({"time": "2026-06-16T10:00:00"}, "timezone"),
        ({"data": {"agreement": "Move!"}}, "pattern"),
    ],
)
def test_events_that_are_refused(changes: dict[str, Any], says: str) -> None:
    """An event without its subject, of an unknown kind, or with a time of no zone is refused and told why."""
    with pytest.raises(ValidationError, match=says):
        BillingEvent.model_validate({**EVENT, **changes})


@pytest.mark.parametrize("both", [True, False])
def test_a_request_has_one_subject(both: bool) -> None:
    """A request is about an occasion or about a one-off, never both or neither."""
    subject = {"occasion": Occasion(agreement="care", item="fee"), "one_off": ONE_OFF} if both else {}
    record = {"billing_key": "care/fee", "trigger": "manual", "requested_by": "pia", **subject}
    with pytest.raises(ValidationError, match="either an occasion or a one-off"):
        BillingRequest.model_validate(record)


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": []},
        {"reason": ""},
        {"currency": "DEM"},
        {"lines": [{"description": "Day", "quantity": 1.5, "unit_price": "900"}]},  # a float
        {"lines": [{"description": "Day", "quantity": "0", "unit_price": "900"}]},
        {"lines": [{"description": "Day", "quantity": "-1", "unit_price": "900"}]},
        {"lines": [{"description": "Day", "quantity": "1", "unit_price": "NaN"}]},
        {"total": "900"},
    ],
)
def test_one_offs_that_are_refused(changes: dict[str, Any]) -> None:
    """A one-off names client, reason and at least one line with a quantity; figures are exact."""
    assert OneOff.model_validate(ONE_OFF).lines[0].unit == "C62"
    with pytest.raises(ValidationError):
        OneOff.model_validate({**ONE_OFF, **changes})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"gross": "119.01"}, "do not sum to gross 119.01"),
        ({"due_date": "2025-11-30"}, "the due date is before the issue date"),
        ({"paid": "-1"}, "greater than or equal"),
        ({"levels_sent": -1}, "greater than or equal"),
        ({"net": 100.0}, "in quotes"),
    ],
)
def test_opening_items_that_are_refused(changes: dict[str, Any], says: str) -> None:
    """An invoice of the system before must add up and be due after it was issued."""
    assert OpeningItem.model_validate(ITEM).levels_sent == 0
    with pytest.raises(ValidationError, match=says):
        OpeningItem.model_validate({**ITEM, **changes})


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("ap@client.example", True),
        ("a.p+inv@sub.client.example", True),
        ("boss", False),
        ("a@b", False),
        ("a@b.c, d@e.f", False),
        ("Kim <ap@client.example>", False),
        ("a b@c.de", False),
        ("ap@client.example\nBcc: x@y.z", False),
        ("ap@client.example\n", False),
        ("", False),
    ],
)
def test_one_address(text: str, is_one: bool) -> None:
    """An address is exactly one: no list, no name beside it, no second header line smuggled in."""
    assert is_address(text) is is_one


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "CEST", "../etc/passwd", "/etc/localtime"])
def test_zones_that_are_none(zone: str) -> None:
    """A zone is one of the time zone database, nothing else, and least of all a path."""
    with pytest.raises(ValidationError):
        TypeAdapter(TimeZone).validate_python(zone)


def test_who_owns_an_exception() -> None:
    """The client's owner comes first, then the one for the reason, then the default one."""
    policy = ExceptionPolicy(
        default_owner="pia", owners={ReasonCode.TAX_UNKNOWN: "otto"}, client_owners={"acme": "noor"}
    )
    assert policy.owner(ReasonCode.EMPTY) == "pia"
    assert policy.owner(ReasonCode.TAX_UNKNOWN) == "otto"
    assert policy.owner(ReasonCode.TAX_UNKNOWN, "acme") == "noor"
    assert policy.owner(ReasonCode.TAX_UNKNOWN, "other") == "otto"


def test_what_may_never_be_accepted_as_it_is() -> None:
    """A missing contact, an unknown tax, an unsigned contract are repaired; no reason makes them right."""
    never = {ReasonCode.NO_CONTACT, ReasonCode.TAX_UNKNOWN, ReasonCode.NOT_SIGNED, ReasonCode.EMPTY}
    never |= {ReasonCode.CLIENT_UNKNOWN, ReasonCode.ALREADY_BILLED, ReasonCode.RATE_MISSING}
    assert not never & ACCEPTABLE
