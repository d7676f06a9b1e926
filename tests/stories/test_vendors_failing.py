"""A CRM that is slow, down, rate limiting, answers HTML, changes a type or pages for ever: held, told, gone on with.

The CRM is a server that answers as HubSpot does until it is in trouble; clients are acme, beta and gamma.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from activities.invoicing import live_source
from activities.ledger import company_exceptions, integrations, invoices
from activities.ledger.tables import ExceptionRow, InvoiceRow
from activities.providers import http
from tests.activities.crm.hubspot_account import ACME, TOKEN, HubSpotAccount
from tests.activities.psa.counterpart import HTML, Answer, Asked, Counterpart, limited
from tests.activities.psa.jira_site import EMAIL, JiraSite
from tests.activities.psa.jira_site import TOKEN as TOKEN_OF_JIRA
from tests.company import TestCompany, client, retainer
from tests.stories.story import Story

BETA, GAMMA = "550002", "550003"

Trouble = Callable[[Asked], Answer | None]


class Vendor:
    """The CRM: an account, and what is wrong with the server in front of it, if anything is."""

    def __init__(self) -> None:
        self.account = HubSpotAccount()
        self.trouble: Trouble | None = None
        self.released = threading.Event()
        self.server = Counterpart(self._answer)
        for key, name in ((ACME, "acme"), (BETA, "beta"), (GAMMA, "gamma")):
            self.account.company(key, name=f"{name} GmbH")
            self.account.contact(f"66{key}", key, "Billing contact", email=f"ap@{name}.example")

    def _answer(self, asked: Asked) -> Answer:
        troubled = self.trouble(asked) if self.trouble else None
        return troubled or self.account.answer(asked)

    def about(self, asked: Asked, key: str) -> bool:
        return key in asked.path or key.encode() in asked.body


@pytest.fixture
def vendor(company: TestCompany, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """Waits are hundreds of times shorter than in life; their order is the same."""
    monkeypatch.setenv("BILLOW_HUBSPOT_ACCESS_TOKEN", TOKEN)
    monkeypatch.setattr(http, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(live_source, "ONE_RECORD", 1.0)
    monkeypatch.setattr(live_source, "DOWN_FOR", 0.2)
    vendor = Vendor()
    company.clients = [client(name, key) for name, key in (("acme", ACME), ("beta", BETA), ("gamma", GAMMA))]
    company.agreements = [retainer(f"{name}-care", name, "1000.00") for name in ("acme", "beta", "gamma")]
    connection = {"id": "hubspot", "provider": "hubspot", "port": "crm", "base_url": vendor.server.url}
    company.company_file["connections"] = [connection]
    with vendor.server:
        yield vendor
        vendor.released.set()


def slow(vendor: Vendor) -> Trouble:
    def wait(_: Asked) -> Answer:
        vendor.released.wait(3)
        return Answer(503)

    return wait


def every(answer: Answer) -> Callable[[Vendor], Trouble]:
    return lambda _: lambda _: answer


def contact_pages(_: Vendor) -> Trouble:
    """The contacts of every company have another page, for ever."""
    count = [0]

    def answer(asked: Asked) -> Answer | None:
        if "/associations/" not in asked.path:
            return None
        count[0] += 1
        one = {"category": "USER_DEFINED", "typeId": 36, "label": "Billing contact"}
        to = [{"toObjectId": 10_000 + count[0], "associationTypes": [one]}]
        page = {"from": {"id": ACME}, "to": to, "paging": {"next": {"after": str(count[0]), "link": ""}}}
        return Answer(200, {"status": "COMPLETE", "results": [page]})

    return answer


def another_shape(_: Vendor) -> Trouble:
    content = {"status": "COMPLETE", "results": [{"of": "550001", "to": []}]}
    return lambda asked: Answer(200, content) if "/associations/" in asked.path else None


def in_part(_: Vendor) -> Trouble:
    def answer(asked: Asked) -> Answer | None:
        if "/associations/" not in asked.path:
            return None
        return Answer(207, {"status": "PROCESSING", "results": []})

    return answer


def exceptions(story: Story, key: str) -> list[ExceptionRow]:
    """All that were ever raised about the invoice."""
    with story.effects.ledger.transaction() as tx:
        row = invoices.find(tx, key)
        return list(tx.scalars(select(ExceptionRow).where(ExceptionRow.invoice == row.id)))


def living(story: Story) -> list[str]:
    with story.effects.ledger.transaction() as tx:
        return sorted(tx.scalars(select(InvoiceRow.client)))


def told(story: Story, to: str) -> int:
    return len(story.mails(to))


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (every(Answer(503)), "HubSpot cannot be asked now: HTTP 503 at GET /crm/v3/objects/companies/550001"),
        (every(limited("3600")), "HubSpot cannot be asked now: HTTP 429 at GET /crm/v3/objects/companies/550001"),
        (slow, "HubSpot cannot be asked now: it does not answer (ReadTimeout)"),
        (contact_pages, "POST /crm/v4/associations/companies/contacts/batch/read; it is tried again later"),
    ],
    ids=["down", "rate limiting", "slow", "paging for ever"],
)  # fmt: skip
async def test_away_and_back(
    story: Story, vendor: Vendor, trouble: Callable[[Vendor], Trouble], says: str
) -> None:
    """Held with owner and deadline after some tries; looked at again by itself; sent once when the CRM is back."""
    vendor.trouble = trouble(vendor)
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "decision on: source-unreadable")
    (raised,) = exceptions(story, key)
    assert says in raised.finding["message"]
    assert raised.finding["left"] == "HubSpot (hubspot)"
    assert (raised.owner, raised.deadline - raised.raised_at) == ("pia", timedelta(hours=48))
    assert row.next_at == raised.raised_at + timedelta(minutes=5)
    for minutes in (5, 10):
        before = len(vendor.server.asked)
        await story.until_next(key)
        await story.until(lambda: len(vendor.server.asked) > before, "asked again")  # noqa: B023
        row = await story.waits(key, "decision on: source-unreadable")
        assert row.next_at is not None
        later = row.next_at - raised.raised_at
        assert timedelta(minutes=2 * minutes) <= later <= timedelta(minutes=2 * minutes + 8)
    assert len(exceptions(story, key)) == 1
    assert len(vendor.server.asked) < 3 * 1100, "a thousand pages at most, each time"
    vendor.trouble = None
    vendor.released.set()
    await story.until_next(key)
    await story.waits(key, "payment of EUR 1,190.00")
    assert [each.resolution for each in exceptions(story, key)] == ["repaired"]
    assert (told(story, "ap@acme.example"), living(story)) == (1, ["acme"])


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (every(HTML), "HubSpot answers /crm/v3/objects/companies/550001 with text/html where JSON was expected"),
        (every(Answer(raw=b'{"id": "550001", "prop')), "HubSpot answers /crm/v3/objects/companies/550001"),
        (every(Answer(401)), "companies/550001: HTTP 401; it does not know the credentials"),
        (every(Answer(403)), "the token may not do that; give it the scope"),
        (another_shape, "HubSpot answers client 550001 in a way nobody"),
        (in_part, "HubSpot's contacts of companies came in part only: status 'PROCESSING'"),
    ],
    ids=["HTML", "broken JSON", "expired", "scope", "another shape", "in part"],
)  # fmt: skip
async def test_for_a_person(
    story: Story, vendor: Vendor, trouble: Callable[[Vendor], Trouble], says: str
) -> None:
    """What waiting will not mend is told at once and asked for once; after the repair and a retry it is sent once."""
    vendor.trouble = trouble(vendor)
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "decision on: source-unreadable")
    (raised,) = exceptions(story, key)
    assert says in raised.finding["message"]
    assert row.next_at == raised.raised_at + timedelta(hours=24), (
        "the owner is reminded; it is not asked for before"
    )
    assert len(vendor.server.asked) <= 3
    vendor.trouble = None
    story.retry(key, "source-unreadable")
    await story.waits(key, "payment of EUR 1,190.00")
    assert (told(story, "ap@acme.example"), living(story)) == (1, ["acme"])


@pytest.mark.parametrize("trouble", ["type", "slow"])
async def test_others_go_on(story: Story, vendor: Vendor, trouble: str) -> None:
    """One client's record of another type, or one that never comes, keeps no other client's invoice back."""
    waits = slow(vendor)
    if trouble == "type":
        vendor.account.objects["companies"][ACME]["country"] = "Wonderland"
    else:
        vendor.trouble = lambda asked: waits(asked) if vendor.about(asked, ACME) else None
    story.begin()
    keys = {name: story.trigger(f"{name}-care") for name in ("acme", "beta", "gamma")}
    for name in ("beta", "gamma"):
        await story.waits(keys[name], "payment of EUR 1,190.00")
        assert exceptions(story, keys[name]) == []
    await story.waits(keys["acme"], "decision on: source-unreadable")
    (raised,) = exceptions(story, keys["acme"])
    if trouble == "type":
        assert "HubSpot: company 550001: property 'country' is 'Wonderland'" in raised.finding["message"]
    with story.effects.ledger.transaction() as tx:
        assert integrations.failing(tx) == int(
            trouble == "slow" and integrations.of(tx, "hubspot").failing_since is not None
        )


async def test_what_is_issued_goes_on(story: Story, vendor: Vendor) -> None:
    """While the CRM is down an invoice that is out is paid and settled; a new one waits, and goes on by itself."""
    story.begin()
    sent = story.trigger("beta-care")
    await story.waits(sent, "payment of EUR 1,190.00")
    vendor.trouble = lambda _: Answer(503)
    held = story.trigger("acme-care")
    await story.waits(held, "decision on: source-unreadable")
    story.pay(sent, "1190")
    await story.ends(sent)
    vendor.trouble = None
    await story.until_next(held)
    await story.waits(held, "payment of EUR 1,190.00")


async def test_state_of_the_connection(story: Story, vendor: Vendor) -> None:
    """The connection shows that it fails, since when and why; after half an hour a person hears; then it recovers."""
    vendor.trouble = lambda _: Answer(503)
    story.begin()
    key = story.trigger("acme-care")
    for _ in range(3):  # 0, 5 and 11 minutes
        await story.waits(key, "decision on: source-unreadable")
        await story.until_next(key)
    row = await story.waits(key, "decision on: source-unreadable")
    with story.effects.ledger.transaction() as tx:
        state = integrations.of(tx, "hubspot")
        assert state.failing_since is not None
        assert "HTTP 503" in (state.last_error or "")
        assert company_exceptions.open_subjects(tx, integrations.SUBJECT) == frozenset()
    assert row.next_at is not None
    await story.until_next(key)
    await story.until(lambda: about_connection(story), "the exception about the connection")
    vendor.trouble = None
    await story.until_next(key)
    await story.waits(key, "payment of EUR 1,190.00")
    assert not about_connection(story)
    with story.effects.ledger.transaction() as tx:
        state = integrations.of(tx, "hubspot")
        assert state.failing_since is None
        assert state.last_contact_at is not None


def about_connection(story: Story) -> frozenset[str]:
    with story.effects.ledger.transaction() as tx:
        return company_exceptions.open_subjects(tx, integrations.SUBJECT)


@pytest.fixture
def site(company: TestCompany, monkeypatch: pytest.MonkeyPatch) -> Iterator[JiraSite]:
    """A PSA with three hours on a project, the CRM in files."""
    monkeypatch.setenv("BILLOW_JIRA_EMAIL", EMAIL)
    monkeypatch.setenv("BILLOW_JIRA_API_TOKEN", TOKEN_OF_JIRA)
    monkeypatch.setattr(http, "_FIRST_PAUSE", 0.01)
    site = JiraSite()
    site.project("ROLL")
    issue = site.issue("ROLL-1")
    day = datetime.now(UTC).date().replace(day=1)
    site.worklog(issue, "501", f"{day}T10:00:00.000+0000", 7200)
    site.worklog(issue, "502", f"{day}T14:00:00.000+0000", 3600)
    work: dict[str, Any] = {
        "id": "acme-work",
        "model": "time and materials",
        "client": "acme",
        "title": "Work",
        "currency": "EUR",
    }
    work |= {"every": "month", "project": "ROLL", "rates": {"5b10a": "100"}, "start": day}
    company.agreements = [work, retainer("acme-care", "acme", "1000.00")]
    with site.server:
        connection = {"id": "jira", "provider": "jira", "port": "psa", "base_url": site.server.url}
        company.company_file["connections"] = [connection]
        yield site


async def test_hours(story: Story, site: JiraSite) -> None:
    """An entry of another type, and a PSA that is down, hold the invoice over hours and nothing else; billed once."""
    (entry, *_) = next(iter(site.worklogs.values()))
    entry["timeSpentSeconds"] = "two hours"
    story.begin()
    work, care = story.trigger("acme-work"), story.trigger("acme-care")
    await story.waits(care, "payment of EUR 1,190.00")
    await story.waits(work, "decision on: source-unreadable")
    (raised,) = exceptions(story, work)
    assert raised.finding["left"] == "Jira (jira)"
    assert "'timeSpentSeconds' is 'two hours', not a number" in raised.finding["message"]
    entry["timeSpentSeconds"] = 7200
    site.server.next_answers = [Answer(502)] * 4
    story.retry(work, "source-unreadable")
    await story.until(lambda: site.server.next_answers == [], "four tries")
    row = await story.waits(work, "decision on: source-unreadable")
    assert row.next_at is not None
    await story.until_next(work)
    row = await story.waits(work, "payment of EUR 357.00")
    assert [each.resolution for each in exceptions(story, work)] == ["repaired"]
    assert sorted(ref["id"] for line in (row.draft or {})["lines"] for ref in line["sources"]) == [
        "501",
        "502",
    ]
