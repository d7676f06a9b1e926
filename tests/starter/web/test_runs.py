"""The pages about billing runs."""

from __future__ import annotations

from activities.ledger.database import Ledger
from tests.starter.runs import HELD, LATE, USUAL, finished, under_way
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story


def test_nobody_signed_in(story: Story, ledger: Ledger, visitor: Visitor) -> None:
    """The pages ask who is there before they show anything."""
    finished(ledger, "one", LATE)
    for path in ("/runs", "/runs/one"):
        assert "Who are you?" in visitor.get(path).text


def test_no_run_yet(story: Story, visitor: Visitor) -> None:
    """Before the first run the page says how one is started."""
    page = visitor.sign_in("lena").get("/runs").text
    assert "There was no billing run yet." in page and "billow run" in page


def test_only_idle_runs(story: Story, ledger: Ledger, visitor: Visitor) -> None:
    """Runs that found nothing to do are left out unless asked for, and the page says when the last one was."""
    finished(ledger, "idle")
    visitor.sign_in("lena")
    assert "No run has found anything to do." in visitor.get("/runs").text
    assert "/runs/idle" in visitor.get("/runs?all=1").text


def test_list(story: Story, ledger: Ledger, visitor: Visitor) -> None:
    """Newest first, with what each did, who started it, and a bar for the one that is under way."""
    finished(ledger, "by-hand", HELD, LATE, USUAL, by="tom", hours=1)
    under_way(ledger, "now", waits_for="200 invoices are still to be assembled")
    page = visitor.sign_in("lena").get("/runs").text
    assert page.index("/runs/by-hand") < page.index("/runs/now")
    assert "Tom Iversen" in page and "schedule" in page
    assert '<progress max="100" value="40"' in page and "200 invoices are still to be assembled" in page
    assert "2,000 of 5,000" in page


def test_one(story: Story, ledger: Ledger, visitor: Visitor) -> None:
    """What was held and why comes before what was asked for; what was late says since when; data is escaped."""
    finished(ledger, "run:1", HELD, LATE, USUAL)
    page = visitor.sign_in("lena").get("/runs/run%3A1").text
    assert page.index("care/fee/2026-11-01") < page.index("desk/fee/2026-09-01")
    assert "client inactive" in page and "not &lt;active&gt; in the CRM" in page
    assert page.count("caught up</span>") == 1 and "due since 1\u00a0Sept\u00a02026" in page
    assert 'href="/invoices/desk/fee/2026-09-01"' in page
    assert "data-live" not in page, "a run that is finished does not change any more"


def test_one_under_way(story: Story, ledger: Ledger, visitor: Visitor) -> None:
    """A run under way shows its progress and looks at itself again; one nobody moves says so."""
    under_way(ledger, "now")
    visitor.sign_in("lena")
    page = visitor.get("/runs/now").text
    assert "40&nbsp;%" in page and 'data-live="2"' in page
    under_way(ledger, "dead", minutes_ago=11)
    page = visitor.get("/runs/dead").text
    assert "stands still" in page and "is an invoicing worker running?" in page


def test_no_such_run(story: Story, visitor: Visitor) -> None:
    """A run that does not exist, or cannot, is not found."""
    visitor.sign_in("lena")
    for name in ("nothing", "a%00b", "%2e%2e"):
        answer = visitor.get(f"/runs/{name}")
        assert answer.status_code == 404 or "Billing runs" in answer.text
    assert "there is no billing run" in visitor.get("/runs/nothing").text.lower()
