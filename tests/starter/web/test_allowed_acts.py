"""What the page says may be done, held against the commands themselves: in every state they agree about every act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest
from sqlalchemy.orm import Session

from activities.ledger import (
    commands,
    company_records,
    credit_commands,
    dispute_commands,
    draft_commands,
    invoices,
    portal_link_commands,
    settling_commands,
    standings,
)
from activities.ledger.database import Ledger
from billing.allowed_acts import Act, WhyNot, allowed_acts
from billing.approval_policy import Channel
from billing.credit_note import WHOLE
from billing.errors import BillowError
from billing.exceptions import ReasonCode
from billing.roles import Role
from billing.status import DocumentStatus
from tests.starter.web.story import Story

REFERENCE = "manual/one"


class Trial:
    """A ledger whose transactions are parts of one that is thrown away."""

    def __init__(self, tx: Session) -> None:
        self._tx = tx

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        yield self._tx
        self._tx.flush()


def _lena(story: Story) -> dict[str, object]:
    return {"by": "lena", "channel": Channel.CLI, "at": story.at}


def _tomorrow(story: Story, days: int) -> datetime:
    return story.at + timedelta(days=days)


def _parts(ledger: Ledger, story: Story) -> list[tuple[date, Decimal]]:
    with ledger.transaction() as tx:
        left = invoices.find(tx, REFERENCE).open_amount
    half = (left / 2).quantize(Decimal("0.01"))
    return [(_tomorrow(story, 3).date(), half), (_tomorrow(story, 33).date(), left - half)]


def _source(ledger: Ledger) -> str:
    with ledger.transaction() as tx:
        found = standings.credit_for(tx, invoices.find(tx, REFERENCE))
    return found[0].name if found else REFERENCE


def _revoke(ledger: Ledger, story: Story) -> None:
    _, ended = portal_link_commands.revoke(ledger, REFERENCE, **_lena(story))  # type: ignore[arg-type]
    if not ended:
        raise BillowError("there was none")


TRIES: dict[Act, Callable[..., object]] = {
    Act.PAY: lambda on, story, **k: commands.pay(
        on, REFERENCE, Decimal(1), None, received_on=story.at.date(), **k
    ),
    Act.PROMISE: lambda on, story, **k: commands.promise(on, REFERENCE, on=_tomorrow(story, 3).date(), **k),
    Act.WITHDRAW_PROMISE: lambda on, _story, **k: dispute_commands.withdraw_promise(
        on, REFERENCE, reason="x", **k
    ),
    Act.HOLD: lambda on, story, **k: commands.hold(on, REFERENCE, until=_tomorrow(story, 9), reason="x", **k),
    Act.RELEASE: lambda on, _story, **k: commands.release(on, REFERENCE, **k),
    Act.DISPUTE: lambda on, _story, **k: commands.dispute(on, REFERENCE, reason="x", **k),
    Act.REJECT_DISPUTE: lambda on, _story, **k: commands.end_dispute(on, REFERENCE, answer="x", **k),
    Act.WITHDRAW_DISPUTE: lambda on, _story, **k: dispute_commands.withdraw_dispute(on, REFERENCE, **k),
    Act.CHANGE_DUE_DATE: lambda on, story, **k: commands.change_due_date(
        on, REFERENCE, to=_tomorrow(story, 9).date(), reason="x", **k
    ),
    Act.PLAN: lambda on, story, **k: dispute_commands.agree_plan(
        on, REFERENCE, parts=_parts(on, story), reason="x", **k
    ),
    Act.END_PLAN: lambda on, _story, **k: dispute_commands.end_plan(on, REFERENCE, reason="x", **k),
    Act.CREDIT: lambda on, _story, **k: credit_commands.credit(
        on, REFERENCE, selection=WHOLE, reason="x", key="a key", **k
    ),
    Act.WRITE_OFF: lambda on, _story, **k: settling_commands.write_off(
        on, REFERENCE, reason="x", key="a key", **k
    ),
    Act.REFUND: lambda on, _story, **k: settling_commands.refund(on, REFERENCE, reason="x", key="a key", **k),
    Act.USE_CREDIT: lambda on, _story, **k: settling_commands.use_credit(
        on, _source(on), REFERENCE, key="a key", **k
    ),
    Act.RESEND: lambda on, _story, **k: commands.resend(on, REFERENCE, **k),
    Act.FETCH_AGAIN: lambda on, _story, **k: commands.fetch_again(on, REFERENCE, **k),
    Act.VOID: lambda on, _story, **k: draft_commands.void(on, REFERENCE, rebill=False, reason="x", **k),
    Act.BILL_AGAIN: lambda on, _story, **k: draft_commands.bill_again(on, REFERENCE, reason="x", **k),
    Act.RENEW_LINK: lambda on, _story, **k: portal_link_commands.renew(on, REFERENCE, **k),
    Act.REVOKE_LINK: lambda on, story, **_k: _revoke(on, story),
}
"""Each act with everything filled in that a form asks for."""


def _changed(story: Story, **columns: object) -> None:
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, REFERENCE, lock=True)
        for name, value in columns.items():
            setattr(row, name, value)


def _issued(story: Story, *steps: Callable[[Story], object]) -> None:
    story.issued("one")
    for step in steps:
        step(story)


def _promised(story: Story) -> None:
    commands.promise(story.ledger, REFERENCE, on=_tomorrow(story, 2).date(), **_lena(story))  # type: ignore[arg-type]


def _promises_used_up(story: Story) -> None:
    for days in (1, 2, 4, 5):
        try:
            commands.promise(
                story.ledger,
                REFERENCE,
                on=_tomorrow(story, days).date(),
                **_lena(story),  # type: ignore[arg-type]
            )
        except BillowError:
            return
    pytest.fail("the policy takes any number of promises")


def _held(story: Story) -> None:
    TRIES[Act.HOLD](story.ledger, story, **_lena(story))


def _disputed(story: Story) -> None:
    commands.dispute(story.ledger, REFERENCE, reason="all wrong", **_lena(story))  # type: ignore[arg-type]


def _line_disputed(story: Story) -> None:
    commands.dispute(story.ledger, REFERENCE, reason="one wrong", lines=(2,), **_lena(story))  # type: ignore[arg-type]


def _planned(story: Story) -> None:
    TRIES[Act.PLAN](story.ledger, story, **_lena(story))


def _write_off_waits(story: Story) -> None:
    settling_commands.write_off(story.ledger, REFERENCE, reason="x", key="before", **_lena(story))  # type: ignore[arg-type]


def _credit_elsewhere(story: Story) -> None:
    story.paid(story.issued("two", title="Other"), "9000.00")


def _linked(story: Story) -> None:
    portal_link_commands.renew(story.ledger, REFERENCE, **_lena(story))  # type: ignore[arg-type]


def _voided(story: Story) -> None:
    story.asked("one")
    TRIES[Act.VOID](story.ledger, story, **_lena(story))


def _freed(story: Story) -> None:
    _voided(story)
    TRIES[Act.BILL_AGAIN](story.ledger, story, **_lena(story))


def _erased(story: Story) -> None:
    with story.ledger.transaction() as tx:
        draft = dict(invoices.find(tx, REFERENCE).draft or {})
    _changed(story, document="ab" * 32, draft={**draft, "erased_at": story.at.isoformat()})


STATES: dict[str, Callable[[Story], object]] = {
    "a draft": lambda story: story.drafted("one"),
    "an exception": lambda story: story.raised("one", ReasonCode.EMPTY, "nothing to bill"),
    "awaiting approval": lambda story: story.asked("one"),
    "void": _voided,
    "void, to be billed again": _freed,
    "document pending": lambda story: _issued(
        story, lambda each: _changed(each, document_status=DocumentStatus.DOCUMENT_PENDING)
    ),
    "issued": _issued,
    "with its document": lambda story: _issued(story, lambda each: _changed(each, document="ab" * 32)),
    "promised": lambda story: _issued(story, _promised),
    "promises used up": lambda story: _issued(story, _promises_used_up),
    "held": lambda story: _issued(story, _held),
    "disputed": lambda story: _issued(story, _disputed),
    "a line disputed": lambda story: _issued(story, _line_disputed),
    "nothing but the disputed line open": lambda story: _issued(
        story, _line_disputed, lambda each: each.paid(REFERENCE, "6000.00")
    ),
    "in parts": lambda story: _issued(story, _planned),
    "paid": lambda story: _issued(story, lambda each: each.paid(REFERENCE, "8500.00")),
    "paid and closed": lambda story: _issued(
        story,
        lambda each: each.paid(REFERENCE, "8500.00"),
        lambda each: _changed(each, closed_at=each.at, document="ab" * 32),
    ),
    "paid too much": lambda story: _issued(story, lambda each: each.paid(REFERENCE, "9000.00")),
    "handed over": lambda story: _issued(
        story, lambda each: _changed(each, closed_at=each.at, handed_over_at=each.at)
    ),
    "a write-off waits": lambda story: _issued(story, _write_off_waits),
    "credit elsewhere": lambda story: _issued(story, _credit_elsewhere),
    "with a link": lambda story: _issued(story, _linked),
    "credited": lambda story: _issued(
        story, lambda each: _changed(each, document_status=DocumentStatus.CREDITED, credited=Decimal(8500))
    ),
    "of the system before": lambda story: _issued(
        story, lambda each: _changed(each, trigger="opening item", draft=None, draft_digest=None)
    ),
    "erased": lambda story: _issued(story, _erased),
}


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    """The company on a fresh ledger."""
    ledger = Ledger(database_url)
    yield Story(ledger, datetime.now(UTC))
    ledger.close()


@pytest.mark.parametrize("state", STATES)
def test_page_and_commands_agree(story: Story, state: str) -> None:
    """What is offered is taken by its command, and what is not offered is refused by it, with everything filled in."""
    STATES[state](story)
    said, found = {}, {}
    with story.ledger.transaction() as tx:
        company = company_records.current(tx).company
        row = invoices.find(tx, REFERENCE)
        offered = allowed_acts(standings.standing(tx, row, company, story.at), Role.OPERATOR)
        for act, attempt in TRIES.items():
            found[act] = _refusal(tx, attempt, story)
            said[act] = offered[act]
        tx.rollback()
    differ = {
        act: f"page: {why or 'may'}; command: {found[act] or 'done'}"
        for act, why in said.items()
        if (why is None) != (found[act] is None)
    }
    assert differ == {}


def _refusal(tx: Session, attempt: Callable[..., object], story: Story) -> str | None:
    tried = tx.begin_nested()
    try:
        attempt(cast("Ledger", Trial(tx)), story, **_lena(story))
        tx.flush()
    except BillowError as refusal:
        return str(refusal)
    else:
        return None
    finally:
        tried.rollback()
        tx.expire_all()


def test_every_reason_is_met() -> None:
    """Each act is tried, and no act is forgotten."""
    assert set(TRIES) == set(Act)


@pytest.mark.parametrize("role", [None, Role.VIEWER])
def test_role(story: Story, role: Role | None) -> None:
    """Whoever may not act is told that it needs a role, for every act."""
    story.issued("one")
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, REFERENCE)
        company = company_records.current(tx).company
        offered = allowed_acts(standings.standing(tx, row, company, story.at), role)
    assert set(offered.values()) == {WhyNot.ROLE}
