"""People: who there is, who is away, and the tokens by which programs speak for them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import Response
from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import absences as away
from activities.ledger import api_tokens, company_records, delegation
from activities.ledger.read_models import ReadModel
from activities.ledger.tables import AbsenceRow, ApiTokenRow
from billing.errors import NotAllowed, NotFound
from billing.parties import Identifier, Strict
from billing.roles import Role, role_of
from billing.scopes import Scope
from starter.web.api.routes import OWN_KEYS, Called, operations
from starter.web.api.shapes import (
    Cursor,
    Id,
    IfMatch,
    Limit,
    Name,
    Text,
    after,
    answers,
    behind,
    id_after,
    paged,
    tagged,
    unchanged,
)
from starter.web.callers import Caller

router = operations("People")


class PersonView(ReadModel):
    """A person of the company, with the role it has in Billow."""

    id: str
    name: str
    role: Role
    titles: tuple[str, ...]
    reports_to: str | None


class Me(ReadModel):
    """For whom the token speaks, and what it may be used for."""

    person: str
    role: Role
    scopes: tuple[Scope, ...]


class People(ReadModel):
    """Everybody in people.yaml."""

    items: tuple[PersonView, ...]


class AbsenceView(ReadModel):
    """Who is away when, and who decides instead; days of the company's home zone, both included."""

    id: int
    person: str
    delegate: str
    first_day: date
    last_day: date
    reason: str
    set_by: str
    ended_at: datetime | None
    ended_by: str | None

    @classmethod
    def of(cls, row: AbsenceRow) -> AbsenceView:
        return cls(
            id=row.id,
            person=row.person,
            delegate=row.delegate,
            first_day=row.first_day,
            last_day=row.last_day,
            reason=row.reason,
            set_by=row.set_by,
            ended_at=row.ended_at,
            ended_by=row.ended_by,
        )


class Absences(ReadModel):
    """Absences that last or are to come, the next first."""

    items: tuple[AbsenceView, ...]
    next: str | None


class NewAbsence(Strict):
    """When, and who decides meanwhile; of oneself without `person`. Only an admin sets one of somebody else."""

    person: Identifier | None = None
    delegate: Identifier
    first_day: date
    last_day: date
    reason: Annotated[Text, StringConstraints(max_length=500)] = ""


class Announced(AbsenceView):
    """The absence, and how many approvals that waited were handed to the delegate at once."""

    handed_over: int


class TokenView(ReadModel):
    """A token, never its secret."""

    name: str
    person: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: ApiTokenRow) -> TokenView:
        return cls(
            name=row.name,
            person=row.person,
            scopes=tuple(row.scopes),
            created_at=row.created_at,
            created_by=row.created_by,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            revoked_at=row.revoked_at,
        )


class Tokens(ReadModel):
    """Tokens, the newest first, those that ended too."""

    items: tuple[TokenView, ...]
    next: str | None


class NewToken(Strict):
    """A token that speaks for the caller; never for more than the caller's own token may."""

    name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$"),
    ]
    scopes: tuple[Scope, ...] = Field(min_length=1)
    days: int = Field(default=api_tokens.USUALLY, ge=1, le=api_tokens.LONGEST)


class MadeToken(ReadModel):
    """The new token; shown this once."""

    name: str
    token: str


@router.get("/me", operation_id="readMe")
def me(caller: Called) -> Me:
    """For whom the token speaks."""
    return Me(person=caller.person, role=caller.role, scopes=caller.scopes)


@router.get("/people", operation_id="listPeople")
def people(caller: Called) -> People:
    """Everybody in people.yaml, with their roles."""
    with caller.ledger.transaction() as tx:
        known = company_records.current(tx).company.people
    return People(
        items=tuple(
            PersonView(
                id=each.id, name=each.name, role=role_of(each), titles=each.roles, reports_to=each.reports_to
            )
            for each in known
        )
    )


@router.get("/absences", operation_id="listAbsences", responses=answers(400))
def absences(caller: Called, cursor: Cursor = None, limit: Limit = 50) -> Absences:
    """Who is away, now or later."""
    last = id_after(cursor)
    with caller.ledger.transaction() as tx:
        company = company_records.current(tx).company
        found = list(map(AbsenceView.of, away.listed(tx, company, at=caller.at)))
    return Absences(**paged(behind(found, last, lambda each: each.id), limit, lambda each: (each.id,)))


