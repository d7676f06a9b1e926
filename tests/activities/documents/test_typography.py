"""How values are written."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from activities.documents.addresses import LISTED
from activities.documents.printable import unprintable
from activities.documents.typography import in_fours, typography
from activities.languages.catalogue import LANGUAGES
from billing.money import Money
from billing.parties import EU_MEMBERS, Address
from billing.periods import Period


def plain(text: str) -> str:
    """With simple spaces and hyphens, as one can type them."""
    for odd in ("\N{NO-BREAK SPACE}", "\N{THIN SPACE}", "\N{NARROW NO-BREAK SPACE}"):
        text = text.replace(odd, " ")
    return text.replace("−", "-")


@pytest.mark.parametrize(
    ("language", "country", "amount", "currency", "written"),
    [
        ("de", "DE", "-1234567.5", "EUR", "-1.234.567,50 €"),
        ("de", "AT", "1234.5", "EUR", "€ 1.234,50"),
        ("de", "CH", "1234.5", "CHF", "CHF 1’234.50"),
        ("de", "", "1235", "JPY", "1.235 JPY"),
        ("en", "", "1234.5", "EUR", "€1,234.50"),
        ("en", "US", "1234.5", "USD", "USD 1,234.50"),
        ("en", "IN", "1234567.5", "INR", "INR 12,34,567.50"),
        ("en", "", "1.234", "KWD", "KWD 1.234"),
        ("de", "LU", "1234.5", "EUR", "1.234,50 €"),
        ("en", "IE", "1234.5", "EUR", "€1,234.50"),
        ("en", "NL", "1234.5", "EUR", "€1,234.50"),
        ("es", "ES", "1234.5", "EUR", "1.234,50 €"),
        ("es", "MX", "1234.5", "MXN", "MXN 1,234.50"),
        ("fr", "FR", "-1234567.5", "EUR", "-1 234 567,50 €"),
        ("fr", "BE", "1234.5", "EUR", "1 234,50 €"),
        ("fr", "CH", "1234.5", "CHF", "1 234,50 CHF"),
        ("fr", "LU", "1234.5", "EUR", "1.234,50 €"),
        ("fr", "CA", "1234.5", "CAD", "1 234,50 CAD"),
        ("it", "IT", "1234.5", "EUR", "1.234,50 €"),
        ("it", "CH", "1234.5", "CHF", "CHF 1’234.50"),
        ("nl", "NL", "1234.5", "EUR", "€ 1.234,50"),
        ("nl", "BE", "-1234.5", "EUR", "-€ 1.234,50"),
        ("pl", "PL", "1234.5", "PLN", "1 234,50 zł"),
        ("pl", "PL", "12345.5", "CZK", "12 345,50 CZK"),
        ("de", "DE", "1234.5", "PLN", "1.234,50 PLN"),
        ("pt", "PT", "1234.5", "EUR", "1 234,50 €"),
        ("pt", "BR", "1234.5", "BRL", "BRL 1.234,50"),
        ("sv", "SE", "1234.5", "EUR", "€1,234.50"),
    ],
)
def test_money(language: str, country: str, amount: str, currency: str, written: str) -> None:
    """Money is written as readers in that country write it, with the currency's own decimals."""
    assert plain(typography(language, country).money(Money.of(amount, currency))) == written


def test_halves_round_away_from_zero() -> None:
    """Half a cent is rounded up, as billing rounds it, not to the even cent."""
    assert typography("de").amount(Decimal("0.125"), "EUR") == "0,13"


def test_prices_keep_their_decimals() -> None:
    """A unit price shows all its decimals, and never fewer than the currency has."""
    assert typography("de").price(Decimal("0.0825"), "EUR") == "0,0825"
    assert typography("en").price(Decimal(145), "EUR") == "145.00"
    assert typography("en").price(Decimal("1E+3"), "EUR") == "1,000.00"


