"""From a vendor's delivery to a draft: what HubSpot and Dropbox Sign say is what the invoice says, or holds it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from activities.invoicing.assembling import assemble_draft
from activities.ledger import events, invoices
from activities.ledger.database import Ledger
from activities.ledger.tables import InvoiceRow
from billing.draft import Draft
from tests.activities.crm.hubspot_account import ACME, DEAL, HubSpotAccount
from tests.activities.esign.dropbox_sign_account import EXAMPLE, FIELDS, DropboxSignAccount
from tests.starter.web.vendors import (
    DROPBOX,
    HUBSPOT,
    act_on_all,
    all_signed,
    by_hubspot,
    connected,
    form,
    stage_changed,
)
from workers.assembly import effects
from workers.settings import Settings
from workflows.messages import StepInput

Told = Callable[[str], tuple[InvoiceRow, dict[str, str]]]
PRICE = {**FIELDS, "value": "12500.00", "start": "2026-01-01"}


@pytest.fixture
def account() -> Iterator[HubSpotAccount]:
    account = HubSpotAccount().example()
    with account.server:
        yield account


@pytest.fixture
def papers() -> Iterator[DropboxSignAccount]:
    papers = DropboxSignAccount()
    papers.request(EXAMPLE, PRICE)
    with papers.server:
        yield papers


@pytest.fixture
def told(
    settings: Settings,
    ledger: Ledger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    account: HubSpotAccount,
    papers: DropboxSignAccount,
) -> Iterator[Told]:
    """The invoice a delivery has made, with its draft assembled, and what holds it."""
    at = {"crm": account.server.url, "contracts": papers.server.url}
    outside = effects(settings)
    with connected(settings, ledger, tmp_path, monkeypatch, **at) as sender:

        def tell(by: str) -> tuple[InvoiceRow, dict[str, str]]:
            if by == HUBSPOT:
                body = json.dumps([stage_changed()]).encode()
                headers = by_hubspot(body, f"https://billow.test{HUBSPOT}")
            else:
                body, headers = form(all_signed(EXAMPLE))
            assert sender.post(by, content=body, headers=headers).status_code == 200
            assert act_on_all(ledger)
            now = datetime.now(UTC)
            events.act_on_waiting(ledger, now)
            key = "network/price" if by == HUBSPOT else "paper/price"
            assemble_draft(outside, StepInput(billing_key=key, as_of=now))
            with ledger.transaction() as tx:
                row = invoices.find(tx, key)
                return row, {each.code: str(each.finding) for each in invoices.open_exceptions(tx, row)}

        yield tell
    outside.ledger.close()


def draft_of(row: InvoiceRow) -> Draft:
    return Draft.model_validate(row.draft)


@pytest.mark.parametrize("by", [HUBSPOT, DROPBOX])
def test_the_draft_says_what_the_vendors_say(told: Told, by: str) -> None:
    """A deal that is won, or a contract that is signed, becomes a draft to the company in HubSpot, with nothing to hold
    it."""
    row, held = told(by)
    assert held == {}
    draft = draft_of(row)
    assert (draft.buyer.name, draft.buyer.address.street, draft.buyer.address.country) == (
        "Acme GmbH",
        "Invalidenstr. 1",
        "DE",
    )
    assert (draft.buyer.contact.name, draft.buyer.contact.email) == ("Ada Example", "ap@acme.example")
    assert sum(each.net for each in draft.lines) == Decimal("12500.00")


def test_a_deal_of_another_value(told: Told, account: HubSpotAccount) -> None:
    """A deal over another value than the agreement holds the invoice, and says by how much."""
    account.objects["deals"][DEAL]["amount"] = "12500.01"
    _, held = told(HUBSPOT)
    assert list(held) == ["sources-differ"] and "12,500.01" in held["sources-differ"]


def test_a_contract_of_another_client(told: Told, papers: DropboxSignAccount) -> None:
    """A contract with another company holds the invoice."""
    papers.request(EXAMPLE, {**PRICE, "client": "550009"})
    _, held = told(DROPBOX)
    assert list(held) == ["sources-differ"] and "550009" in held["sources-differ"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"country": None}, f"HubSpot: company {ACME}: property 'country' is empty"),
        ({"city": None}, f"HubSpot: company {ACME}: property 'city' is empty"),
    ],
)
def test_what_a_company_lacks(
    told: Told, account: HubSpotAccount, change: dict[str, str | None], said: str
) -> None:
    """What a company lacks in HubSpot holds the invoice, and names company and property."""
    account.objects["companies"][ACME].update(change)
    row, held = told(HUBSPOT)
    assert row.draft is None and said in " ".join(held.values())


def test_no_billing_contact(told: Told, account: HubSpotAccount) -> None:
    """A company without a billing contact holds the invoice by that name."""
    account.links.pop(("companies", ACME, "contacts"))
    _, held = told(HUBSPOT)
    assert "no-contact" in held
