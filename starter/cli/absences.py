"""`billow absence` and `absences`: who is away when, and who decides instead."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from starter.cli import context, output
from starter.cli.parameters import Day, Text, as_option, json_option

if TYPE_CHECKING:
    from activities.ledger.tables import AbsenceRow


@click.group("absence", short_help="Say who decides while somebody is away")
def absence() -> None:
    """Say who decides while somebody is away, beside what people.yaml says."""


@absence.command("set", short_help="Set an absence")
@click.argument("person", type=Text())
@click.option("--delegate", type=Text(), required=True, metavar="WHO", help="Who decides meanwhile.")
@click.option("--from", "first_day", type=Day(), required=True, metavar="DAY", help="The first day away.")
@click.option("--to", "last_day", type=Day(), required=True, metavar="DAY", help="The last day away.")
@click.option("--reason", type=Text(may_be_empty=True), default="", metavar="TEXT")
@as_option(required=True)
@json_option
def set_(
    person: str, delegate: str, first_day: date, last_day: date, reason: str, who: str, as_json: bool
) -> None:
    """Set an absence of PERSON, both days included. What waits for them is handed over if it begins today.

    Only an admin sets it for somebody else.
    """
    from activities.ledger import delegation

    row, handed = delegation.announce(
        context.ledger(),
        person,
        delegate,
        first_day,
        last_day,
        reason=reason,
        by=context.person(who),
        for_others=_is_admin(who),
        at=context.now(),
    )
    if as_json:
        output.document({**_plain(row), "handed_over": handed})
        return
    output.say(
        f"{row.delegate} decides for {row.person} from {output.day(row.first_day)} to {output.day(row.last_day)}."
    )
    if handed:
        output.say(f"{output.plural(handed, 'approval')} that waits for {row.person} handed over.")


@absence.command("end", short_help="End an absence today, or call it off")
@click.argument("number", type=click.IntRange(1), metavar="ABSENCE")
@as_option(required=True)
@json_option
def end(number: int, who: str, as_json: bool) -> None:
    """End an absence from today on, or call off one to come. ABSENCE is its number; `billow absences` lists them."""
    from activities.ledger import delegation

    row = delegation.end(
        context.ledger(), number, by=context.person(who), for_others=_is_admin(who), at=context.now()
    )
    if as_json:
        output.document(_plain(row))
        return
    output.say(f"The absence of {row.person} is ended: from today on {row.person} decides.")


@click.command("absences", short_help="Who is away when, and who decides instead")
@click.option("--all", "everything", is_flag=True, help="Those that are over or called off, too.")
@json_option
def absences(everything: bool, as_json: bool) -> None:
    """List absences that last or are to come, the next first. Those of people.yaml stand there."""
    from rich.table import Table

    from activities.ledger import absences as ledger_absences

    company = context.company()
    with context.ledger().transaction() as tx:
        found = ledger_absences.listed(tx, company, everything=everything, at=context.now())
    if as_json:
        output.document({"absences": [_plain(each) for each in found]})
        return
    if not found:
        output.say("Nobody is away, now or later." if not everything else "No absence was set yet.")
        output.hint("Set one: billow absence set WHO --delegate WHO --from DAY --to DAY --as WHO")
        return
    rows = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    rows.add_column("NO.", no_wrap=True)
    for title in ("AWAY", "DECIDES"):
        rows.add_column(title, overflow="fold")
    for title in ("FROM", "TO"):
        rows.add_column(title, no_wrap=True)
    rows.add_column("", overflow="fold")
    for each in found:
        rows.add_row(
            str(each.id),
            output.styled(each.person),
            output.styled(each.delegate),
            output.day(each.first_day),
            output.day(each.last_day),
            output.styled("ended" if each.ended_at else each.reason, "dim"),
        )
    output.console().print(rows)


def _is_admin(who: str) -> bool:
    from billing.roles import Role, role_of

    person = context.company().people_by_id.get(who)
    return person is not None and role_of(person).reaches(Role.ADMIN)


def _plain(row: AbsenceRow) -> dict[str, Any]:
    return {
        "absence": row.id,
        "person": row.person,
        "delegate": row.delegate,
        "first_day": row.first_day.isoformat(),
        "last_day": row.last_day.isoformat(),
        "reason": row.reason,
        "set_by": row.set_by,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "ended_by": row.ended_by,
    }


COMMANDS = [absence, absences]
