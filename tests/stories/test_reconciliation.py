"""The nightly reconciliation on a real Temporal: what nobody billed reaches its owner, once."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import select

from activities.ledger import company_exceptions
from activities.ledger.tables import MessageRow
from tests.stories.story import Story, now
from workflows.identifiers import INVOICING_QUEUE
from workflows.messages import ReconciliationInput, ReconciliationResult
from workflows.reconciliation import ReconciliationWorkflow


async def reconciled(story: Story) -> ReconciliationResult:
    """What one run of the workflow comes to."""
    return await story.env.client.execute_workflow(
        ReconciliationWorkflow.run,
        ReconciliationInput(as_of=now()),
        id=f"reconciliation-{uuid4()}",
        task_queue=INVOICING_QUEUE,
    )


async def test_two_nights(story: Story) -> None:
    """A deal without agreement waits in the inbox after the first night, its owner told by one mail; after the second
    nothing is new; once the deal is won no more, it is gone."""
    story.company.agreements.clear()
    story.company.deals = [{"id": "D-9", "client": "C-1", "value": "8500.00", "currency": "EUR"}]
    story.begin()
    assert await reconciled(story) == ReconciliationResult(leaks=1, new=1)
    assert await reconciled(story) == ReconciliationResult(leaks=1, new=0)
    with story.effects.ledger.transaction() as tx:
        assert company_exceptions.open_subjects(tx, "leak/") == {"leak/deal/D-9"}
        (told,) = tx.scalars(select(MessageRow).where(MessageRow.event == "company-exception")).all()
    assert told.recipient == "pia@issuer.example"
    story.company.deals[0]["won"] = False
    story.begin()
    assert await reconciled(story) == ReconciliationResult(leaks=0, new=0)
    with story.effects.ledger.transaction() as tx:
        assert company_exceptions.open_subjects(tx, "") == frozenset()
