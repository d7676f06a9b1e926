"""Exceptions without an invoice on the inbox page: shown with what is at stake, retried, accepted."""

from __future__ import annotations

import pytest

from activities.ledger import company_exceptions, events
from activities.ledger.events import EventStatus
from billing.events import BillingEvent
from billing.exceptions import Finding, ReasonCode
from billing.money import Money
from tests.starter.web.conftest import Visitor
from tests.starter.web.programs import event
from tests.starter.web.story import COMPANY, Story

SUBJECT = "agreement/care/not-signed"


@pytest.fixture
def unsigned(story: Story) -> int:
    """An agreement that is not signed, EUR 8,500.00 at stake; the exception's id."""
    finding = Finding(code=ReasonCode.NOT_SIGNED, message="care is billed and <not> signed")
    with story.ledger.transaction() as tx:
        raised = company_exceptions.raise_one(
            tx, SUBJECT, finding, COMPANY, client="nordlicht", at_stake=Money.of("8500", "EUR"), at=story.at
        )
        assert raised is not None
        return raised.id


@pytest.fixture
def held(story: Story) -> int:
    """An event about an agreement nobody has written down; the exception's id."""
    events.take_in(story.ledger, BillingEvent.model_validate(event()), channel="webhook", at=story.at)
    return 1


def test_shown(story: Story, visitor: Visitor, unsigned: int) -> None:
    """It says whose, how much, what and until when; it can be accepted, and there is no invoice to void."""
    page = visitor.sign_in("lena").get("/").text
    for part in (
        "nordlicht",
        "EUR\u00a08,500.00",
        "at stake, net",
        "not signed",
        SUBJECT,
        f'id="exception-{unsigned}"',
    ):
        assert part in page
    assert "Care is billed and &lt;not&gt; signed" in page
    assert "nothing is billed for it" in page
    assert 'value="accept"' in page
    assert 'value="void"' not in page and 'value="retry"' not in page
    assert "None" not in page
    assert "Nothing waits for you." in visitor.sign_in("tom").get("/").text
    assert story.ledger is not None


@pytest.mark.usefixtures("story")
def test_accepted(visitor: Visitor, unsigned: int) -> None:
    """Accepted with a reason it is gone; without one it stays, and it is said why."""
    visitor.sign_in("lena")
    refused = visitor.give("resolve", exception=str(unsigned), resolution="accept", reason="")
    assert "`accept` needs a reason" in refused and SUBJECT in refused
    page = visitor.give(
        "resolve", exception=str(unsigned), resolution="accept", reason="a friend of the house"
    )
    assert "Accepted as it is; it is not raised again." in page and SUBJECT not in page
    again = visitor.give("resolve", exception=str(unsigned), resolution="accept", reason="second click")
    assert "decided already: accepted: a friend of the house, by lena" in again


@pytest.mark.parametrize(
    ("resolution", "said", "status"),
    [
        ("retry", "Still open: ", EventStatus.HELD),
        ("accept", "Accepted as it is; it is not raised again.", EventStatus.SET_ASIDE),
    ],
)
def test_held_event(
    story: Story, visitor: Visitor, held: int, resolution: str, said: str, status: EventStatus
) -> None:
    """A held event is acted on again from the page, or set aside."""
    page = visitor.sign_in("lena").get("/").text
    assert "An event" in page and "amount not known" in page and 'value="retry"' in page
    assert said in visitor.give("resolve", exception=str(held), resolution=resolution, reason="a test")
    with story.ledger.transaction() as tx:
        assert events.find(tx, "/psa", "e1").status == status
