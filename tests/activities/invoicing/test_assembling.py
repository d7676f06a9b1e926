"""What only the ledger knows of a draft: when the invoice was issued that it corrects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.ledger import commands, triggers
from activities.ledger.database import Ledger
from billing.approval_policy import Channel
from billing.document_check import placeholder
from billing.document_kind import DocumentKind
from billing.draft import Draft
from billing.einvoice.document import einvoice_of
from billing.einvoice.model import Preceding
from billing.one_off import OneOff
from tests.invariants.world import World
from workflows.messages import Step


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    ledger = Ledger(database_url)
    yield World(ledger, tmp_path)
    ledger.close()


def test_a_corrected_invoice_knows_the_date_of_the_wrong_one(world: World) -> None:
    """Number and issue date of the disputed invoice stand in the draft, and in its e-invoice (BT-25, BT-26)."""
    key = world.trigger("acme-care")
    number = world.work(key).number
    assert number
    commands.dispute(world.ledger, number, reason="too much", by="pia", channel=Channel.WEB, at=world.now)
    one_off = OneOff.model_validate(
        {
            "client": "acme",
            "currency": "EUR",
            "title": "Care, corrected",
            "reason": "see the dispute",
            "lines": [{"description": "Care", "quantity": "1", "unit_price": "900"}],
        }
    )
    with world.ledger.transaction() as tx:
        asked = triggers.corrected(
            tx, one_off, number, by="pia", channel="cli", reason="a day too many", at=world.now
        )
        corrected = asked.invoice.billing_key
    world.take(corrected, Step.ASSEMBLE)
    draft, issued = Draft.model_validate(world.row(corrected).draft), world.row(number).issue_date
    assert issued is not None
    assert (draft.kind, draft.preceding, draft.preceding_date) == (DocumentKind.CORRECTED, number, issued)
    made = einvoice_of(placeholder(draft, world.now))
    assert made is not None
    assert made.preceding == (Preceding(number, issued),)