@pytest.mark.parametrize(
    ("language", "quantity", "unit", "written"),
    [
        ("de", "1", "HUR", "1 Stunde"),
        ("de", "1.00", "MON", "1 Monat"),
        ("de", "12.50", "DAY", "12,5 Tage"),
        ("en", "1", "HUR", "1 hour"),
        ("en", "0.5", "HUR", "0.5 hours"),
        ("en", "1500", "C62", "1,500 units"),
        ("en", "2", "XYZ", "2 XYZ"),
        ("en", "0", "DAY", "0 days"),
        ("en", "-1", "DAY", "-1 day"),
        ("es", "1", "MON", "1 mes"),
        ("es", "1.5", "MON", "1,5 meses"),
        ("fr", "0", "HUR", "0 heure"),
        ("fr", "1.5", "HUR", "1,5 heure"),
        ("fr", "2", "HUR", "2 heures"),
        ("it", "2", "C62", "2 unità"),
        ("nl", "1", "DAY", "1 dag"),
        ("nl", "2.5", "DAY", "2,5 dagen"),
        ("pl", "1", "HUR", "1 godzina"),
        ("pl", "3", "HUR", "3 godziny"),
        ("pl", "5", "HUR", "5 godzin"),
        ("pl", "13", "HUR", "13 godzin"),
        ("pl", "22", "HUR", "22 godziny"),
        ("pl", "12.5", "HUR", "12,5 godziny"),
        ("pl", "1.5", "DAY", "1,5 dnia"),
        ("pl", "2.5", "MON", "2,5 miesiąca"),
        ("pt", "1", "ANN", "1 ano"),
        ("pt", "1.5", "HUR", "1,5 horas"),
        ("pt", "1000", "LS", "1 000 preços globais"),
    ],
)
def test_quantities(language: str, quantity: str, unit: str, written: str) -> None:
    """Quantities carry their unit in words, singular or plural; an unknown unit keeps its code."""
    assert plain(typography(language).quantity(Decimal(quantity), unit)) == written


@pytest.mark.parametrize(
    ("language", "country", "day", "november", "across_the_year"),
    [
        ("de", "DE", "1. März 2026", "1.–30. Nov. 2026", "15. Nov. 2026 – 14. Jan. 2027"),
        ("de", "AT", "1. März 2026", "1.–30. Nov. 2026", "15. Nov. 2026 – 14. Jän. 2027"),
        ("en", "", "1 Mar 2026", "1–30 Nov 2026", "15 Nov 2026 – 14 Jan 2027"),
        ("en", "US", "Mar 1, 2026", "Nov 1 – 30, 2026", "Nov 15, 2026 – Jan 14, 2027"),
        ("en", "JP", "1 Mar 2026", "1–30 Nov 2026", "15 Nov 2026 – 14 Jan 2027"),
        ("es", "ES", "1 mar 2026", "1–30 nov 2026", "15 nov 2026 – 14 ene 2027"),
        ("fr", "FR", "1 mars 2026", "1–30 nov. 2026", "15 nov. 2026 – 14 janv. 2027"),
        ("it", "IT", "1 mar 2026", "1–30 nov 2026", "15 nov 2026 – 14 gen 2027"),
        ("nl", "BE", "1 mrt 2026", "1–30 nov 2026", "15 nov 2026 – 14 jan 2027"),
        ("pl", "PL", "1 marca 2026", "1–30 listopada 2026", "15 listopada 2026 – 14 stycznia 2027"),
        ("pt", "PT", "1 de março de 2026", "1–30 de nov. de 2026", "15 de nov. de 2026 – 14 de jan. de 2027"),
        (
            "pt",
            "BR",
            "1 de mar. de 2026",
            "1 – 30 de nov. de 2026",
            "15 de nov. de 2026 – 14 de jan. de 2027",
        ),
    ],
)
def test_dates(language: str, country: str, day: str, november: str, across_the_year: str) -> None:
    """Dates have the month in words; a period says month and year once, where it can."""
    writes = typography(language, country)
    month = Period(start=date(2026, 11, 1), end=date(2026, 11, 30))
    months = Period(start=date(2026, 11, 15), end=date(2027, 1, 14))
    one = Period(start=date(2026, 3, 1), end=date(2026, 3, 1))
    assert plain(writes.day(date(2026, 3, 1))) == plain(writes.period(one)) == day
    assert (plain(writes.period(month)), plain(writes.period(months))) == (november, across_the_year)


