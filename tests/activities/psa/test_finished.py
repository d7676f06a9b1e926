"""Polling what is finished: told once, from now on, few projects at a time, through crashes and faulty projects."""

from __future__ import annotations

from datetime import date

import pytest

from activities.psa import finished
from activities.psa.finished import AT_ONCE, changes
from billing.errors import SourceFaulty
from billing.sources import Milestone

DAY = date(2026, 11, 3)


class Tracker:
    """Projects with milestones; those in `faulty` cannot be read."""

    def __init__(self, *projects: str) -> None:
        self.closed = dict.fromkeys(projects, False)
        self.done: dict[str, list[str]] = {}
        self.faulty: set[str] = set()
        self.asked: list[str] = []

    def milestones(self, project: str) -> list[Milestone]:
        self.asked.append(project)
        if project in self.faulty:
            raise SourceFaulty(f"{project} is faulty")
        return [Milestone(id=each, project=project, signed_off=DAY) for each in self.done.get(project, [])]

    def poll(self, cursor: str | None) -> tuple[list[str], str, str]:
        """Events, cursor and problem of all that is there at once."""
        events: list[str] = []
        problem = ""
        while True:
            found = changes("/integrations/pm", cursor, list(self.closed.items()), self.milestones)
            events += [each.id for each in found.events]
            cursor, problem = found.cursor, problem or found.problem
            if not found.more:
                return events, cursor, problem


def test_from_now_on() -> None:
    """The first look tells nothing; what is finished later is told once."""
    tracker = Tracker("a", "b")
    tracker.closed["a"], tracker.done["b"] = True, ["plan"]
    events, cursor, _ = tracker.poll(None)
    assert events == []
    tracker.closed["b"] = True
    tracker.done["b"].append("build")
    events, after, _ = tracker.poll(cursor)
    assert events == ["milestone/b/build", "project/b"]
    assert tracker.poll(cursor)[0] == events  # the cursor was lost in a crash
    assert tracker.poll(after)[0] == []


def test_a_new_project() -> None:
    """A project that came since, finished already, is told."""
    tracker = Tracker("a")
    _, cursor, _ = tracker.poll(None)
    tracker.closed["new"], tracker.done["new"] = True, ["plan"]
    assert tracker.poll(cursor)[0] == ["milestone/new/plan", "project/new"]


def test_opened_again() -> None:
    """What was opened again is told again under its old id, once it is finished again."""
    tracker = Tracker("a")
    _, cursor, _ = tracker.poll(None)
    tracker.closed["a"] = True
    events, cursor, _ = tracker.poll(cursor)
    tracker.closed["a"] = False
    none, cursor, _ = tracker.poll(cursor)
    tracker.closed["a"] = True
    assert (events, none, tracker.poll(cursor)[0]) == (["project/a"], [], ["project/a"])


def test_completed_projects_are_left_alone() -> None:
    """A completed project costs no request any more."""
    tracker = Tracker("a", "b")
    tracker.closed["a"] = True
    _, cursor, _ = tracker.poll(None)
    tracker.asked.clear()
    tracker.poll(cursor)
    assert tracker.asked == ["b"]


def test_many_projects() -> None:
    """Few at a time, and all of them, the first look included."""
    tracker = Tracker(*(f"p{n:03}" for n in range(2 * AT_ONCE + 3)))
    first = changes("/x", None, list(tracker.closed.items()), tracker.milestones)
    assert first.more and len(tracker.asked) == AT_ONCE
    for each in tracker.closed:
        tracker.done[each] = ["old"]
    events, cursor, _ = tracker.poll(first.cursor)
    assert events == []
    assert tracker.poll(cursor)[0] == [f"milestone/p{n:03}/old" for n in range(AT_ONCE)]
    assert tracker.poll(tracker.poll(cursor)[1])[0] == []


def test_a_faulty_project() -> None:
    """One that cannot be read keeps nobody back, is named, and tells only what is finished after it can be read."""
    tracker = Tracker("a", "b")
    tracker.faulty = {"a"}
    tracker.done["a"] = ["old"]
    _, cursor, problem = tracker.poll(None)
    assert problem == "a is faulty"
    tracker.done["b"] = ["plan"]
    events, cursor, problem = tracker.poll(cursor)
    assert (events, problem) == (["milestone/b/plan"], "a is faulty")
    tracker.faulty = set()
    events, cursor, problem = tracker.poll(cursor)
    assert (events, problem) == ([], "")
    tracker.done["a"].append("new")
    assert tracker.poll(cursor)[0] == ["milestone/a/new"]


def test_a_faulty_project_among_many() -> None:
    """What could not be read in one step is still said by the steps after it: the poll as a whole has the problem."""
    tracker = Tracker(*(f"p{n:03}" for n in range(2 * AT_ONCE)))
    tracker.faulty = {"p000"}
    first = changes("/x", None, list(tracker.closed.items()), tracker.milestones)
    second = changes("/x", first.cursor, list(tracker.closed.items()), tracker.milestones)
    assert (first.more, second.more) == (True, False)
    assert first.problem == second.problem == "p000 is faulty"
    tracker.faulty = set()
    assert changes("/x", second.cursor, list(tracker.closed.items()), tracker.milestones).problem == ""


@pytest.mark.parametrize("cursor", ["", "17", "{}}", '{"done": 3}'])
def test_a_cursor_of_another(cursor: str) -> None:
    """A cursor that cannot be read is told, not taken for none: that would forget what happened since."""
    with pytest.raises(SourceFaulty, match="cursor"):
        changes("/x", cursor, [], Tracker().milestones)


def test_the_same_event_by_poll_and_webhook() -> None:
    """Both build it in one place, so that it meets itself."""
    event = finished.signed_off("/integrations/pm", "ACME", "10001")
    assert (event.id, event.data.milestone) == ("milestone/ACME/10001", "10001")
