"""`billow hold`, `release`, `dispute` and `promise`: what stops reminders, and what lets them go on."""

from __future__ import annotations

import shlex
from datetime import date, datetime, time, timedelta

import click

from billing.errors import Refused
from starter.cli import context, output
from starter.cli.parameters import Day, Text, Until, as_option, invoice_argument, json_option

_CODES = (
    "price", "quantity", "quality", "not-delivered", "not-ordered", "duplicate", "order-number", "tax", "other",
)  # fmt: skip
"""As `DisputeCode` has them; a test compares the two, for the command line starts without the rules."""


@click.command("hold", short_help="Send no reminders until a day")
@invoice_argument
@click.option(
    "--until",
    type=Until(),
    required=True,
    metavar="WHEN",
    help="A day (its first moment), an instant, or 12h, 3d, 2w from now.",
)
@click.option("--reason", type=Text(), required=True, metavar="TEXT")
@as_option(required=True)
@json_option
def hold(invoice: str, until: date | datetime | timedelta, reason: str, who: str, as_json: bool) -> None:
    """Send no reminders before a moment; the level is kept. Days and hours are the issuer's."""
    from activities.ledger import commands, invoices
    from billing.approval_policy import Channel

    at, ledger = context.now(), context.ledger()
    with ledger.transaction() as tx:
        zone = context.issuer_zone(invoices.find(tx, invoice).issuer)
    try:
        if isinstance(until, timedelta):
            instant = at + until
        elif isinstance(until, datetime):
            instant = until if until.tzinfo else until.replace(tzinfo=zone)
        else:
            instant = datetime.combine(until, time(), tzinfo=zone)
        name = commands.hold(
            ledger, invoice, until=instant, reason=reason, by=who, channel=Channel.CLI, at=at
        )
        shown = output.moment(instant, zone)
    except OverflowError:
        raise Refused("a hold ends after a year at the latest; set an earlier day") from None
    _done(
        name,
        "held",
        as_json,
        f"{name} is on hold: no reminder before {shown}.",
        until=instant,
        by=who,
        reason=reason,
    )


@click.command("release", short_help="End a hold")
@invoice_argument
@as_option(required=True)
@json_option
def release(invoice: str, who: str, as_json: bool) -> None:
    """End a hold before its time; reminders go on where they stood."""
    from activities.ledger import commands
    from billing.approval_policy import Channel

    name = commands.release(context.ledger(), invoice, by=who, channel=Channel.CLI, at=context.now())
    _done(
        name, "released", as_json, f"{name} is no longer on hold; reminders go on where they stood.", by=who
    )


@click.command("dispute", short_help="Note that the client disputes an invoice, and how it is decided")
@invoice_argument
@click.option("--reason", type=Text(), metavar="TEXT", help="What the client says.")
@click.option(
    "--code",
    type=click.Choice(_CODES),
    default="other",
    show_default=True,
    help="What kind of dispute it is.",
)
@click.option(
    "--line",
    "lines",
    type=click.IntRange(min=1),
    multiple=True,
    metavar="N",
    help="Only this line; repeatable.",
)
@click.option("--tell-client", is_flag=True, help="Mail the client that the dispute was received.")
@click.option("--rejected", type=Text(), metavar="TEXT", help="The claim stands: what the client is told.")
@click.option("--withdrawn", is_flag=True, help="The client disputes it no longer.")
@click.option("--ended", type=Text(), metavar="TEXT", hidden=True, help="As --rejected.")
@as_option(required=True)
@json_option
def dispute(
    invoice: str,
    reason: str | None,
    code: str,
    lines: tuple[int, ...],
    tell_client: bool,
    rejected: str | None,
    withdrawn: bool,
    ended: str | None,
    who: str,
    as_json: bool,
) -> None:
    """Note that the client disputes an invoice: reminders rest until somebody has decided.

    With --line only these lines are disputed, and the rest stays due. Whoever decides in favour of the client
    credits it (billow credit); with --rejected the claim stands: the client is told so, and reminders go on where
    they stood once it has had time to pay.
    """
    from activities.ledger import dispute_commands
    from billing.approval_policy import Channel
    from billing.dispute import DisputeCode

    at, ledger, rejected = context.now(), context.ledger(), rejected or ended
    if [reason is not None, rejected is not None, withdrawn].count(True) != 1:
        raise click.UsageError(
            "give either --reason, or --rejected or --withdrawn for a dispute that is over."
        )
    if rejected is not None:
        name = dispute_commands.end_dispute(
            ledger, invoice, answer=rejected, by=who, channel=Channel.CLI, at=at
        )
        said = f"{name}: the claim stands, the client is told; reminders go on where they stood."
        _done(name, "dispute rejected", as_json, said, by=who, answer=rejected)
        return
    if withdrawn:
        name = dispute_commands.withdraw_dispute(ledger, invoice, by=who, channel=Channel.CLI, at=at)
        said = f"{name} is no longer disputed; reminders go on where they stood."
        _done(name, "dispute withdrawn", as_json, said, by=who)
        return
    name = dispute_commands.dispute(
        ledger,
        invoice,
        reason=reason or "",
        code=DisputeCode(code),
        lines=lines,
        tell_client=tell_client,
        by=who,
        channel=Channel.CLI,
        at=at,
    )
    _tell_dispute(name, as_json, who)


