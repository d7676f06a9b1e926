"""`billow agreements`, `agreement` and `why`: what is billed for which agreement, when, and why."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

from starter.cli import context, output
from starter.cli.parameters import Text, json_option

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text as RichText

    from activities.ledger.agreement_models import AgreementSummary, MeterView, Why

_NEXT = 14
_STATES = {"on hold": "red", "ended": "dim", "billed in full": "dim", "to begin": "cyan"}


@click.command("agreements", short_help="What each agreement is billed for next, and its meter")
@click.option("--client", type=Text(), metavar="ID", help="Of this client only.")
@json_option
def agreements(client: str | None, as_json: bool) -> None:
    """What each agreement is billed for next, when it was billed last, and where its meter stands.

    Days are of the client's zone. What is not billed by the calendar shows what it waits for.
    """
    from activities.ledger import agreement_views

    at = context.now()
    with context.ledger().transaction() as tx:
        found = agreement_views.agreements(tx, at, client)
    if as_json:
        output.document(
            {"as_of": at.isoformat(), "agreements": [each.model_dump(mode="json") for each in found]}
        )
        return
    if not found:
        _none_found(client)
        return
    out = output.console()
    for number, (whose, theirs) in enumerate(groupby(found, key=lambda each: each.client)):
        table = _table(header=number == 0)
        table.add_row(output.styled(whose, "bold"), *[""] * 4)
        for each in theirs:
            table.add_row(*_row(each))
        out.print(table)


def _none_found(client: str | None) -> None:
    from activities.company.problems import did_you_mean

    company = context.company()
    known = [each.id for each in company.clients]
    if client and client not in known:
        output.say(f"There is no client {client!r}{did_you_mean(client, known)}")
    elif client:
        output.say(f"Client {client!r} has no agreement.")
    else:
        output.say("The company has no agreement.")
        output.hint("Write one into agreements.yaml of the company folder, then: billow apply DIR")


def _table(*, header: bool) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_header=header)
    for name, width in (
        ("AGREEMENT", 25),
        ("MODEL", 10),
        ("NEXT", _NEXT),
        ("LAST", 10),
        ("STATE, METER", 13),
    ):
        table.add_column(name, overflow="fold", width=width)
    return table


def _row(each: AgreementSummary) -> list[RichText]:
    last = output.day(each.last.on) if each.last else "–"
    state = [output.styled(each.state, _STATES[each.state])] if each.state in _STATES else []
    told = [*state, *(output.styled(_meter_in_short(meter, each.currency)) for meter in each.meters)]
    from rich.text import Text as RichText

    return [
        output.styled(f"  {each.id}"),
        output.styled(each.model),
        _next(each),
        output.styled(last, "" if each.last else "dim"),
        RichText("\n").join(told) if told else output.styled("active", "green"),
    ]


def _next(each: AgreementSummary) -> RichText:
    """The day, or what it waits for, as short as the column."""
    coming = each.next
    if coming is None:
        return output.styled("–", "dim")
    if coming.since is None:
        waits = coming.waits_for
        if waits.endswith(used_up := " to be used up"):
            waits = f"after {waits.removesuffix(used_up)}"
        return output.styled(waits if len(waits) <= _NEXT else each.trigger, "cyan")
    return output.styled(
        f"due {output.day(coming.since)}" if coming.state == "due" else output.day(coming.since),
        "yellow" if coming.state == "due" else "",
    )


def _meter_in_short(meter: MeterView, currency: str) -> str:
    """As short as the column: what is left of a block, or how far it has come to the next line."""
    if meter.bought is not None and meter.left is not None:
        if meter.left < 0:
            return f"{_plain(-meter.left)} h not paid"
        return f"{_plain(meter.left)} h left" if meter.bought else "no block yet"
    if meter.measure == "spend":
        if meter.next_line is None or not meter.next_at:
            return f"{currency} {meter.used:,}"
        percent = int((meter.next_value or 0) * 100 / meter.next_at)
        return f"{meter.next_line.partition('-')[0]} {percent} %"
    if meter.measure == "hours" and meter.next_at:
        return f"scope {int(meter.used * 100 / meter.next_at)} %"
    of = f" of {_plain(meter.next_at)}" if meter.next_at is not None else ""
    unit = {"hours": " h", "progress": " %"}.get(meter.measure, "")
    return f"{_plain(meter.used)}{of}{unit}"


def _plain(figure: object) -> str:
    return f"{figure:,f}".rstrip("0").rstrip(".") if "." in f"{figure:,f}" else f"{figure:,f}"


@click.command("agreement", short_help="Everything about one agreement")
@click.argument("agreement", type=Text(), metavar="ID")
@json_option
def agreement(agreement: str, as_json: bool) -> None:
    """Everything about one agreement: the terms in force today, what was billed, what is due and to come."""
    from activities.ledger import agreement_views

    with context.ledger().transaction() as tx:
        view = agreement_views.agreement(tx, agreement, context.now())
    if as_json:
        output.document(view.model_dump(mode="json"))
        return
    from starter.cli.agreement_card import print_agreement

    client = context.company().client(view.client)
    print_agreement(view, context.issuer_zone(client.issuer if client else None))


@click.command("why", short_help="Why something was billed, or not")
@click.argument("reference", type=Text(), metavar="REF")
@json_option
def why(reference: str, as_json: bool) -> None:
    """Why something was billed, or not: which trigger, when, by whom; not due until when, held by what.

    REF is an invoice's number, a billing key (billed or not), or the id of an agreement.
    """
    from activities.ledger.why import explain

    with context.ledger().transaction() as tx:
        found = explain(tx, reference, context.now())
    if as_json:
        output.document({"reference": reference, "answers": [each.model_dump(mode="json") for each in found]})
        return
    if not found:
        output.say(f"{reference}: nothing was billed, and nothing is to come.")
    for number, each in enumerate(found):
        _tell(each, first=number == 0)


def _tell(answer: Why, *, first: bool) -> None:
    from rich.padding import Padding

    out = output.console()
    if not first:
        out.print()
    out.print(output.styled(answer.billing_key, "bold"), soft_wrap=True)
    out.print(output.styled(answer.answer, "green" if answer.billed else "yellow"), overflow="fold")
    for line in answer.reasons:
        out.print(Padding(output.styled(line), (0, 0, 0, 2)), overflow="fold")
    for command in answer.commands:
        output.hint(f"  {command}")


COMMANDS = [agreements, agreement, why]
