"""The statement of interest as PDF: in the look of the issuer's invoices, and plainly no invoice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from activities.documents.colour import readable_on_white
from activities.documents.pdf import RenderingFailed, typeset
from activities.documents.typography import LANGUAGES, Typography, in_fours, typography
from billing.interest.accrual import Interest
from billing.interest.statement import InterestStatement
from billing.money import Money

_TEMPLATE = Path(__file__).parent / "templates" / "interest-statement"


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(_TEMPLATE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


@lru_cache(maxsize=len(LANGUAGES))
def _words(language: str) -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load((_TEMPLATE / f"words.{language}.yaml").read_text("utf-8"))
    return words


def render_statement(statement: InterestStatement) -> bytes:
    """The statement as PDF/A-3b in the client's language; the same statement gives the same bytes.

    `RenderingFailed` if a character has no glyph in any installed font.
    """
    return typeset(page(statement), f"interest statement for {statement.number}")


def page(statement: InterestStatement) -> str:
    """The page before it is set. `RenderingFailed` says what the template cannot write."""
    issuer, buyer, interest = statement.issuer, statement.buyer, statement.interest
    country = buyer.address.country if buyer else issuer.address.country
    writes = typography(statement.language, country)
    words = _words(writes.language)
    counted_in_days = any(each.divisor for each in interest.segments)
    values: dict[str, Any] = {
        "statement": statement,
        "interest": interest,
        "issuer": issuer,
        "account": issuer.bank_account,
        "iban": in_fours(issuer.bank_account.iban),
        "type": writes,
        "words": words,
        "ink": readable_on_white(issuer.accent),
        "stamp": f"{interest.as_of.isoformat()}T00:00:00Z",
        "issuer_lines": writes.address(issuer.address, from_country=country),
        "buyer_lines": writes.address(buyer.address, from_country=issuer.address.country) if buyer else [],
        "meta": _meta(statement, writes, words),
        "rates": [*_rates(statement, writes, words)],
        "sum": _sum(statement.interest),
        "basis": words["basis" if counted_in_days else "basis_contract"].format(law=interest.law),
    }
    try:
        return _environment().get_template("statement.html").render(values)
    except TemplateError as error:
        raise RenderingFailed(f"the template of interest statements is faulty: {error}") from error


def _meta(statement: InterestStatement, writes: Typography, words: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [
        (words["invoice_number"], statement.number),
        (words["issue_date"], writes.day(statement.issue_date) if statement.issue_date else ""),
        (words["due_date"], writes.day(statement.due_date)),
        (words["amount"], writes.money(statement.due)),
        (words["open"], writes.money(statement.open)),
        (words["as_of"], writes.day(statement.interest.as_of)),
    ]
    return [(label, value) for label, value in rows if value]


def _rates(statement: InterestStatement, writes: Typography, words: dict[str, Any]) -> Iterator[str]:
    """Where each rate comes from, once."""
    told: set[tuple[str, date]] = set()
    for each in statement.interest.segments:
        if each.reference_rate is None or each.read_on is None or (each.reference, each.read_on) in told:
            continue
        told.add((each.reference, each.read_on))
        yield words["rate_from"].format(
            rate=writes.rate(each.rate),
            reference=words["references"][each.reference],
            reference_rate=writes.rate(each.reference_rate),
            day=writes.day(each.read_on),
        )


def _sum(interest: Interest) -> Money | None:
    """Interest and compensation together, where both are there in one currency."""
    fixed = interest.compensation
    if fixed is None or not interest.segments or fixed.currency != interest.currency:
        return None
    return interest.total + fixed
