"""`billow api-token` and `api-tokens`: tokens by which programs speak for people."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from starter.cli import context, output
from starter.cli.parameters import Text, as_option, json_option

if TYPE_CHECKING:
    from rich.text import Text as RichText


@click.group("api-token", short_help="Make or end a token that speaks for a person")
def api_token() -> None:
    """Make or end a token by which a program speaks for a person at the API."""


@api_token.command("create", short_help="Make a token; it is shown once")
@click.argument("name", type=Text())
@as_option(required=True)
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["read", "bill", "collect", "decide", "administer"]),
    multiple=True,
    default=("read", "bill"),
    show_default=True,
    help="What it may be used for; may be repeated.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=90,
    show_default=True,
    help="How long it runs.",
)
@json_option
def create(name: str, who: str, scopes: tuple[str, ...], days: int, as_json: bool) -> None:
    """Make a token and show it, this once. NAME says which program it is for.

    It can do what its scopes name, and never more than the person may. What the program
    triggers counts as asked for by the person, who cannot approve it then.
    """
    from activities.ledger import api_tokens as tokens
    from billing.scopes import Scope

    person = context.person(who)
    with context.ledger().transaction() as tx:
        at = context.now()
        token = tokens.create(tx, name, person, scopes=[Scope(each) for each in scopes], days=days, at=at)
    ends = at + timedelta(days=days)
    if as_json:
        output.document(
            {
                "name": name,
                "person": person,
                "token": token,
                "scopes": list(dict.fromkeys(scopes)),
                "expires_at": ends.isoformat(),
            }
        )
        return
    zone = ZoneInfo(context.company().issuers[0].zone)
    output.say(
        f"Token {name} speaks for {context.company().person_name(person)} "
        f"until {output.day(ends.astimezone(zone).date())}. It is shown only now:"
    )
    click.echo(token)


@api_token.command("revoke", short_help="End a token for good")
@click.argument("name", type=Text())
@json_option
def revoke(name: str, as_json: bool) -> None:
    """End a token for good; the program is refused from now on."""
    from activities.ledger import api_tokens as tokens

    with context.ledger().transaction() as tx:
        row = tokens.revoke(tx, name, at=context.now())
    if as_json:
        output.document({"name": name, "person": row.person, "revoked": True})
        return
    output.say(f"Token {name} is revoked; the program is refused from now on.")


@click.command("api-tokens", short_help="Tokens by which programs speak for people")
@json_option
def api_tokens(as_json: bool) -> None:
    """List the tokens by which programs speak for people, the newest first."""
    from rich.table import Table

    from activities.ledger import api_tokens as tokens

    with context.ledger().transaction() as tx:
        found = tokens.listed(tx)
    if as_json:
        output.document(
            {
                "tokens": [
                    {
                        "name": each.name,
                        "person": each.person,
                        "scopes": list(each.scopes),
                        "created_at": each.created_at.isoformat(),
                        "expires_at": each.expires_at.isoformat() if each.expires_at else None,
                        "last_used_at": each.last_used_at.isoformat() if each.last_used_at else None,
                        "revoked_at": each.revoked_at.isoformat() if each.revoked_at else None,
                    }
                    for each in found
                ]
            }
        )
        return
    if not found:
        output.say("There is no token yet.")
        output.hint("Make one: billow api-token create NAME --as WHO")
        return
    zone = ZoneInfo(context.company().issuers[0].zone)
    rows = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    rows.add_column("NAME", overflow="fold")
    rows.add_column("SPEAKS FOR", overflow="fold")
    rows.add_column("SCOPES", overflow="fold")
    for title in ("ENDS", "LAST USED"):
        rows.add_column(title, no_wrap=True)
    for each in found:
        used = output.moment(each.last_used_at, zone) if each.last_used_at else "never"
        rows.add_row(
            output.styled(each.name),
            output.styled(each.person),
            output.styled(" ".join(each.scopes) or "none"),
            output.day(each.expires_at.astimezone(zone).date()) if each.expires_at else "never",
            _last(each.revoked_at, each.expires_at, used),
        )
    output.console().print(rows)


def _last(revoked_at: datetime | None, expires_at: datetime | None, used: str) -> RichText:
    if revoked_at is not None:
        return output.styled("revoked", "dim")
    if expires_at is not None and expires_at <= context.now():
        return output.styled("expired", "dim")
    return output.styled(used)


COMMANDS = [api_token, api_tokens]
