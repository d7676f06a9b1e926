"""Registrations as issuers write them, and the scheme they are numbers of."""

import pytest

from billing.einvoice.legal_registration import with_scheme

WRITTEN = [
    ("13585628", "DK", ("13585628", "0184")),
    ("CVR 13 58 56 28", "DK", ("13585628", "0184")),
    ("KvK: 12345678", "NL", ("12345678", "0106")),
    ("00000001823288444000", "NL", ("00000001823288444000", "0190")),
    ("540269-6459", "IS", ("5402696459", "0196")),
    ("556188-8404", "SE", ("5561888404", "0007")),
    ("Org.nr. 995 525 828", "NO", ("995525828", "0192")),
    ("0202.239.951", "BE", ("0202239951", "0208")),
    ("1358562", "DK", ("1358562", "")),
    ("NO 995 525 828 MVA", "NO", ("NO 995 525 828 MVA", "")),
    ("Amtsgericht Charlottenburg, HRB 12345678", "DE", ("Amtsgericht Charlottenburg, HRB 12345678", "")),
    ("KvK Utrecht 12345678, 2 vestigingen", "NL", ("KvK Utrecht 12345678, 2 vestigingen", "")),
    ("", "DK", ("", "")),
]


@pytest.mark.parametrize(("written", "country", "expected"), WRITTEN)
def test_with_scheme(written: str, country: str, expected: tuple[str, str]) -> None:
    """A number of the country's length bears its scheme, bare; anything else stays as it is written, without one."""
    assert with_scheme(written, country) == expected


def test_long_texts_take_no_time() -> None:
    """A long text that is no number is told at once."""
    for text in ("a. " * 5000 + "!", "a" * 5000 + "!", "1 " * 5000 + "!"):
        assert with_scheme(text, "DK") == (text, "")
