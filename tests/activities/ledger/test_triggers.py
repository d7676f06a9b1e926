"""Triggers: what fires becomes an invoice by its billing key, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from activities.ledger import approvals, commands, invoices, triggers, views
from activities.ledger.company_records import apply_company
from activities.ledger.database import Ledger
from activities.ledger.invoices import Requested
from billing.agreements import agreement_adapter
from billing.approval_policy import ApprovalPolicy, ApprovalTier, Channel, Verdict
from billing.errors import Conflicting, NotAllowed, NotFound, Refused, WrongState
from billing.one_off import OneOff
from tests.activities.ledger.conftest import at_once, everything
from tests.company import TestCompany, retainer
from tests.starter.web.story import COMPANY, NOW, Story, draft_of


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


def test_by_hand(billing: Ledger) -> None:
    """By hand the oldest unbilled period is billed, one after the other, then the running one's invoice is shown."""

    def bill() -> tuple[str, bool]:
        with billing.transaction() as tx:
            got = triggers.by_agreement(tx, "care", None, by="pia", channel="cli", at=NOW)
            return got.invoice.billing_key, got.new

    months = [(f"care/fee/2026-{month:02d}-01", True) for month in (9, 10, 11)]
    assert [bill() for _ in range(4)] == [*months, ("care/fee/2026-11-01", False)]


def ask(ledger: Ledger, agreement: str, **changes: Any) -> tuple[str, bool]:
    given: dict[str, Any] = {"item": None, "by": "pia", "channel": "cli", "at": NOW, **changes}
    with ledger.transaction() as tx:
        got = triggers.by_agreement(tx, agreement, given.pop("item"), **given)
        return got.invoice.billing_key, got.new


def test_early_needs_a_reason(billing: Ledger) -> None:
    """What the calendar bills now needs none; what it does not bill yet is billed for a reason only, which is kept."""
    for _ in range(2):
        ask(billing, "care")
    before = everything(billing)
    with pytest.raises(Refused, match="say why it is billed early"):
        ask(billing, "care", until=date(2026, 11, 15))
    with pytest.raises(Refused, match="say why it is billed early"):
        ask(billing, "care", until=date(2026, 11, 15), reason="  ")
    assert everything(billing) == before
    early = ask(billing, "care", until=date(2026, 11, 15), reason="their year ends")
    assert early == ("care/fee/2026-11-01", True)
    with billing.transaction() as tx:
        assert views.timeline(tx, early[0])[0].facts["reason"] == "their year ends"
        assert views.invoice(tx, early[0], NOW).asked_because == "their year ends"


@pytest.mark.parametrize(
    ("agreement", "item", "key"),
    [
        ("shop", "launch", "shop/launch"),
        ("move", None, "move/price"),
        ("hours", None, "hours/block-1"),
        ("hours", "block-2", "hours/block-2"),
    ],
)
def test_as_a_whole(billing: Ledger, agreement: str, item: str | None, key: str) -> None:
    """A milestone, a price or a block is billed as a whole, without a reason, and not up to a day."""
    with pytest.raises(Refused, match="billed as a whole, not up to a day"):
        ask(billing, agreement, item=item, until=date(2026, 11, 15), reason="please")
    assert ask(billing, agreement, item=item) == (key, True)


def written(**changes: Any) -> OneOff:
    """The lines as they should have been."""
    record = {
        "client": "nordlicht",
        "currency": "EUR",
        "title": "Platform support, corrected",
        "reason": "see the dispute",
        "lines": [{"description": "Support", "quantity": "1", "unit_price": "4000"}],
    }
    return OneOff.model_validate({**record, **changes})


def correct(
    ledger: Ledger, number: str, one_off: OneOff | None = None, by: str = "lena", reason: str = "wrong hours"
) -> Requested:
    with ledger.transaction() as tx:
        return triggers.corrected(
            tx, one_off or written(), number, by=by, channel="cli", reason=reason, at=NOW
        )


@pytest.fixture
def disputed(story: Story) -> str:
    """The number of an issued invoice that is disputed."""
    number = story.issued("one")
    commands.dispute(story.ledger, number, reason="too much", by="lena", channel=Channel.WEB, at=NOW)
    return number


def void(ledger: Ledger, key: str, *, rebill: bool) -> None:
    with ledger.transaction() as tx:
        row = invoices.find(tx, key, lock=True)
        invoices.void(tx, row, rebill=rebill, by="lena", channel="cli", reason="wrong", at=NOW)


def test_corrected(story: Story, disputed: str) -> None:
    """It cites the disputed invoice, which stays disputed; asked for again, also at once, it is the same invoice."""
    key = f"manual/{disputed}-corrected-1"
    got = at_once(4, lambda _: correct(story.ledger, disputed))
    assert sorted((each.invoice.billing_key, each.new) for each in got if isinstance(each, Requested)) == [
        (key, False),
        (key, False),
        (key, False),
        (key, True),
    ]
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, key)
        assert row.request["one_off"]["corrects"] == disputed
        assert (row.took_part, invoices.asked_because(row.request)) == (
            ["lena"],
            f"corrects {disputed}: wrong hours",
        )
        assert invoices.find(tx, disputed).collection_status == "disputed"


