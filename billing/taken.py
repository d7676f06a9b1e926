"""What of an agreement is billed already, or waived: nothing of it is billed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from billing.periods import Period


@dataclass(frozen=True)
class Taken:
    """The living billing keys of an agreement, and the periods they cover, by item and by day."""

    keys: frozenset[str] = frozenset()
    periods: Mapping[str, tuple[Period, ...]] = field(default_factory=dict)


NOTHING = Taken()
