"""How a person wants to read pages. It concerns nobody else, so no audit trail has it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger.read_models import ReadModel
from activities.ledger.tables import PreferencesRow
from billing.errors import Refused

APPEARANCES = ("", "light", "dark")
"""Of a page: as the system has it, light, dark."""


class Preferences(ReadModel):
    """`language` is a tag (BCP 47), None for what the browser asks for; `shortcuts` whether single keys act."""

    language: str | None = None
    appearance: str = ""
    shortcuts: bool = True


def of(tx: Session, person: str) -> Preferences:
    """What the person chose, or what holds for everybody who chose nothing."""
    row = tx.get(PreferencesRow, person)
    if row is None:
        return Preferences()
    return Preferences(language=row.language, appearance=row.appearance, shortcuts=row.shortcuts)


def keep(tx: Session, person: str, chosen: Preferences, *, at: datetime) -> None:
    """Keeps what the person chose; `Refused` for an appearance there is not."""
    if chosen.appearance not in APPEARANCES:
        raise Refused(f"there is no appearance {chosen.appearance!r}; there are light and dark")
    values = chosen.model_dump() | {"changed_at": at}
    made = insert(PreferencesRow).values(person=person, **values)
    tx.execute(made.on_conflict_do_update(index_elements=["person"], set_=values))
