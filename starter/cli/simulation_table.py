"""A simulation for people: by month and day, with sums by currency, or only what an edit changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from billing.simulation import outcome
from billing.simulation.months import Month, by_month
from billing.simulation.outcome import Simulated, Simulation, Waiting
from starter.cli import output

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from activities.ledger.company_records import CompanyVersion

_STYLES = {
    outcome.HELD: "red",
    outcome.PAID: "green",
    outcome.ASKED: "yellow",
    outcome.REMINDED: "yellow",
    outcome.ESCALATED: "yellow",
}
_FOLLOWS = {outcome.ASKED: outcome.APPROVED, outcome.ISSUED: outcome.SENT}
"""Acts that go without saying where the other one follows at the same instant."""

_REPEATED = (outcome.REMINDED, outcome.ESCALATED)
"""Acts that go on until somebody answers."""

_INDENT = " " * 8
"""Under the billing keys."""

KEY = 40
"""Characters of a billing key that stand on one line."""


def print_simulation(simulation: Simulation, version: CompanyVersion, zone: str) -> None:
    """The months with what happens in them, their sums, and what waits for an event."""
    print_head(simulation, f"Simulation of {version.company.name}", version, zone)
    if not simulation.steps:
        output.say("Nothing would be billed, sent or paid in this time.")
    told: set[tuple[str, ...]] = set()
    for month in by_month(simulation, zone):
        if days := list(_days(month.steps, zone, told)):
            output.say("")
            output.console().print(output.styled(f"{month.first:%B %Y}", "bold"))
            for line in days:
                output.console().print(line)
    _print_sums(by_month(simulation, zone))
    print_waiting("Bills once this has happened", simulation.waiting)


def print_head(simulation: Simulation, title: str, version: CompanyVersion, zone: str) -> None:
    local = ZoneInfo(zone)
    first = simulation.start.astimezone(local).date()
    last = simulation.until.astimezone(local).date() - timedelta(days=1)
    output.console().print(output.styled(f"{title}, {output.day(first)} to {output.day(last)}", "bold"))
    output.say(f"Folder: {version.folder}")
    output.say(f"Assumed: {simulation.assumptions}.")
    output.say(f"Nothing is sent or written. Hours in {zone}; amounts with tax.")


def plain_table(*, header: bool = False) -> Table:
    from rich.table import Table

    return Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=header, header_style="dim", expand=True
    )


def _days(steps: Sequence[Simulated], zone: str, told: set[tuple[str, ...]]) -> Iterator[RenderableType]:
    """What happens to an invoice at one instant is one line; why something is held is said once."""
    for at, together in groupby(steps, key=lambda each: each.at):
        by_invoice: dict[str, list[Simulated]] = {}
        for step in together:
            by_invoice.setdefault(step.billing_key, []).append(step)
        day = f"{at.astimezone(ZoneInfo(zone)):%a %d}"
        for key, acts in by_invoice.items():
            said = (key, acts[-1].act, acts[-1].who)
            if acts[-1].act in _REPEATED and said in told:
                if (key, "and so on") not in told:
                    told.add((key, "and so on"))
                    yield output.styled(f"{_INDENT}and so on, until somebody answers", "dim")
                continue  # `--json` has every turn
            if acts[-1].act in _REPEATED:
                told.add(said)
            yield _line(day, key, acts)
            for line in wrap(_note(acts[-1], told), output.WIDTH - len(_INDENT)):
                yield output.styled(_INDENT + line, "dim")


def _line(day: str, key: str, acts: Sequence[Simulated]) -> Table:
    last = acts[-1]
    style = _STYLES.get(last.act, "")
    amount = f"{last.amount}" if last.amount else "–"
    if last.estimate:
        amount = f"~ {amount}"
    table = plain_table()
    table.add_column(width=len(day), no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(width=14)
    table.add_column(justify="right", no_wrap=True, min_width=14)
    table.add_row(
        output.styled(day, "dim"),
        output.styled(broken(key, last.client)),
        output.styled(", ".join(_in_short(acts)), style),
        output.styled(amount, style),
    )
    return table


def broken(key: str, client: str) -> str:
    """The billing key, a long one in two lines with its last part on the second; and the client, if it names none."""
    whole = key if len(key) <= KEY else "/ ".join(key.rsplit("/", 1))
    return whole if client in key else f"{whole} {client}"


def _in_short(acts: Sequence[Simulated]) -> list[str]:
    names = [each.act for each in acts]
    return [name for name in names if _FOLLOWS.get(name) not in names]


def _note(step: Simulated, told: set[tuple[str, ...]]) -> str:
    """What a reader must know besides: why it is held, and whose it is; that hours are to come; who is asked."""
    if step.act == outcome.HELD:
        reason = (step.agreement or step.billing_key, step.why)
        if reason in told:
            return ""
        told.add(reason)
        return f"{step.why} (asks {step.who})"
    if step.act in (outcome.ASKED, *_REPEATED):
        return f"asks {step.who}"
    if step.act == outcome.BILLED and step.amount is None:
        return step.why.split("; ", 1)[-1]
    return ""


def _print_sums(months: Sequence[Month]) -> None:
    if not any(month.currencies for month in months):
        return
    output.say("")
    table = plain_table(header=True)
    table.add_column("MONTH")
    for name in ("", "ISSUED", "EXPECTED CASH", "HELD"):
        table.add_column(name, justify="right")
    for month in months:
        for position, currency in enumerate(month.currencies):
            table.add_row(
                output.styled("" if position else f"{month.first:%b %Y}"),
                output.styled(currency),
                *_figures(currency, [month]),
            )
    for position, currency in enumerate(sorted({each for month in months for each in month.currencies})):
        table.add_row(
            output.styled("" if position else "all", "bold"),
            output.styled(currency, "bold"),
            *_figures(currency, months, "bold"),
        )
    output.console().print(table)


def _figures(currency: str, months: Sequence[Month], style: str = "") -> Iterator[Text]:
    for name in ("issued", "paid", "held"):
        amounts = [getattr(month, name).get(currency) for month in months]
        known = [amount for amount in amounts if amount is not None]
        yield output.styled(f"{sum(known):,}" if known else "–", style)


def print_waiting(title: str, waiting: Sequence[Waiting]) -> None:
    if not waiting:
        return
    output.say("")
    output.console().print(output.styled(title, "bold"))
    table = plain_table()
    table.add_column(overflow="fold", ratio=1)
    table.add_column(overflow="fold", ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for each in waiting:
        net = output.money(each.net.amount, each.net.currency) + " net" if each.net else "–"
        table.add_row(output.styled(each.billing_key), output.styled(each.waits_for), output.styled(net))
    output.console().print(table)
