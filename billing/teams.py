"""Whose work somebody looks after: the people who report to them, directly or not."""

from __future__ import annotations

from collections.abc import Mapping

from billing.parties import Person


def team_of(person: str, people: Mapping[str, Person]) -> frozenset[str]:
    """All who report to the person, and who report to those, and so on; a circle is gone round once."""
    found: set[str] = set()
    above = {person}
    while above:
        above = {key for key, each in people.items() if each.reports_to in above} - found - {person}
        found |= above
    return frozenset(found)