@router.post("/absences", operation_id="announceAbsence", status_code=201, responses=answers(409))
def announce(caller: Called, body: NewAbsence) -> Announced:
    """Announces an absence; approvals that wait are handed over when it begins."""
    row, handed = delegation.announce(
        caller.ledger,
        body.person or caller.person,
        body.delegate,
        body.first_day,
        body.last_day,
        reason=body.reason,
        by=caller.person,
        for_others=_for_others(caller),
        at=caller.at,
    )
    return Announced(**AbsenceView.of(row).model_dump(), handed_over=handed)


@router.get("/absences/{absence}", operation_id="readAbsence", responses=answers(404))
def absence(caller: Called, response: Response, absence: Id) -> AbsenceView:
    """One absence, also one that is over."""
    with caller.ledger.transaction() as tx:
        return tagged(response, _absence(tx, absence))


def _absence(tx: Session, key: int, *, lock: bool = False) -> AbsenceView:
    row = tx.get(AbsenceRow, key, with_for_update=lock)
    if row is None:
        raise NotFound(f"there is no absence {key}")
    return AbsenceView.of(row)


@router.post("/absences/{absence}/end", operation_id="endAbsence", responses=answers(404, 409, 412))
def end(caller: Called, absence: Id, if_match: IfMatch = None) -> AbsenceView:
    """Ends an absence: from today on the person decides again."""
    ledger = unchanged(caller, if_match, f"absence {absence}", lambda tx: _absence(tx, absence, lock=True))
    row = delegation.end(ledger, absence, by=caller.person, for_others=_for_others(caller), at=caller.at)
    return AbsenceView.of(row)


@router.get("/tokens", operation_id="listTokens", responses=answers(400))
def tokens(caller: Called, cursor: Cursor = None, limit: Limit = 50) -> Tokens:
    """One's own tokens; everybody's for an admin."""
    last = after(cursor, str)
    with caller.ledger.transaction() as tx:
        rows = api_tokens.listed(tx, None if _for_others(caller) else caller.person)
        found = list(map(TokenView.of, rows))
    rest = behind(found, last[0] if last else None, lambda each: each.name)
    return Tokens(**paged(rest, limit, lambda each: (each.name,)))


@router.post(
    "/tokens",
    operation_id="makeToken",
    status_code=201,
    responses=answers(409),
    openapi_extra={OWN_KEYS: True},
)
def make(caller: Called, body: NewToken) -> MadeToken:
    """Makes a token, shown this once. Its name is its key: sent again it is refused (409): no answer is kept."""
    more = [each for each in body.scopes if each not in caller.scopes or not caller.role.reaches(each.least)]
    if more:
        raise NotAllowed(f"your own token or role does not reach to {', '.join(more)}")
    with caller.ledger.transaction() as tx:
        token = api_tokens.create(
            tx, body.name, caller.person, scopes=body.scopes, days=body.days, at=caller.at
        )
    return MadeToken(name=body.name, token=token)


@router.get("/tokens/{name}", operation_id="readToken", responses=answers(404))
def token(caller: Called, response: Response, name: Name) -> TokenView:
    """One token; of somebody else only for an admin."""
    with caller.ledger.transaction() as tx:
        return tagged(response, _token(tx, caller, name))


def _token(tx: Session, caller: Caller, name: str, *, lock: bool = False) -> TokenView:
    query = select(ApiTokenRow).where(ApiTokenRow.name == name)
    row = tx.scalars(query.with_for_update() if lock else query).first()
    if row is None or not (row.person == caller.person or _for_others(caller)):
        raise NotFound(f"there is no token {name[:80]!r} of yours")
    return TokenView.of(row)


@router.post("/tokens/{name}/revoke", operation_id="revokeToken", responses=answers(404, 409, 412))
def revoke(caller: Called, name: Name, if_match: IfMatch = None) -> TokenView:
    """Ends a token for good."""
    owner = None if _for_others(caller) else caller.person
    ledger = unchanged(caller, if_match, name, lambda tx: _token(tx, caller, name, lock=True))
    with ledger.transaction() as tx:
        return TokenView.of(api_tokens.revoke(tx, name, owner=owner, at=caller.at))


def _for_others(caller: Caller) -> bool:
    return caller.role.reaches(Role.ADMIN) and Scope.ADMINISTER in caller.scopes
