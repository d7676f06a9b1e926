"""Facts set by hand: what may be set, and what a tax set by hand becomes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.errors import Refused
from billing.overrides import check_override, check_together, overridden, tax_by_hand
from billing.sources import Sources


def test_tax() -> None:
    """A tax set by hand is a decision that says so; without category and rate there is none."""
    found = tax_by_hand({"tax.category": "S", "tax.rate": "8,1 %"})
    assert found is not None
    assert (found.category, found.rate) == ("S", Decimal("8.1"))
    assert found.why == "S: 8.1 % set by hand, where no rule decides"
    assert overridden(Sources(), {"tax.category": "S", "tax.rate": "19"}).tax_by_hand is not None
    assert tax_by_hand({"tax.rate": "19"}) is None
    assert overridden(Sources(), {}).tax_by_hand is None


@pytest.mark.parametrize(
    ("overrides", "because"),
    [
        ({"tax.category": "S"}, "needs tax.category and tax.rate"),
        ({"tax.category": "S", "tax.rate": "0"}, "do not go together"),
        ({"tax.category": "AE", "tax.rate": "19", "tax.note": "Art. 196"}, "do not go together"),
        ({"tax.category": "E", "tax.rate": "0"}, "say in tax.note why"),
        ({"tax.category": "S", "tax.rate": "190"}, "from 0 to 50"),
        ({"tax.category": "S", "tax.rate": "much"}, "is no rate"),
    ],
)
def test_not_whole(overrides: dict[str, str], because: str) -> None:
    """Half a tax, a rate with a category that has none, and no tax without a reason are refused (EN 16931, BR-E-10)."""
    with pytest.raises(Refused, match=because):
        check_together(overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        {"tax.category": "S", "tax.rate": "19"},
        {"tax.category": "Z", "tax.rate": "0"},
        {"tax.category": "E", "tax.rate": "0", "tax.note": "§ 4 Nr. 21 UStG"},
        {"contact.email": "ap@client.example"},
    ],
)
def test_whole(overrides: dict[str, str]) -> None:
    """What is whole may be set."""
    for field, value in overrides.items():
        check_override(field, value)
    check_together(overrides)


@pytest.mark.parametrize(
    ("field", "value"), [("tax.category", "X"), ("gross", "1"), ("contact.email", "nobody")]
)
def test_not_one(field: str, value: str) -> None:
    """What is no category, no address, or nothing that is set by hand."""
    with pytest.raises(Refused):
        check_override(field, value)
