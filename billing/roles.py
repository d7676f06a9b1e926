"""Roles: what somebody may do in Billow. Each role may do what those before it may."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from billing.parties import Person


class Role(StrEnum):
    """From the least to the most."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"

    def reaches(self, least: Role) -> bool:
        """Whether this role may do what needs at least the other."""
        order = list(Role)
        return order.index(self) >= order.index(least)


def below(least: Role, people: Mapping[str, Person]) -> frozenset[str]:
    """The ids of those whose role does not reach."""
    return frozenset(who for who, person in people.items() if not role_of(person).reaches(least))


def role_of(person: Person) -> Role:
    """The highest role among the words in `roles`, which may be titles besides; `viewer` where none is named."""
    named = {word.strip().lower() for word in person.roles}
    return next((role for role in reversed(Role) if role in named), Role.VIEWER)
