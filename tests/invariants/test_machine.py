"""Random orders of commands, steps, failures and time, duplicates included, never break the ten rules."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from activities.ledger.database import Ledger
from tests.invariants.machine import Machine

EXAMPLES = int(os.environ.get("BILLOW_INVARIANTS", "0"))
"""How many examples a hunt tries, each run other ones; 0 for the few that are the same in every run."""

HUNTING = "BILLOW_INVARIANTS_UNSHRUNK" in os.environ
USUAL = settings(
    max_examples=EXAMPLES or 12,
    stateful_step_count=40 if EXAMPLES else 30,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    phases=[Phase.generate, *([] if HUNTING else [Phase.shrink])],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(0 if EXAMPLES else 900)
def test_no_order_of_commands_breaks_the_rules(database_url: str) -> None:
    """Whatever people, clients, workers and servers do, in any order and twice: the ten rules hold after every act."""
    Machine.ledger = Ledger(database_url)
    try:
        run_state_machine_as_test(Machine, settings=USUAL)
    finally:
        Machine.ledger.close()
