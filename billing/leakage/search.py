"""The search for leaks: what the sources and the calendar expect, less what the ledger has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from billing.agreements import Retainer
from billing.company import Reconciliation
from billing.errors import BillowError
from billing.exceptions import ReasonCode
from billing.leakage.blocks import unbilled_blocks
from billing.leakage.deliveries import crossed, unbilled_deliveries
from billing.leakage.expected import Expectations
from billing.leakage.leak import SUBJECT, Leak, LeakFacts
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
    for agreement in expected.facts.company.agreements:
        if isinstance(agreement, Retainer):
            yield from _or_why_not(
                f"agreement/{agreement.id}", agreement.client, expected, unbilled_fees(expected, agreement)
            )
    for project in expected.facts.projects:
        client = expected.client_of(project.client)
        for search in (unbilled_deliveries, unbilled_blocks, unbilled_work, work_of_nobody):
            yield from _or_why_not(f"project/{project.id}", client, expected, search(expected, project))
    yield from crossed(expected)
    yield from without_agreement(expected)


def _or_why_not(
    what: str, client: str | None, expected: Expectations, leaks: Iterator[Leak]
) -> Iterator[Leak]:
    """The leaks, or what keeps them from being found: an agreement nobody can make sense of hides no other."""
    try:
        yield from leaks
    except (BillowError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        kind, name = what.split("/", 1)
        yield Leak(
            code=ReasonCode.STEP_FAILED,
            subject=f"{SUBJECT}unsearched/{what}",
            message=f"{kind} {name} could not be searched for what nobody billed: {error}",
            since=expected.today,
            client=client,
        )
