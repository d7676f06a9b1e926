"""What every store of signed contracts promises."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from billing.connections import Port
from tests.contract.systems import System

PORT = Port.CONTRACTS


def test_listed_by_id(system: System) -> None:
    """Signed contracts are listed by id, each once, and each is what it is when asked for alone."""
    contracts = system.adapter.contracts()
    ids = [each.id for each in contracts]
    assert isinstance(contracts, tuple) and len(ids) == 2 and ids == sorted(set(ids))
    assert [system.adapter.contract(each) for each in ids] == list(contracts)


def test_unknown(system: System) -> None:
    """What there is not is None, whatever the id looks like."""
    for id_ in ("", "0", "no-such", "../x", "a b", "é", "x" * 300):
        assert system.adapter.contract(id_) is None


def test_exact(system: System) -> None:
    """Amounts are decimals, to the digit; the day of the signature is a day."""
    large, small = (system.adapter.contract(system.ids[each]) for each in ("contract", "small"))
    assert [(type(each.value), each.value) for each in (large, small)] == [
        (Decimal, Decimal("9200.10")),
        (Decimal, Decimal("0.1")),
    ]
    assert isinstance(large.signed_on, date) and not isinstance(large.signed_on, datetime)
    assert large.currency == "EUR"
