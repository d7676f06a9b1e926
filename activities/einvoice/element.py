"""Elements of an e-invoice: written in order, and never empty, as Peppol and CEN ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from lxml import etree

from billing.einvoice.model import AllowanceOrCharge
from billing.money import rounded

Namespaces = dict[str | None, str]
"""By prefix; None is the default namespace, of names without one."""


class Element:
    """An element, and the namespaces that the names of its children may be in."""

    def __init__(self, node: etree._Element, namespaces: Namespaces) -> None:
        self._node = node
        self._namespaces = namespaces

    def branch(self, name: str) -> Element:
        """A child that holds others; `name` is prefix and local name: `ram:Name`."""
        return Element(etree.SubElement(self._node, _qualified(name, self._namespaces)), self._namespaces)

    def leaf(self, name: str, text: str, **attributes: str) -> None:
        """A child that holds a text; none where the text is empty, and no attribute that is."""
        if text:
            said = {attribute: value for attribute, value in attributes.items() if value}
            etree.SubElement(self._node, _qualified(name, self._namespaces), said).text = text


def root(name: str, namespaces: Namespaces) -> tuple[etree._Element, Element]:
    """The outermost element, as lxml has it and to write into."""
    node = etree.Element(_qualified(name, namespaces), nsmap=namespaces)
    return node, Element(node, namespaces)


def _qualified(name: str, namespaces: Namespaces) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{namespaces[prefix or None]}}}{local}"


def written(node: etree._Element) -> bytes:
    """The document in UTF-8, indented for people; the same elements give the same bytes."""
    document: bytes = etree.tostring(node, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return document


def amount(figure: Decimal, currency: str) -> str:
    """An amount with the currency's decimals, and more only if it has more."""
    exact = rounded(figure, currency)
    return f"{exact if exact == figure else figure:f}"


def figure(number: Decimal | None) -> str:
    """A quantity, price or percentage without needless zeros; empty where there is none."""
    return "" if number is None else f"{number.normalize() + 0:f}"


def iso(day: date | None) -> str:
    """2026-11-30; empty where there is none."""
    return "" if day is None else day.isoformat()


def signed(
    allowances: Sequence[AllowanceOrCharge], charges: Sequence[AllowanceOrCharge]
) -> Iterator[tuple[AllowanceOrCharge, str]]:
    """First the allowances, then the charges, each with what its charge indicator says: "false" or "true"."""
    yield from ((each, "false") for each in allowances)
    yield from ((each, "true") for each in charges)
