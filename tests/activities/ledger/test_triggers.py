"""Triggers: what fires becomes an invoice by its billing key, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from activities.ledger import invoices, triggers
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from billing.errors import Conflicting, NotFound, Refused
from billing.events import BillingEvent
from tests.activities.ledger.conftest import at_once, everything, rows
from tests.company import TestCompany, retainer
from tests.starter.web.story import NOW


@pytest.fixture
def billing(ledger: Ledger, tmp_path: Path) -> Ledger:
    """A company with milestones, a fixed price, a prepaid block, and a retainer that began three months ago."""
    company = TestCompany(tmp_path)
    common = {"client": "acme", "project": "P-1", "title": "Work", "currency": "EUR", "start": "2026-01-01"}
    company.agreements = [
        {
            "id": "shop",
            "model": "milestone",
            "milestones": [
                {"id": "design", "title": "Design", "amount": "1000.00"},
                {"id": "launch", "title": "Launch", "amount": "2000.00"},
            ],
            **common,
        },
        {"id": "move", "model": "fixed price", "amount": "5000.00", **common},
        {"id": "hours", "model": "prepaid block", "hours": "10", "price": "1000.00", **common},
        retainer("care", "acme", "100.00", start="2026-09-01"),
    ]
    apply_company(ledger, company.company(), "company", "mara", NOW)
    return ledger


def event(id_: str, kind: str = "milestone.signed_off", **data: Any) -> BillingEvent:
    return BillingEvent.model_validate(
        {
            "specversion": "1.0",
            "id": id_,
            "source": "/psa",
            "type": f"billow.{kind}",
            "data": data or {"agreement": "shop", "milestone": "design"},
        }
    )


def fire(ledger: Ledger, fired: BillingEvent) -> list[tuple[str, bool]]:
    """Billing keys, and whether the event made their invoices."""
    with ledger.transaction() as tx:
        found = triggers.by_event(tx, fired, fired.model_dump(mode="json"), channel="webhook", at=NOW)
        return [(each.invoice.billing_key, each.new) for each in found]


def test_same_event_again(billing: Ledger) -> None:
    """The same event again, also at once, changes nothing and is answered with the same invoice."""
    got = at_once(6, lambda _: fire(billing, event("e1")))
    assert sorted(map(str, got)) == ["[('shop/design', False)]"] * 5 + ["[('shop/design', True)]"]
    before = everything(billing)
    assert fire(billing, event("e1")) == [("shop/design", False)]
    assert everything(billing) == before


def test_two_events_for_one_thing(billing: Ledger) -> None:
    """Two events that make the same thing due are two events and one invoice."""
    assert fire(billing, event("e1")) == [("shop/design", True)]
    assert fire(billing, event("e2")) == [("shop/design", False)]
    assert rows(billing, "select count(*) from events") == [(2,)]
    assert rows(billing, "select count(*) from invoices") == [(1,)]


def test_same_id_of_another_source(billing: Ledger) -> None:
    """An id is unique with its source."""
    fire(billing, event("e1"))
    other = event("e1", agreement="shop", milestone="launch").model_copy(update={"source": "/crm"})
    assert fire(billing, other) == [("shop/launch", True)]


def test_same_id_other_content(billing: Ledger) -> None:
    """An id that comes again with something else is refused, so that nothing is left out in silence or billed twice."""
    fire(billing, event("e1"))
    before = everything(billing)
    with pytest.raises(Conflicting, match="event 'e1' of /psa was received already"):
        fire(billing, event("e1", agreement="shop", milestone="launch"))
    with pytest.raises(Conflicting, match="event 'e1' of /psa was received already"):
        fire(billing, event("e1", kind="project.completed", agreement="move"))
    assert everything(billing) == before


def test_again_after_a_rebill(billing: Ledger) -> None:
    """An event that comes again after its draft was voided does not bill it again; a person or a new event does."""
    fire(billing, event("e1"))
    with billing.transaction() as tx:
        row = invoices.find(tx, "shop/design", lock=True)
        invoices.void(tx, row, rebill=True, by="pia", channel="cli", reason="wrong", at=NOW)
    before = everything(billing)
    assert fire(billing, event("e1")) == [("shop/design", False)]
    assert everything(billing) == before
    assert fire(billing, event("e2")) == [("shop/design", True)]


def test_several_periods(billing: Ledger) -> None:
    """A signed contract makes every due period of a retainer due, each once."""
    signed = event("e1", kind="contract.signed", agreement="care")
    keys = [key for key, new in fire(billing, signed) if new]
    assert keys == [f"care/fee/2026-{month:02d}-01" for month in (9, 10, 11)]
    assert fire(billing, signed) == [(key, False) for key in keys]


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ({"agreement": "nothing", "milestone": "design"}, NotFound, "there are: shop, move, hours, care"),
        (
            {"agreement": "shop", "milestone": "nothing"},
            Refused,
            "has no milestone 'nothing'; it has: design, launch",
        ),
        ({"agreement": "care", "milestone": "design"}, Refused, "cannot bill agreement 'care'"),
    ],
)
def test_refused(billing: Ledger, data: dict[str, str], error: type[Exception], message: str) -> None:
    """An event that cannot be billed is refused and not kept, so that it can come again once that is mended."""
    with pytest.raises(error, match=message):
        fire(billing, event("e1", **data))
    assert rows(billing, "select count(*) from events") == [(0,)]


def test_by_hand(billing: Ledger) -> None:
    """By hand the oldest unbilled period is billed, one after the other, then the running one's invoice is shown."""

    def bill() -> tuple[str, bool]:
        with billing.transaction() as tx:
            got = triggers.by_agreement(tx, "care", None, by="pia", channel="cli", at=NOW)
            return got.invoice.billing_key, got.new

    months = [(f"care/fee/2026-{month:02d}-01", True) for month in (9, 10, 11)]
    assert [bill() for _ in range(4)] == [*months, ("care/fee/2026-11-01", False)]
