"""Scopes: what a token of the API may be used for, never more than its person may."""

from __future__ import annotations

from enum import StrEnum

from billing.roles import Role


class Scope(StrEnum):
    """One word a kind of work."""

    READ = "read"
    BILL = "bill"
    COLLECT = "collect"
    DECIDE = "decide"
    ADMINISTER = "administer"

    @property
    def least(self) -> Role:
        """The role without which the scope is of no use, so that it is not given to such a person."""
        return _LEAST[self]


_LEAST = {
    Scope.READ: Role.VIEWER,
    Scope.BILL: Role.OPERATOR,
    Scope.COLLECT: Role.OPERATOR,
    Scope.DECIDE: Role.OPERATOR,  # exceptions are decided by operators
    Scope.ADMINISTER: Role.ADMIN,
}
