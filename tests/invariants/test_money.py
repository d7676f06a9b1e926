"""Random orders of payments, credit notes, refunds, disputes, reminders, write-offs: the books agree to the cent."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from activities.ledger.database import Ledger
from tests.invariants.money_machine import MoneyMachine

EXAMPLES = int(os.environ.get("BILLOW_INVARIANTS", "0"))
"""How many examples a hunt tries, each run other ones; 0 for the few that are the same in every run."""

USUAL = settings(
    max_examples=EXAMPLES or 10,
    stateful_step_count=40,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    phases=[Phase.generate, *([] if "BILLOW_INVARIANTS_UNSHRUNK" in os.environ else [Phase.shrink])],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_no_cent_is_lost(database_url: str) -> None:
    """Balance = issued - credited - paid + refunded after every act, duplicates included; nobody is reminded for what
    is not owed, or disputed, and each reminder asks for what is open; what is paid too much is never forgotten."""
    MoneyMachine.ledger = Ledger(database_url)
    try:
        run_state_machine_as_test(MoneyMachine, settings=USUAL)
    finally:
        MoneyMachine.ledger.close()
