"""Leitweg-IDs: what is one, and what is only built like one."""

import pytest

from billing.einvoice.leitweg_id import check_digits, is_leitweg_id, looks_like_leitweg_id


@pytest.mark.parametrize(
    "text",
    [
        "04011000-1234512345-06",
        "992-90009-96",
        "04011000-900X999-08",
        "09564000-NUE0001-49",
        "05711-06001-79",
    ],
)
def test_published_ones(text: str) -> None:
    """Those of the specification and of authorities; letters count however they are written."""
    assert is_leitweg_id(text)
    assert is_leitweg_id(text.lower())


@pytest.mark.parametrize("text", ["", "4711", "17-AB-20", "PO 4500123456", "04011000-12-345-06", "04011000"])
def test_other_references(text: str) -> None:
    """Order numbers and cost centres are not taken for one: no German state has number 17."""
    assert not looks_like_leitweg_id(text)
    assert not is_leitweg_id(text)


def test_one_wrong_digit_is_found() -> None:
    """MOD 97-10 finds every wrong digit and every two that are swapped."""
    right = "04011000-1234512345-06"
    for n, digit in enumerate(right):
        if digit.isdigit():
            other = right[:n] + str((int(digit) + 1) % 10) + right[n + 1 :]
            assert not is_leitweg_id(other), other
    assert not is_leitweg_id("04011000-2134512345-06")
    assert check_digits("04011000-1234512345-99") == "06"
