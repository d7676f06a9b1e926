"""Money, clients, agreements, bank and policies: what stands on their pages."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from activities.ledger.tables import InvoiceRow
from tests.activities.bank import statements
from tests.starter.web.conftest import Visitor
from tests.starter.web.furnished import furnish
from tests.starter.web.story import Story

PATHS = (
    "/money",
    "/money?client=ateliers",
    "/clients",
    "/clients?view=late",
    "/clients?view=hold",
    "/clients?view=credit",
    "/clients/nordlicht",
    "/clients/kawa",
    "/agreements",
    "/agreements/support",
    "/agreements/relaunch",
    "/agreements/hours",
    "/bank",
    "/bank/statements/1",
    "/policies",
    "/bill",
    "/bill/agreement",
    "/bill/agreement?agreement=support&reason=x&look=1",
    "/bill/one-off",
    "/bill/event?agreement=relaunch",
)


@pytest.mark.parametrize("furnished", [True, False])
def test_shown(story: Story, visitor: Visitor, furnished: bool) -> None:
    """Every page is shown among much and among nothing; what is not there is said to be."""
    if furnished:
        furnish(story)
    visitor.sign_in("lena")
    found = {path: visitor.get(path) for path in PATHS}
    wrong = {
        path: (each.status_code, each.text[-3000:]) for path, each in found.items() if each.status_code != 200
    }
    missing = {"/bank/statements/1", "/agreements/support", "/agreements/relaunch", "/agreements/hours"}
    assert set(wrong) == (set() if furnished else missing), wrong


def test_money(story: Story, visitor: Visitor) -> None:
    """Each currency by itself: what is open and late, and a promise in the week it is for."""
    furnish(story)
    page = visitor.sign_in("vito").get("/money").text
    # 8,490.00 of a part, 4,998.00, 4,641.00 and 7,259.00 are open: the first two are late
    assert "EUR\u00a025,388.00" in page and "EUR\u00a013,488.00" in page
    assert "JPY\u00a0150,000" in page and re.search(r"<title>[^<]*promised: EUR\u00a07,259.00</title>", page)
    german = visitor.get("/money", headers={"accept-language": "de"}).text
    assert "Offenes, in Tagen Umsatz" in german and "25.388,00\u00a0EUR" in german


def test_agreement_by_hand(story: Story, visitor: Visitor) -> None:
    """What was looked at is billed once: a second click leads to the same invoice, and does not bill the next month."""
    furnish(story)
    visitor.sign_in("lena")
    look = visitor.get("/bill/agreement?agreement=support&reason=asked&look=1").text
    found = re.search(r'name="billing_key" value="([^"]+)"', look)
    assert found and found[1].startswith("support/fee/")
    with story.ledger.transaction() as tx:  # looking bills nothing
        assert tx.scalar(select(func.count()).where(InvoiceRow.agreement == "support")) == 0
    form = {"csrf": visitor.token("/bill/agreement?agreement=support&reason=asked&look=1")}
    form |= {"agreement": "support", "reason": "asked", "billing_key": found[1]}
    assert f"New invoice {found[1]}" in visitor.post("/bill/agreement", data=form).text
    assert "was asked for already" in visitor.post("/bill/agreement", data=form).text
    with story.ledger.transaction() as tx:
        assert tx.scalar(select(func.count()).where(InvoiceRow.agreement == "support")) == 1


def test_one_off(story: Story, visitor: Visitor) -> None:
    """A one-off is shown with its net before it is billed, and the key of its form makes it one invoice."""
    visitor.sign_in("lena")
    page = visitor.get("/bill/one-off?client=ateliers").text
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    form = {"csrf": visitor.token("/bill/one-off"), "key": key[1], "client": "ateliers", "title": "Workshop"}
    form |= {"reason": "asked by mail", "discount": "10"}
    form |= {
        "description_1": "A day on site",
        "quantity_1": "1,5",
        "unit_1": "DAY",
        "unit_price_1": "1200,00",
    }
    assert "EUR\u00a01,620.00" in visitor.post("/bill/one-off", data=form).text  # 1.5 x 1,200 less 10 %
    wrong = visitor.post("/bill/one-off", data=form | {"unit_price_1": "1.200,00"}).text
    assert "is not an amount in EUR" in wrong and 'value="A day on site"' in wrong
    shown = re.search(r'name="shown" value="([^"]+)"', visitor.post("/bill/one-off", data=form).text)
    assert shown
    form |= {"act": "bill", "shown": shown[1]}
    for other in ({"unit_price_1": "1300,00"}, {"shown": ""}, {"discount": ""}):
        again = visitor.post("/bill/one-off", data=form | other).text
        assert "This is not what you had looked at" in again and "This would be billed" in again
    assert f"New invoice manual/{key[1]}" in visitor.post("/bill/one-off", data=form).text
    assert "was asked for already" in visitor.post("/bill/one-off", data=form).text


def test_event(story: Story, visitor: Visitor) -> None:
    """A milestone that a person says was signed off is billed; the same form again is the same event."""
    furnish(story)
    token = visitor.sign_in("lena").token("/bill/event?agreement=relaunch")
    form = {"csrf": token, "key": "k1", "agreement": "relaunch", "type": "billow.milestone.signed_off"}
    assert "which milestone" in visitor.post("/bill/event", data=form).text
    form |= {"milestone": "concept"}
    assert "New invoice relaunch/concept" in visitor.post("/bill/event", data=form).text
    visitor.post("/bill/event", data=form)
    with story.ledger.transaction() as tx:
        assert tx.scalar(select(func.count()).where(InvoiceRow.agreement == "relaunch")) == 1


def test_statement(story: Story, visitor: Visitor) -> None:
    """A statement that is sent is imported once; what is none is refused, and says so."""
    token = visitor.sign_in("lena").token("/bank")
    data = statements.file([statements.paid("77.50", "thank you", day="2026-11-20")])
    sent = {"file": ("november.xml", data, "text/xml")}
    assert "is imported" in visitor.post("/bank/statements", data={"csrf": token}, files=sent).text
    assert "imported already" in visitor.post("/bank/statements", data={"csrf": token}, files=sent).text
    broken = {"file": ("november.xml", data[:400], "text/xml")}
    assert "Not done" in visitor.post("/bank/statements", data={"csrf": token}, files=broken).text
    assert "EUR\u00a077.50" in visitor.get("/bank").text


def test_credit_hold(story: Story, visitor: Visitor) -> None:
    """A hold is placed with a reason, shown, and lifted."""
    visitor.sign_in("lena")
    assert "is on credit hold" in visitor.give(
        "place-credit-hold", client="nordlicht", reason="silent since May"
    )
    assert "silent since May" in visitor.get("/clients/nordlicht").text
    assert (
        "Nordlicht" in visitor.get("/clients?view=hold").text
        or "nordlicht" in visitor.get("/clients?view=hold").text
    )
    assert "no more" in visitor.give("lift-credit-hold", client="nordlicht")
