"""`billow plan`: instalments agreed after issue."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from starter.cli import context, output
from starter.cli.collection import done
from starter.cli.parameters import Amount, Day, Text, as_option, invoice_argument, json_option

if TYPE_CHECKING:
    from billing.instalments import Part


class Share(click.ParamType["tuple[date, Decimal]"]):
    """A part of a plan: 2026-12-10=400.00."""

    name = "part"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[date, Decimal]:
        day, equals, amount = str(value).partition("=")
        if not equals:
            self.fail(f"{value!r} is no part of a plan; write it as 2026-12-10=400.00", param, ctx)
        return Day().convert(day, param, ctx), Amount().convert(amount, param, ctx)


@click.command("plan", short_help="Agree that an invoice is paid in instalments, or show what was agreed")
@invoice_argument
@click.option(
    "--part",
    "parts",
    type=Share(),
    multiple=True,
    metavar="DATE=AMOUNT",
    help="One part; may be given again.",
)
@click.option(
    "--in", "count", type=click.IntRange(2, 60), metavar="N", help="So many equal parts, a month apart."
)
@click.option("--from", "first", type=Day(), metavar="DATE", help="With --in: the day of the first part.")
@click.option("--end", "ends", is_flag=True, help="The plan holds no longer: all is due.")
@click.option("--due", type=Day(), metavar="DATE", help="With --end: on that day instead of today.")
@click.option("--reason", type=Text(), metavar="TEXT")
@click.option("--without-mail", is_flag=True, help="Do not mail the client what was agreed.")
@as_option(required=False)
@json_option
def plan(
    invoice: str,
    parts: tuple[tuple[date, Decimal], ...],
    count: int | None,
    first: date | None,
    ends: bool,
    due: date | None,
    reason: str | None,
    without_mail: bool,
    who: str | None,
    as_json: bool,
) -> None:
    """Agree that what is open of an invoice is paid in parts, whose days and amounts replace the due date.

    A part that is missed is reminded, from the first level on. Without options, shows the instalments that hold.
    """
    from activities.ledger import dispute_commands
    from billing.approval_policy import Channel

    chosen = [bool(parts), count is not None, ends]
    if chosen.count(True) > 1 or (count is None) != (first is None) or (due is not None and not ends):
        raise click.UsageError("give --part for each part, or --in with --from, or --end (with --due).")
    if not any(chosen):
        _show(invoice, as_json)
        return
    if who is None or reason is None:
        raise click.UsageError("say who agreed with --as, and why with --reason.")
    given: dict[str, Any] = {"reason": reason, "by": who, "channel": Channel.CLI, "at": context.now()}
    if ends:
        name = dispute_commands.end_plan(context.ledger(), invoice, due=due, **given)
        said = f"{name}: the plan holds no longer; all that is open is due {due or 'today'}."
        done(name, "plan ended", as_json, said, by=who, reason=reason, due=due)
        return
    agreed = parts or _monthly(invoice, count or 2, first or context.now().date())
    name = dispute_commands.agree_plan(
        context.ledger(), invoice, parts=agreed, tell_client=not without_mail, **given
    )
    told = [{"due_date": day.isoformat(), "amount": str(amount)} for day, amount in agreed]
    said = f"{name} is to be paid in {len(agreed)} parts, the first by {agreed[0][0]}, the last by {agreed[-1][0]}."
    done(name, "plan agreed", as_json, said, by=who, reason=reason, parts=told)


def _monthly(invoice: str, count: int, first: date) -> tuple[tuple[date, Decimal], ...]:
    from activities.ledger import collection, invoices
    from billing.errors import Refused
    from billing.instalments import monthly
    from billing.money import Money, rounded

    with context.ledger().transaction() as tx:
        row = invoices.find(tx, invoice)
        collection.check_open(row)
        currency = row.currency or ""
        if row.open_amount <= 0:
            raise Refused(f"{row.number} is {row.payment_status}: nothing is left to divide")
        return monthly(Money.of(rounded(row.open_amount, currency), currency), count, first)


def _show(invoice: str, as_json: bool) -> None:
    from activities.ledger import instalments, invoices
    from billing.money import Money, rounded, total

    with context.ledger().transaction() as tx:
        row = invoices.find(tx, invoice)
        parts, running = instalments.standing(tx, row), instalments.plan(tx, row)
        name, currency = row.name, row.currency or "EUR"
        open_amount = rounded(row.open_amount, currency) if parts else Decimal(0)
    left = _left(parts, total(part.amount for part in parts) - open_amount)
    if as_json:
        shown = [
            {"due_date": part.due_date.isoformat(), "amount": str(part.amount), "open": str(still)}
            for part, still in zip(parts, left, strict=True)
        ]
        reason = running.reason if running else None
        output.document({"invoice": name, "currency": currency, "reason": reason, "parts": shown})
        return
    if not parts:
        output.say(f"{name} has no instalments.")
        return
    output.say(f"{name}, {f'agreed: {running.reason}' if running else 'as issued'}")
    for part, still in zip(parts, left, strict=True):
        state = "covered" if still == 0 else f"open: {Money.of(still, currency)}"
        output.say(f"  {part.due_date}  {Money.of(part.amount, currency)}  {state}")


def _left(parts: tuple[Part, ...], covered: Decimal) -> list[Decimal]:
    """What of each part is not covered, the earliest first."""
    left = []
    for part in parts:
        taken = min(max(covered, Decimal(0)), part.amount)
        left.append(part.amount - taken)
        covered -= taken
    return left


COMMANDS = [plan]
