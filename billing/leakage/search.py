"""The search for leaks: what the sources and the calendar expect, less what the ledger has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from billing.company import Reconciliation
from billing.leakage.blocks import unbilled_blocks
from billing.leakage.deliveries import crossed, unbilled_deliveries
from billing.leakage.expected import Expectations
from billing.leakage.leak import Leak, LeakFacts
from billing.leakage.nobodys import work_of_nobody
from billing.leakage.periods import unbilled_fees, voided_and_forgotten
from billing.leakage.sales import without_agreement
from billing.leakage.work import unbilled_work


def find(facts: LeakFacts, policy: Reconciliation, today: date) -> Iterator[Leak]:
    """Every leak by the end of `today`, each subject once.

    None is what is not due or within its days of grace, what stands on a draft that is still open, and what a
    person has waived.
    """
    seen: set[str] = set()
    for leak in _all(Expectations(facts, policy, today)):
        if leak.subject not in seen:
            seen.add(leak.subject)
            yield leak


def _all(expected: Expectations) -> Iterator[Leak]:
    yield from voided_and_forgotten(expected)
    yield from unbilled_fees(expected)
    for project in expected.facts.projects:
        yield from unbilled_deliveries(expected, project)
        yield from unbilled_blocks(expected, project)
        yield from unbilled_work(expected, project)
        yield from work_of_nobody(expected, project)
    yield from crossed(expected)
    yield from without_agreement(expected)
