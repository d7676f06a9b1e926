"""What a workflow run costs on Temporal: Actions as Temporal Cloud bills them, and bytes of history.

Counted from the history alone (https://docs.temporal.io/cloud/actions). Not in a history, and so not counted: queries,
heartbeats, rejected updates, operations on schedules.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

_ONE_ACTION = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
}


@dataclass(frozen=True)
class Cost:
    """Actions and bytes of one run; how many events its history has, and activities it took."""

    actions: int
    bytes: int
    events: int
    activities: int


def cost(history: WorkflowHistory) -> Cost:
    """The cost of a run. Options updates are left out: only tests that skip time cause them."""
    kept = [
        event
        for event in history.events
        if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED
        and not EventType.Name(event.event_type).endswith("TIME_SKIPPING_TRANSITIONED")
    ]
    return Cost(
        actions=sum(_actions(event) for event in kept),
        bytes=sum(event.ByteSize() for event in kept),
        events=len(kept),
        activities=sum(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED for event in kept),
    )


def _actions(event: HistoryEvent) -> int:
    if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
        return event.activity_task_started_event_attributes.attempt - 1
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED and event.event_id == 2:
        return 0  # signal-with-start is one Action in all
    if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
        return 0 if event.marker_recorded_event_attributes.marker_name == "core_patch" else 1
    return 1 if event.event_type in _ONE_ACTION else 0
