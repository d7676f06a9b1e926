"""The instant at which a step is really taken."""

from __future__ import annotations

from temporalio import activity

from workflows.messages import StepInput


def at_this_attempt(step: StepInput) -> StepInput:
    """The step as of now: hours may have passed since the workflow asked, with a mail server or the workers away.

    Reckoned by the server's clock, which is skipped in tests together with the workflow's; the hour is decent, and the
    claim unpaid, only if they are so at this attempt.
    """
    if not activity.in_activity():
        return step
    info = activity.info()
    return step.model_copy(update={"as_of": step.as_of + (info.started_time - info.scheduled_time)})
