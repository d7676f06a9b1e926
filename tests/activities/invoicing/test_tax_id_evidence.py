"""VAT ids of other member states are checked at assembly where the company wants it, and the answers are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from activities.invoicing.assembling import assemble_draft
from activities.invoicing.effects import Effects
from activities.ledger import invoices, triggers
from activities.ledger.tables import ExceptionRow, TaxIdCheckRow
from activities.tax_ids.vies import Vies
from billing.draft import Draft
from billing.one_off import OneOff
from tests.activities.tax_ids.vies_server import ViesServer
from tests.company import TestCompany, client, crm_client
from workers.assembly import effects
from workers.settings import Settings
from workflows.messages import StepInput

PARIS = "FR40303265045"
FRANCE = {"street": "1 rue X", "postcode": "75001", "city": "Paris", "country": "FR"}
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def register() -> Iterator[ViesServer]:
    with ViesServer(PARIS) as server:
        yield server


@pytest.fixture
def outside(settings: Settings, register: ViesServer) -> Iterator[Effects]:
    made = replace(effects(settings), vies=Vies(register.url, timeout=5, pause=0.01))
    yield made
    made.ledger.close()


class Desk:
    """One-offs to a client in Paris or at home, assembled under the settings of the company."""

    def __init__(
        self, outside: Effects, company: TestCompany, tax: dict[str, object], vat_id: str = PARIS
    ) -> None:
        self.outside, self.company, self.keys = outside, company, 0
        company.clients = [client("acme", "C-1"), client("paris", "C-2")]
        company.crm = [
            crm_client("C-1", "Acme"),
            crm_client("C-2", "Paris SA", vat_id=vat_id, address=FRANCE),
        ]
        company.company_file = {"tax": tax}
        company.apply(outside.ledger)

    def bill(self, who: str = "paris", at: datetime = NOW) -> tuple[str | None, list[str]]:
        """Tax category of the draft, if one was made, and the reasons it is held for."""
        self.keys += 1
        key = f"manual/{self.keys}"
        one_off = OneOff.model_validate(
            {
                "client": who,
                "currency": "EUR",
                "title": f"Workshop {self.keys}",
                "reason": "asked",
                "lines": [{"description": "Day", "quantity": "1", "unit_price": 1000 + self.keys}],
            }
        )
        self.trigger(key, one_off, at)
        assemble_draft(self.outside, StepInput(billing_key=key, as_of=at))
        with self.outside.ledger.transaction() as tx:
            row = invoices.find(tx, key)
            held = tx.scalars(select(ExceptionRow).where(ExceptionRow.invoice == row.id)).all()
            draft = Draft.model_validate(row.draft) if row.draft else None
            return (str(draft.taxes[0].category) if draft else None), [each.code for each in held]

    def trigger(self, key: str, one_off: OneOff, at: datetime) -> None:
        with self.outside.ledger.transaction() as tx:
            triggers.one_off(tx, one_off, key.removeprefix("manual/"), by="pia", channel="cli", at=at)

    def kept(self) -> list[tuple[str, bool, str]]:
        with self.outside.ledger.transaction() as tx:
            rows = tx.scalars(select(TaxIdCheckRow).order_by(TaxIdCheckRow.id)).all()
            return [(each.number, each.valid, each.receipt) for each in rows]


def test_by_default_nothing_is_asked(outside: Effects, company: TestCompany, register: ViesServer) -> None:
    """Without the setting nothing calls out, and reverse charge rests on the number alone."""
    assert Desk(outside, company, {}).bill() == ("AE", [])
    assert register.asked == []


def test_asked_once_and_kept(outside: Effects, company: TestCompany, register: ViesServer) -> None:
    """Two invoices in a month ask once; the answer is kept with its receipt; after thirty days it is asked again."""
    desk = Desk(outside, company, {"vies": "ask"})
    assert [desk.bill(), desk.bill(at=NOW + timedelta(days=30))] == [("AE", []), ("AE", [])]
    assert desk.kept() == [(PARIS, True, "WAPI-1")]
    desk.bill(at=NOW + timedelta(days=31))
    assert [each["vatNumber"] for each in register.asked] == ["40303265045"] * 2


def test_at_home_nobody_is_asked(outside: Effects, company: TestCompany, register: ViesServer) -> None:
    """A client at home bears tax whatever its number, so VIES is not asked."""
    assert Desk(outside, company, {"vies": "ask"}).bill("acme") == ("S", [])
    assert register.asked == []


def test_a_number_that_is_not_valid_stops(
    outside: Effects, company: TestCompany, register: ViesServer
) -> None:
    """The register knows no such number: a person decides, and the next try asks again."""
    desk = Desk(outside, company, {"vies": "ask"}, vat_id="FR83404833048")
    assert desk.bill() == (None, ["tax-unknown"])
    assert desk.bill() == (None, ["tax-unknown"])
    assert desk.kept() == [("FR83404833048", False, "")] * 2


@pytest.mark.parametrize(
    ("when_down", "made"), [("hold", (None, ["source-unreadable"])), ("go on", ("AE", []))]
)
def test_a_register_that_is_down(
    outside: Effects, company: TestCompany, register: ViesServer, when_down: str, made: tuple[str, list[str]]
) -> None:
    """VIES down holds the invoice for a person, or lets it go on, as the company says; no evidence is made up."""
    desk = Desk(outside, company, {"vies": "ask", "when_down": when_down})
    register.fail(503, 503, 503)
    assert desk.bill() == made
    assert desk.kept() == []


def test_what_is_fresh_needs_no_register(
    outside: Effects, company: TestCompany, register: ViesServer
) -> None:
    """While an answer is fresh, VIES may be down."""
    desk = Desk(outside, company, {"vies": "ask"})
    desk.bill()
    register.fail(503, 503, 503)
    assert desk.bill(at=NOW + timedelta(days=7)) == ("AE", [])
