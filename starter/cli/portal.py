"""`billow portal-link`: the address at which a client sees an invoice, and its end."""

from __future__ import annotations

import click

from starter.cli import context, output
from starter.cli.parameters import as_option, invoice_argument, json_option


@click.command("portal-link", short_help="The client's link to an invoice, or its end")
@invoice_argument
@click.option("--revoke", is_flag=True, help="Every link handed out so far leads nowhere from now on.")
@as_option(required=False)
@json_option
def portal_link(invoice: str, revoke: bool, who: str | None, as_json: bool) -> None:
    """Show the address at which the client sees the invoice: whoever has it can see, dispute and promise.

    The next mail carries the same address; after --revoke, which needs --as, a new one.
    """
    from activities.ledger import company_records, invoices, portal_links
    from billing.approval_policy import Channel

    if revoke and not who:
        raise click.UsageError("--revoke needs --as: say who you are.")
    at, settings = context.now(), context.settings()
    with context.ledger().transaction() as tx:
        row = invoices.find(tx, invoice, lock=True)
        company = company_records.current(tx).company
        name, ended = row.name, 0
        if revoke:
            ended = portal_links.revoke(tx, row, company, by=who or "", channel=Channel.CLI, at=at)
        found = None if revoke else portal_links.current(tx, row, company, at=at)
        zone, viewed = context.issuer_zone(row.issuer), row.viewed_at
    if found is None:
        said = f"{output.plural(ended, 'link')} to {name} revoked." if ended else f"No link leads to {name}."
        _told(as_json, said, invoice=name, revoked=ended, by=who)
        return
    url = f"{settings.web_url}/i/{found.token}"
    seen = f"seen {output.moment(viewed, zone)}" if viewed else "not seen by a person yet"
    said = f"{url}\n{name}, until {output.moment(found.expires_at, zone)}; {seen}."
    _told(as_json, said, invoice=name, url=url, expires_at=found.expires_at, viewed_at=viewed)


def _told(as_json: bool, said: str, **facts: object) -> None:
    if as_json:
        output.document(facts)
    else:
        output.say(said)


COMMANDS = [portal_link]
