"""A rule of an e-invoice that is broken: which, how bad, where, and what to do about it in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a receiver does with the document: refuses it, or takes it and says something."""

    FATAL = "fatal"
    WARNING = "warning"


class RuleSet(StrEnum):
    """Whose rule it is, and over which of the two syntaxes."""

    CII_SCHEMA = "CII schema"
    CII = "EN 16931 CII"
    FACTUR_X = "Factur-X"
    UBL_SCHEMA = "UBL schema"
    UBL = "EN 16931 UBL"
    PEPPOL = "Peppol BIS"
    XRECHNUNG = "XRechnung"
    OWN = "Billow"


@dataclass(frozen=True)
class Breach:
    """`rule` is the published id; `words` say to a finance person what is wrong and where to mend it; `place` is
    where in the document, for those who read XML or the terms of EN 16931 (BT-10)."""

    rule: str
    severity: Severity
    words: str
    place: str
    rules: RuleSet

    @property
    def is_fatal(self) -> bool:
        return self.severity is Severity.FATAL


def fatal(breaches: Iterable[Breach]) -> tuple[Breach, ...]:
    """Those for which the document may not go out."""
    return tuple(each for each in breaches if each.is_fatal)
