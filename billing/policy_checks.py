"""What must fit in the policies of a company: who approves, and how clients are reminded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from billing.approval_policy import ApprovalTier
from billing.complaints import CompanyRecords, Complaint, KeyPath, reference, taken_already
from billing.dunning_policy import DunningPolicy, Offset
from billing.interest.claim import no_law
from billing.interest.reference_rates import published
from billing.interest.regimes import covered, regime_of


def check_dunning(records: CompanyRecords) -> Iterator[Complaint]:
    """Steps of a dunning policy that lie too close together."""
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
        yield from _interest(("dunning", position), policy, records)


def _interest(at: KeyPath, policy: DunningPolicy, records: CompanyRecords) -> Iterator[Complaint]:
    """Interest that could never be reckoned, or never be printed."""
    for n, rate in enumerate(policy.reference_rates):
        if published().get(rate.reference) is None:
            known = ", ".join(sorted(each.id for each in published().references))
            yield Complaint(
                (*at, "reference_rates", n, "reference"),
                f"there is no reference rate {rate.reference!r}; write one of: {known}",
            )
    if policy.interest == "none":
        if policy.late_fee is not None:
            yield Complaint(
                (*at, "late_fee"),
                "no reminder tells it; write interest: print, or leave it out",
                warning=True,
            )
        return
    if policy.late_fee is None:
        for country in sorted(_laws(policy, records) - covered()):
            yield Complaint((*at, "interest"), f"{no_law(country)}, or interest: none", warning=True)


def _laws(policy: DunningPolicy, records: CompanyRecords) -> set[str]:
    """The countries by whose law the clients of a policy owe interest."""
    if policy.interest_law is not None:
        return {policy.interest_law}
    countries = {issuer.id: issuer.address.country for issuer in records.issuers.read.values()}
    reminded = [client for client in records.clients.read.values() if client.dunning == policy.id]
    return {countries[client.issuer] for client in reminded if client.issuer in countries}


def review_reference_rates(records: CompanyRecords, day: date) -> Iterator[Complaint]:
    """The reference rates that reminders print interest by, and that somebody should have looked up again by a day."""
    for position, policy in records.dunning.read.items():
        if policy.interest == "none" or policy.late_fee is not None:
            continue
        needed = {regime.reference for law in _laws(policy, records) if (regime := regime_of(law))}
        for which, words in published().with_announced(policy.reference_rates).due_for_review(day):
            if which in needed:
                message = f"{words}, and add it to reference_rates"
                yield Complaint(("dunning", position, "interest"), message, warning=True)


def _planned(policy: DunningPolicy) -> list[tuple[str, KeyPath, timedelta]]:
    """Name, key path and planned distance from the due date of every step."""
    steps: list[tuple[str, KeyPath, timedelta]] = []
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


def check_approvals(records: CompanyRecords) -> Iterator[Complaint]:
    """Tiers in which nobody can approve, and approvers that are nobody."""
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
            yield Complaint((*at, "id"), taken_already(tier.id))
        for n, approver in enumerate(tier.approvers):
            yield from reference((*at, "approvers", n), approver, "person", records.people.ids)
            if approver in tier.approvers[:n]:
                yield Complaint((*at, "approvers", n), f"{approver!r} is named twice; remove one")
        yield from _undecidable(at, tier)


def _undecidable(at: KeyPath, tier: ApprovalTier) -> Iterator[Complaint]:
    """Tiers that let nobody approve, and limits that are none."""
    able = len(set(tier.approvers))
    if tier.quorum > able:
        yield Complaint(
            (*at, "needed"),
            f"{tier.quorum} must approve, but only {able} may: nobody could ever issue; "
            f"write at most {able}, or name more approvers",
        )
    if not tier.channels:
        yield Complaint(
            (*at, "channels"), "without a channel nobody can approve; write web, cli, signal or api"
        )
    for currency, limit in tier.above.items():
        if limit < 0:
            yield Complaint((*at, "above", currency), f"{limit} is below zero; write 0 or more")
