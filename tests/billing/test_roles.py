"""Roles of people, and the scopes of tokens that go with them."""

from __future__ import annotations

import pytest

from billing.parties import Person
from billing.roles import Role, role_of
from billing.scopes import Scope


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        ((), "viewer"),
        (("account manager",), "viewer"),
        (("finance operator",), "viewer"),  # a title is not a role: only the word alone is
        (("finance operator", "operator"), "operator"),
        (("Approver ",), "approver"),
        (("approver", "operator", "viewer"), "approver"),
        (("managing director", "ADMIN"), "admin"),
    ],
)
def test_role_of(roles: tuple[str, ...], role: str) -> None:
    """The highest role that is named counts; titles give nothing."""
    assert role_of(Person(id="x", name="X", email="x@issuer.example", roles=roles)) == role


def test_reaches() -> None:
    """Each role may do what those before it may, and no more."""
    table = {role: [least for least in Role if role.reaches(least)] for role in Role}
    assert table == {
        Role.VIEWER: ["viewer"],
        Role.OPERATOR: ["viewer", "operator"],
        Role.APPROVER: ["viewer", "operator", "approver"],
        Role.ADMIN: ["viewer", "operator", "approver", "admin"],
    }


def test_scopes() -> None:
    """A viewer can give a token nothing but reading; administering is for admins."""
    table = {role: [scope for scope in Scope if role.reaches(scope.least)] for role in Role}
    assert table[Role.VIEWER] == ["read"]
    assert table[Role.APPROVER] == ["read", "bill", "collect", "decide"]
    assert table[Role.ADMIN] == list(Scope)
