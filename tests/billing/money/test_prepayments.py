"""Prepayments deducted by the final invoice, worked by hand; § 14(5) UStG, § 27(1) sentence 3 UStG."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from billing.change_orders import Instalment
from billing.document_check import sums
from billing.draft import Draft
from billing.errors import MoneyError
from billing.line_words import line_words
from billing.money import total
from billing.prepayments import Prepayment, deductions, prepayment, taxed_by
from tests.billing.assembling import codes, draft_of, made
from tests.billing.money.drafts import component, drafted, lines_of
from tests.billing.properties import examples
from tests.billing.records import milestone, milestones

DAY = date(2026, 1, 15)
STAGES = [
    {"id": "start", "title": "Deposit", "amount": "3000.00", "prepayment": True},
    {"id": "half", "title": "Second deposit", "amount": "2000.00", "prepayment": True},
    {"id": "launch", "title": "Launch", "amount": "5000.00", "final": True},
]


def issued(net: str, rate: str = "19", number: str = "B-2026-00001", **more: Any) -> Prepayment:
    """An issued and paid prepayment invoice of one line."""
    known = {"item": "start", "issued_on": DAY, "settled": True, **more}
    return prepayment(drafted(lines_of(("1", net)), component(rate)), number, **known)


def final(price: str, rate: str, *prepaid: Prepayment) -> Draft:
    """The final invoice over a price, less what was prepaid."""
    taxes = (component(rate),)
    lines = taxed_by(lines_of(("1", price)), taxes)
    return drafted([*lines, *deductions(prepaid, "EUR", line_words("en"))], *taxes)


CASES = [
    # price, its rate, (net, rate) of each prepayment → net, taxes by rate, due
    ("10000.00", "19", [("3000.00", "19")], "7000.00", ["1330.00"], "8330.00"),
    ("10000.00", "19", [("3000.00", "19"), ("2000.00", "19")], "5000.00", ["950.00"], "5950.00"),
    # Germany, 2020: prepaid at 19 %, finished at 16 %; then the other way round, finished in 2021
    ("10000.00", "16", [("4000.00", "19")], "6000.00", ["1600.00", "-760.00"], "6840.00"),
    ("10000.00", "19", [("4000.00", "16")], "6000.00", ["1900.00", "-640.00"], "7260.00"),
    ("10000.00", "19", [("4000.00", "16"), ("3000.00", "19")], "3000.00", ["1330.00", "-640.00"], "3690.00"),
    # Switzerland, 2024: 7.7 to 8.1 %; Estonia, 2025: 22 to 24 %
    ("1000.00", "8.1", [("500.00", "7.7")], "500.00", ["81.00", "-38.50"], "542.50"),
    ("1000.00", "24", [("333.33", "22")], "666.67", ["240.00", "-73.33"], "833.34"),
    ("5000.00", "19", [("5000.00", "19")], "0.00", ["0.00"], "0.00"),
    ("100.00", "19", [("33.33", "19"), ("33.33", "19")], "33.34", ["6.33"], "39.67"),  # 6.3346
    ("1000.00", "0", [("400.00", "0")], "600.00", ["0.00"], "600.00"),
]


@pytest.mark.parametrize(("price", "rate", "prepaid", "net", "taxes", "due"), CASES)
def test_deducted(
    price: str, rate: str, prepaid: list[tuple[str, str]], net: str, taxes: list[str], due: str
) -> None:
    """Each prepayment comes off with the tax it bore; what is left is taxed at the rate of the whole."""
    ahead = [issued(each, at, f"B-2026-0000{n}") for n, (each, at) in enumerate(prepaid, 1)]
    draft = final(price, rate, *ahead)
    assert (str(draft.net), [str(each.tax) for each in draft.taxes], str(draft.due)) == (net, taxes, due)
    assert not list(sums(draft))


def test_the_lines_cite_what_they_deduct() -> None:
    """Number, day, net and tax of the prepayment; below zero by quantity, for a unit price may not be (BR-27)."""
    (line,) = deductions([issued("3000.00")], "EUR", line_words("en"))
    assert line.description == "Less prepayment, invoice B-2026-00001 of 2026-01-15"
    assert line.detail == "VAT 19 %: -570.00"
    assert [str(each) for each in (line.quantity, line.unit_price, line.net)] == ["-1", "3000.00", "-3000.00"]
    (line,) = deductions([issued("3000.00")], "EUR", line_words("de"))
    assert line.description == "Abzüglich Anzahlung, Rechnung B-2026-00001 vom 15.01.2026"
    assert line.detail == "VAT 19 %: -570,00"


def test_one_that_bore_two_rates() -> None:
    """It is deducted in two lines, each with its own."""
    lines = [*lines_of(("1", "100.00"), rate="19"), *lines_of(("1", "50.00"), rate="7")]
    ahead = prepayment(drafted(lines), "B-1", "start", DAY, settled=True)
    found = deductions([ahead], "EUR", line_words("en"))
    assert [(str(each.net), str(each.taxes[0].rate)) for each in found] == [
        ("-100.00", "19"),
        ("-50.00", "7"),
    ]


def test_a_number_that_came_later_makes_no_second_tax() -> None:
    """The issuer's number came between prepayment and final: one rate has one row of the breakdown (BR-S-08)."""
    now = (component("8.1", "MWST").model_copy(update={"number": "CHE-107.787.577 MWST"}),)
    ahead = [issued("300.00", "8.1"), issued("200.00", "7.7", "B-2")]
    lines = [*taxed_by(lines_of(("1", "1000.00")), now), *deductions(ahead, "EUR", line_words("en"), now)]
    draft = drafted(lines, *now)
    assert [(str(each.rate), str(each.taxable)) for each in draft.taxes] == [
        ("8.1", "700.00"),
        ("7.7", "-200.00"),
    ]


