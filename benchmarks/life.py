"""What the life of an invoice costs, by its ending: each a story of the tests, told on the real engine, time skipped.

The stories stand in `tests/stories` and hold their own budgets; here they are run, and their costs put into a table.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

ENDINGS: Mapping[str, tuple[str, str]] = {
    "paid-before-due": ("paid at once", "test_paid_before_due.py::test_paid_before_due"),
    "approved-and-reminded": (
        "approved, paid after a reminder",
        "test_approval.py::test_approved_and_reminded_once",
    ),
    "three-reminders-to-hand-over": (
        "never paid, handed over",
        "test_collection.py::test_three_reminders_to_hand_over",
    ),
    "paid-in-two-parts": ("paid in two parts", "test_payments.py::test_paid_in_two_parts"),
    "disputed-and-credited": (
        "disputed, then credited",
        "test_credit_notes.py::test_dispute_credit_corrected_invoice_paid",
    ),
    "corrected-invoice": (
        "its corrected invoice, paid",
        "test_credit_notes.py::test_dispute_credit_corrected_invoice_paid",
    ),
    "line-disputed": ("a line disputed, withdrawn", "test_disputes.py::test_line_disputed"),
    "promise-broken": ("a promise broken", "test_due_dates.py::test_promise_broken"),
    "payment-plan": ("a payment plan, a part missed", "test_disputes.py::test_payment_plan"),
    "charged-back": ("charged back: the second run", "test_payments.py::test_chargeback_after_closing"),
    "written-off": ("written off, paid after all", "test_settling.py::test_written_off"),
    "credited-as-a-whole": ("credited in full", "test_credit_notes.py::test_credited_as_a_whole"),
    "voided-and-waived": ("draft voided, waived", "test_voided.py::test_waived_then_billed_after_all"),
    "rejected": ("draft rejected", "test_approval.py::test_rejected"),
    "refunded": ("paid too much, refunded", "test_settling.py::test_refunded"),
    "reminded-together": ("reminded with two others", "test_together.py::test_one_message_for_three"),
    "reminded-by-another": ("reminded by another's mail", "test_together.py::test_one_message_for_three"),
}
"""By the name its story is recorded under: in words, and the story."""

_HEADING = f"{'ending':<32} {'events':>6} {'activities':>10} {'Actions':>9} {'history':>11} {'time':>7}"


@dataclass(frozen=True)
class Life:
    """What one ending has cost; `seconds` of the whole story, of which two endings may be parts."""

    name: str
    ending: str
    events: int
    activities: int
    actions: int
    most_actions: int
    bytes: int
    most_bytes: int
    seconds: float

    def __str__(self) -> str:
        actions, kilobytes = (
            f"{self.actions}/{self.most_actions}",
            f"{self.bytes / 1024:.1f}/{self.most_bytes // 1024}",
        )
        return (
            f"{self.ending:<32} {self.events:>6} {self.activities:>10} {actions:>9} {kilobytes + ' KB':>11}"
            f" {self.seconds:>5.1f} s"
        )


@dataclass(frozen=True)
class Measured:
    """All that were asked for; `failed` names the stories that did not come to their end within their budget."""

    lives: tuple[Life, ...]
    failed: tuple[str, ...]

    @property
    def as_data(self) -> dict[str, Any]:
        return {
            "machine": {
                "system": platform.system(),
                "processor": platform.machine(),
                "cores": os.cpu_count(),
            },
            "lives": [asdict(each) for each in self.lives],
            "failed": list(self.failed),
        }

    def __str__(self) -> str:
        lines = [
            f"life of an invoice: {len(self.lives)} endings; Actions and history of each with its budget",
            _HEADING,
            *map(str, self.lives),
            f"not told to the end: {', '.join(self.failed)}"
            if self.failed
            else "every life is within its budget",
        ]
        return "\n".join(lines)


@dataclass
class _Listening:
    """Hears what pytest reports about each story."""

    costs: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        story = report.nodeid.rpartition("/")[2]
        if report.when == "call":
            self.seconds[story] = report.duration
        if report.failed and story not in self.failed:
            self.failed.append(story)
        for about, value in report.user_properties:
            if about == "cost" and isinstance(value, dict):
                self.costs[str(value["name"])] = value


def measure(only: Sequence[str] = ()) -> Measured:
    """Tells the stories of these endings (all if none is named), one after the other; what pytest says is on stderr."""
    chosen = {name: ENDINGS[name] for name in only or ENDINGS}
    stories = list(dict.fromkeys(story for _, story in chosen.values()))
    heard = _Listening()
    with contextlib.redirect_stdout(sys.stderr):
        pytest.main(
            ["-q", "-n0", "-p", "no:cacheprovider", *(f"tests/stories/{story}" for story in stories)], [heard]
        )
    return Measured(tuple(_lives(chosen, heard)), tuple(_failed(stories, heard)))


def _lives(chosen: Mapping[str, tuple[str, str]], heard: _Listening) -> Iterator[Life]:
    for name, (ending, story) in chosen.items():
        if found := heard.costs.get(name):
            yield Life(ending=ending, seconds=round(heard.seconds[story], 2), **found)


def _failed(stories: Sequence[str], heard: _Listening) -> Iterator[str]:
    """Also those pytest has not found or skipped."""
    return (each for each in stories if each in heard.failed or each not in heard.seconds)
