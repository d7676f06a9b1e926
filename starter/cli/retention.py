"""`billow retention`, `billow erase`: what must be kept and until when; what may go, goes."""

from __future__ import annotations

import sys
from textwrap import fill
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from billing.errors import Refused
from starter.cli import context, output
from starter.cli.parameters import Text, as_option, json_option

if TYPE_CHECKING:
    from datetime import date

    from activities.archive.erasure import Part, Plan
    from activities.archive.retention import Holding


@click.command(short_help="What must be kept, until when, and what may go")
@json_option
def retention(as_json: bool) -> None:
    """List issued invoices by the day until which the law of their issuer's country wants them kept.

    What is not settled stays whatever its age. Where no rule is known here, everything stays.
    """
    from activities.archive import retention as keeping

    today = _today()
    with context.ledger().transaction() as tx:
        found = keeping.holdings(tx)
    if as_json:
        output.document({"as_of": today, "holdings": [_holding(each, today) for each in found]})
        return
    if not found:
        output.say("No invoice is issued yet, so there is nothing to keep.")
        return
    _print_holdings(found, today)
    goes = keeping.summed(found, today)
    if goes:
        output.say(f"{output.plural(goes, 'invoice')} may go now, client by client:")
        output.hint("billow erase CLIENT --as WHO --dry-run")
    else:
        output.say("Nothing may go yet.")


def _today() -> date:
    return context.now().astimezone(ZoneInfo(context.company().issuers[0].zone)).date()


def _holding(each: Holding, today: date) -> dict[str, Any]:
    return {
        "issuer": each.issuer,
        "country": each.country,
        "first_issued": each.first,
        "last_issued": each.last,
        "kept_until": each.kept.until,
        "law": each.kept.law,
        "invoices": each.invoices,
        "documents": each.documents,
        "unsettled": each.unsettled,
        "erased": each.erased,
        "may_go": each.may_go(today),
    }


def _print_holdings(found: list[Holding], today: date) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("ISSUER", "ISSUED", "KEPT UNTIL", "LAW"):
        table.add_column(name, overflow="fold", no_wrap=name in ("ISSUED", "KEPT UNTIL"))
    for name in ("INVOICES", "MAY GO"):
        table.add_column(name, justify="right")
    for each in found:
        years = str(each.first.year)
        if each.last.year != each.first.year:
            years += f"–{each.last.year}"
        goes = each.may_go(today)
        cells = (
            each.issuer,
            years,
            output.day(each.kept.until),
            each.kept.law,
            f"{each.invoices:,}",
            f"{goes:,}",
        )
        table.add_row(*map(output.styled, cells))
    output.console().print(table)
    output.say("")


@click.command(short_help="Erase what may go of a client or a contact")
@click.argument("subject", type=Text(), metavar="CLIENT|EMAIL")
@click.option("--dry-run", is_flag=True, help="Show what would go and what stays; erase nothing.")
@click.option("--yes", is_flag=True, help="Erase without asking once more; needed where nobody can be asked.")
@as_option(required=True)
@json_option
def erase(subject: str, *, dry_run: bool, yes: bool, who: str, as_json: bool) -> None:
    """Erase personal data of a client (by its id) or of a contact (by e-mail address), as far as the law lets it go.

    Shows first what goes and what stays, why and until when. Numbers, amounts and the audit trail always stay.
    """
    from activities.archive import erasure

    by = context.person(who)
    ledger, at = context.ledger(), context.now()
    with ledger.transaction() as tx:
        planned = erasure.plan(tx, subject, at)
    if not as_json:
        _print_plan(planned)
    done = False
    if planned.goes and not dry_run:
        if not yes:
            _ask(as_json=as_json)
        planned = erasure.carry_out(ledger, context.documents(), subject, by=by, at=at)
        done = True
    if as_json:
        output.document(
            {
                "subject": subject,
                "erased": done,
                "goes": [_part(each) for each in planned.goes],
                "stays": [_part(each) for each in planned.stays],
            }
        )
    else:
        _conclude(planned, done=done, dry_run=dry_run)


def _ask(*, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise Refused("erasing cannot be undone; look at it with --dry-run, then give --yes")
    click.confirm("Erase this for good?", abort=True, err=True)


def _part(each: Part) -> dict[str, Any]:
    return {"what": each.what, "count": each.count, "why": each.why, "until": each.until}


def _print_plan(planned: Plan) -> None:
    for title, parts in (("Goes", planned.goes), ("Stays", planned.stays)):
        if parts:
            output.say(f"{title}:")
        for each in parts:
            words = f"{_counted(each)}{_until(each)}: {each.why}"
            output.say(fill(words, output.WIDTH, initial_indent="  ", subsequent_indent="    "))
    output.say("The CRM, the PSA and the mail server keep copies of their own; erase them there.")


def _until(each: Part) -> str:
    if each.until is None:
        return ""
    return f", kept until {each.until}" if each.goes else f" until {each.until}"


def _counted(each: Part) -> str:
    if each.count == 1:
        one = each.what.replace("events of", "event of").replace(
            "documents of invoices", "document of an invoice"
        )
        one = one.replace("statements and other letters", "statement or other letter")
        return f"1 {one if one != each.what else each.what.removesuffix('s')}"
    return f"{each.count:,} {each.what}"


def _conclude(planned: Plan, *, done: bool, dry_run: bool) -> None:
    if done:
        output.say(f"Erased what may go of {planned.subject}; the audit trail says so.")
    elif not planned.goes:
        output.say(f"Nothing of {planned.subject} may go now.")
    elif dry_run:
        output.say("Nothing was erased (--dry-run).")


COMMANDS = [retention, erase]
