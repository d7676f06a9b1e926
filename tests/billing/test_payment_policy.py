"""The section `payments` of company.yaml: who may give up what alone, and that its page tells of all of it."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from billing.money import Money
from billing.payment_policy import Agreeing, PaymentPolicy

PAGE = (Path(__file__).parents[2] / "docs" / "payments.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("amount", "currency", "alone"),
    [
        ("20.00", "EUR", True),
        ("20.01", "EUR", False),
        ("0.01", "USD", False),  # a currency that is not named
    ],
)
def test_alone(amount: str, currency: str, alone: bool) -> None:
    """Up to the limit of the currency, and not a cent more; a currency without a limit takes two people."""
    agreeing = Agreeing(alone_up_to={"EUR": Decimal(20)})
    assert agreeing.alone(Money.of(Decimal(amount), currency)) is alone


def test_alone_unless_set() -> None:
    """Without the section a person may credit up to 1,000 alone, and write off or refund nothing."""
    policy = PaymentPolicy()
    assert policy.credit_notes.alone(Money.of(Decimal(1000), "EUR"))
    assert not policy.credit_notes.alone(Money.of(Decimal("1000.01"), "EUR"))
    assert not policy.write_offs.alone(Money.of(Decimal("0.01"), "EUR"))
    assert not policy.refunds.alone(Money.of(Decimal("0.01"), "EUR"))


@pytest.mark.parametrize(
    "setting",
    [
        {"accept_difference": {"EUR": "-0.01"}},
        {
            "accept_exchange_difference_percent": "20.01"
        },  # no bank's margin; a tenth meant as per cent perhaps
        {"write_offs": {"alone_up_to": {"EUR": "-1"}}},
        {"bank_data_within_days": 0},
        {"portal_days": 0},
    ],
)
def test_out_of_range(setting: dict[str, object]) -> None:
    """What nobody can mean is refused when the folder is read, not when money comes."""
    with pytest.raises(ValidationError):
        PaymentPolicy.model_validate(setting)


def test_the_page_tells_of_every_setting() -> None:
    """docs/payments.md has a row for each setting, and its example is one `billow check` takes."""
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert set(PaymentPolicy.model_fields) <= told
    assert all(f"`{each}`" in PAGE for each in Agreeing.model_fields)
    example = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])["payments"]
    assert set(example) == set(PaymentPolicy.model_fields)
    assert PaymentPolicy.model_validate(example).write_offs.approvers == ("cfo",)
