"""Countries as people write them into a CRM."""

from __future__ import annotations

import pytest

from activities.crm.countries import country_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"),
        ("de", "DE"),
        ("DEU", "DE"),
        ("Germany", "DE"),
        (" deutschland ", "DE"),
        ("Allemagne", "DE"),
        ("United  States", "US"),
        ("USA", "US"),
        ("UK", "GB"),
        ("United Kingdom", "GB"),
        ("Vereinigtes Königreich", "GB"),
        ("The Netherlands", "NL"),
        ("Österreich", "AT"),
        ("Czech Republic", "CZ"),
        ("Türkiye", "TR"),
        ("Turkey", "TR"),
        ("Hong Kong", "HK"),
        ("Niger", "NE"),
        ("Nigeria", "NG"),
        ("EL", None),
        ("EU", None),
        ("Europe", None),
        ("XX", None),
        ("Germny", None),
        ("", None),
    ],
)
def test_codes(text: str, code: str | None) -> None:
    """A code of two or three letters or a name in our clients' languages is a country; nothing else is."""
    assert country_code(text) == code
