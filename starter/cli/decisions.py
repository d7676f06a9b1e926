"""`billow approve`, `reject`, `resolve` and `fetch-again`: what a person decides about a draft or an exception."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Literal

import click

from starter.cli import context, output
from starter.cli.parameters import Text, as_option, invoice_argument, json_option

if TYPE_CHECKING:
    from billing.approval_policy import Verdict


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


COMMANDS = [approve, reject, resolve, fetch_again]
