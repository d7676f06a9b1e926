"""What speaks against a document before it has a number: broken rules, and characters nobody can print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from activities.documents.printable import unprintable
from billing.document import InvoiceDocument
from billing.draft import Draft
from billing.einvoice.breach import Breach, fatal
from billing.einvoice.document import einvoice_of
from billing.einvoice.rules import rule_breaches
from billing.einvoice.words import spot
from billing.exceptions import Finding, ReasonCode

_MOST_TEXTS = 5
"""So many characters are told at once; correcting one often corrects the rest."""

_NOT_PRINTED = frozenset(
    {
        "why",
        "sources",
        "billing_key",
        "client",
        "account_manager",
        "agreement",
        "copies_to",
        "zone",
        "accent",
        "id",
    }
)
"""Parts of a draft that no document shows."""


def findings_of(breaches: Iterable[Breach]) -> list[Finding]:
    """One exception for each rule that forbids the document, in plain words; warnings hold nothing.

    What only repeats another rule is left out: a schema or Factur-X often says of the same place that it may not be so.
    """
    by_rule: dict[str, list[Breach]] = {}
    for each in fatal(breaches):
        by_rule.setdefault(each.rule, []).append(each)
    telling = {rule: found for rule, found in by_rule.items() if not _is_echo(rule)}
    by_words: dict[str, list[Breach]] = {}
    for found in (telling or by_rule).values():
        by_words.setdefault(found[0].words, []).extend(found)
    return [_finding(found) for found in by_words.values()]


def warnings_of(breaches: Iterable[Breach]) -> tuple[str, ...]:
    """The rules, each once, for which receivers may say something of the document and yet take it.

    Ids alone: they go into the audit trail, where nothing can be erased, and the words may name a person's data.
    """
    return tuple(dict.fromkeys(each.rule for each in breaches if not each.is_fatal))


def rule_findings(document: InvoiceDocument) -> list[Finding]:
    """The rules that need no file and no engine, so cheap that they are asked before anybody is to approve."""
    invoice = einvoice_of(document)
    return findings_of(rule_breaches(invoice)) if invoice else []


def text_findings(draft: Draft) -> list[Finding]:
    """Characters no document can show, wherever they would be printed."""
    texts = dict.fromkeys(_texts(draft.model_dump(mode="json")))
    return [
        Finding(
            code=ReasonCode.UNPRINTABLE,
            message=f"{each}; correct it in the system it comes from",
            field="text",
        )
        for each in unprintable(texts)[:_MOST_TEXTS]
    ]


def _is_echo(rule: str) -> bool:
    return rule == "XSD" or rule.startswith("FX-")


def _finding(breaches: list[Breach]) -> Finding:
    rules = ", ".join(dict.fromkeys(each.rule for each in breaches))
    spots = list(dict.fromkeys(filter(None, (spot(each.place) for each in breaches))))
    where = f", {spots[0]}" if spots else ""
    more = f" and {len(spots) - 1} more" if len(spots) > 1 else ""
    return Finding(
        code=ReasonCode.INVALID_DOCUMENT,
        message=f"{breaches[0].words} ({rules}{where}{more})",
        field="document",
        left=rules,
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if key not in _NOT_PRINTED:
                yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
