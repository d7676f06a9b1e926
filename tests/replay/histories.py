"""Recorded histories of completed runs, one a path.

They stand for invoices that sleep in production. `BILLOW_RECORD=1 make test` records those that are missing; one that
is there is never recorded anew just to make a test pass: gate the change with `workflow.patched` instead.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

FOLDER = Path(__file__).parent / "histories"


def keep(name: str, history: WorkflowHistory) -> None:
    """Keeps the history under its path's name if it is asked for and not there yet."""
    path = FOLDER / f"{name}.json"
    if os.environ.get("BILLOW_RECORD") and not path.exists():
        content = {"workflow_id": history.workflow_id, "history": _without_traces(history.to_json_dict())}
        path.write_text(json.dumps(content, indent=1) + "\n")


def _without_traces(content: Any) -> Any:
    """The history without stack traces, which name places on the machine that recorded it; replay reads none."""
    if isinstance(content, dict):
        return {key: "" if key == "stackTrace" else _without_traces(value) for key, value in content.items()}
    return [_without_traces(each) for each in content] if isinstance(content, list) else content


def kept(workflow: str | None = None) -> list[Path]:
    """The recorded histories, of one workflow type if it is given."""
    return sorted(path for path in FOLDER.glob("*.json") if workflow in (None, _workflow_type(path)))


def _workflow_type(path: Path) -> str:
    started = json.loads(path.read_text())["history"]["events"][0]["workflowExecutionStartedEventAttributes"]
    return str(started["workflowType"]["name"])


def read(path: Path) -> WorkflowHistory:
    content = json.loads(path.read_text())
    return WorkflowHistory.from_json(content["workflow_id"], content["history"])
