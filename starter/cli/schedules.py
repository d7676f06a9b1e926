"""`billow sync-schedules`: what Temporal starts by itself is what the company says."""

from __future__ import annotations

import click

from starter.cli import context, output, temporal
from starter.cli.parameters import as_option, json_option


@click.command("sync-schedules", short_help="Put the schedules of the company into Temporal")
@click.option("--dry-run", is_flag=True, help="Show what differs, and change nothing.")
@click.option("--resume", is_flag=True, help="Go on with schedules that somebody has paused.")
@json_option
@as_option(required=False)
def sync_schedules(*, dry_run: bool, resume: bool, as_json: bool, who: str | None) -> None:
    """Make Temporal's schedules those of the company that runs: billing runs, and the nightly reconciliation.

    Doing it twice changes nothing. A schedule that is paused stays paused, unless --resume; one that is deleted later
    is put back by the invoicing worker within ten minutes.
    """
    from workers import schedules

    company, ledger, by = context.company(), context.ledger(), context.person(who)
    with temporal.reached():
        if dry_run:
            found = temporal.ask(lambda client: schedules.differences(client, company))
        else:
            found = temporal.ask(lambda client: schedules.sync(client, ledger, company, by=by, resume=resume))
    skipped = schedules.skipped_day(company, context.now().date())
    if as_json:
        output.document(
            {
                "applied": not dry_run,
                "differences": [
                    {"schedule": each.schedule, "found": each.found, "paused": each.paused} for each in found
                ],
                "skipped_night": skipped,
            }
        )
        return
    for each in found:
        for line in each.found:
            output.say(f"{each.schedule}: {line}")
        if each.paused:
            output.say(
                f"{each.schedule}: is paused" + (", and goes on now" if resume and not dry_run else "")
            )
    if skipped:
        output.say(
            f"Clocks are put forward over {company.reconciliation.at:%H:%M} on {skipped}: there is no "
            "reconciliation that night, and the next finds the same."
        )
    _conclude(sum(each.to_apply for each in found), dry_run=dry_run)
    if not resume and any(each.paused for each in found):
        output.hint("billow sync-schedules --resume   # goes on with what is paused")


def _conclude(different: int, *, dry_run: bool) -> None:
    if not different:
        output.say("The schedules in Temporal are those of the company.")
    elif dry_run:
        output.say(f"{output.plural(different, 'schedule')} would be put right; nothing was changed.")
    else:
        output.say(f"{output.plural(different, 'schedule')} put right; they are those of the company now.")


COMMANDS = [sync_schedules]
