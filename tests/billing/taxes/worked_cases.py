"""Reads docs/tax-cases.md: its rows as facts and expected answers. Anything it cannot read is an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from billing.taxes.facts import IdEvidence, Registration, Scheme, ServiceKind, TaxFacts
from billing.taxes.rates import RateTable, TaxRate, published

DOCUMENT = Path(__file__).parents[3] / "docs" / "tax-cases.md"
COLUMNS = ("case", "issuer", "client", "sale", "day", "tax", "article", "note", "source")

SALES = {
    **{kind.name.lower().replace("_", " "): kind for kind in ServiceKind},
    "repair": ServiceKind.HARDWARE,
}
PLACE = re.compile(r"(?P<country>[A-Z]{2})(?:-(?P<region>[A-Z0-9]{2}))?(?: (?P<postcode>[0-9][0-9-]+))?")
CLIENT = re.compile(
    PLACE.pattern + r" (?P<kind>business|consumer|public body)(?: certificate (?P<certificate>\S+))?"
    r"(?: (?P<number>.+?))?(?: (?P<answer>valid|invalid|zone))?"
)
SALE = re.compile(
    r"(?P<service>[a-z ]+?)(?: in (?P<country>[A-Z]{2})| (?P<online>online))?(?: (?P<rate>reduced \S+))?"
)
REGISTRATION = re.compile(
    r"(?:(?P<country>[A-Z]{2})(?:-(?P<region>[A-Z]{2}))?)?"
    r"(?: ?(?P<scheme>OSS|below threshold|small business|exempt|standard|established|LUT))?(?: (?P<rest>.+?))??"
    r"(?: (?P<word>until|since) (?P<day>\d{4}-\d\d-\d\d))?"
)
SCHEMES = {
    "OSS": Scheme.OSS,
    "below threshold": Scheme.BELOW_THRESHOLD,
    "small business": Scheme.SMALL_BUSINESS,
    "exempt": Scheme.EXEMPT,
}


@dataclass(frozen=True)
class Case:
    """One row: the facts, and the answer worked by hand."""

    name: str
    facts: TaxFacts
    tax: str
    article: str
    note: str
    source: str


def tables() -> Iterator[list[list[str]]]:
    """Every table of the document, its head first."""
    rows: list[list[str]] = []
    for line in [*DOCUMENT.read_text("utf-8").splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            yield [rows[0], *rows[2:]]
            rows = []


def configured() -> RateTable:
    """The packaged rates and those that the document says a company configured."""
    listed = re.search(
        r"^Rates that a company configured .*?: (.+)\.$", DOCUMENT.read_text("utf-8"), re.MULTILINE
    )
    assert listed
    rows = (each.split(" ") for each in listed[1].split(", "))
    return published().with_more(
        TaxRate(
            country="US",
            region=place,
            tax="Sales tax",
            rate=Decimal(rate),
            since=date(2020, 1, 1),
            source="company",
            reviewed=date(2026, 1, 1),
            review_by=date(2027, 1, 1),
        )
        for place, rate in rows
    )


def cases() -> list[Case]:
    """All rows of all tables of cases."""
    every = list(tables())
    numbers = {row[0]: row[1] for table in every if table[0][0] != "case" for row in table[1:]}
    return [_case(row, numbers) for table in every if tuple(table[0]) == COLUMNS for row in table[1:]]


def _case(row: list[str], numbers: dict[str, str]) -> Case:
    name, issuer, client, sale, day, tax, article, note, source = row
    facts = {
        **_issuer(issuer, numbers),
        **_client(client),
        **_sale(sale),
        "tax_point": date.fromisoformat(day),
    }
    return Case(name, TaxFacts.model_validate(facts), tax, article, note, source)


def _match(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    found = pattern.fullmatch(text)
    assert found, f"cannot read {text!r}"
    return {key: value or "" for key, value in found.groupdict().items()}


def _issuer(text: str, numbers: dict[str, str]) -> dict[str, object]:
    first, *rest = text.split(", ")
    place = _match(PLACE, first)
    country = place["country"]
    facts: dict[str, object] = {
        "issuer_country": country,
        "issuer_region": place["region"],
        "issuer_postcode": place["postcode"],
        "issuer_vat_id": "" if "no id" in rest else numbers.get(country, ""),
        "registrations": tuple(
            _registration(each, country, numbers)
            for each in rest
            if each != "no id" and not each.startswith("from ")
        ),
    }
    source = [each.removeprefix("from ") for each in rest if each.startswith("from ")]
    return {**facts, "supplied_from": source[0] if source else ""}


def _registration(text: str, home: str, numbers: dict[str, str]) -> Registration:
    part = _match(REGISTRATION, text)
    scheme, country = part["scheme"], part["country"] or home
    small = SCHEMES.get(scheme) in (Scheme.SMALL_BUSINESS, Scheme.EXEMPT)
    return Registration.model_validate(
        {
            "country": country,
            "region": part["region"],
            "scheme": SCHEMES.get(scheme, Scheme.STANDARD),
            "established": scheme == "established",
            "number": numbers.get(country, "") if scheme == "LUT" else "" if small else part["rest"],
            "article": part["rest"] if small else "",
            "undertaking": part["rest"] if scheme == "LUT" else "",
            **({part["word"]: part["day"]} if part["word"] else {}),
        }
    )


def _client(text: str) -> dict[str, object]:
    part = _match(CLIENT, text)
    evidence = None
    if part["answer"] in ("valid", "invalid"):
        evidence = IdEvidence(
            number=part["number"], valid=part["answer"] == "valid", checked_on=date(2026, 11, 20)
        )
    return {
        "client_country": part["country"],
        "client_region": part["region"],
        "client_postcode": part["postcode"],
        "client_is_business": part["kind"] == "business",
        "client_is_public_body": part["kind"] == "public body",
        "client_vat_id": part["number"],
        "client_in_special_zone": part["answer"] == "zone",
        "client_evidence": evidence,
        "exemption_certificate": part["certificate"],
    }


def _sale(text: str) -> dict[str, object]:
    part = _match(SALE, text)
    return {
        "service": SALES[part["service"]],
        "performed_in": part["country"] or part["online"],
        "reduced_rate": part["rate"],
    }
