"""`billow credit-hold`: clients for whom nothing more should be done on account without thinking."""

from __future__ import annotations

import shlex
from zoneinfo import ZoneInfo

import click

from starter.cli import context, output
from starter.cli.parameters import Text, as_option, json_option


@click.command("credit-hold", short_help="Put a client on credit hold, lift it, or list who is on one")
@click.argument("client", type=Text(), required=False, metavar="[CLIENT]")
@click.option("--reason", type=Text(), metavar="TEXT", help="Puts the client on hold: why.")
@click.option("--lift", is_flag=True, help="Ends the hold.")
@as_option(required=False)
@json_option
def credit_hold(client: str | None, reason: str | None, lift: bool, who: str | None, as_json: bool) -> None:
    """Put a client on credit hold: its account manager is told; nothing is stopped by itself.

    Without options, lists the clients that are on hold and how they kept their promises to pay. A hold that came from
    the dunning policy ends by itself once nothing of the client is late.
    """
    from activities.ledger import dispute_commands

    if reason is None and not lift:
        _list(client, as_json)
        return
    if client is None or who is None or (reason is not None and lift):
        raise click.UsageError("give CLIENT, --as, and either --reason or --lift.")
    if lift:
        dispute_commands.lift_credit_hold(context.ledger(), client, by=who, at=context.now())
        _done(client, "lifted", f"{client} is no longer on credit hold.", as_json)
        return
    new = dispute_commands.place_credit_hold(
        context.ledger(), client, reason=reason or "", by=who, at=context.now()
    )
    said = "is on credit hold now" if new else "is on credit hold already; nothing was changed"
    _done(client, "placed" if new else "placed before", f"{client} {said}.", as_json)


def _done(client: str, what: str, said: str, as_json: bool) -> None:
    if as_json:
        output.document({"client": client, "done": what})
        return
    output.say(said)
    output.hint(f"billow credit-hold {shlex.quote(client)}")


def _list(client: str | None, as_json: bool) -> None:
    from activities.ledger import credit_holds, promises

    company = context.company()
    zone = ZoneInfo(company.issuers[0].zone)
    with context.ledger().transaction() as tx:
        holds = [each for each in credit_holds.all_current(tx) if client in (None, each.client)]
        records = {each.client: promises.record_of(tx, each.client) for each in holds}
    if as_json:
        items = [
            {
                "client": each.client,
                "since": each.since.isoformat(),
                "by": each.by,
                "reason": each.reason,
                "promises": vars(records[each.client]),
            }
            for each in holds
        ]
        output.document({"items": items})
        return
    if not holds:
        output.say(f"{client} is not on credit hold." if client else "No client is on credit hold.")
        return
    for each in holds:
        by = "the dunning policy" if each.by == credit_holds.BY_POLICY else company.person_name(each.by)
        output.say(f"{each.client}, since {output.moment(each.since, zone)} by {by}: {each.reason}")
        if client is not None or records[each.client].broken:
            output.say(f"  has {records[each.client].in_words}")


COMMANDS = [credit_hold]
