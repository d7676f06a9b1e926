"""The commands of the workflows are those of the baseline, and mutations of the workflow are caught."""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

import workflows.invoice
from tests.replay import histories
from tests.replay.fingerprint import fingerprint
from workers.assembly import WORKFLOWS
from workers.sandbox import data_converter
from workflows.identifiers import INVOICE_WORKFLOW

BASELINE = Path(__file__).parent / "fingerprints.json"


def test_commands_are_those_of_the_baseline() -> None:
    """A change of workflow commands is noticed; it needs `workflow.patched`, then a new baseline."""
    now = {workflow.__name__: fingerprint(workflow) for workflow in WORKFLOWS}
    assert now == json.loads(BASELINE.read_text()), (
        "The commands of a workflow have changed, and invoices that sleep replay them. Gate the change with "
        "workflow.patched (one id a loop turn), then write the new fingerprint to tests/replay/fingerprints.json."
    )


MUTATIONS = {
    "a timer before each step": (
        "        await self._wait()\n",
        "        await self._wait()\n            await workflow.sleep(1)\n",
    ),
    "no wait at all": ("            await self._wait()\n", ""),
    "a wait without its timer": ("timeout=remaining,", "timeout=None,"),
    "render before issue": ("await self._take(InvoiceSteps.issue", "await self._take(RenderingSteps.render"),
    "two activities a step": (
        "        del self._heard[: len(heard)]\n",
        "        del self._heard[: len(heard)]\n        await self._report(step, 'twice')\n",
    ),
    "search attributes at every step": (
        "        self._show()\n",
        "        self._show()\n        self._show_attributes()\n",
    ),
    "no search attributes": ("        self._show_attributes()\n", ""),
    "deliver skipped": ("await self._take(InvoiceSteps.deliver", "await self._take(InvoiceSteps.collect"),
    "one activity renamed": ("InvoiceSteps.assemble, ", "InvoiceSteps.approve, "),
}


@pytest.fixture
def mutant(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModuleType]:
    """The workflow's module with one thing changed."""
    old, new = MUTATIONS[request.param]
    source = inspect.getsource(workflows.invoice)
    assert old in source, f"the mutation {request.param!r} finds nothing to change; adapt it"
    path = tmp_path / "mutant.py"
    path.write_text(source.replace(old, new))
    spec = importlib.util.spec_from_file_location("mutant", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutant"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mutant"]


@pytest.mark.parametrize("mutant", MUTATIONS, indirect=True)
async def test_a_mutated_workflow_is_caught(mutant: ModuleType) -> None:
    """Every mutation of the story that changes its commands fails to replay on at least one recorded path."""
    replayer = Replayer(
        workflows=[mutant.InvoiceWorkflow],
        data_converter=data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    for path in histories.kept(INVOICE_WORKFLOW):
        replayed = await replayer.replay_workflow(histories.read(path), raise_on_replay_failure=False)
        if isinstance(replayed.replay_failure, NondeterminismError):
            return
        assert replayed.replay_failure is None, "the mutant does not even run; adapt the mutation"
    pytest.fail("every recorded path replays with the mutation")
