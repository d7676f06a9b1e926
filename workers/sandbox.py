"""The one plugin by which worker, client, tests and replayer speak to Temporal alike: converter and sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.contrib.pydantic import pydantic_data_converter as pydantic_converter
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

PASSED_THROUGH = (
    "billing",
    "workflows.messages",
    "workflows.activity_interfaces",
    "workflows.activity_options",
    "workflows.identifiers",
)
"""Modules loaded once for all workflows: pure values, which the import rules keep free of clock and I/O."""


class TolerantConverter(PydanticPayloadConverter):
    """Pydantic's converter, except that an untyped payload nobody can read comes through as it is.

    The SDK drops a signal whose content it cannot decode, with a line in a log. A claim to approve must not vanish.
    """

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        if type_hints:
            return super().from_payloads(payloads, type_hints)
        return [self._read(payload) for payload in payloads]

    def _read(self, payload: Payload) -> Any:
        try:
            return super().from_payloads([payload], None)[0]
        except Exception:  # noqa: BLE001  whatever it is, the handler gets the bytes, the ledger refuses them
            return RawValue(payload)


data_converter = replace(pydantic_converter, payload_converter_class=TolerantConverter)


def sandboxed(_: WorkflowRunner | None = None) -> WorkflowRunner:
    """The sandbox: our pure modules pass through, anything else that is forgotten fails when the worker starts."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return SandboxedWorkflowRunner(
        restrictions.with_import_notification_policy(
            SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
            | SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
        )
    )


class BillowPlugin(SimplePlugin):
    """Converter and sandbox, for `Client.connect`, workers and `Replayer`."""

    def __init__(self) -> None:
        super().__init__("billow", data_converter=data_converter, workflow_runner=sandboxed)
