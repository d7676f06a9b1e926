"""Approvals: what counts, and that a claim that does not count changes nothing but the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from activities.ledger import approvals, commands, company_records, invoices, number_series
from billing.approval_policy import ApprovalPolicy, Channel, Claim, Verdict
from billing.company import Company
from billing.errors import NotAllowed, NotFound
from billing.exceptions import Finding
from tests.activities.ledger.conftest import at_once, breaks, events, everything, rows
from tests.starter.web.story import COMPANY, NOW, Story

TIER = COMPANY.approvals.tiers[0]


def applied(story: Story, **tier: Any) -> Company:
    """The company with another first tier; "ada" and "ben" are people who have nothing to do with it."""
    people = (
        *COMPANY.people,
        *(COMPANY.people[1].model_copy(update={"id": each, "name": each.title()}) for each in ("ada", "ben")),
    )
    changed = ApprovalPolicy(tiers=(TIER.model_copy(update=tier),))
    company = COMPANY.model_copy(update={"approvals": changed, "people": people})
    company_records.apply_company(story.ledger, company, "company", "lena", NOW)
    return company


def asked(story: Story, company: Company, key: str = "one", by: str = "lena") -> None:
    made = story.drafted(key, by=by)
    with story.ledger.transaction() as tx:
        approvals.ask(tx, invoices.locked(tx, made), company.approvals.tiers[0], company, at=NOW)


def decide(
    story: Story, by: str, verdict: Verdict = Verdict.APPROVE, key: str = "one", **changes: Any
) -> None:
    given = {"channel": Channel.WEB, "at": NOW, **changes}
    commands.decide(story.ledger, f"manual/{key}", verdict, by=by, **given)


def issue(story: Story) -> None:
    with story.ledger.transaction() as tx:
        number_series.issue(tx, invoices.find(tx, "manual/one", lock=True), at=NOW)


def void(story: Story) -> None:
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, "manual/one", lock=True)
        invoices.void(tx, row, rebill=False, by="lena", channel="cli", reason="wrong", at=NOW)


def change_draft(story: Story) -> None:
    """The draft comes out different, and the same tier is asked anew."""
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, "manual/one", lock=True)
        invoices.put_draft(tx, row, invoices.draft_of(row).model_copy(update={"title": "Other"}))
        company = company_records.current(tx).company
        approvals.ask(tx, row, company.approvals.tiers[0], company, at=NOW)


def nothing(_: Story) -> None:
    pass


def digest(story: Story) -> str:
    return str(rows(story.ledger, "select draft_digest from invoices")[0][0])


REFUSED: dict[str, tuple[Callable[[Story], None], dict[str, Any], str]] = {
    "stranger": (nothing, {"by": "mallory"}, "'mallory' is not a person of this company"),
    "nobody": (nothing, {"by": ""}, "'nobody' is not a person"),
    "no approver": (
        nothing,
        {"by": "ben"},
        "'ben' is not an approver of tier 'large'; asked are: lena, rosa, tom",
    ),
    "requester himself": (nothing, {"by": "lena"}, "four eyes: 'lena' triggered or changed this draft"),
    "wrong channel": (
        nothing,
        {"by": "tom", "channel": Channel.SIGNAL},
        "takes no decision by signal; use one of: web, cli",
    ),
    "second decision": (lambda story: decide(story, "tom"), {"by": "tom"}, "'tom' has decided already"),
    "second decision, other verdict": (
        lambda story: decide(story, "tom"),
        {"by": "tom", "verdict": Verdict.REJECT},
        "'tom' has decided already",
    ),
    "stale digest": (
        change_draft,
        {"by": "tom", "draft_digest": "the first draft's"},
        "the draft has changed since; look at it again",
    ),
    "nonsense for a digest": (nothing, {"by": "tom", "draft_digest": "x"}, "the draft has changed since"),
    "not asked": (void, {"by": "tom"}, "nothing to decide: the invoice is voided draft"),
    "issued": (issue, {"by": "tom"}, "nothing to decide: the invoice is issued, document pending"),
    "rejection of what is issued": (
        issue,
        {"by": "tom", "verdict": Verdict.REJECT},
        "nothing to decide: the invoice is issued",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(story: Story, name: str) -> None:
    """A claim that does not count is answered with the reason and audited, and nothing else in the ledger changes."""
    before_it, claim, because = REFUSED[name]
    company = applied(story, approvers=("tom", "rosa", "lena"), needed=2, channels=(Channel.WEB, Channel.CLI))
    asked(story, company)
    first_digest = digest(story)
    before_it(story)
    if claim.get("draft_digest") == "the first draft's":
        claim = {**claim, "draft_digest": first_digest}
    # the head of the trail is the one thing on the row that moves with it
    but = ("audit_events", "invoices")
    before, row = everything(story.ledger, but=but), invoice(story)
    with pytest.raises(NotAllowed, match=because):
        decide(story, **claim)
    assert everything(story.ledger, but=but) == before
    assert invoice(story) == row
    assert events(story.ledger, "manual/one")[-1] == "decision refused"
    said = rows(
        story.ledger, "select actor, channel, facts from audit_events order by position desc limit 1"
    )[0]
    assert (said[0], said[1]) == (claim["by"], claim.get("channel", "web"))
    assert because in said[2]["because"]
    assert breaks(story.ledger, "manual/one") == []


def invoice(story: Story) -> dict[str, Any]:
    """The whole row, but for the head of its audit trail."""
    found = dict(
        rows(story.ledger, "select 1, to_jsonb(i) - 'audit_position' - 'audit_hash' from invoices as i")
    )
    return dict(found[1])


def test_unknown_invoice(story: Story) -> None:
    """Deciding about an invoice that does not exist is refused, and nothing is written."""
    before = everything(story.ledger)
    with pytest.raises(NotFound):
        decide(story, "tom", key="nothing")
    assert everything(story.ledger) == before


def test_two_needed(story: Story) -> None:
    """Where two must agree, one is not enough; the second one makes it count."""
    company = applied(story, needed=2)
    asked(story, company)
    decide(story, "tom")
    assert status(story) == [("waiting", ["tom"])]
    decide(story, "rosa", draft_digest=digest(story))
    assert status(story) == [("approved", ["tom", "rosa"])]
    with story.ledger.transaction() as tx:
        assert approvals.next_tier(tx, invoices.find(tx, "manual/one"), company) is None


def status(story: Story) -> list[tuple[Any, ...]]:
    return rows(story.ledger, "select status, approved_by from approvals order by id")


def test_at_once(story: Story) -> None:
    """Of one person's claims made at once, and against another's rejection, exactly one decides."""
    asked(story, applied(story))
    verdicts = [Verdict.APPROVE, Verdict.REJECT, Verdict.APPROVE, Verdict.REJECT]
    got = at_once(4, lambda n: decide(story, ("tom", "rosa")[n % 2], verdicts[n]))
    assert got.count(None) == 1
    assert sum(isinstance(each, NotAllowed) for each in got) == 3
    told = events(story.ledger, "manual/one")
    assert told.count("decision refused") == 3
    assert told.count("approved") + told.count("rejected") == 1
    assert breaks(story.ledger, "manual/one") == []


@pytest.mark.parametrize("rebill", [False, True])
def test_rejected(story: Story, rebill: bool) -> None:
    """A rejected draft is voided and burns no number; its key is waived, or free to be billed again."""
    asked(story, applied(story))
    decide(story, "tom", Verdict.REJECT, comment="wrong client", rebill=rebill)
    assert rows(story.ledger, "select document_status, rebill, number from invoices") == [
        ("voided draft", rebill, None)
    ]
    assert events(story.ledger, "manual/one")[-2:] == ["rejected", "voided"]
    assert story.issued("next") == "ELB-2026-00001"


def test_changed_draft_asks_again(story: Story) -> None:
    """An approval counts for the draft that was approved and no other; back to that draft, it counts again."""
    company = applied(story)
    asked(story, company)
    decide(story, "tom")
    change_draft(story)
    assert status(story) == [("approved", ["tom"]), ("waiting", [])]
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, "manual/one", lock=True)
        assert approvals.next_tier(tx, row, company) is not None
        invoices.put_draft(
            tx, row, invoices.draft_of(row).model_copy(update={"title": "Platform support, November"})
        )
        assert approvals.next_tier(tx, row, company) is None


def test_delegate(story: Story) -> None:
    """While an approver is away the delegate may decide, and not a day longer."""
    company = applied(story, approvers=("tom",))
    today = NOW.date()
    away = {"delegate": "ada", "away_from": today, "away_until": today + timedelta(days=1)}
    people = tuple(each.model_copy(update=away) if each.id == "tom" else each for each in company.people)
    company = company.model_copy(update={"people": people})
    company_records.apply_company(story.ledger, company, "company", "lena", NOW)
    for key, days in (("in time", 1), ("late", 2)):
        story.drafted(key)
        with story.ledger.transaction() as tx:
            row = invoices.find(tx, f"manual/{key}", lock=True)
            approvals.ask(tx, row, company.approvals.tiers[0], company, at=NOW + timedelta(days=days))
        if key == "in time":
            decide(story, "ada", key=key, at=NOW + timedelta(days=days))
        else:
            with pytest.raises(NotAllowed, match="not an approver"):
                decide(story, "ada", key=key, at=NOW + timedelta(days=days))


def test_only_who_has_the_role_is_asked(story: Story) -> None:
    """Approvers without the role are not asked, nor mailed; with nobody else, somebody up the line or a finding is.

    Roles count as they are now: a company applied since gives them for what was requested before, too."""
    titles = {"roles": ("managing director",)}
    without = tuple(
        each.model_copy(update=titles) if each.id in ("tom", "rosa") else each for each in COMPANY.people
    )
    company = COMPANY.model_copy(update={"people": without})
    company_records.apply_company(story.ledger, company, "company", "lena", NOW)
    made = story.drafted("one", by="uma")
    with story.ledger.transaction() as tx:
        found = approvals.ask(tx, invoices.locked(tx, made), TIER, company, at=NOW)
        assert isinstance(found, Finding) and "has not the role approver" in found.message
    assert rows(story.ledger, "select count(*) from approvals") == [(0,)]
    company_records.apply_company(story.ledger, COMPANY, "company", "lena", NOW)
    with story.ledger.transaction() as tx:
        pending = approvals.ask(tx, invoices.locked(tx, made), TIER, company, at=NOW)
        assert not isinstance(pending, Finding)
        assert sorted(pending.asked) == ["rosa", "tom"]


def test_heard_once(story: Story) -> None:
    """A claim that came by signal is decided once, however often the step that heard it is tried."""
    company = applied(story)
    asked(story, company)
    claim = Claim(verdict=Verdict.APPROVE, approver="tom", channel=Channel.SIGNAL)
    for _ in range(3):
        with story.ledger.transaction() as tx:
            row = invoices.find(tx, "manual/one", lock=True)
            approvals.hear(tx, row, "claim-1", claim, "", company, at=NOW)
            approvals.hear(tx, row, "claim-2", None, "not JSON", company, at=NOW)
    assert events(story.ledger, "manual/one")[2:] == ["approved", "signal refused"]
    assert rows(story.ledger, "select claim, refused from claims order by claim") == [
        ("claim-1", None),
        ("claim-2", "not JSON"),
    ]
