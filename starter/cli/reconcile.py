"""`billow reconcile`: what should have been billed and was not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from starter.cli import context, output
from starter.cli.failures import REFUSED
from starter.cli.parameters import json_option

if TYPE_CHECKING:
    from activities.invoicing.reconciliation import FoundLeak, Reconciled
    from billing.leakage.leak import Waived

SHOWN = 100
"""So many leaks are told one by one; all are counted."""


@click.command("reconcile", short_help="Find what should have been billed and was not")
@click.option("--dry-run", is_flag=True, help="Only look: raise, close and wake nothing.")
@click.option("--waived", is_flag=True, help="List instead what people decided not to bill, and why.")
@json_option
@click.pass_context
def reconcile(current: click.Context, dry_run: bool, waived: bool, as_json: bool) -> None:
    """Compare calendar, CRM, PSA and contracts with the ledger, and name what nobody billed, the most money first.

    Each leak waits in the inbox for its owner until it is billed, or accepted with `billow resolve`. The same is done
    every night. Exit code 1 if a source cannot be read, so that something may be missing here.
    """
    if waived:
        if dry_run:
            raise click.UsageError("--waived changes nothing; leave out --dry-run.")
        _list_waived(as_json=as_json)
        return
    from activities.invoicing import reconciliation

    look = reconciliation.preview if dry_run else reconciliation.reconcile
    found = look(context.ledger(), context.now())
    leaks = sorted(found.leaks, key=_most_first)
    if as_json:
        output.document(_document(found, leaks, dry_run=dry_run))
    else:
        _print(found, leaks, dry_run=dry_run)
    if found.unreadable:
        current.exit(REFUSED)


def _most_first(found: FoundLeak) -> tuple[bool, str, Decimal, str]:
    at_stake = found.leak.at_stake
    if at_stake is None:
        return (True, "", Decimal(0), found.leak.subject)
    return (False, at_stake.currency, -at_stake.amount, found.leak.subject)


def _sums(leaks: Iterable[FoundLeak]) -> dict[str, Decimal]:
    """What is at stake, by currency."""
    sums: dict[str, Decimal] = {}
    for each in leaks:
        if (money := each.leak.at_stake) is not None:
            sums[money.currency] = sums.get(money.currency, Decimal(0)) + money.amount
    return sums


def _document(found: Reconciled, leaks: Sequence[FoundLeak], *, dry_run: bool) -> dict[str, Any]:
    return {
        "as_of": found.as_of.isoformat(),
        "dry_run": dry_run,
        "leaks": [
            {
                **each.leak.model_dump(mode="json", exclude={"at_stake"}),
                "at_stake": str(each.leak.at_stake.amount) if each.leak.at_stake else None,
                "currency": each.leak.at_stake.currency if each.leak.at_stake else None,
                "owner": each.owner,
                "deadline": each.deadline.isoformat(),
                "exception": each.exception,
                "new": each.new,
            }
            for each in leaks
        ],
        "at_stake": {currency: str(amount) for currency, amount in _sums(leaks).items()},
        "unreadable": found.unreadable,
        "repaired": found.repaired,
        "woken": found.woken,
        "overdue": {"exceptions": found.overdue_exceptions, "payments": found.overdue_payments},
    }


def _print(found: Reconciled, leaks: Sequence[FoundLeak], *, dry_run: bool) -> None:
    zone = ZoneInfo(context.company().issuers[0].zone)
    for each in leaks[:SHOWN]:
        _print_leak(each, zone)
        output.say("")
    if len(leaks) > SHOWN:
        output.say(f"and {len(leaks) - SHOWN:,} more; `billow reconcile --dry-run --json` has them all")
        output.say("")
    for source, error in found.unreadable.items():
        output.say(f"{source.upper()}: {error}")
    if leaks:
        output.say(_conclusion(leaks))
    elif found.unreadable:
        output.say("Nothing is known to be missing; what could not be read was not looked at.")
    else:
        output.say("Nothing is missing.")
    for said in _besides(found):
        output.say(said)
    if leaks:
        output.hint(
            "billow reconcile   # without --dry-run each waits in the inbox"
            if dry_run
            else "billow resolve EXCEPTION --accept --as WHO --reason TEXT   # if it shall not be billed"
        )


def _print_leak(found: FoundLeak, zone: ZoneInfo) -> None:
    from rich.padding import Padding
    from rich.table import Table

    leak, out = found.leak, output.console()
    head = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    head.add_column(ratio=1, overflow="fold")
    head.add_column(justify="right", no_wrap=True)
    what = leak.code.replace("-", " ").capitalize()
    whose = " · ".join(each for each in (leak.client or "no client", leak.agreement) if each)
    head.add_row(
        output.styled(f"{what}: {whose}", "bold"),
        output.styled(str(leak.at_stake or "no price agreed"), "bold" if leak.at_stake else "dim"),
    )
    out.print(head)
    out.print(Padding(output.styled(leak.message), (0, 0, 0, 2)), overflow="fold")
    which = "" if found.exception is None else f"exception {found.exception}, "
    whose = f"{which}{found.owner}, until {output.moment(found.deadline, zone)}"
    new = " · new" if found.new else ""
    out.print(
        Padding(output.styled(f"since {leak.since} · {whose}{new}", "dim"), (0, 0, 0, 2)), overflow="fold"
    )


def _conclusion(leaks: Sequence[FoundLeak]) -> str:
    sums = [output.money(amount, currency) for currency, amount in sorted(_sums(leaks).items())]
    unpriced = sum(each.leak.at_stake is None for each in leaks)
    new = sum(each.new for each in leaks)
    said = output.plural(len(leaks), "leak")
    if sums:
        said += f", {' and '.join([', '.join(sums[:-1]), sums[-1]] if sums[:-1] else sums)} net at stake"
    if unpriced:
        said += f", {unpriced:,} without a price" if sums else ", without a price"
    return said + (f"; {new:,} new." if new < len(leaks) else ", all new." if len(leaks) > 1 else ", new.")


def _besides(found: Reconciled) -> Iterator[str]:
    """What else was done, and what else nobody has decided."""
    if found.repaired:
        yield f"{output.plural(found.repaired, 'earlier leak')} gone, so closed."
    if found.woken:
        yield f"{output.plural(found.woken, 'invoice')} stood still and will be looked at again."
    waiting = [
        output.plural(count, what)
        for count, what in ((found.overdue_exceptions, "exception"), (found.overdue_payments, "payment"))
        if count
    ]
    if waiting:
        yield f"Past the deadline: {' and '.join(waiting)}; `billow inbox` shows them."


def _list_waived(*, as_json: bool) -> None:
    from activities.invoicing import reconciliation

    at = context.now()
    waived = reconciliation.waived(context.ledger(), at)
    days = context.company().reconciliation.look_back_days
    if as_json:
        output.document({"as_of": at.isoformat(), "waived": [_waived_document(each) for each in waived]})
        return
    if not waived:
        since = (at - timedelta(days=days)).date()
        output.say(f"Nothing was waived since {since}.")
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("WAIVED", "WHAT AND WHY"):
        table.add_column(name, overflow="fold")
    table.add_column("NET", justify="right", no_wrap=True)
    table.add_column("BY", overflow="fold")
    for each in waived:
        table.add_row(
            output.day(each.waived_on),
            output.styled(f"{each.billing_key}, {each.client}: {each.reason or 'no reason given'}"),
            output.styled(str(each.net or "–")),
            output.styled(each.by),
        )
    output.console().print(table)


def _waived_document(each: Waived) -> dict[str, Any]:
    return {
        "billing_key": each.billing_key,
        "client": each.client,
        "net": str(each.net.amount) if each.net else None,
        "currency": each.net.currency if each.net else None,
        "waived_on": each.waived_on.isoformat(),
        "by": each.by,
        "reason": each.reason,
    }


COMMANDS = [reconcile]