def test_refused() -> None:
    """Twice the same, or another currency, is refused; nobody has more deducted than was prepaid."""
    words = line_words("en")
    with pytest.raises(MoneyError, match="deducted twice"):
        deductions([issued("1.00"), issued("1.00")], "EUR", words)
    with pytest.raises(MoneyError, match="final invoice in CHF"):
        deductions([issued("1.00")], "CHF", words)
    with pytest.raises(ValidationError, match="prepayment or the final"):
        Instalment.model_validate({"id": "a", "title": "A", "amount": "1", "prepayment": True, "final": True})


def _final_milestone(*prepaid: Prepayment, **changes: Any) -> Any:
    agreement = milestones(milestones=STAGES, **changes)
    done = milestone(id="launch", signed_off=date(2026, 2, 1))
    billed = total(each.net for each in prepaid)
    return made(agreement, "launch", milestone=done, prepayments=prepaid, billed_net=billed)


def test_final_milestone() -> None:
    """5,000.00 are left of 10,000.00: the whole stands on the invoice, less 3,000.00 and 2,000.00 prepaid."""
    ahead = [issued("3000.00"), issued("2000.00", number="B-2026-00002", item="half")]
    draft = draft_of(_final_milestone(*ahead))
    assert [str(each.net) for each in draft.lines] == ["10000.00", "-3000.00", "-2000.00"]
    assert (str(draft.net), str(draft.tax), str(draft.due)) == ("5000.00", "950.00", "5950.00")
    assert not list(sums(draft))
    assert codes(_final_milestone(*ahead)) == []


def test_final_milestone_before_all_prepayments_are_billed() -> None:
    """What was not invoiced ahead is neither added nor deducted: it comes with its own invoice."""
    draft = draft_of(_final_milestone(issued("3000.00")))
    assert [str(each.net) for each in draft.lines] == ["8000.00", "-3000.00"]
    assert [str(each.net) for each in draft_of(_final_milestone()).lines] == ["5000.00"]


def test_final_milestone_with_a_discount() -> None:
    """10 % off both: 3,000.00 was billed as 2,700.00, and 8,000.00 less 800.00 less 2,700.00 are 10 % off 5,000.00."""
    draft = draft_of(_final_milestone(issued("2700.00"), discount="10"))
    assert [str(each.amount) for each in draft.allowances] == ["800.00"]
    assert str(draft.net) == "4500.00"
    assert not list(sums(draft))


def test_an_unpaid_prepayment_is_told() -> None:
    """It would be deducted without having been received: a person waits, or accepts."""
    found = _final_milestone(issued("3000.00", settled=False))
    assert codes(found) == ["prepayment-unpaid"]
    assert "B-2026-00001 over 3,000.00 EUR net is not paid" in found.findings[0].message


def test_a_prepayment_in_another_currency_is_for_a_person() -> None:
    """The agreement was billed in francs before: no draft with the price of the whole, and no crash."""
    ahead = issued("3000.00").model_copy(update={"currency": "CHF"})
    found = _final_milestone(ahead)
    assert found.draft is None
    assert [str(each.code) for each in found.findings] == ["rules-changed"]
    assert "B-2026-00001 is in CHF, the agreement in EUR" in found.findings[0].message


AMOUNTS = st.lists(
    st.tuples(st.integers(1, 10**6), st.sampled_from(["0", "7", "16", "19"])), min_size=1, max_size=5
)


@given(AMOUNTS, st.integers(1, 10**7), st.sampled_from(["0", "7", "16", "19"]))
@examples(200)
def test_all_invoices_together_are_the_price(written: list[tuple[int, str]], price: int, rate: str) -> None:
    """Nets of prepayments and final are the price, exactly; taxes are as much as each rate makes of what it bore."""
    ahead = [drafted(lines_of(("1", str(Decimal(cents).scaleb(-2)))), component(at)) for cents, at in written]
    prepaid = [prepayment(each, f"B-{n}", "start", DAY, settled=True) for n, each in enumerate(ahead)]
    whole = Decimal(price).scaleb(-2)
    last = final(str(whole), rate, *prepaid)
    assert last.net + total(each.net for each in ahead) == whole
    assert not list(sums(last))
    paid = total(each.tax for each in ahead) + last.tax
    assert abs(paid - whole * Decimal(rate) / 100) <= Decimal("0.01") * (len(ahead) + 4)
