"""`billow simulate`: what would happen in the months to come, by the company folder as it is edited now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from starter.cli import context, output
from starter.cli.failures import Failure
from starter.cli.parameters import Text, json_option

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from activities.ledger.company_records import CompanyVersion
    from billing.company import Company
    from billing.simulation.outcome import Assumptions, Simulation

MOST_MONTHS = 36
LONGEST_DELAY = 730
"""Days from the due date to the money, at the most."""


@click.command("simulate", short_help="What would be billed, asked, sent and reminded, and when")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The company folder; else the one that was applied.",
)
@click.option("--months", type=click.IntRange(1, MOST_MONTHS), default=6, show_default=True, metavar="N")
@click.option("--client", type=Text(), metavar="ID", help="Of this client only.")
@click.option("--agreement", type=Text(), metavar="ID", help="Of this agreement only.")
@click.option(
    "--approve-after",
    type=click.IntRange(0, 24 * 365),
    metavar="HOURS",
    help="Approvers answer so long after they are asked; else at once.",
)
@click.option("--never-approve", is_flag=True, help="No approver answers: see whom it goes to.")
@click.option(
    "--pay-after",
    type=click.IntRange(-LONGEST_DELAY, LONGEST_DELAY),
    metavar="DAYS",
    help="Clients pay so many days after the due date; else on it.",
)
@click.option("--never-pay", is_flag=True, help="No client pays: see every reminder.")
@click.option("--expect", is_flag=True, help="Estimate hours to come from the last three full months.")
@click.option("--from-nothing", is_flag=True, help="As if nothing had been billed yet.")
@click.option("--compare", is_flag=True, help="What differs from the rules in force.")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also draw billed and paid amounts, month by month, as SVG.",
)
@json_option
def simulate(
    folder: Path | None,
    months: int,
    client: str | None,
    agreement: str | None,
    approve_after: int | None,
    pay_after: int | None,
    picture: Path | None,
    *,
    never_approve: bool,
    never_pay: bool,
    expect: bool,
    from_nothing: bool,
    compare: bool,
    as_json: bool,
) -> None:
    """What would be billed, asked, sent and reminded, and when, for the company folder as it is edited now.

    The rules are those that bill; nothing is sent and nothing is written. Where the ledger stands is where it begins:
    what is billed stays billed, open invoices are collected on. What nobody can know is assumed, and said.
    """
    if compare and picture is not None:
        raise click.UsageError("--picture draws one simulation; leave out --compare.")
    assumptions = _assumptions(approve_after, never_approve, pay_after, never_pay, expect)
    from activities.invoicing import simulating
    from starter.cli import simulation_data, simulation_table

    with context.ledger().transaction() as tx:
        simulating.read_only(tx)
        edited = _edited(tx, folder)
        _known(edited.company, client, agreement)
        zone, (start, until) = _zone(edited.company), _span(edited.company, months)

        def run(version: CompanyVersion) -> Simulation:
            found = simulating.simulated(tx, version, start, until, assumptions, from_nothing=from_nothing)
            return found.of(client=client, agreement=agreement)

        if compare:
            _compare(tx, edited, run, zone, as_json=as_json)
            return
        simulation = run(edited)
    if picture is not None:
        picture.write_text(simulation_data.drawn(simulation, edited.company.name, zone), encoding="utf-8")
    if as_json:
        output.document({"folder": edited.folder, **simulation_data.simulation_data(simulation, zone)})
        return
    simulation_table.print_simulation(simulation, edited, zone)
    if picture is not None:
        output.hint(f"Picture: {picture}")


COMMANDS = [simulate]


def _assumptions(
    approve_after: int | None, never_approve: bool, pay_after: int | None, never_pay: bool, expect: bool
) -> Assumptions:
    from billing.simulation.outcome import Assumptions

    if never_approve and approve_after is not None:
        raise click.UsageError("--never-approve and --approve-after exclude each other.")
    if never_pay and pay_after is not None:
        raise click.UsageError("--never-pay and --pay-after exclude each other.")
    return Assumptions(
        approve_after=None if never_approve else timedelta(hours=approve_after or 0),
        pay_after=None if never_pay else pay_after or 0,
        expect=expect,
    )


def _compare(
    tx: Session,
    edited: CompanyVersion,
    run: Callable[[CompanyVersion], Simulation],
    zone: str,
    *,
    as_json: bool,
) -> None:
    """Says what differs between the edited folder and the rules in force, from one state of the ledger."""
    from activities.ledger import company_records
    from billing.simulation.comparison import compare
    from starter.cli import comparison_table, simulation_data

    in_force = company_records.current(tx)
    compared = compare(run(in_force), run(edited))
    if as_json:
        said = {"folder": edited.folder, "version_in_force": in_force.version}
        output.document({**said, **simulation_data.comparison_data(compared)})
    else:
        comparison_table.print_comparison(compared, edited, in_force, zone)


def _edited(tx: Session, folder: Path | None) -> CompanyVersion:
    """The company folder as it is edited now; what is wrong with it must be put right first."""
    from activities.company.folder import read_folder
    from activities.company.problems import errors
    from activities.ledger import company_records
    from activities.ledger.company_records import CompanyVersion

    where = folder or Path(company_records.current(tx).folder)
    reading = read_folder(where)
    if reading.company is None:
        wrong = output.plural(len(errors(reading.problems)), "error")
        raise Failure(f"{wrong} in {where}; `billow check {where}` names what to correct first.")
    return CompanyVersion(0, reading.company, str(where.resolve()))


def _known(company: Company, client: str | None, agreement: str | None) -> None:
    """Refuses a client or agreement that the company does not have."""
    from activities.company.problems import did_you_mean

    wanted: list[tuple[str, str | None, list[str]]] = [
        ("client", client, [each.id for each in company.clients]),
        ("agreement", agreement, [each.id for each in company.agreements]),
    ]
    for kind, name, known in wanted:
        if name is not None and name not in known:
            near = did_you_mean(name, known) or f"; there are: {', '.join(known[:12]) or 'none'}"
            raise Failure(f"there is no {kind} {name!r} in the company folder{near}")


def _zone(company: Company) -> str:
    """In which days and months are told: the first issuer's."""
    return company.issuers[0].zone


def _span(company: Company, months: int) -> tuple[datetime, datetime]:
    """From now to the begin of the same day so many months later."""
    from billing.periods import months_after

    start, zone = context.now(), ZoneInfo(_zone(company))
    last = months_after(start.astimezone(zone).date(), months)
    return start, datetime.combine(last, time(), tzinfo=zone).astimezone(ZoneInfo("UTC"))
