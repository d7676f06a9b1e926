"""Addresses whose tax law is not that of their country."""

import pytest

from billing.taxes.territories import Standing, is_country, outside_vat_territory, settled, standing

IN, OUT, OWN = Standing.INSIDE, Standing.OUTSIDE, Standing.OWN_RATES


# Art. 6 of Directive 2006/112/EC; § 10(4) UStG 1994; Art. 18(3) CIVA; Art. 26(4) Greek VAT Code;
# § 1-2 merverdiavgiftsloven.
@pytest.mark.parametrize(
    ("country", "postcode", "region", "stands"),
    [
        ("DE", "27498", "", OUT),  # Heligoland
        ("DE", "78266", "", OUT),  # Büsingen
        ("DE", "D-78266", "", OUT),  # the old letters in front change no place
        ("ES", "E-35001", "", OUT),
        ("FI", "AX-22100", "", OUT),
        ("NO", "N-9170", "", OUT),
        ("PT", "P-9000-064", "", OWN),
        ("PT", "1000-901", "", IN),
        ("DE", "DE-78266", "", OUT),
        ("DE", "78267", "", IN),
        ("DE", "10115", "", IN),
        ("DE", "87491", "", OWN),  # Jungholz by German post
        ("AT", "6691", "", OWN),
        ("AT", "6992", "", OWN),
        ("AT", "6900", "", IN),
        ("ES", "35001", "", OUT),
        ("ES", "38 001", "", OUT),
        ("ES", "51001", "", OUT),
        ("ES", "52001", "", OUT),
        ("ES", "28001", "", IN),
        ("ES", "", "GC", OUT),
        ("ES", "", "cn", OUT),
        ("ES", "", "MD", IN),
        ("FI", "22100", "", OUT),
        ("FI", "00100", "", IN),
        ("FI", "", "01", OUT),
        ("FR", "97110", "", OUT),
        ("FR", "97400", "", OUT),
        ("FR", "98800", "", OUT),  # New Caledonia
        ("FR", "98000", "", IN),  # Monaco by French post
        ("FR", "20000", "", IN),  # Corsica
        ("FR", "", "RE", OUT),
        ("GR", "63086", "", OUT),  # Mount Athos
        ("GR", "", "69", OUT),
        ("GR", "811 00", "", OWN),  # Lesvos
        ("GR", "85300", "", OWN),  # Kos
        ("GR", "84600", "", IN),  # Mykonos
        ("IT", "23041", "", OUT),  # Livigno
        ("IT", "22061", "", OUT),  # Campione d'Italia
        ("IT", "20121", "", IN),
        ("NO", "9170", "", OUT),  # Longyearbyen
        ("NO", "8099", "", OUT),  # Jan Mayen
        ("NO", "0150", "", IN),
        ("NO", "", "21", OUT),
        ("PT", "9000-064", "", OWN),  # Madeira
        ("PT", "9500-150", "", OWN),  # Azores
        ("PT", "", "30", OWN),
        ("PT", "1000-001", "", IN),
        ("PL", "35-001", "", IN),  # Rzeszów begins like Las Palmas
        ("", "", "", IN),
    ],
)
def test_standing(country: str, postcode: str, region: str, stands: Standing) -> None:
    """By postcode or region, an address is inside, outside, or in a place with rates of its own."""
    assert standing(country, postcode, region) is stands
    assert outside_vat_territory(country, postcode, region) is (stands is OUT)


@pytest.mark.parametrize(
    ("country", "region", "counts"),
    [
        ("MC", "", ("FR", "")),
        ("IM", "", ("GB", "")),
        ("XI", "", ("GB", "")),
        ("UK", "", ("GB", "")),
        ("EL", "", ("GR", "")),
        ("LI", "", ("CH", "")),
        ("AX", "", ("FI", "01")),
        ("IC", "", ("ES", "CN")),
        ("EA", "", ("ES", "CE")),
        ("RE", "", ("FR", "RE")),
        ("SJ", "", ("NO", "21")),
        ("DE", "BE", ("DE", "BE")),
        ("JE", "", ("JE", "")),
        ("GG", "", ("GG", "")),
        ("GI", "", ("GI", "")),
        ("NC", "", ("NC", "")),
        ("GL", "", ("GL", "")),
        ("FO", "", ("FO", "")),
    ],
)
def test_settled(country: str, region: str, counts: tuple[str, str]) -> None:
    """Some codes are taxed as another country's, some are part of one; the remark names both, else there is none."""
    found = settled(country, region)
    assert found[:2] == counts
    assert (found[2] == "") == (counts == (country, region))
    assert found[2] == "" or (country in found[2] and counts[0] in found[2])


def test_what_is_a_country() -> None:
    """Codes of ISO 3166-1 and Kosovo's are; a slip, a prefix of VAT ids and a union of countries are not."""
    assert all(is_country(each) for each in ("DE", "US", "XK", "AX", "GG"))
    assert not any(is_country(each) for each in ("", "ZZ", "UK", "EL", "XI", "EU", "de", "DEU"))
