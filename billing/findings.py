"""What the source checks find, in words: each says what is wrong, where, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from billing.exceptions import Finding, ReasonCode
from billing.money import written


@dataclass(frozen=True)
class Told:
    """A net value and the system that says so."""

    system: str
    value: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.system} {written(self.value, self.currency)} {self.currency}"

    def is_apart(self, other: Told, tolerance: Decimal) -> bool:
        """Whether the two differ by more than the tolerance; in two currencies there is none."""
        return abs(self.value - other.value) > (tolerance if self.currency == other.currency else 0)


def values_differ(one: Told, other: Told, field: str = "value") -> Finding:
    """Two systems that tell two values; across currencies there is no difference to tell."""
    by = f"a difference of {written(abs(one.value - other.value), one.currency)} {one.currency}"
    return differs(field, str(one), str(other), by if one.currency == other.currency else "")


def not_signed(what: str, field: str) -> Finding:
    """A document that should be there, signed, and is not."""
    return Finding(
        code=ReasonCode.NOT_SIGNED, message=f"{what}; have it signed and filed, then try again", field=field
    )


def not_done(what: str) -> Finding:
    """Work that is to be billed and is not finished."""
    message = f"{what} in the PSA; complete it there or void this draft"
    return Finding(code=ReasonCode.NOT_DONE, message=message, field="work")


def wrong(field: str, message: str, left: str = "") -> Finding:
    """Something one system says that cannot be."""
    return Finding(code=ReasonCode.SOURCES_DIFFER, message=message, field=field, left=left)


def differs(field: str, left: str, right: str, by: str = "") -> Finding:
    """Two systems that say different things."""
    message = f"{field} differs: {left} against {right}" + (f", {by}" if by else "")
    return Finding(
        code=ReasonCode.SOURCES_DIFFER,
        message=message + "; correct the system that is wrong, or accept the difference",
        field=field,
        left=left,
        right=right,
    )
