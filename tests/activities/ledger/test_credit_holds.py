"""Credit holds: placed by policy or by a person, told to the account manager, lifted when nothing is late."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.ledger import commands, company_records, credit_holds, dispute_commands, invoices
from activities.ledger.tables import InvoiceRow
from billing.company import Company
from billing.dunning_policy import Act, NextStep
from billing.errors import NotAllowed, NotFound, Refused, WrongState
from tests.activities.ledger.conftest import at_once, everything, rows
from tests.starter.web.story import COMPANY, NOW, Story

LATER = NOW + timedelta(days=60)
MANAGER = next(each.account_manager for each in COMPANY.clients if each.id == "nordlicht")


def strict(story: Story) -> Company:
    """The company with a policy that puts clients on hold with the second reminder."""
    policies = tuple(each.model_copy(update={"credit_hold_at": "reminder-2"}) for each in COMPANY.dunning)
    company = COMPANY.model_copy(update={"dunning": policies})
    company_records.apply_company(story.ledger, company, "company", "lena", NOW)
    return company


def reminded(story: Story, company: Company, number: str, level: int) -> None:
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        step = NextStep(act=Act.REMINDER, level=level, at=LATER)
        credit_holds.follow(tx, row, company, step, at=LATER)


def settled(story: Story, number: str) -> str | None:
    """Pays the invoice; who holds the client then."""
    with story.ledger.transaction() as tx:
        row: InvoiceRow = invoices.find(tx, number)
        open_amount = row.open_amount
    given: dict[str, Any] = {"by": "lena", "channel": "cli", "at": LATER, "received_on": LATER.date()}
    commands.pay(story.ledger, number, Decimal(open_amount), "EUR", **given)
    with story.ledger.transaction() as tx:
        credit_holds.lift_if_nothing_is_late(tx, invoices.find(tx, number, lock=True), at=LATER)
        found = credit_holds.current(tx, "nordlicht")
        return found.by if found else None


def test_by_policy(story: Story) -> None:
    """With the step the policy names the client is held, once; it is lifted when its last late invoice is paid."""
    first, second, company = story.issued("one"), story.issued("two"), strict(story)
    reminded(story, company, first, 1)
    assert rows(story.ledger, "select count(*) from credit_holds") == [(0,)]
    reminded(story, company, first, 2)
    reminded(story, company, second, 2)
    assert rows(story.ledger, "select client, by from credit_holds") == [("nordlicht", "billow")]
    told = rows(story.ledger, "select facts ->> 'person' from messages where event = 'credit-hold'")
    assert told == [(MANAGER,)]
    assert settled(story, first) == "billow", "the second invoice is late"
    assert settled(story, second) is None


def test_by_hand(story: Story) -> None:
    """A hold that a person placed stays until a person lifts it, whatever is paid."""
    number = story.issued("one")
    given: dict[str, Any] = {"by": "lena", "at": NOW}
    assert dispute_commands.place_credit_hold(story.ledger, "nordlicht", reason="insolvency rumours", **given)
    assert not dispute_commands.place_credit_hold(story.ledger, "nordlicht", reason="again", **given)
    assert settled(story, number) == "lena"
    dispute_commands.lift_credit_hold(story.ledger, "nordlicht", **given)
    with pytest.raises(WrongState, match="is not on credit hold"):
        dispute_commands.lift_credit_hold(story.ledger, "nordlicht", **given)


def test_at_once(story: Story) -> None:
    """Several who place a hold in one instant place one."""
    given: dict[str, Any] = {"by": "lena", "at": NOW, "reason": "late"}
    got = at_once(4, lambda _: dispute_commands.place_credit_hold(story.ledger, "nordlicht", **given))
    assert sorted(map(str, got)) == ["False"] * 3 + ["True"], got


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"client": "nobody"}, NotFound, "there is no client 'nobody'"),
        ({"reason": " "}, Refused, "needs a reason"),
        ({"by": "nobody"}, NotAllowed, "is not a person"),
        ({"by": "billow"}, NotAllowed, "is not a person"),
    ],
)
def test_refused(story: Story, change: dict[str, Any], error: type[Exception], said: str) -> None:
    """A hold of nobody, by nobody or for no reason is refused and changes nothing."""
    before = everything(story.ledger)
    given: dict[str, Any] = {"client": "nordlicht", "reason": "late", "by": "lena", "at": NOW} | change
    with pytest.raises(error, match=said):
        dispute_commands.place_credit_hold(story.ledger, **given)
    assert everything(story.ledger) == before
