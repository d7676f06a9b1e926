"""Inbox, approvals and exceptions on their pages: all that is needed to decide, and what is refused in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from activities.ledger import commands, views
from billing.approval_policy import Channel
from billing.exceptions import ReasonCode
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story


def approval_of(story: Story, key: str) -> int:
    with story.ledger.transaction() as tx:
        return next(
            each.id for each in views.inbox(tx, None, story.at) if each.billing_key == f"manual/{key}"
        )


def test_what_differs(story: Story, visitor: Visitor) -> None:
    """The page of an approval sets the draft beside the last invoice: 600.00 more net, by what share, and where."""
    story.issued(
        "last",
        at=story.at - timedelta(days=30),
        title="Platform support, October",
        prices=("5000", "2142.86"),
    )
    story.asked("one", title="Platform support, November", prices=("5600", "2142.86"))
    page = visitor.sign_in("tom").get(f"/approvals/{approval_of(story, 'one')}").text
    assert "Compared with <a" in page and "ELB-" in page
    assert "EUR\u00a07,142.86" in page and "EUR\u00a07,742.86" in page
    assert "+8%" in page  # 600 of 7,142.86
    assert "+12%" in page  # 5,600 instead of 5,000
    assert "payment terms" not in page


def test_first_invoice(story: Story, visitor: Visitor) -> None:
    """Without an invoice before, the page says that there is nothing to compare with."""
    story.asked("one")
    page = visitor.sign_in("tom").get(f"/approvals/{approval_of(story, 'one')}").text
    assert "first invoice of this client" in page


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("person", ["tom", "lena", "vito"])
def test_pages_for_all(story: Story, visitor: Visitor, person: str, language: str) -> None:
    """Everybody may look; only who is asked finds the form to decide."""
    story.asked("one")
    exception = story.raised("two", ReasonCode.NO_CONTACT, "the CRM names no billing contact")
    visitor.headers["accept-language"] = language
    visitor.sign_in(person)
    asked = visitor.get(f"/approvals/{approval_of(story, 'one')}")
    held = visitor.get(f"/exceptions/{exception}")
    assert (asked.status_code, held.status_code) == (200, 200)
    assert ('action="/commands/decide"' in asked.text) == (person == "tom")


@pytest.mark.parametrize("path", ["/approvals/4711", "/exceptions/4711", "/approvals/99999999999999999999"])
def test_not_there(story: Story, visitor: Visitor, path: str) -> None:
    """What is not there is a page that says so."""
    assert visitor.sign_in("tom").get(path).status_code == 404


def test_decided_already(story: Story, visitor: Visitor) -> None:
    """A page that is kept open says what became of it, and a second click on its form is refused with the reason."""
    story.asked("one")
    number = approval_of(story, "one")
    visitor.sign_in("tom")
    digest = _digest(story, "one")
    story.approved("one", by="rosa")
    page = visitor.give("decide", invoice="manual/one", digest=digest, verdict="approve")
    assert "nothing to decide" in page.lower()
    assert "Nothing to decide here any more." in visitor.get(f"/approvals/{number}").text


def test_draft_as_pdf(story: Story, visitor: Visitor) -> None:
    """The draft is a PDF marked as a preview, which no page may frame; a changed draft is not shown as it."""
    made = story.asked("one")
    visitor.sign_in("tom")
    path = f"/approvals/{approval_of(story, 'one')}/draft.pdf"
    answer = visitor.get(path)
    assert answer.headers["content-type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert visitor.get(path).content == answer.content
    with story.ledger.transaction() as tx:
        from activities.ledger import invoices

        invoices.locked(tx, made).draft_digest = "0" * 64
    assert visitor.get(path).status_code == 409


def _digest(story: Story, key: str) -> str:
    with story.ledger.transaction() as tx:
        return str(story.invoice(tx, f"manual/{key}").draft_digest)


def test_contact_set(story: Story, visitor: Visitor) -> None:
    """A contact that is missing is picked from those written to before, or typed; the draft is then made again."""
    story.issued("last", at=story.at - timedelta(days=30))
    exception = story.raised("two", ReasonCode.NO_CONTACT, "the CRM names no billing contact")
    page = visitor.sign_in("lena").get(f"/exceptions/{exception}").text
    assert "Kim Sommer" in page and "ap@nordlicht.example" in page
    said = visitor.give(
        "resolve",
        exception=str(exception),
        resolution="override",
        contact='"Kim Sommer" <ap@nordlicht.example>',
        reason="Kim told me",
    )
    assert "Set for this invoice only" in said
    with story.ledger.transaction() as tx:
        row = story.invoice(tx, "manual/two")
        assert row.overrides == {"contact.name": "Kim Sommer", "contact.email": "ap@nordlicht.example"}
        assert "lena" in row.took_part


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"set.tax.category": "S", "set.tax.rate": "19", "reason": "advisor"}, "Set for this invoice only"),
        ({"set.tax.category": "S", "set.tax.rate": "19"}, "needs a reason"),
        ({"set.tax.category": "E", "set.tax.rate": "0", "reason": "advisor"}, "why no tax is charged"),
        ({"set.gross": "1", "reason": "cheaper"}, "cannot be set by hand"),
        ({"reason": "nothing"}, "ay what to set"),
    ],
)
def test_tax_set(story: Story, visitor: Visitor, fields: dict[str, str], said: str) -> None:
    """A tax no rule knows is set with a reason, whole; amounts are never set by hand."""
    exception = story.raised("two", ReasonCode.TAX_UNKNOWN, "no rule covers it")
    page = visitor.sign_in("lena").give("resolve", exception=str(exception), resolution="override", **fields)
    assert said in page


def test_team(story: Story, visitor: Visitor) -> None:
    """Whoever others report to sees what waits for them; nobody else has such a page."""
    story.raised(
        "two", ReasonCode.NO_CONTACT, "the CRM names no billing contact"
    )  # lena's, who reports to tom
    visitor.sign_in("tom")
    assert "Nothing waits for you." in visitor.get("/").text
    page = visitor.get("/?for=team").text
    assert "My team" in page and "the CRM names no billing contact" in page[page.index("<ol") :].replace(
        "The CRM", "the CRM"
    )
    assert "My team" not in Visitor.sign_in(visitor, "rosa").get("/").text


def test_dispute_in_inbox(story: Story, visitor: Visitor) -> None:
    """A dispute waits for its owner with what is disputed, and is decided there."""
    number = story.issued("one")
    commands.dispute(
        story.ledger,
        number,
        reason="hours never worked",
        by="rosa",
        channel=Channel.CLI,
        at=datetime.now(UTC),
    )
    page = visitor.sign_in("lena").get("/").text
    assert "Hours never worked" in page and "disputed" in page
    said = visitor.give("reject-dispute", invoice=number, answer="The time sheet is signed.")
    assert "the claim stands" in said
    assert "Hours never worked" not in visitor.get("/?for=all").text
