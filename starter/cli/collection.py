"""`billow hold`, `release`, `promise`, `due` and `resend`: what stops reminders, and what lets them go on."""

from __future__ import annotations

import shlex
from datetime import date, datetime, time, timedelta

import click

from billing.errors import Refused
from starter.cli import context, output
from starter.cli.parameters import Day, Text, Until, as_option, invoice_argument, json_option


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
    done(
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
    done(name, "released", as_json, f"{name} is no longer on hold; reminders go on where they stood.", by=who)


@click.command("promise", short_help="Note that the client promised to pay by a day")
@invoice_argument
@click.option("--on", "promised_for", type=Day(), metavar="DATE", help="The last day of the promise.")
@click.option(
    "--note", type=Text(may_be_empty=True), default="", metavar="TEXT", help="Who promised it, and how."
)
@click.option("--withdrawn", type=Text(), metavar="TEXT", help="The promise holds no longer: why.")
@as_option(required=True)
@json_option
def promise(
    invoice: str, promised_for: date | None, note: str, withdrawn: str | None, who: str, as_json: bool
) -> None:
    """Note that the client promised to pay by a day: reminders rest until the day after.

    Another day moves the promise. Kept, broken and moved ones are remembered by client.
    """
    from activities.ledger import dispute_commands, invoices, promises
    from billing.approval_policy import Channel

    if (promised_for is None) == (withdrawn is None):
        raise click.UsageError("give either --on, or --withdrawn for a promise that holds no longer.")
    at, ledger = context.now(), context.ledger()
    if promised_for is None:
        name = dispute_commands.withdraw_promise(
            ledger, invoice, reason=withdrawn or "", by=who, channel=Channel.CLI, at=at
        )
        done(
            name, "promise withdrawn", as_json, f"{name}: nothing is promised now.", by=who, reason=withdrawn
        )
        return
    with ledger.transaction() as tx:
        before = promises.record_of(tx, invoices.find(tx, invoice).client)
    name = dispute_commands.promise(
        ledger, invoice, on=promised_for, by=who, channel=Channel.CLI, note=note, at=at
    )
    said = f"{name}: payment promised for {promised_for}; reminders rest until the day after."
    record = {"kept": before.kept, "broken": before.broken, "moved": before.moved}
    if any(record.values()):
        said += f" So far the client has {before.in_words}."
    done(name, "promised", as_json, said, on=promised_for, by=who, record=record)


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
    done(name, "due date changed", as_json, f"{name} is due on {day} now.", to=day, by=who, reason=reason)


@click.command("resend", short_help="Mail an issued invoice once more")
@invoice_argument
@click.option("--to", type=Text(), metavar="ADDRESS", help="Instead of the client's billing contact.")
@click.option("--credit-note", type=Text(), metavar="NUMBER", help="This credit note of it instead.")
@as_option(required=True)
@json_option
def resend(invoice: str, to: str | None, credit_note: str | None, who: str, as_json: bool) -> None:
    """Mail an issued invoice once more with its PDF, or a credit note of it, under a Message-ID of its own."""
    from activities.ledger import commands
    from billing.approval_policy import Channel

    name = commands.resend(
        context.ledger(),
        invoice,
        to=to,
        credit_note=credit_note,
        by=who,
        channel=Channel.CLI,
        at=context.now(),
    )
    done(
        name, "sent again", as_json, f"{name} is mailed once more{f' to {to}' if to else ''}.", to=to, by=who
    )


def done(name: str, what: str, as_json: bool, said: str, **facts: object) -> None:
    """Tells that a command about an invoice was done."""
    if as_json:
        shown = {key: each.isoformat() if isinstance(each, date) else each for key, each in facts.items()}
        output.document({"invoice": name, "done": what, **shown})
        return
    output.say(said)
    output.hint(f"billow show {shlex.quote(name)}")


COMMANDS = [hold, release, promise, due, resend]