def _tell_dispute(name: str, as_json: bool, who: str) -> None:
    from activities.ledger import disputes, invoices

    with context.ledger().transaction() as tx:
        row = invoices.find(tx, name)
        found = disputes.current(tx, row)
        amount = disputes.amount_of(row)
        zone = context.issuer_zone(row.issuer)
    if found is None:  # decided in this very moment
        return
    lines = [each["line"] for each in found.lines]
    what = f"{name} is disputed: reminders rest"
    if found.amount is not None:
        named = ("line " if len(lines) == 1 else "lines ") + ", ".join(map(str, lines))
        what = f"{name}: {amount} are disputed ({named}), and the rest stays due"
    said = f"{what}. {found.owner} decides until {output.moment(found.deadline, zone)}."
    facts = {"reason": found.reason, "code": found.code, "lines": lines, "owner": found.owner}
    _done(
        name, "disputed", as_json, said, by=who, amount=str(amount.amount), decide_by=found.deadline, **facts
    )


@click.command("promise", short_help="Note that the client promised to pay by a day")
@invoice_argument
@click.option(
    "--on", "promised_for", type=Day(), required=True, metavar="DATE", help="The last day of the promise."
)
@click.option(
    "--note", type=Text(may_be_empty=True), default="", metavar="TEXT", help="Who promised it, and how."
)
@as_option(required=True)
@json_option
def promise(invoice: str, promised_for: date, note: str, who: str, as_json: bool) -> None:
    """Note that the client promised to pay by a day: reminders rest until the day after."""
    from activities.ledger import commands
    from billing.approval_policy import Channel

    name = commands.promise(
        context.ledger(), invoice, on=promised_for, by=who, channel=Channel.CLI, note=note, at=context.now()
    )
    said = f"{name}: payment promised for {promised_for}; reminders rest until the day after."
    _done(name, "promised", as_json, said, on=promised_for, by=who)


@click.command("due", short_help="Agree on another due date")
@invoice_argument
@click.option(
    "--date", "day", type=Day(), required=True, metavar="DATE", help="The new last day for payment."
)
@click.option("--reason", type=Text(), required=True, metavar="TEXT")
@as_option(required=True)
@json_option
def due(invoice: str, day: date, reason: str, who: str, as_json: bool) -> None:
    """Agree on another due date, later or earlier: reminders count from it. The document stays as it was issued."""
    from activities.ledger import commands
    from billing.approval_policy import Channel

    name = commands.change_due_date(
        context.ledger(), invoice, to=day, reason=reason, by=who, channel=Channel.CLI, at=context.now()
    )
    _done(name, "due date changed", as_json, f"{name} is due on {day} now.", to=day, by=who, reason=reason)


@click.command("resend", short_help="Mail an issued invoice once more")
@invoice_argument
@click.option("--to", type=Text(), metavar="ADDRESS", help="Instead of the client's billing contact.")
@as_option(required=True)
@json_option
def resend(invoice: str, to: str | None, who: str, as_json: bool) -> None:
    """Mail an issued invoice once more with its PDF, under a Message-ID of its own."""
    from activities.ledger import commands
    from billing.approval_policy import Channel

    name = commands.resend(context.ledger(), invoice, to=to, by=who, channel=Channel.CLI, at=context.now())
    _done(
        name, "sent again", as_json, f"{name} is mailed once more{f' to {to}' if to else ''}.", to=to, by=who
    )


def _done(name: str, what: str, as_json: bool, said: str, **facts: object) -> None:
    if as_json:
        shown = {key: each.isoformat() if isinstance(each, date) else each for key, each in facts.items()}
        output.document({"invoice": name, "done": what, **shown})
        return
    output.say(said)
    output.hint(f"billow show {shlex.quote(name)}")


COMMANDS = [hold, release, dispute, promise, due, resend]
