"""What must fit between the records of a company before it may bill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from typing import Generic, TypeVar

from billing.agreements import (
    Agreement,
    FixedPrice,
    Milestones,
    PrepaidBlock,
    Retainer,
    TimeAndMaterials,
    Timing,
)
from billing.approval_policy import ApprovalPolicy, ApprovalTier
from billing.company import BillingRuns, Client
from billing.currencies import MINOR_UNITS
from billing.dunning_policy import DunningPolicy, Offset
from billing.exceptions import ExceptionPolicy
from billing.money import smallest_unit
from billing.numbering import MAX_LENGTH
from billing.parties import Issuer, Person
from billing.taxes.decision import STANDARD_RATES

Record = TypeVar("Record", covariant=True)
_REFERENCES = (
    ("people", "reports_to", "people", "person"),
    ("people", "delegate", "people", "person"),
    ("clients", "issuer", "issuers", "issuer"),
    ("clients", "dunning", "dunning", "dunning policy"),
    ("clients", "account_manager", "people", "person"),
    ("agreements", "client", "clients", "client"),
)
_NUMBER_AFTER_PREFIX = len("2026-00001")


@dataclass(frozen=True)
class Records(Generic[Record]):
    """The records of one kind by position: those that could be read, and all of them as they are written."""

    read: Mapping[int, Record] = field(default_factory=dict)
    written: Sequence[Mapping[str, object]] = ()

    @property
    def ids(self) -> tuple[str | None, ...]:
        """The id written in each position, also where the record could not be read."""
        return tuple(_text(row.get("id")) for row in self.written)


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


@dataclass(frozen=True)
class Complaint:
    """What does not fit at a key path (`("clients", 3, "issuer")`), with what to write instead."""

    path: tuple[str | int, ...]
    message: str
    warning: bool = False


def check_company(records: CompanyRecords) -> list[Complaint]:
    """Everything that does not fit between the records; empty for a company that can bill."""
    return [
        *_duplicates(records),
        *_references(records),
        *_people(records),
        *_issuers(records),
        *_agreements(records),
        *_dunning(records),
        *_approvals(records),
        *_exceptions(records),
        *_billing_runs(records),
    ]


def _reference(
    path: tuple[str | int, ...], named: str | None, kind: str, known: tuple[str | None, ...]
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
        advice = f"; add it, or write the id of {_article(kind)} that is there"
    yield Complaint(path, f"there is no {kind} {named!r}{advice}")


def _text(written: object) -> str | None:
    return written if isinstance(written, str) else None


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _taken(name: str) -> str:
    return f"the id {name!r} is taken already; give each an id of its own"


def _references(records: CompanyRecords) -> Iterator[Complaint]:
    """Every id that names another record, also in records that are wrong elsewhere."""
    for kind, key, other, noun in _REFERENCES:
        for position, row in enumerate(getattr(records, kind).written):
            yield from _reference(
                (kind, position, key), _text(row.get(key)), noun, getattr(records, other).ids
            )


def _duplicates(records: CompanyRecords) -> Iterator[Complaint]:
    for kind in ("people", "issuers", "clients", "agreements", "dunning"):
        before: set[str | None] = {None}
        for position, each in enumerate(getattr(records, kind).ids):
            if each is not None and each in before:
                yield Complaint((kind, position, "id"), _taken(each))
            before.add(each)


def _people(records: CompanyRecords) -> Iterator[Complaint]:
    bosses = {person.id: person.reports_to for person in records.people.read.values()}
    for position, person in records.people.read.items():
        at = ("people", position)
        if person.delegate == person.id:
            yield Complaint((*at, "delegate"), "nobody stands in for themselves; name somebody else")
        circle = _circle(person.id, bosses)
        if circle:
            line = " → ".join(circle)
            yield Complaint(
                (*at, "reports_to"),
                f"goes round in a circle: {line}; leave reports_to out at the top of the line",
            )
        if person.away_until and not person.away_from:
            yield Complaint((*at, "away_until"), "says how long, but not since when; add away_from")
        if person.away_from and person.away_until and person.away_until < person.away_from:
            yield Complaint(
                (*at, "away_until"), f"lies before away_from ({person.away_from}); write a later day"
            )


def _circle(start: str, bosses: Mapping[str, str | None]) -> list[str]:
    """The circle of reports, told once: at the member whose id comes first."""
    line, current = [start], bosses.get(start)
    while current and current not in line:
        line.append(current)
        current = bosses.get(current)
    return [*line, start] if current == start and start == min(line) else []


def _issuers(records: CompanyRecords) -> Iterator[Complaint]:
    owners: dict[str, str] = {}
    for position, issuer in sorted(records.issuers.read.items()):
        prefix, country = issuer.number_prefix, issuer.address.country
        at = ("issuers", position)
        if prefix in owners:
            yield Complaint(
                (*at, "number_prefix"),
                f"{prefix!r} is the prefix of issuer {owners[prefix]!r} already: "
                "both would give the same numbers; write another",
            )
        owners.setdefault(prefix, issuer.id)
        if len(prefix) + _NUMBER_AFTER_PREFIX > MAX_LENGTH:
            longest = MAX_LENGTH - _NUMBER_AFTER_PREFIX
            yield Complaint(
                (*at, "number_prefix"),
                f"{prefix!r} makes numbers longer than {MAX_LENGTH} characters; write at most {longest}",
            )
        if country not in STANDARD_RATES:
            yield Complaint(
                (*at, "address", "country"),
                f"there are no tax rules for an issuer in {country} yet: "
                f"its invoices stop for a person; rules exist for {', '.join(sorted(STANDARD_RATES))}",
                warning=True,
            )


def _agreements(records: CompanyRecords) -> Iterator[Complaint]:
    clients = {client.id: client for client in records.clients.read.values()}
    hours_billed: dict[str, str] = {}
    for position, agreement in sorted(records.agreements.read.items()):
        at = ("agreements", position)
        client = clients.get(agreement.client)
        if client and client.currency != agreement.currency:
            yield Complaint(
                (*at, "currency"),
                f"is {agreement.currency}, while client {client.id!r} is billed in {client.currency}; "
                "write the same in both unless that was agreed",
                warning=True,
            )
        if agreement.end and agreement.end < agreement.start:
            yield Complaint(
                (*at, "end"), f"{agreement.end} lies before the start, {agreement.start}; write a later day"
            )
        yield from _amounts(at, agreement)
        yield from _unbillable(at, agreement)
        if isinstance(agreement, TimeAndMaterials):
            other = hours_billed.setdefault(agreement.project, agreement.id)
            if other != agreement.id:
                yield Complaint(
                    (*at, "project"),
                    f"the hours of {agreement.project!r} are billed by agreement {other!r} as well; "
                    "end one before the other begins",
                    warning=True,
                )


def _amounts(at: tuple[str | int, ...], agreement: Agreement) -> Iterator[Complaint]:
    """Amounts that stand on the invoice as they are must be whole smallest units."""
    amounts: list[tuple[tuple[str | int, ...], Decimal | None]] = []
    match agreement:
        case Retainer() | FixedPrice():
            amounts = [(("amount",), agreement.amount)]
        case PrepaidBlock():
            amounts = [(("price",), agreement.price)]
        case Milestones():
            amounts = [
                (("milestones", n, "amount"), each.amount) for n, each in enumerate(agreement.milestones)
            ]
        case TimeAndMaterials():
            amounts = [(("cap",), agreement.cap)]
    for path, amount in amounts:
        if amount is not None and amount % smallest_unit(agreement.currency):
            digits = MINOR_UNITS[agreement.currency]
            yield Complaint(
                (*at, *path),
                f"{amount} has more decimals than {agreement.currency} knows; write at most {digits}",
            )


def _unbillable(at: tuple[str | int, ...], agreement: Agreement) -> Iterator[Complaint]:
    """Billing models matched with a trigger that can never bill them."""
    if isinstance(agreement, TimeAndMaterials) and agreement.timing is Timing.ADVANCE:
        yield Complaint(
            (*at, "timing"),
            "hours are known only when the period is over; write timing: in arrears, or leave it out",
        )
    if isinstance(agreement, Milestones):
        ids = [each.id for each in agreement.milestones]
        for n, each in enumerate(ids):
            if each in ids[:n]:
                yield Complaint((*at, "milestones", n, "id"), _taken(each))


def _dunning(records: CompanyRecords) -> Iterator[Complaint]:
    for position, policy in records.dunning.read.items():
        steps = _planned(policy)
        for (_, _, earlier), (name, path, later) in pairwise(steps):
            if later - earlier < policy.gap.length:
                yield Complaint(
                    ("dunning", position, *path),
                    f"the gap of {_told(policy.gap)} between two messages moves {name} later than planned; "
                    "write a smaller gap, or more distance",
                    warning=True,
                )


def _planned(policy: DunningPolicy) -> list[tuple[str, tuple[str | int, ...], timedelta]]:
    """Name, key path and planned distance from the due date of every step."""
    steps: list[tuple[str, tuple[str | int, ...], timedelta]] = []
    if policy.courtesy_before_due:
        steps.append(("the courtesy note", ("courtesy_before_due",), -policy.courtesy_before_due.length))
    steps += [(f"level {n + 1}", ("levels", n), level.length) for n, level in enumerate(policy.levels)]
    if policy.escalate_after_due:
        steps.append(("escalation", ("escalate_after_due",), policy.escalate_after_due.length))
    if policy.hand_over_after_due:
        steps.append(("hand-over", ("hand_over_after_due",), policy.hand_over_after_due.length))
    return steps


def _told(offset: Offset) -> str:
    count, unit = (offset.days, "day") if offset.days is not None else (offset.minutes, "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _approvals(records: CompanyRecords) -> Iterator[Complaint]:
    tiers = records.approvals.tiers if records.approvals else ()
    if records.approvals and not tiers:
        yield Complaint(
            ("approvals", "tiers"),
            "without a tier every invoice goes out unseen; add one unless you mean it",
            True,
        )
    for position, tier in enumerate(tiers):
        at = ("approvals", "tiers", position)
        if tier.id in [each.id for each in tiers[:position]]:
            yield Complaint((*at, "id"), _taken(tier.id))
        for n, approver in enumerate(tier.approvers):
            yield from _reference((*at, "approvers", n), approver, "person", records.people.ids)
            if approver in tier.approvers[:n]:
                yield Complaint((*at, "approvers", n), f"{approver!r} is named twice; remove one")
        yield from _undecidable(at, tier)


def _undecidable(at: tuple[str | int, ...], tier: ApprovalTier) -> Iterator[Complaint]:
    """Tiers that let nobody approve, and limits that are none."""
    able = len(set(tier.approvers))
    if tier.quorum > able:
        yield Complaint(
            (*at, "needed"),
            f"{tier.quorum} must approve, but only {able} may: nobody could ever issue; "
            f"write at most {able}, or name more approvers",
        )
    if not tier.channels:
        yield Complaint((*at, "channels"), "without a channel nobody can approve; write web, cli or signal")
    for currency, limit in tier.above.items():
        if limit < 0:
            yield Complaint((*at, "above", currency), f"{limit} is below zero; write 0 or more")


def _exceptions(records: CompanyRecords) -> Iterator[Complaint]:
    if records.exceptions is None:
        return
    policy, known = records.exceptions, records.people.ids
    yield from _reference(("exceptions", "default_owner"), policy.default_owner, "person", known)
    for reason, owner in policy.owners.items():
        yield from _reference(("exceptions", "owners", reason.value), owner, "person", known)


def _billing_runs(records: CompanyRecords) -> Iterator[Complaint]:
    if records.billing_runs is None or records.approvals is None:
        return
    who = records.billing_runs.requested_by
    for tier in records.approvals.tiers:
        if who in tier.approvers and len(set(tier.approvers)) - 1 < tier.quorum:
            yield Complaint(
                ("billing_runs", "requested_by"),
                f"{who!r} would trigger every billing run and, by four eyes, could not approve it; "
                f"too few are left in tier {tier.id!r}: write a name that is nobody's, such as billing-run",
            )
