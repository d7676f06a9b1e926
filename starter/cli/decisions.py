"""`billow inbox`, `approve`, `reject` and `resolve`: what waits for a person, and what they decide."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import click

from starter.cli import context, output
from starter.cli.parameters import Text, as_option, invoice_argument, json_option

if TYPE_CHECKING:
    from activities.ledger.views import InboxItem
    from billing.approval_policy import Verdict


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


@click.command("approve", short_help="Approve a draft")
@invoice_argument
@as_option(required=True)
@click.option("--comment", type=Text(may_be_empty=True), default="", metavar="TEXT")
@click.option(
    "--digest",
    type=Text(),
    metavar="HEX",
    help="Only if the draft is still this one (first 8 or more digits).",
)
@json_option
def approve(invoice: str, who: str, comment: str, digest: str | None, as_json: bool) -> None:
    """Approve a draft; INVOICE is its billing key."""
    from billing.approval_policy import Verdict

    _decide(invoice, Verdict.APPROVE, who, comment, digest, rebill=False, as_json=as_json)


@click.command("reject", short_help="Reject a draft; it is voided")
@invoice_argument
@as_option(required=True)
@click.option("--comment", type=Text(), required=True, metavar="TEXT", help="Why.")
@click.option(
    "--digest",
    type=Text(),
    metavar="HEX",
    help="Only if the draft is still this one (first 8 or more digits).",
)
@click.option("--rebill", is_flag=True, help="Bill the same thing again later; else it is waived.")
@json_option
def reject(invoice: str, who: str, comment: str, digest: str | None, rebill: bool, as_json: bool) -> None:
    """Reject a draft: it is voided. INVOICE is its billing key.

    What it billed is waived, unless --rebill frees it to be billed again.
    """
    from billing.approval_policy import Verdict

    _decide(invoice, Verdict.REJECT, who, comment, digest, rebill=rebill, as_json=as_json)


def _decide(
    invoice: str, verdict: Verdict, who: str, comment: str, digest: str | None, *, rebill: bool, as_json: bool
) -> None:
    from activities.ledger import commands
    from billing.approval_policy import Channel

    billing_key = commands.decide(
        context.ledger(),
        invoice,
        verdict,
        by=who,
        channel=Channel.CLI,
        comment=comment,
        draft_digest=_whole(digest, invoice),
        rebill=rebill,
        at=context.now(),
    )
    missing = _missing(billing_key)
    if as_json:
        output.document(
            {
                "billing_key": billing_key,
                "verdict": verdict,
                "by": who,
                "approvals_missing": missing,
                "rebill": rebill,
            }
        )
        return
    if verdict == "reject":
        freed = (
            "it can be billed again"
            if rebill
            else "what it billed is waived (reject --rebill would bill it again)"
        )
        output.say(f"Rejected {billing_key} as {who}; {freed}.")
    elif missing:
        output.say(
            f"Approved {billing_key} as {who}; {output.plural(missing, 'more approval')} needed in this tier."
        )
    else:
        output.say(f"Approved {billing_key} as {who}.")
    output.hint(f"billow show {shlex.quote(billing_key)}")


def _whole(digest: str | None, invoice: str) -> str | None:
    """The whole digest of a beginning; what begins otherwise stays as it is, for the ledger to refuse."""
    if digest is None:
        return None
    from activities.ledger import invoices

    with context.ledger().transaction() as tx:
        current = invoices.find(tx, invoice).draft_digest or ""
    return current if len(digest) >= 8 and current.startswith(digest.lower()) else digest


def _missing(billing_key: str) -> int:
    """How many more approvals the question that waits needs; 0 when none waits."""
    from activities.ledger import approvals, company_records, invoices

    with context.ledger().transaction() as tx:
        row = invoices.find(tx, billing_key)
        waiting = approvals.waiting(tx, row)
        if waiting is None or not waiting.approved_by:
            return 0
        tiers = company_records.at_version(tx, row.company_version).company.approvals.tiers
        needed = next((tier.quorum for tier in tiers if tier.id == waiting.tier), 1)
        return max(needed - len(waiting.approved_by), 0)


@click.command("resolve", short_help="Decide an exception")
@click.argument("exception", type=click.IntRange(1), metavar="EXCEPTION")
@click.option("--retry", is_flag=True, help="The cause is repaired: try again.")
@click.option("--accept", is_flag=True, help="Take the difference as it is; needs --reason.")
@click.option(
    "--override",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Set a fact of the client by hand, such as contact.email=…; needs --reason. May be repeated.",
)
@click.option(
    "--void",
    type=click.Choice(["rebill", "waive"]),
    help="Void the draft, to be billed again or never; needs --reason.",
)
@as_option(required=True)
@click.option("--reason", type=Text(may_be_empty=True), default="", metavar="TEXT")
@json_option
def resolve(
    exception: int,
    retry: bool,
    accept: bool,
    override: tuple[str, ...],
    void: Literal["rebill", "waive"] | None,
    who: str,
    reason: str,
    as_json: bool,
) -> None:
    """Decide an exception. EXCEPTION is its number; `billow inbox` lists those that are open."""
    if retry + accept + bool(override) + (void is not None) != 1:
        raise click.UsageError("give exactly one of --retry, --accept, --override and --void rebill|waive.")
    if not retry and not reason:
        what = "--accept" if accept else "--override" if override else "--void"
        raise click.UsageError(f"say why with --reason: {what} needs it.")
    if any("=" not in each for each in override):
        raise click.UsageError("--override takes FIELD=VALUE, such as contact.email=ap@client.example.")
    from activities.ledger import commands, company_exceptions
    from activities.ledger.exceptions import Resolution
    from billing.approval_policy import Channel

    chosen = {Resolution.RETRY: retry, Resolution.ACCEPT: accept, Resolution.OVERRIDE: bool(override)}
    resolution = next((each for each, given in chosen.items() if given), Resolution.VOID)
    name = commands.resolve(
        context.ledger(),
        exception,
        resolution,
        by=who,
        channel=Channel.CLI,
        reason=reason,
        rebill=void == "rebill",
        overrides=dict(each.split("=", 1) for each in override),
        at=context.now(),
    )
    with context.ledger().transaction() as tx:
        without_invoice = company_exceptions.outcome(tx, exception)
    if as_json:
        about = {"billing_key": name} if without_invoice is None else {"billing_key": None, "subject": name}
        output.document({"exception": exception, "resolution": resolution, **about, "by": who})
        return
    if without_invoice is not None:
        output.say(without_invoice)
        return
    done = {
        Resolution.RETRY: f"Billow tries {name} again.",
        Resolution.ACCEPT: f"Accepted as it is; {name} goes on.",
        Resolution.OVERRIDE: f"Set by hand; Billow tries {name} again.",
        Resolution.VOID: f"Voided {name}; "
        + ("it can be billed again." if void == "rebill" else "what it billed is waived."),
    }
    output.say(done[resolution])
    output.hint(f"billow show {shlex.quote(name)}")


@click.command("fetch-again", short_help="Make a draft anew from what the sources say now")
@invoice_argument
@as_option(required=True)
@json_option
def fetch_again(invoice: str, who: str, as_json: bool) -> None:
    """Make a draft anew from what CRM, PSA and contract say now. If it changes, approval is asked for again."""
    from activities.ledger import commands
    from billing.approval_policy import Channel

    billing_key = commands.fetch_again(
        context.ledger(), invoice, by=who, channel=Channel.CLI, at=context.now()
    )
    if as_json:
        output.document({"billing_key": billing_key, "done": "fetch again", "by": who})
        return
    output.say(f"Billow makes the draft of {billing_key} anew; nobody can approve it until then.")
    output.hint(f"billow show {shlex.quote(billing_key)}")


COMMANDS = [inbox, approve, reject, resolve, fetch_again]
