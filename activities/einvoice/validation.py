"""An invoice held against every rule its e-invoice has to keep, before it takes a number.

Schemas, the rules of CEN for both syntaxes and those of Factur-X run over the very bytes that will be sent; Peppol,
XRechnung and our own rules over the terms they are written from. No one set finds what the others do: a date out of the
calendar only CEN, an unknown element only the schema, a wrong IBAN only our own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from activities.einvoice import rule_files, schemas, schematron
from activities.einvoice.files import einvoice_files
from activities.einvoice.schematron import Words
from billing.document import InvoiceDocument
from billing.einvoice.breach import Breach, RuleSet, Severity
from billing.einvoice.document import einvoice_of
from billing.einvoice.model import Profile
from billing.einvoice.rules import rule_breaches
from billing.einvoice.words import plain

_PROFILE = "FX-SCH-A-000556"
"""Factur-X takes its own profile's identifier (BT-24) alone, and not that of a national usage of EN 16931."""

EXPLAINED: Mapping[str, str] = {
    "NO-R-002": "Norway wants the word Foretaksregisteret where Billow states a tax number; it stands in the footer",
}
"""Warnings that are known and left standing, by rule, and why. Any other warning is looked into."""

_one_at_a_time = threading.Lock()
"""A schema keeps the log of its last document, and what SaxonC has compiled belongs to the processor that did it."""


def breaches(document: InvoiceDocument) -> tuple[Breach, ...]:
    """Every rule the invoice would break if it were issued as it is, fatal or a warning; none if it has no e-invoice.

    `RulesMissing` if a rule file or its engine is not installed: nothing is validated by half.
    """
    invoice, files = einvoice_of(document), einvoice_files(document)
    if invoice is None or files is None:
        return ()
    national = files.profile is Profile.XRECHNUNG
    with _one_at_a_time:
        return (
            *rule_breaches(invoice),
            *cii_breaches(files.cii, national=national),
            *ubl_breaches(files.ubl),
        )


def cii_breaches(xml: bytes, *, national: bool = False, words: Words = plain) -> tuple[Breach, ...]:
    """What a CII document breaks of its schema, EN 16931 and Factur-X; `national`: it follows a national usage."""
    text = xml.decode()
    found = (
        *_misshapen(schemas.cii_errors(xml), RuleSet.CII_SCHEMA, words),
        *schematron.broken(rule_files.CII, text, words),
        *schematron.broken(rule_files.FACTUR_X, text, words),
    )
    return tuple(each for each in found if not (national and each.rule == _PROFILE))


def ubl_breaches(xml: bytes, *, words: Words = plain) -> tuple[Breach, ...]:
    """What a UBL invoice or credit note breaks of its schema and of EN 16931."""
    return (
        *_misshapen(schemas.ubl_errors(xml), RuleSet.UBL_SCHEMA, words),
        *schematron.broken(rule_files.UBL, xml.decode(), words),
    )


def unexplained(found: Iterable[Breach]) -> tuple[Breach, ...]:
    """Those nobody has looked into: fatal ones, and warnings without a reason in `EXPLAINED`."""
    return tuple(each for each in found if each.is_fatal or each.rule not in EXPLAINED)


def _misshapen(errors: Iterable[str], rules: RuleSet, words: Words) -> Iterable[Breach]:
    for error in errors:
        place, _, reason = error.partition(": ")
        yield Breach("XSD", Severity.FATAL, words("XSD", reason), f"{place}: {reason}", rules)
