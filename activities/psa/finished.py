"""What a PSA without webhooks has finished since it was last asked: projects completed, milestones signed off.

Such systems do not say when something was finished, only that it is. So the cursor is a list of what is known to be
finished. It holds all there is to know: a crash before it is kept repeats events under the same ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from activities.providers.provider import Changes
from billing.errors import SourceFaulty
from billing.events import VENDOR, BillingEvent, EventData, EventType
from billing.sources import Milestone

AT_ONCE = 25
"""Projects looked at in one go: a poll of many projects is many short steps."""


def source_of(connection: str) -> str:
    """The source of the events of a connection."""
    return f"{VENDOR}{connection}"


def signed_off(source: str, project: str, milestone: str) -> BillingEvent:
    """The event of a milestone; a poll and a webhook say it under the same id."""
    data = EventData(project=project, milestone=milestone)
    return _event(source, f"milestone/{project}/{milestone}", EventType.MILESTONE_SIGNED_OFF, data)


def completed(source: str, project: str) -> BillingEvent:
    """The event of a project."""
    return _event(source, f"project/{project}", EventType.PROJECT_COMPLETED, EventData(project=project))


def _event(source: str, id_: str, type_: EventType, data: EventData) -> BillingEvent:
    return BillingEvent(specversion="1.0", id=id_, source=source, type=type_, data=data)


class _Cursor(BaseModel):
    """Ids of what is finished; the project to go on after, and what could not be read of those before it; whether this
    is the first look, which tells nothing, and the projects that could not be read then."""

    model_config = ConfigDict(frozen=True)

    done: frozenset[str] = frozenset()
    after: str = ""
    problem: str = ""
    first_look: bool = True
    unread: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str | None) -> _Cursor:
        try:
            return cls() if text is None else cls.model_validate_json(text)
        except ValidationError as error:
            raise SourceFaulty(
                f"the cursor {text!r:.60} is none of this provider's; poll from now on"
            ) from error


def changes(
    source: str,
    cursor: str | None,
    projects: Sequence[tuple[str, bool]],
    milestones: Callable[[str], Iterable[Milestone]],
) -> Changes:
    """What is finished and was not so at the cursor, of the next few projects; None: from now on.

    `projects` are ids, each with whether the project is completed; one that is completed is not looked at any more
    once its last milestones were. What was opened again is finished once more under the id it had.
    """
    at = _Cursor.read(cursor)
    waiting = sorted((id_, whole) for id_, whole in projects if id_ > at.after)
    turn, rest = waiting[:AT_ONCE], waiting[AT_ONCE:]
    done, unread, events, problem = set(at.done), set(at.unread), list[BillingEvent](), at.problem
    for project, is_completed in turn:
        whole = completed(source, project)
        if is_completed and whole.id in at.done:
            continue
        try:
            reached = [each.id for each in milestones(project) if each.signed_off]
        except SourceFaulty as error:  # the others go on
            problem = problem or str(error)
            unread |= {project} if at.first_look else set()
            continue
        ended = [signed_off(source, project, each) for each in reached]
        ended += [whole] if is_completed else []
        if not at.first_look and project not in unread:
            events += [each for each in ended if each.id not in at.done]
        done -= {each for each in done if each == whole.id or each.startswith(f"milestone/{project}/")}
        done |= {each.id for each in ended}
        unread.discard(project)
    next_ = _Cursor(
        done=frozenset(done),
        after=turn[-1][0] if rest else "",
        problem=problem if rest else "",
        first_look=at.first_look and bool(rest),
        unread=frozenset(unread),
    )
    return Changes(tuple(events), next_.model_dump_json(), bool(rest), problem)
