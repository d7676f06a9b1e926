"""Absences: who is away when, and who decides instead; set and ended by those it concerns, or an admin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import absences, company_records, delegation
from billing.company import Company
from billing.errors import Refused
from billing.parties import Person
from billing.roles import Role
from starter.web.desk import desk_of, now
from starter.web.forms import day_of, id_of
from starter.web.guests import guest_of
from starter.web.orders import Order


def page(request: Request) -> Response:
    """Absences that last or are to come, those people.yaml sets too; and the form for one's own."""
    desk, guest, at = desk_of(request), guest_of(request), now()
    with desk.ledger.transaction() as tx:
        company = desk.company(tx)
        today = absences.today(company, at) if company else at.date()
        return desk.serve(
            request,
            tx,
            "absences.html",
            absences=absences.listed(tx, company, at=at) if company else [],
            in_folder=_in_folder(company, today) if company else [],
            everybody=company.people if company else (),
            for_others=guest is not None and guest.role.reaches(Role.ADMIN),
            today=today,
        )


def _in_folder(company: Company, today: date) -> list[Person]:
    """People whom people.yaml has away, now or later."""
    return [each for each in company.people if each.away_from and (each.away_until or today) >= today]


def _announce(order: Order) -> str:
    person, delegate = order["person"] or order.by, order["delegate"]
    if not delegate:
        raise Refused("say who decides meanwhile")
    row, handed = delegation.announce(
        order.ledger,
        person,
        delegate,
        day_of(order["first_day"], "first day"),
        day_of(order["last_day"], "last day"),
        reason=order["reason"][:500],
        by=order.by,
        for_others=order.role.reaches(Role.ADMIN),
        at=order.at,
    )
    said = f"{_name(order, row.delegate)} decides for {_name(order, row.person)} from {row.first_day} to {row.last_day}"
    if handed:
        said += f"; {handed} {'approval that waits was' if handed == 1 else 'approvals that wait were'} handed over"
    return f"{said}."


def _end(order: Order) -> str:
    row = delegation.end(
        order.ledger,
        id_of(order["absence"], "absence"),
        by=order.by,
        for_others=order.role.reaches(Role.ADMIN),
        at=order.at,
    )
    return f"The absence of {_name(order, row.person)} is ended: from today on they decide themselves."


def _name(order: Order, person: str) -> str:
    with order.ledger.transaction() as tx:
        return company_records.current(tx).company.person_name(person)


COMMANDS: Mapping[str, Callable[[Order], str]] = {"announce-absence": _announce, "end-absence": _end}
