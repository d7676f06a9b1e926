"""Issues drafts in a process of its own, which a test may kill at any moment: `python -m tests.faults.issuing`.

Arguments: database URL, a seed for the order, and instants (ISO 8601) among which each attempt picks its `at`; with
`--hold`, the first invoice gets its number and then the transaction stays open until this process is killed.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from activities.ledger import invoices, number_series
from activities.ledger.database import Ledger
from activities.ledger.tables import InvoiceRow


def issue_all(
    ledger: Ledger, chance: random.Random, instants: Sequence[datetime], *, hold: bool = False
) -> None:
    """Issues every draft there is, in an order of its own; tells `key number` of each once it is committed."""
    keys: list[str] = []
    while not keys:
        try:
            with ledger.transaction() as tx:
                keys = list(tx.scalars(select(InvoiceRow.billing_key).order_by(InvoiceRow.id)))
        except OperationalError:
            time.sleep(0.05)
    chance.shuffle(keys)
    while keys:
        try:
            with ledger.transaction() as tx:
                row = invoices.find(tx, keys[-1], lock=True)
                number = number_series.issue(tx, row, at=chance.choice(instants))
                if hold:
                    tell("holding", number)
                    sys.stdin.read()
        except OperationalError:
            # the server is away, perhaps after it had committed: nothing is known, so ask again
            time.sleep(0.05)
            continue
        tell(keys.pop(), number)


def tell(*words: str) -> None:
    print(*words, flush=True)  # noqa: T201 the test reads it


if __name__ == "__main__":
    url, seed, *rest = (each for each in sys.argv[1:] if each != "--hold")
    issue_all(
        Ledger(url),
        random.Random(seed),
        [datetime.fromisoformat(each) for each in rest],
        hold="--hold" in sys.argv,
    )