def test_corrected_with_other_lines(story: Story, disputed: str) -> None:
    """One correction lives at a time: other lines are refused until it is void, and then have a key or a generation."""
    correct(story.ledger, disputed)
    other = written(title="Platform support, corrected twice")
    with pytest.raises(Conflicting, match=f"is corrected by manual/{disputed}-corrected-1 already"):
        correct(story.ledger, disputed, other)
    void(story.ledger, f"manual/{disputed}-corrected-1", rebill=True)
    again = correct(story.ledger, disputed, other).invoice
    assert (again.billing_key, again.generation) == (f"manual/{disputed}-corrected-1", 2)
    void(story.ledger, f"manual/{disputed}-corrected-1", rebill=False)
    assert correct(story.ledger, disputed, other).invoice.billing_key == f"manual/{disputed}-corrected-2"


def test_corrections_refused(story: Story, disputed: str) -> None:
    """Not disputed, no number yet, another client or currency, no reason: refused, saying what to do."""
    fine, draft = story.issued("two"), "manual/three"
    story.drafted("three")
    before = everything(story.ledger)
    for number, one_off, reason, error, message in (
        (fine, written(), "wrong", WrongState, "is not disputed .* note the dispute first"),
        (draft, written(), "wrong", WrongState, "has no number: nobody has it yet"),
        ("B-0", written(), "wrong", NotFound, "no invoice has the number"),
        (
            disputed,
            written(client="ateliers"),
            "wrong",
            Refused,
            "has the client nordlicht, its correction ateliers",
        ),
        (disputed, written(currency="CHF"), "wrong", Refused, "has the currency EUR, its correction CHF"),
        (disputed, written(corrects=fine), "wrong", Refused, f"says it corrects {fine}, not {disputed}"),
        (disputed, written(), " ", Refused, "say why it is corrected"),
    ):
        with pytest.raises(error, match=message):
            correct(story.ledger, number, one_off, reason=reason)
    assert everything(story.ledger) == before


def test_key_of_another_one_off(story: Story) -> None:
    """A key stands for one content: the same again is the same invoice, another is refused."""

    def bill(one_off: OneOff, key: str | None) -> bool:
        with story.ledger.transaction() as tx:
            return triggers.one_off(tx, one_off, key, by="lena", channel="cli", at=NOW).new

    assert [bill(written(), "k") for _ in range(2)] == [True, False]
    with pytest.raises(Conflicting, match="manual/k is taken by an invoice of other content"):
        bill(written(title="Another"), "k")
    assert [bill(written(title="Another"), None) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("kind", ["agreement", "one-off", "corrected"])
def test_four_eyes(story: Story, disputed: str, kind: str) -> None:
    """Where a tier asks for whatever is triggered by hand, whoever asked for it cannot approve it."""
    care = retainer("care", "nordlicht", "100.00", start=date(2026, 11, 1))
    tier = ApprovalTier(id="by-hand", triggers=("manual",), approvers=("tom", "rosa"))
    company = COMPANY.model_copy(
        update={
            "approvals": ApprovalPolicy(tiers=(tier,)),
            "agreements": (agreement_adapter.validate_python(care),),
        }
    )
    apply_company(story.ledger, company, "company", "lena", NOW)
    with story.ledger.transaction() as tx:
        asked: dict[str, Any] = {"by": "tom", "channel": "cli", "reason": "they asked", "at": NOW}
        ways: dict[str, Callable[[], Requested]] = {
            "agreement": lambda: triggers.by_agreement(tx, "care", None, **asked),
            "one-off": lambda: triggers.one_off(tx, written(), None, **asked),
            "corrected": lambda: triggers.corrected(tx, written(), disputed, **asked),
        }
        row = ways[kind]().invoice
        invoices.put_draft(tx, row, draft_of(row, "Nordlicht", "Support", "EUR", ("100",)))
        wanted = approvals.next_tier(tx, row, company)
        assert wanted == tier
        approvals.ask(tx, row, tier, company, at=NOW)
        key = row.billing_key

    def approve(by: str) -> None:
        commands.decide(story.ledger, key, Verdict.APPROVE, by=by, channel=Channel.WEB, at=NOW)

    with story.ledger.transaction() as tx:
        [item] = views.inbox(tx, "rosa", NOW)
        assert (item.code, item.asked_by) == ("by-hand", "tom")
        assert item.asked_because.endswith("they asked")
        assert views.inbox(tx, "tom", NOW) == []
    with pytest.raises(NotAllowed, match="four eyes"):
        approve("tom")
    approve("rosa")
