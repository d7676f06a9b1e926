"""Whatever stands still for days: somebody hears of it once, nothing changes, and it goes on where it stood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from activities.documents.errors import RendererUnavailable
from activities.documents.look import LookFiles
from activities.documents.rendering import InThisProcess, Rendered
from activities.documents.store import DocumentMissing, DocumentNotStored, FolderStore
from activities.einvoice.rule_files import RulesMissing
from activities.invoicing.steps import DocumentSteps
from activities.ledger import audit_trail, invoices, number_audit
from activities.ledger.database import Ledger
from billing.document import InvoiceDocument
from billing.errors import BillowError
from billing.exceptions import ReasonCode
from billing.status import DocumentStatus
from tests.invariants.world import World
from workflows.messages import Plan, Step

DAYS = 10


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    ledger = Ledger(database_url)
    yield World(ledger, tmp_path)
    ledger.close()


class _Full(FolderStore):
    """Takes `left` documents more, then has no room."""

    left = 1

    def put(self, data: bytes) -> str:
        if self.left == 0:
            raise DocumentNotStored("no room for documents")
        self.left -= 1
        return super().put(data)


def a_day_at_a_time(world: World, key: str, plan: Plan, error: type[BillowError]) -> Plan:
    """What the workflow does for days: takes the step when the plan says so; what fails is reported."""
    until = world.now + timedelta(days=DAYS)
    reports = 0
    while world.now < until:
        step = plan.step
        assert step is not None
        try:
            plan = world.take(key, step)
        except error:
            plan, reports = world.report_failure(key, step), reports + 1
        assert len(world.open_exceptions(key)) <= 1
        if plan.at is not None and plan.at > world.now:
            assert plan.owner and plan.waits_for
            world.pass_time(plan.at - world.now)
    assert 0 < reports <= 3 * DAYS, "bounded: each failed step is half an hour of tries"
    return plan


def settled(world: World, key: str, number: str) -> None:
    """Issued once, whole, and nobody has to decide anything any more."""
    row = world.row(key)
    assert (row.number, row.document_status) == (number, DocumentStatus.ISSUED)
    assert world.open_exceptions(key) == []
    with world.ledger.transaction() as tx:
        assert number_audit.audit_numbers(tx, "berlin").problem_count == 0
        assert audit_trail.verify(tx, invoices.find(tx, key).id) == []
        events = [each.event for each in audit_trail.trail(tx, row.id)]
    assert (events.count("issued"), events.count("rendered")) == (1, 1)


@pytest.mark.parametrize("error", [RulesMissing, RendererUnavailable])
def test_no_rules_for_days(world: World, error: type[BillowError]) -> None:
    """Without rules or renderer no number is given, however long; then the first one, and no exception is left."""
    key = world.trigger("acme-care")
    plan = world.take(key, Step.ASSEMBLE)
    working, world.rendering.validate = world.rendering.validate, _never(error)  # type: ignore[method-assign]
    plan = a_day_at_a_time(world, key, plan, error)
    assert world.row(key).number is None
    assert [code for _, code in world.open_exceptions(key)] in ([], [ReasonCode.STEP_FAILED])
    world.rendering.validate = working  # type: ignore[method-assign]
    world.work(key, plan.step or Step.ISSUE)
    settled(world, key, "B2026-00001")


def _never(error: type[BillowError]) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error("not here")

    return fail


def test_no_room_for_days(world: World) -> None:
    """A store that takes the PDF and not the XML: the number stays, the draft too, and the documents come later."""
    key = world.trigger("acme-care")
    assert world.take(key, Step.ASSEMBLE).step is Step.ISSUE
    full = _Full(Path(world.effects.documents.place))
    world._render = DocumentSteps(replace(world.effects, documents=full, renderer=InThisProcess())).render
    plan = world.take(key, Step.ISSUE)
    before = world.row(key)
    plan = a_day_at_a_time(world, key, plan, DocumentNotStored)
    pending = world.row(key)
    assert pending.document_status == DocumentStatus.DOCUMENT_PENDING and pending.document is None
    for fact in ("number", "issue_date", "due_date", "draft", "draft_digest"):
        assert getattr(pending, fact) == getattr(before, fact)
    full.left = 99
    world.work(key, Step.RENDER)
    settled(world, key, "B2026-00001")
    with world.ledger.transaction() as tx:
        stored = tx.execute(text("select kind, sha256 from documents order by kind")).all()
    assert [each.kind for each in stored] == ["cii", "invoice", "ubl"]
    assert all(full.get(each.sha256) for each in stored)


def test_rendered_twice(world: World) -> None:
    """A step that is taken twice, or by two workers at once, makes one document: the first to be recorded stays."""
    key = world.trigger("acme-care")
    world.take(key, Step.ASSEMBLE)
    world.take(key, Step.ISSUE)
    first, other = world._render, DocumentSteps(world.effects).render

    def by_another() -> None:
        world.rendering.render = working  # type: ignore[method-assign]
        world._render = other
        world.take(key, Step.RENDER)

    working = world.rendering.render

    def slow(document: InvoiceDocument, look: LookFiles) -> Rendered:
        by_another()
        return replace(working(document, look), pdf=b"%PDF of a template repaired meanwhile")

    world.rendering.render = slow  # type: ignore[method-assign]
    world._render = first
    world.take(key, Step.RENDER)
    document = world.row(key).document or ""
    assert world.effects.documents.get(document) != b"%PDF of a template repaired meanwhile"
    world._render = first
    world.take(key, Step.RENDER)
    assert world.row(key).document == document
    world.work(key, Step.DELIVER)
    settled(world, key, "B2026-00001")


def test_a_document_that_is_lost_before_it_is_mailed(world: World) -> None:
    """Bytes that are gone are asked for from a backup by a person; put back, the mail goes out with them."""
    key = world.trigger("acme-care")
    world.take(key, Step.ASSEMBLE)
    world.take(key, Step.ISSUE)
    plan = world.take(key, Step.RENDER)
    sha256 = world.row(key).document or ""
    data = world.effects.documents.get(sha256)
    world.effects.documents.remove(sha256)
    plan = a_day_at_a_time(world, key, plan, DocumentMissing)
    assert [code for _, code in world.open_exceptions(key)] == [ReasonCode.NOT_DELIVERED]
    assert world.row(key).document == sha256 and world.row(key).delivered_at is None
    world.effects.documents.put(data)
    world.work(key, plan.step or Step.DELIVER)
    assert world.row(key).delivered_at is not None
    settled(world, key, "B2026-00001")
