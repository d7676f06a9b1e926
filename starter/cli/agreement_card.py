"""The card `billow agreement` prints: terms, change orders, meter, calendar, and what waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table

from starter.cli.output import console, day, hint, moment, styled

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from activities.ledger.agreement_models import AgreementView, BillingView, MeterView

_STYLES = {
    "billed": "green",
    "due": "yellow",
    "draft": "yellow",
    "waived": "dim",
    "to be billed again": "yellow",
}


def print_agreement(view: AgreementView, zone: ZoneInfo) -> None:
    """Prints the agreement: days are of the client's zone, hours of `zone`."""
    out = console()
    head = _grid("left", "right", expand=True)
    head.add_row(styled(f"{view.id} · {view.client}", "bold"), styled(view.state, "bold"))
    head.add_row(styled(view.title), styled(view.model))
    out.print(head)
    out.print(Rule(style="dim"))
    facts = _grid("left", "left")
    for name, value in view.terms:
        facts.add_row(styled(f"{name:<9}", "dim"), styled(value))
    out.print(facts)
    if view.change_orders:
        _section(out, "Change orders", _change_orders(view))
    if view.meters:
        meters = _grid("left")
        for meter in view.meters:
            meters.add_row(styled(meter_in_words(meter, view.currency)))
        _section(out, "Meter", meters)
    _section(out, "Billed, due and to come (net)", _calendar(view))
    if view.exceptions:
        _section(out, "Waits for a person", _exceptions(view, zone))
    out.print()
    for command in next_commands(view):
        hint(command)


def _grid(*justify: str, expand: bool = False) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False, expand=expand)
    for number, each in enumerate(justify):
        right = each == "right"
        ratio = 1 if expand and number == 0 else None
        table.add_column(justify="right" if right else "left", overflow="fold", no_wrap=right, ratio=ratio)
    return table


def _section(out: Console, title: str, content: Table) -> None:
    out.print()
    out.print(styled(title, "bold"))
    out.print(Padding(content, (0, 0, 0, 2)))


def _change_orders(view: AgreementView) -> Table:
    table = _grid("left", "left", "left")
    for each in view.change_orders:
        state = (
            "not approved: changes nothing"
            if each.approved_by is None
            else f"{each.state}, by {each.approved_by}"
        )
        said = styled(each.changes)
        said.append(f"\n{styled(f'{each.reason} ({each.document})').plain}", style="dim")
        said.append(f"\n{state}", style="yellow" if each.approved_by is None else "green")
        table.add_row(styled(each.id), styled(f"from {day(each.effective)}"), said)
    return table


def meter_in_words(meter: MeterView, currency: str) -> str:
    """`31.5 of 40 hours used, 8.5 left, until 2027-10-01; block-2 at 36`."""
    from billing.meter_words import called

    def told(figure: object) -> str:
        text = f"{figure:,f}"
        if meter.measure == "spend":
            return f"{currency} {text}"
        plain = text.rstrip("0").rstrip(".") if "." in text else text
        return f"{plain} %" if meter.measure == "progress" else f"{plain} hours"

    said = f"{told(meter.used)} so far"
    if meter.bought == 0:
        said = f"no block is paid yet; {told(meter.used)} used"
    elif meter.bought is not None:
        said = f"{told(meter.used)} used of {told(meter.bought)} paid"
        if meter.left is not None:
            said += f", {told(meter.left)} left" if meter.left >= 0 else f", {told(-meter.left)} not paid yet"
        said += f"; what is left lapses on {day(meter.expires)}" if meter.expires else ""
    if meter.next_line is not None:
        said += f"; next: {called(meter.next_line)} at {told(meter.next_at)}"
        if meter.measure == "spend" and meter.next_value is not None and meter.next_value != meter.used:
            said += f", {told(meter.next_value)} so far"
    if meter.held:
        said += f"; {meter.held} {'entry does' if meter.held == 1 else 'entries do'} not count yet"
    return said


def _calendar(view: AgreementView) -> Table:
    table = _grid("left", "left", "left", "right")
    if not view.calendar:
        table.add_row(styled("Nothing was billed, and nothing is to come.", "dim"), "", "", "")
    for each in view.calendar:
        amount = f"{each.net:,}" if each.net is not None else "–"
        table.add_row(
            styled(each.item),
            styled(_period(each)),
            styled(_situation(each), _STYLES.get(each.state, "")),
            styled(amount),
        )
    return table


def _period(each: BillingView) -> str:
    return f"{day(each.period_start)} to {day(each.period_end)}" if each.period_start else ""


def _situation(each: BillingView) -> str:
    match each.state:
        case "billed":
            return f"{each.number}, {day(each.on)}"
        case "draft":
            return f"{each.document_status}, {day(each.on)}"
        case "due":
            return f"due since {day(each.since)}"
        case "to come":
            return f"on {day(each.since)}"
        case "waiting":
            return f"waits for {each.waits_for}"
    return each.state


def _exceptions(view: AgreementView, zone: ZoneInfo) -> Table:
    table = _grid("right", "left")
    for each in view.exceptions:
        text = styled(each.code, "bold red")
        text.append(
            f" for {styled(each.owner).plain}, until {moment(each.deadline, zone)}\n", style="default"
        )
        text.append(styled(each.message).plain, style="default")
        table.add_row(styled(str(each.id)), text)
    return table


def next_commands(view: AgreementView) -> list[str]:
    """What a person may type next about the agreement."""
    due = any(each.state == "due" for each in view.calendar)
    commands = [f"billow resolve {each.id} --retry --as WHO" for each in view.exceptions if each.billing_key]
    if len(commands) < len(view.exceptions):
        commands.append("billow inbox")
    if due and view.state != "on hold":
        commands.append("billow run")
    return [*commands, f"billow why {view.id}"]
