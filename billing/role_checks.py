"""People who are asked to decide and whose role does not let them."""

from __future__ import annotations

from collections.abc import Iterator

from billing.complaints import CompanyRecords, Complaint
from billing.roles import Role, role_of


def check_roles(records: CompanyRecords) -> Iterator[Complaint]:
    """Approvers, and who stands in for them, without the role approver: their decisions would be refused."""
    asked = _asked(records)
    for position, person in records.people.read.items():
        if person.id in asked and not role_of(person).reaches(Role.APPROVER):
            yield Complaint(
                ("people", position, "roles"),
                f"{person.id!r} {asked[person.id]} but has the role {role_of(person)}, "
                "so that their decisions would be refused; add approver to roles",
                warning=True,
            )


def _asked(records: CompanyRecords) -> dict[str, str]:
    """Who is asked to approve something, and what."""
    asked: dict[str, str] = {}
    for tier in records.approvals.tiers if records.approvals else ():
        asked |= {who: f"approves in tier {tier.id!r}" for who in tier.approvers if who not in asked}
    if records.payments is not None:
        for section in ("write_offs", "refunds", "credit_notes"):
            for who in getattr(records.payments, section).approvers:
                asked.setdefault(who, f"approves {section.replace('_', ' ')}")
    for person in records.people.read.values():
        if person.delegate and person.id in asked:
            asked.setdefault(person.delegate, f"stands in for {person.id!r}")
    return asked
