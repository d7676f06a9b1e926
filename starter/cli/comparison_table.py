"""What an edit of the company folder changes, for people: invoice by invoice, and the sum of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from billing.simulation import outcome
from billing.simulation.comparison import Change, Comparison, Difference
from billing.simulation.outcome import Simulated
from starter.cli import output
from starter.cli.simulation_table import KEY, broken, plain_table, print_head, print_waiting

if TYPE_CHECKING:
    from activities.ledger.company_records import CompanyVersion

_ADDED = "added "
_SIGNS = {Change.ADDED: ("+", "green"), Change.GONE: ("-", "red")}


def print_comparison(
    compared: Comparison, edited: CompanyVersion, in_force: CompanyVersion, zone: str
) -> None:
    """Every invoice that differs, with what differs about it, and the sum of it all."""
    title = f"What the edit of {edited.company.name} changes against version {in_force.version}"
    print_head(compared.after, title, edited, zone)
    output.say("")
    if compared.empty:
        last = compared.after.until.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
        output.say(f"Nothing: everything would happen as by the rules in force, up to {output.day(last)}.")
        return
    table = plain_table()
    table.add_column(width=1)
    table.add_column(ratio=1, min_width=KEY)
    table.add_column(overflow="fold", width=output.WIDTH - KEY - 6)
    by_invoice: dict[str, list[Difference]] = {}
    for each in compared.differences:
        by_invoice.setdefault(each.billing_key, []).append(each)
    told: set[str] = set()
    for key, change in compared.invoices.items():
        sign, colour = _SIGNS.get(change, ("~", "yellow"))
        for number, words in enumerate(_differences(by_invoice[key], change, zone)):
            said = f"{outcome.HELD}: for the same reason" if words in told else words
            if words.startswith(outcome.HELD) and not words.startswith(f"{outcome.HELD}: {_ADDED}"):
                told.add(words)
            first = (output.styled(sign, colour), output.styled(broken(key, key)))
            table.add_row(*(first if number == 0 else ("", "")), output.styled(said))
    if compared.invoices:
        output.console().print(table)
    print_waiting("No longer waits for an event", compared.no_longer_waiting)
    print_waiting("Newly waits for an event", compared.newly_waiting)
    output.say("")
    output.say(_summary(compared))


def _differences(differences: Sequence[Difference], change: Change, zone: str) -> Iterator[str]:
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


def _words(difference: Difference, zone: str) -> Iterator[str]:
    before, after = difference.before, difference.after
    if before is None and after is not None:
        yield f"{_ADDED}{_moment(after, zone)}"
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
