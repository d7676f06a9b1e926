"""Look-alikes: what may be the same thing billed twice, and what only costs the same."""

from __future__ import annotations

from typing import Any

import pytest

from billing.draft import Draft
from billing.look_alikes import look_alike, looks_like
from tests.billing.test_draft import draft

JANUARY = {"start": "2026-01-01", "end": "2026-01-31"}


def like(**changes: Any) -> Draft:
    return Draft.model_validate({**draft().model_dump(mode="json"), **changes})


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ({"agreement": None, "title": "Anything"}, True),  # a person wrote it down: it can be anything
        ({"agreement": None, "net": "999.98"}, False),
        ({"agreement": None, "currency": "CHF"}, False),
        ({"agreement": None, "client": "other"}, False),
        ({"agreement": None, "supply": {"start": "2026-02-01", "end": "2026-02-28"}}, False),
        ({"agreement": None, "supply": {"start": "2026-01-31", "end": "2026-02-28"}}, True),
        ({"agreement": None, "supply": None}, True),
        ({"agreement": None, "supply": None, "title": "Anything"}, False),
        ({"agreement": "again", "contract_reference": ""}, True),  # the same title: entered twice
        ({"agreement": "again", "title": " development ", "contract_reference": ""}, True),
        ({"agreement": "again", "title": "Rollout"}, True),  # the same contract
        (
            {"agreement": "site-b", "title": "Site B", "contract_reference": "CT-2"},
            False,
        ),  # two sites, one price
        ({"agreement": "site-b", "title": "Site B", "contract_reference": ""}, False),
        ({"agreement": "hours"}, False),  # two items of one agreement: the ledger keeps them apart
    ],
)
def test_what_looks_alike(other: dict[str, Any], alike: bool) -> None:
    """Same client, currency, net and time, and nothing that tells the two apart; whichever comes first."""
    assert looks_like(draft(), like(**other)) is alike
    assert looks_like(like(**other), draft()) is alike


def test_what_a_person_is_told() -> None:
    """Which invoice it is, over how much, and what can be done."""
    finding = look_alike(draft(), "B-2026-00007")
    assert finding.code.value == "look-alike"
    assert finding.message == (
        "B-2026-00007 bills the same client 999.99 EUR net for the same time; void one of them, or accept both"
    )
