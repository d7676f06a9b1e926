"""A rule over an e-invoice: its published id and severity, where it is broken, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from billing.einvoice.breach import Breach, RuleSet, Severity
from billing.einvoice.model import AllowanceOrCharge, EInvoice, Line

Places = Callable[[EInvoice], Iterable[str]]
"""Where an invoice breaks a rule: business terms and groups; nowhere if it holds."""


@dataclass(frozen=True)
class Rule:
    """`words` say to a finance person what is wrong and where to mend it, without a full stop."""

    id: str
    severity: Severity
    broken_at: Places
    words: str


def broken(rules: Iterable[Rule], rule_set: RuleSet, invoice: EInvoice) -> Iterator[Breach]:
    """Each rule at each place where it does not hold."""
    for rule in rules:
        for place in rule.broken_at(invoice):
            yield Breach(rule.id, rule.severity, rule.words, place, rule_set)


def unless(place: str, holds: Callable[[EInvoice], object]) -> Places:
    """A rule over the whole invoice, told at one place."""
    return lambda invoice: () if holds(invoice) else (place,)


def each_line(term: str, holds: Callable[[EInvoice, Line], object]) -> Places:
    """A rule over every line."""
    return lambda invoice: (f"line {line.id}, {term}" for line in invoice.lines if not holds(invoice, line))


def each_adjustment(term: str, holds: Callable[[EInvoice, AllowanceOrCharge], object]) -> Places:
    """A rule over every allowance and charge, of the document and of its lines."""
    return lambda invoice: (
        f"{place}, {term}" for place, each in adjustments(invoice) if not holds(invoice, each)
    )


def adjustments(invoice: EInvoice) -> Iterator[tuple[str, AllowanceOrCharge]]:
    """Allowances and charges with the place they stand at."""
    named = (("allowance", invoice.allowances), ("charge", invoice.charges))
    yield from ((f"{name} {n}", each) for name, all_ in named for n, each in enumerate(all_, start=1))
    for line in invoice.lines:
        for name, of_line in (("allowance", line.allowances), ("charge", line.charges)):
            yield from ((f"line {line.id}, {name} {n}", each) for n, each in enumerate(of_line, start=1))


def both_in(invoice: EInvoice, country: str) -> bool:
    """Whether seller and buyer have their address there."""
    return invoice.seller.address.country == invoice.buyer.address.country == country


def is_near(one: Decimal, other: Decimal, slack: Decimal) -> bool:
    """Whether two amounts differ by no more than the slack."""
    return abs(one - other) <= slack
