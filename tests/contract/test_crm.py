"""What every CRM promises."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from billing.connections import Port
from tests.contract.systems import System

PORT = Port.CRM


def test_listed_by_id(system: System) -> None:
    """Clients and deals are listed by id, each once, and each is what it is when asked for alone."""
    clients, deals = system.adapter.clients(), system.adapter.deals()
    for found in (clients, deals):
        ids = [each.id for each in found]
        assert isinstance(found, tuple) and len(ids) == 2 and ids == sorted(set(ids))
    assert [system.adapter.client(each.id) for each in clients] == list(clients)
    assert [system.adapter.deal(each.id) for each in deals] == list(deals)


def test_unknown(system: System) -> None:
    """What there is not is None, whatever the id looks like."""
    for id_ in ("", "0", "no-such", "../x", "a b", "é", "x" * 300):
        assert system.adapter.client(id_) is None and system.adapter.deal(id_) is None


def test_exact(system: System) -> None:
    """Amounts are decimals, to the digit; days are days."""
    won, open_ = (system.adapter.deal(system.ids[each]) for each in ("deal", "open"))
    assert [(type(each.value), each.value) for each in (won, open_)] == [
        (Decimal, Decimal("12500.10")),
        (Decimal, Decimal("0.1")),
    ]
    assert won.won and not open_.won and won.won_on == date(2026, 2, 1)
    assert not isinstance(won.won_on, datetime)


def test_belongs_to_its_client(system: System) -> None:
    """The client of a deal is a client."""
    assert system.adapter.deal(system.ids["deal"]).client == system.ids["client"]
    assert system.adapter.client(system.ids["client"]).address.country == "DE"
