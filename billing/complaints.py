"""What does not fit between the records of a company, and the records as far as they could be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Generic, TypeVar

from billing.agreements import Agreement
from billing.approval_policy import ApprovalPolicy
from billing.company import BillingRuns, Client, Reconciliation
from billing.connections import Connection
from billing.discounts import Discount
from billing.dunning_policy import DunningPolicy
from billing.exceptions import ExceptionPolicy
from billing.exchange_rates import ExchangeRate
from billing.parties import Issuer, Person
from billing.payment_policy import PaymentPolicy
from billing.taxes.company_rules import TaxRule
from billing.taxes.rates import TaxRate

Record = TypeVar("Record", covariant=True)
KeyPath = tuple[str | int, ...]
"""Kind, position and keys down to a value: `("clients", 3, "issuer")`."""


@dataclass(frozen=True)
class Records(Generic[Record]):
    """The records of one kind by position: those that could be read, and all of them as they are written."""

    read: Mapping[int, Record] = field(default_factory=dict)
    written: Sequence[Mapping[str, object]] = ()

    @property
    def ids(self) -> tuple[str | None, ...]:
        """The id written in each position, also where the record could not be read."""
        return tuple(text(row.get("id")) for row in self.written)


@dataclass(frozen=True)
class CompanyRecords:
    """As much of a company as could be read."""

    people: Records[Person] = Records()
    issuers: Records[Issuer] = Records()
    clients: Records[Client] = Records()
    agreements: Records[Agreement] = Records()
    dunning: Records[DunningPolicy] = Records()
    approvals: ApprovalPolicy | None = None
    exceptions: ExceptionPolicy | None = None
    billing_runs: BillingRuns | None = None
    reconciliation: Reconciliation | None = None
    payments: PaymentPolicy | None = None
    discounts: Records[Discount] = Records()
    exchange_rates: Records[ExchangeRate] = Records()
    connections: Records[Connection] = Records()
    tax_rates: Records[TaxRate] = Records()
    tax_rules: Records[TaxRule] = Records()


@dataclass(frozen=True)
class Complaint:
    """What does not fit at a key path, with what to write instead."""

    path: KeyPath
    message: str
    warning: bool = False


def reference(
    path: KeyPath, named: str | None, kind: str, known: tuple[str | None, ...]
) -> Iterator[Complaint]:
    """Complains if nothing of that kind has the id; silent where the whole kind could not be read."""
    if named is None or named in known:
        return
    ids = sorted({each for each in known if each})
    if not ids:
        return
    close = get_close_matches(named, ids, n=1)
    if close:
        advice = f"; did you mean {close[0]!r}?"
    elif len(ids) <= 8:
        advice = f"; write one of: {', '.join(ids)}"
    else:
        advice = f"; add it, or write the id of {article(kind)} that is there"
    yield Complaint(path, f"there is no {kind} {named!r}{advice}")


def text(written: object) -> str | None:
    """What is written, if it is text."""
    return written if isinstance(written, str) else None


def article(noun: str) -> str:
    """`a client`, `an issuer`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def taken_already(name: str) -> str:
    """What is said of an id that stands twice."""
    return f"the id {name!r} is taken already; give each an id of its own"


def either(words: Sequence[str]) -> str:
    """`month, quarter or year`."""
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
