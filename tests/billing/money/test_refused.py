"""What does not add up is refused with the rule it breaks, never mended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from billing.allowances import Allowance, AllowanceCode, Charge
from billing.document_check import sums
from billing.draft import Draft
from tests.billing.money.drafts import component, drafted, lines_of
from tests.billing.records import issuer


def _draft() -> Draft:
    """Two lines and a discount: 150.00 less 15.00, 19 % are 25.65, gross 160.65."""
    off = Allowance(amount=Decimal("15.00"), base=Decimal("150.00"), percent=Decimal(10), reason="Discount")
    return drafted(lines_of(("1", "100.00"), ("2", "25.00")), allowances=[off])


def test_what_adds_up_is_let_pass() -> None:
    """The draft these tests break is whole."""
    assert (_draft().net, _draft().tax, _draft().gross) == (
        Decimal("135.00"),
        Decimal("25.65"),
        Decimal("160.65"),
    )
    assert not list(sums(_draft()))


def _line(**changes: Any) -> dict[str, Any]:
    first, second = _draft().lines
    return {"lines": (first.model_copy(update=changes), second)}


def _tax(**changes: Any) -> dict[str, Any]:
    return {"taxes": (_draft().taxes[0].model_copy(update=changes),)}


def _off(**changes: Any) -> dict[str, Any]:
    return {"allowances": (_draft().allowances[0].model_copy(update=changes),)}


BROKEN = [
    (_line(net=Decimal("100.01")), "R120"),
    (_line(unit_price=Decimal("100.01")), "R120"),
    (_line(allowances=(Allowance(amount=Decimal(1), reason="Less"),)), "R120"),
    (_line(charges=(Charge(amount=Decimal(1), reason="More"),)), "R120"),
    (_line(taxes=(component("19"),)), "BR-CO-4"),
    ({"lines": _draft().lines[:1]}, "BR-CO-10"),
    ({"net": Decimal("135.01")}, "BR-CO-13"),
    ({"allowances": ()}, "BR-CO-13"),
    ({"charges": (Charge(amount=Decimal(1), reason="More"),)}, "BR-CO-13"),
    ({"tax": Decimal("25.64")}, "BR-CO-14"),
    ({"gross": Decimal("160.66")}, "BR-CO-15"),
    ({"rounding": Decimal("0.01")}, "BR-CO-16"),
    (_tax(tax=Decimal("25.66")), "BR-CO-17"),
    (_tax(rate=Decimal("19.5")), "BR-CO-17"),
    (_tax(taxable=Decimal("150.00"), tax=Decimal("28.50")), "BR-S-08"),
    (_tax(share=Decimal(80)), "BR-S-08"),
    ({"taxes": ()}, "BR-CO-18"),
    ({"taxes": (*_draft().taxes, *_draft().taxes)}, "twice"),
    (_off(amount=Decimal("15.01")), "R040"),
    (_off(base=None), "R041"),
    (_off(percent=None), "R042"),
    (_off(reason="", reason_code=None), "BR-33"),
    (_off(amount=Decimal("15.001")), "BR-DEC"),
    ({"net": Decimal("135.001")}, "BR-DEC"),
    ({"currency": "JPY"}, "BR-DEC"),
]


@pytest.mark.parametrize(("changes", "rule"), BROKEN, ids=[rule for _, rule in BROKEN])
def test_broken_by_a_cent(changes: dict[str, Any], rule: str) -> None:
    """Each figure that is changed alone is named with the rule it breaks; no tolerance."""
    found = list(sums(_draft().model_copy(update=changes)))
    assert any(rule in problem for problem in found), found


def test_a_rate_nobody_bears_and_one_that_is_missing() -> None:
    """Lines that name their taxes need each of them in the breakdown, and no other."""
    whole = drafted([*lines_of(("1", "100.00"), rate="19"), *lines_of(("1", "10.00"), rate="7")])
    assert not list(sums(whole))
    missing = whole.model_copy(update={"taxes": whole.taxes[:1]})
    assert any("VAT S 7 % on 10.00 is missing" in problem for problem in sums(missing))
    unborne = whole.model_copy(update={"lines": whole.lines[:1]})
    assert any("VAT S 7 % stands in the breakdown" in problem for problem in sums(unborne))


def test_due_is_rounded_where_the_issuer_says_so() -> None:
    """An issuer that rounds francs refuses an amount due that is not."""
    lines = lines_of(("1", "33.33"), currency="CHF")
    draft = drafted(lines, component("8.1"), currency="CHF", steps={"CHF": "0.05"})
    assert any("BR-CO-16" in each for each in sums(draft.model_copy(update={"rounding": Decimal(0)})))


@pytest.mark.parametrize("step", ["0", "-0.05", "0.025", "0.001"])
def test_a_step_is_of_whole_coins(step: str) -> None:
    """Nothing is rounded to nothing, or to half a Rappen."""
    with pytest.raises(ValidationError, match="is no step of whole"):
        issuer(round_due_to={"CHF": step})


def test_floats_are_refused() -> None:
    """A binary float cannot hold cents: it is refused as an amount, a base and a percentage."""
    for field in ("amount", "base", "percent"):
        with pytest.raises(ValidationError, match="binary floats"):
            Allowance.model_validate({"amount": "1", field: 0.1})


def test_reason_codes_are_those_of_the_lists() -> None:
    """A code that stands in neither UNTDID 5189 nor, for charges, 7161 is refused."""
    assert Allowance(amount=Decimal(1)).reason_code is AllowanceCode.DISCOUNT
    with pytest.raises(ValidationError):
        Allowance.model_validate({"amount": "1", "reason_code": "ZZZ"})
    with pytest.raises(ValidationError):
        Charge.model_validate({"amount": "1", "reason_code": "95"})
