"""`billow inbox`: what waits for a person, and how each of it is decided."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from starter.cli import context, output
from starter.cli.parameters import as_option, json_option

if TYPE_CHECKING:
    from activities.ledger.views import InboxItem


@click.command("inbox", short_help="Approvals and exceptions that wait for somebody")
@as_option(required=False)
@json_option
def inbox(who: str | None, as_json: bool) -> None:
    """Approvals, exceptions and unmatched payments that wait for somebody, the nearest deadline first."""
    from activities.ledger import views

    company = context.company()
    if who is not None:
        context.person(who)
    with context.ledger().transaction() as tx:
        items = views.inbox(tx, who, context.now())
    if as_json:
        output.document({"items": [each.model_dump(mode="json") for each in items]})
        return
    if not items:
        output.say(f"Nothing waits for {company.person_name(who)}." if who else "Nothing waits for anybody.")
        return
    zone = ZoneInfo(company.issuers[0].zone)
    for number, item in enumerate(items):
        if number:
            output.say("")
        _print_item(item, zone, who)


def _print_item(item: InboxItem, zone: ZoneInfo, who: str | None) -> None:
    from rich.padding import Padding
    from rich.table import Table

    out = output.console()
    head = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    head.add_column(ratio=1, overflow="fold")
    head.add_column(justify="right", no_wrap=True)
    name = item.number or item.billing_key or ""
    label = "Approve" if item.kind == "approval" else f"{item.kind.capitalize()} {item.id}"
    if item.kind == "giving-up":
        label = f"{item.code.capitalize()} {item.id}"
    whose = (
        (item.payer or "unknown payer") if item.kind == "payment" else item.client_name or _of_nobody(item)
    )
    head.add_row(
        output.styled(f"{label}: {whose}" + (f" · {item.title}" if item.title else ""), "bold"),
        output.styled(output.money(item.amount, item.currency) if item.amount is not None else "", "bold"),
    )
    out.print(head)
    for text, style in _facts(item, zone):
        out.print(Padding(output.styled(text, style), (0, 0, 0, 2)), overflow="fold")
    asked = who or (item.who[0] if len(item.who) == 1 else "WHO")
    if item.kind == "approval":
        output.hint(f"  billow show {shlex.quote(name)}")
        output.hint(f"  billow approve {shlex.quote(name)} --as {asked} --digest {(item.digest or '')[:12]}")
    elif item.kind == "giving-up":
        for line in _ways_of_giving_up(item, asked):
            output.hint(line)
    elif (item.subject or "").startswith(("overpaid/", "credit/")):
        for line in _ways_of_credit(item, asked):
            output.hint(line)
    elif item.kind == "dispute":
        output.hint(
            f"  billow end-dispute {shlex.quote(name)} --as {asked} --answer TEXT   # or billow credit"
        )
    elif item.kind == "payment":
        output.hint(f"  billow allocate {item.id} INVOICE --as {asked}   # or --set-aside --reason TEXT")
    else:
        first, *others = item.resolutions
        reason = "" if first == "retry" else " --reason TEXT"
        output.hint(f"  billow resolve {item.id} --{first} --as {asked}{reason}{other_ways(tuple(others))}")


def _ways_of_giving_up(item: InboxItem, asked: str) -> tuple[str, ...]:
    if "agree" in item.resolutions:
        return (f"  billow agree {item.id} --as {asked}   # or billow refuse {item.id} --comment TEXT",)
    return (f"  billow refund-paid {item.id} --as {asked}   # or billow withdraw {item.id} --comment TEXT",)


def _ways_of_credit(item: InboxItem, asked: str) -> tuple[str, ...]:
    kind, _, number = (item.subject or "").partition("/")
    keep = f"  billow resolve {item.id} --accept --as {asked} --reason TEXT"
    if kind == "credit":
        return (
            f"  billow use-credit FROM {shlex.quote(number)} --as {asked}   # billow credit-balance: FROM",
            keep,
        )
    return (
        f"  billow refund {shlex.quote(number)} --as {asked} --reason TEXT",
        f"  billow use-credit {shlex.quote(number)} INVOICE --as {asked}   # for another invoice",
        f"{keep}   # keep it as credit",
    )


def _of_nobody(item: InboxItem) -> str:
    """What an exception is about where it is about no client."""
    kind, _, name = (item.subject or "").partition("/")
    if kind == "integration":
        return f"connected system {name.partition('/')[0]}"
    return "an event" if kind == "event" else "no single client"


def _facts(item: InboxItem, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """What is to be known before deciding: the lines, the question, who is asked until when."""
    if item.kind == "approval":
        for line in item.lines:
            yield f"{line.description}: {line.net:,} net", ""
        if item.line_count > len(item.lines):
            yield f"and {output.plural(item.line_count - len(item.lines), 'more line')}", "dim"
        yield item.why, ""
        if item.asked_because:
            yield f"{item.asked_by} asked for it: {item.asked_because}", ""
    else:
        yield f"{item.code}: {item.why}", ""
    if item.kind == "exception" and item.subject is not None and item.net is not None:
        yield "the amount is what is at stake, net", "dim"
    if item.kind == "payment":
        reference = f", reference {item.reference}" if item.reference else ", without reference"
        yield f"received on {output.day(item.received_on)}{reference}", ""
    until = f"until {output.moment(item.deadline, zone)}" + (", overdue" if item.overdue else "")
    yield f"{', '.join(item.who) or 'nobody'}, {until}", "red" if item.overdue else ""


def other_ways(resolutions: tuple[str, ...]) -> str:
    """How an exception may be decided besides trying again, as a remark behind the command."""
    flags = {"accept": "--accept", "override": "--override FIELD=VALUE", "void": "--void rebill|waive"}
    other = [flags[each] for each in resolutions if each in flags]
    return f"   # or {' or '.join(other)}, with --reason" if other else ""


COMMANDS = [inbox]
