"""A simulation for people: by month and day, with sums by currency, or only what an edit changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from billing.simulation import outcome
from billing.simulation.comparison import Change, Comparison, Difference
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

_KEY = 40
"""Characters of a billing key that stand on one line."""

_SIGNS = {Change.ADDED: ("+", "green"), Change.GONE: ("-", "red")}


def print_simulation(simulation: Simulation, version: CompanyVersion, zone: str) -> None:
    """The months with what happens in them, their sums, and what waits for an event."""
    _head(simulation, f"Simulation of {version.company.name}", version, zone)
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
    _print_waiting("Bills once this has happened", simulation.waiting)


def print_comparison(
    compared: Comparison, edited: CompanyVersion, in_force: CompanyVersion, zone: str
) -> None:
    """Every invoice that differs, with what differs about it, and the sum of it all."""
    title = f"What the edit of {edited.company.name} changes against version {in_force.version}"
    _head(compared.after, title, edited, zone)
    output.say("")
    if compared.empty:
        last = compared.after.until.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
        output.say(f"Nothing: everything would happen as by the rules in force, up to {output.day(last)}.")
        return
    table = _table()
    table.add_column(width=1)
    table.add_column(ratio=1, min_width=_KEY)
    table.add_column(overflow="fold", width=output.WIDTH - _KEY - 6)
    by_invoice: dict[str, list[Difference]] = {}
    for each in compared.differences:
        by_invoice.setdefault(each.billing_key, []).append(each)
    for key, change in compared.invoices.items():
        sign, colour = _SIGNS.get(change, ("~", "yellow"))
        for number, words in enumerate(_differences(by_invoice[key], change, zone)):
            first = (output.styled(sign, colour), output.styled(_broken(key, key)))
            table.add_row(*(first if number == 0 else ("", "")), output.styled(words))
    if compared.invoices:
        output.console().print(table)
    _print_waiting("No longer waits for an event", compared.no_longer_waiting)
    _print_waiting("Newly waits for an event", compared.newly_waiting)
    output.say("")
    output.say(_summary(compared))


def _head(simulation: Simulation, title: str, version: CompanyVersion, zone: str) -> None:
    local = ZoneInfo(zone)
    first = simulation.start.astimezone(local).date()
    last = simulation.until.astimezone(local).date() - timedelta(days=1)
    output.console().print(output.styled(f"{title}, {output.day(first)} to {output.day(last)}", "bold"))
    output.say(f"Folder: {version.folder}")
    output.say(f"Assumed: {simulation.assumptions}.")
    output.say(f"Nothing is sent or written. Hours in {zone}; amounts with tax.")


def _table(*, header: bool = False) -> Table:
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
    table = _table()
    table.add_column(width=len(day), no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(width=14)
    table.add_column(justify="right", no_wrap=True, min_width=14)
    table.add_row(
        output.styled(day, "dim"),
        output.styled(_broken(key, last.client)),
        output.styled(", ".join(_in_short(acts)), style),
        output.styled(amount, style),
    )
    return table


def _broken(key: str, client: str) -> str:
    """The billing key, a long one in two lines with its last part on the second; and the client, if it names none."""
    whole = key if len(key) <= _KEY else "/ ".join(key.rsplit("/", 1))
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
    table = _table(header=True)
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


def _print_waiting(title: str, waiting: Sequence[Waiting]) -> None:
    if not waiting:
        return
    output.say("")
    output.console().print(output.styled(title, "bold"))
    table = _table()
    table.add_column(overflow="fold", ratio=1)
    table.add_column(overflow="fold", ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for each in waiting:
        net = output.money(each.net.amount, each.net.currency) + " net" if each.net else "–"
        table.add_row(output.styled(each.billing_key), output.styled(each.waits_for), output.styled(net))
    output.console().print(table)


def _differences(differences: Sequence[Difference], change: Change, zone: str) -> Iterable[str]:
    """One line for each way in which an invoice differs; acts that differ alike share it."""
    if change in _SIGNS:
        first = differences[0].after or differences[0].before
        if first is not None:
            amount = f", {first.amount}" if first.amount else ""
            yield f"{first.act} {_moment(first, zone)}{amount}"
        return
    alike: dict[str, list[str]] = {}
    for each in differences:
        for words in _words(each, zone):
            alike.setdefault(words, []).append(each.act)
    for words, acts in alike.items():
        yield f"{', '.join(acts)}: {words}"


def _words(difference: Difference, zone: str) -> Iterable[str]:
    before, after = difference.before, difference.after
    if before is None and after is not None:
        yield f"added {_moment(after, zone)}"
        if after.act == outcome.HELD:
            yield after.why
    if before is None or after is None:
        if after is None:
            yield "gone"
        return
    if before.at != after.at:
        yield f"{_moment(before, zone)} → {_moment(after, zone)}"
    if before.amount != after.amount:
        yield f"{before.amount or '–'} → {after.amount or '–'}"
    if before.who != after.who:
        yield f"{before.who or 'nobody'} → {after.who or 'nobody'}"
    if before.why != after.why:
        yield f"{before.why or '–'} → {after.why or '–'}"


def _moment(step: Simulated, zone: str) -> str:
    return f"{step.at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"


def _summary(compared: Comparison) -> str:
    found = list(compared.invoices.values())
    counts = {change: found.count(change) for change in (Change.ADDED, Change.GONE)}
    other = len(found) - sum(counts.values())
    parts = [f"{count} {change}" for change, count in counts.items() if count]
    parts += [f"{other} changed"] if other else []
    detail = f" ({', '.join(parts)})" if len(parts) > 1 else f" ({parts[0]})" if parts else ""
    verb = "differs" if len(found) == 1 else "differ"
    money = [
        f"{output.money(abs(amount), currency)} {'more' if amount > 0 else 'less'}"
        for currency, amount in compared.issued.items()
    ]
    billed = f"; invoiced: {', '.join(money)}" if money else "; the same is invoiced"
    return f"{output.plural(len(found), 'invoice')} {verb}{detail}{billed}."
