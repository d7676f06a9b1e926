"""In whatever order entries come, a meter is the sum of what is live, and a line fires once if it ever was reached."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from activities.ledger.database import Ledger
from tests.metering.machine import Machine

EXAMPLES = int(os.environ.get("BILLOW_METERING", "0"))
"""How many examples a hunt tries, each run other ones; 0 for the few that are the same in every run."""

USUAL = settings(
    max_examples=EXAMPLES or 20,
    stateful_step_count=30,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(0 if EXAMPLES else 900)
def test_no_line_is_crossed_unseen_and_none_fires_twice(database_url: str) -> None:
    """Duplicates, reorderings, edits, deletions, crashes, several writers at once, moved lines, voided drafts."""
    Machine.ledger = Ledger(database_url)
    try:
        run_state_machine_as_test(Machine, settings=USUAL)
    finally:
        Machine.ledger.close()