def test_moments() -> None:
    """Instants are told in the zone's own clock time, with the weekday."""
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    said = {each: plain(typography(each).moment(at, "Europe/Berlin")) for each in ("en", "de")}
    assert said["en"] == "Thursday, 2 Jul 2026, 00:30 (Europe/Berlin)"
    assert said["de"] == "Donnerstag, 2. Juli 2026, 00:30 (Europe/Berlin)"


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("de", "5,5 %"),
        ("en", "5.5%"),
        ("es", "5,5 %"),
        ("fr", "5,5 %"),
        ("it", "5,5%"),
        ("nl", "5,5%"),
        ("pl", "5,5%"),
        ("pt", "5,5%"),
    ],
)
def test_rates(language: str, written: str) -> None:
    """A per cent sign stands apart where the language writes it so."""
    assert plain(typography(language).rate(Decimal("5.50"))) == written


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_written_can_be_printed(language: str) -> None:
    """Separators, signs, months, units and names of countries have glyphs in the fonts of documents."""
    countries = sorted(LISTED)
    for country in ("", *countries):
        writes = typography(language, country)
        texts = [
            writes.money(Money.of("-1234567.89", currency))
            for currency in ("EUR", "GBP", "PLN", "CHF", "INR")
        ]
        texts += [writes.day(date(2026, month, 1)) for month in range(1, 13)]
        texts += [
            writes.period(Period(start=date(2026, 1, 1), end=date(2026, month, 28))) for month in (1, 2)
        ]
        texts += [writes.quantity(Decimal("1234.5"), "HUR"), writes.rate(Decimal("7.7"))]
        assert not unprintable(texts)
    assert not unprintable(typography(language).country(each) for each in countries)


@pytest.mark.parametrize(
    ("country", "street", "postcode", "city", "region", "lines"),
    [
        ("AE", "PO Box 29876", "", "Dubai", "", "PO Box 29876|Dubai"),
        ("AT", "Rochusplatz 1", "1030", "Wien", "", "Rochusplatz 1|1030 Wien"),
        ("AU", "111 Bourke Street", "3000", "Melbourne", "VIC", "111 Bourke Street|Melbourne VIC 3000"),
        ("BE", "Rue du Vivier 7C", "1000", "Bruxelles", "", "Rue du Vivier 7C|1000 Bruxelles"),
        ("BG", "ul. Gurko 6", "1000", "Sofia", "", "ul. Gurko 6|1000 Sofia"),
        (
            "BR",
            "Rua Vergueiro 1000",
            "01504-000",
            "São Paulo",
            "SP",
            "Rua Vergueiro 1000|São Paulo - SP|01504-000",
        ),
        ("CA", "100 King St", "M5X 1A9", "Toronto", "ON", "100 King St|Toronto ON  M5X 1A9"),
        ("CH", "Wankdorfallee 4", "3030", "Bern", "", "Wankdorfallee 4|3030 Bern"),
        ("CY", "Evagorou 31", "1066", "Nicosia", "", "Evagorou 31|1066 Nicosia"),
        ("CZ", "Politických vězňů 4", "110 00", "Praha 1", "", "Politických vězňů 4|110 00 Praha 1"),
        ("DE", "Torstr. 1", "10119", "Berlin", "", "Torstr. 1|10119 Berlin"),
        ("DK", "Hedegaardsvej 88", "2300", "København S", "", "Hedegaardsvej 88|2300 København S"),
        ("EE", "Pallasti 28", "10001", "Tallinn", "", "Pallasti 28|10001 Tallinn"),
        ("ES", "Vía de Dublín 7", "28070", "Madrid", "", "Vía de Dublín 7|28070 Madrid"),
        ("FI", "Mannerheimintie 11", "00100", "Helsinki", "", "Mannerheimintie 11|00100 Helsinki"),
        ("FR", "25 rue des Fleurs", "33500", "Libourne", "", "25 rue des Fleurs|33500 Libourne"),
        ("GB", "1 High St", "EC1A 1BB", "London", "", "1 High St|London|EC1A 1BB"),
        ("GR", "Apellou 1", "101 88", "Athina", "", "Apellou 1|101 88 Athina"),
        ("HR", "Jurišićeva 13", "10000", "Zagreb", "", "Jurišićeva 13|10000 Zagreb"),
        ("HU", "Dunavirág utca 2-6.", "1138", "Budapest", "", "Budapest|Dunavirág utca 2-6.|1138"),
        ("IE", "O'Connell Street", "D01 F5P2", "Dublin 1", "", "O'Connell Street|Dublin 1|D01 F5P2"),
        ("IN", "Sansad Marg", "110001", "New Delhi", "Delhi", "Sansad Marg|New Delhi 110001|Delhi"),
        ("IT", "Viale Europa 22", "00144", "Roma", "RM", "Viale Europa 22|00144 Roma RM"),
        (
            "JP",
            "2-3-1 Otemachi",
            "100-0004",
            "Chiyoda-ku",
            "Tokyo",
            "2-3-1 Otemachi|Chiyoda-ku, Tokyo 100-0004",
        ),
        ("LT", "J. Jasinskio g. 16", "03500", "Vilnius", "", "J. Jasinskio g. 16|03500 Vilnius"),
        ("LU", "8a avenue Monterey", "2998", "Luxembourg", "", "8a avenue Monterey|2998 Luxembourg"),
        ("LV", "Ziemeļu iela 10", "LV-1000", "Rīga", "", "Ziemeļu iela 10|Rīga, LV-1000"),
        ("MT", "305 Qormi Road", "MTP 1001", "Marsa", "", "305 Qormi Road|Marsa MTP 1001"),
        ("NL", "Waldorpstraat 3", "2521 CA", "Den Haag", "", "Waldorpstraat 3|2521 CA  Den Haag"),
        ("NO", "Biskop Gunnerus' gate 14", "0107", "Oslo", "", "Biskop Gunnerus' gate 14|0107 Oslo"),
        ("NZ", "7 Waterloo Quay", "6011", "Wellington", "Pipitea", "7 Waterloo Quay|Pipitea|Wellington 6011"),
        (
            "PL",
            "ul. Rodziny Hiszpańskich 8",
            "00-940",
            "Warszawa",
            "",
            "ul. Rodziny Hiszpańskich 8|00-940 Warszawa",
        ),
        ("PT", "Av. Dom João II 13", "1999-001", "Lisboa", "", "Av. Dom João II 13|1999-001 Lisboa"),
        ("RO", "Bd. Dacia 140", "020065", "București", "", "Bd. Dacia 140|020065 București"),
        ("SE", "Terminalvägen 24", "173 00", "Solna", "", "Terminalvägen 24|173 00 Solna"),
        ("SG", "10 Eunos Road 8", "408600", "Singapore", "", "10 Eunos Road 8|Singapore 408600"),
        ("SI", "Slomškov trg 10", "2500", "Maribor", "", "Slomškov trg 10|2500 Maribor"),
        (
            "SK",
            "Partizánska cesta 9",
            "975 99",
            "Banská Bystrica",
            "",
            "Partizánska cesta 9|975 99 Banská Bystrica",
        ),
        ("US", "1 Main St", "78701", "Austin", "TX", "1 Main St|Austin, TX 78701"),
        ("US", "1 Main St", "", "Austin", "TX", "1 Main St|Austin, TX"),
        ("US", "1 Main St", "78701", "Austin", "", "1 Main St|Austin 78701"),
        ("KR", "1 Sejong-daero", "04524", "Seoul", "", "1 Sejong-daero|04524 Seoul"),
        ("DE", "Hof 2\n \nTorstr. 1", " 10119", "Berlin ", "", "Hof 2|Torstr. 1|10119 Berlin"),
    ],
)
def test_addresses(country: str, street: str, postcode: str, city: str, region: str, lines: str) -> None:
    """An address stands in the order of its country (Universal Postal Union, postal addressing systems)."""
    address = Address(street=street, postcode=postcode, city=city, region=region, country=country)
    assert typography("en").address(address, from_country=country) == lines.split("|")


