"""Lists people want to see again: under a name, their own or shared with everybody."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.ledger.read_models import ReadModel
from activities.ledger.tables import SavedViewRow
from billing.errors import NotAllowed, NotFound, Refused

MOST = 40
"""Of one person for one page."""

LONGEST_NAME = 40


class SavedView(ReadModel):
    """`query` is the query of the page, without `?`; `person` saved it."""

    id: int
    person: str
    name: str
    query: str
    shared: bool


def of(tx: Session, page: str, person: str) -> list[SavedView]:
    """The person's own and those others share, by name."""
    found = tx.scalars(
        select(SavedViewRow)
        .where(SavedViewRow.page == page, or_(SavedViewRow.person == person, SavedViewRow.shared))
        .order_by(func.lower(SavedViewRow.name), SavedViewRow.id)
        .limit(4 * MOST)
    )
    return [_view(row) for row in found]


def save(
    tx: Session, person: str, page: str, name: str, query: str, *, shared: bool, at: datetime
) -> SavedView:
    """Saves a list; the same name is given anew. `Refused` without a name, or with too many."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise Refused(f"a view needs a name of at most {LONGEST_NAME} characters")
    mine = select(SavedViewRow).where(SavedViewRow.person == person, SavedViewRow.page == page)
    others = mine.where(SavedViewRow.name != name).subquery()
    if tx.scalars(select(func.count()).select_from(others)).one() >= MOST:
        raise Refused(f"there are {MOST} views of yours already; remove one first")
    kept = {"query": query, "shared": shared, "saved_at": at}
    made = insert(SavedViewRow).values(person=person, page=page, name=name, **kept)
    tx.execute(made.on_conflict_do_update(constraint="one_saved_view", set_=kept))
    return _view(tx.scalars(mine.where(SavedViewRow.name == name)).one())


def remove(tx: Session, person: str, view: int) -> SavedView:
    """Removes a view; only who saved it may. `NotFound` once it is gone."""
    row = tx.get(SavedViewRow, view, with_for_update=True)
    if row is None:
        raise NotFound("that view is not there any more")
    if row.person != person:
        raise NotAllowed("only who saved a view may remove it")
    tx.delete(row)
    return _view(row)


def _view(row: SavedViewRow) -> SavedView:
    return SavedView(id=row.id, person=row.person, name=row.name, query=row.query, shared=row.shared)
