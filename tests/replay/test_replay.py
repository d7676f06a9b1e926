"""Today's workflow code must replay every recorded invoice: months from now they are still asleep somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from tests.replay import histories
from workers.assembly import WORKFLOWS
from workers.sandbox import BillowPlugin, data_converter
from workflows.identifiers import INVOICE_WORKFLOW
from workflows.invoice import InvoiceWorkflow

PATHS = {
    "address-refused",
    "approved-and-reminded",
    "approver-silent",
    "billing-run-in-batches",
    "billing-run-in-one",
    "charged-back",
    "disputed",
    "due-date-moved-later",
    "exception-repaired",
    "mail-server-down-over-a-weekend",
    "outage-over-three-levels",
    "overpaid",
    "paid-before-due",
    "paid-in-two-parts",
    "promise-broken",
    "promise-kept",
    "rejected",
    "reminded-by-another",
    "reminded-together",
    "three-reminders-to-hand-over",
    "two-tiers",
    "workers-down-meanwhile",
}


def test_every_path_is_recorded() -> None:
    """There is a completed history for each path of the story."""
    assert {path.stem for path in histories.kept()} >= PATHS


@pytest.mark.parametrize("path", histories.kept(), ids=lambda path: path.stem)
async def test_replays(path: Path) -> None:
    """The recorded history replays without a difference."""
    replayer = Replayer(workflows=WORKFLOWS, plugins=[BillowPlugin()])
    result = await replayer.replay_workflow(histories.read(path), raise_on_replay_failure=True)
    assert result.replay_failure is None


@pytest.mark.parametrize("path", histories.kept(INVOICE_WORKFLOW), ids=lambda path: path.stem)
async def test_the_net_catches_a_changed_workflow(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ungated timer before each step makes every recorded history fail to replay."""
    taken = InvoiceWorkflow._take

    async def slower(self: InvoiceWorkflow, *arguments: object) -> None:
        await workflow.sleep(1)
        await taken(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(InvoiceWorkflow, "_take", slower)
    # Outside the sandbox, which would load the unchanged module again.
    replayer = Replayer(
        workflows=[InvoiceWorkflow],
        data_converter=data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    result = await replayer.replay_workflow(histories.read(path), raise_on_replay_failure=False)
    assert result.replay_failure is not None and "TMPRL1100" in str(result.replay_failure)
