"""What is a person's own: preferences, saved views of lists, and where they are signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import parse_qsl

from fastapi import Response
from pydantic import StringConstraints

from activities.ledger import preferences, saved_views, sign_ins
from activities.ledger.preferences import Preferences
from activities.ledger.read_models import ReadModel
from activities.ledger.saved_views import SavedView
from billing.errors import NotFound, Refused
from billing.parties import Strict
from starter.web.api.routes import Called, operations
from starter.web.api.shapes import Id, IfMatch, answers, tagged, unchanged
from starter.web.invoice_list import PATH
from starter.web.invoice_query import filter_of, query_of
from starter.web.languages import CHOICES

router = operations("People")


class SavedViews(ReadModel):
    """Lists of invoices: one's own and those others share, by name."""

    items: tuple[SavedView, ...]


class NewView(Strict):
    """A list of invoices under a name; `query` is that of its page. The same name is given anew."""

    name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$"),
    ]
    query: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    shared: bool = False


class Chosen(Strict):
    """How pages are read; without a language as the browser asks, without an appearance as the system has it."""

    language: Annotated[str, StringConstraints(max_length=20)] | None = None
    appearance: Literal["", "light", "dark"] = ""
    shortcuts: bool = True


class SignInView(ReadModel):
    """A browser somebody is signed in with, and how they proved who they are."""

    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    how: str


class SignIns(ReadModel):
    """The newest first."""

    items: tuple[SignInView, ...]


class Ended(ReadModel):
    """In how many browsers."""

    ended: int


@router.get("/preferences", operation_id="readPreferences")
def chosen(caller: Called, response: Response) -> Preferences:
    """How one wants to read pages."""
    with caller.ledger.transaction() as tx:
        return tagged(response, preferences.of(tx, caller.person))


@router.post("/preferences", operation_id="changePreferences", responses=answers(412))
def choose(caller: Called, response: Response, body: Chosen, if_match: IfMatch = None) -> Preferences:
    """Chooses all of it anew."""
    if body.language is not None and body.language not in CHOICES:
        raise Refused(f"there is no language {body.language!r}; there are: {', '.join(CHOICES)}")
    wanted = Preferences(**body.model_dump())
    ledger = unchanged(caller, if_match, "what was chosen", lambda tx: preferences.of(tx, caller.person))
    with ledger.transaction() as tx:
        preferences.keep(tx, caller.person, wanted, at=caller.at)
    return tagged(response, wanted)


@router.get("/saved-views", operation_id="listSavedViews")
def views(caller: Called) -> SavedViews:
    """Lists of invoices that were kept under a name."""
    with caller.ledger.transaction() as tx:
        return SavedViews(items=tuple(saved_views.of(tx, PATH, caller.person)))


@router.post("/saved-views", operation_id="saveView", status_code=201)
def save(caller: Called, body: NewView) -> SavedView:
    """Keeps a list of invoices under a name; what of the query is none of the list's is left out."""
    query = query_of(filter_of(dict(parse_qsl(body.query.removeprefix("?"))), 1))
    with caller.ledger.transaction() as tx:
        return saved_views.save(tx, caller.person, PATH, body.name, query, shared=body.shared, at=caller.at)


@router.get("/saved-views/{view}", operation_id="readSavedView", responses=answers(404))
def view(caller: Called, response: Response, view: Id) -> SavedView:
    """One of them."""
    with caller.ledger.transaction() as tx:
        found = next((each for each in saved_views.of(tx, PATH, caller.person) if each.id == view), None)
    if found is None:
        raise NotFound(f"there is no view {view} that you could see")
    return tagged(response, found)


@router.post("/saved-views/{view}/remove", operation_id="removeView", responses=answers(404))
def remove(caller: Called, view: Id) -> SavedView:
    """Forgets a list of one's own; what it was."""
    with caller.ledger.transaction() as tx:
        return saved_views.remove(tx, caller.person, view)


@router.get("/sign-ins", operation_id="listSignIns")
def signed_in(caller: Called) -> SignIns:
    """Where one is signed in now."""
    with caller.ledger.transaction() as tx:
        found = sign_ins.open_of(tx, caller.person, at=caller.at)
        return SignIns(
            items=tuple(
                SignInView(began_at=each.began_at, seen_at=each.seen_at, ends_at=each.ends_at, how=each.how)
                for each in found
            )
        )


@router.post("/sign-ins/end-everywhere", operation_id="endSignIns")
def end_everywhere(caller: Called) -> Ended:
    """Signs one out in every browser; tokens go on."""
    with caller.ledger.transaction() as tx:
        return Ended(ended=sign_ins.end_all(tx, caller.person, at=caller.at))
