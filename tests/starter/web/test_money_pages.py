"""Money, clients, agreements, bank and policies: what stands on their pages."""

from __future__ import annotations

import pytest

from tests.starter.web.conftest import Visitor
from tests.starter.web.furnished import furnish
from tests.starter.web.story import Story

PATHS = (
    "/money", "/money?client=ateliers", "/clients", "/clients?view=late", "/clients?view=hold", "/clients?view=credit",
    "/clients/nordlicht", "/clients/kawa", "/agreements", "/agreements/support", "/agreements/relaunch", "/agreements/hours", "/bank",
    "/bank/statements/1", "/policies", "/bill", "/bill/agreement", "/bill/agreement?agreement=support&reason=x&look=1",
    "/bill/one-off", "/bill/event?agreement=relaunch",
)  # fmt: skip


@pytest.mark.parametrize("furnished", [True, False])
def test_shown(story: Story, visitor: Visitor, furnished: bool) -> None:
    """Every page is shown among much and among nothing; what is not there is said to be."""
    if furnished:
        furnish(story)
    visitor.sign_in("lena")
    found = {path: visitor.get(path) for path in PATHS}
    wrong = {
        path: (each.status_code, each.text[-3000:]) for path, each in found.items() if each.status_code != 200
    }
    missing = {"/bank/statements/1", "/agreements/support", "/agreements/relaunch", "/agreements/hours"}
    assert set(wrong) == (set() if furnished else missing), wrong
