"""The QR reference of Swiss payments."""

import pytest

from billing.numbering import payment_reference
from billing.qr_reference import qr_reference


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        # the example of SIX's guidelines: 21 00000 00003 13947 14300 09017
        ("RF0021000000000313947143000901", "210000000003139471430009017"),
        # Z R H as 35 27 17; carries by the table of annex B: 6 9 9 7 3 0 4 8 0 7 1 9 5 7 8, and 10 - 8 = 2
        ("RF00ZRH202600017", "000000000003527172026000172"),
        # the table has 9 for 1, and 10 - 9 = 1
        ("RF001", "000000000000000000000000011"),
        ("", ""),
        ("RF00", ""),
        ("RF00ABCDEFGHIJKLMN", ""),
    ],
)
def test_by_modulo_10_recursive(reference: str, expected: str) -> None:
    """26 digits and their check digit, letters as in an IBAN; nothing for what is too long or empty."""
    assert qr_reference(reference) == expected


def test_series_stay_apart() -> None:
    """Invoices and credit notes, paid into one account, never have one reference."""
    numbers = ("ZRH-2026-00017", "ZRHG-2026-00017", "ZR-2026-00017", "2026-00017")
    assert len({qr_reference(payment_reference(number)) for number in numbers}) == len(numbers)