def test_every_country_we_promise_was_looked_up() -> None:
    """All member states, and the other countries the tax rules know well, have their order written down."""
    assert (
        frozenset(["AE", "AU", "BR", "CA", "CH", "GB", "IN", "JP", "NO", "NZ", "SG", "US"]) | EU_MEMBERS
        == LISTED
    )


@pytest.mark.parametrize(
    ("language", "country", "last"),
    [
        ("en", "GB", "UNITED KINGDOM"),
        ("de", "AT", "ÖSTERREICH"),
        ("es", "NL", "PAÍSES BAJOS"),
        ("fr", "US", "ÉTATS-UNIS"),
        ("it", "DE", "GERMANIA"),
        ("nl", "FR", "FRANKRIJK"),
        ("pl", "ES", "HISZPANIA"),
        ("pt", "PL", "POLÓNIA"),
    ],
)
def test_abroad(language: str, country: str, last: str) -> None:
    """The country ends an address in capitals, in the reader's language, where post crosses a border."""
    address = Address(street="1", city="x", country=country)
    assert typography(language).address(address, from_country="CH")[-1] == last
    assert last not in typography(language).address(address, from_country=country)


def test_in_fours() -> None:
    """An IBAN is grouped however it was typed."""
    assert in_fours("DE89 37040044 0532013000") == "DE89 3704 0044 0532 0130 00"
