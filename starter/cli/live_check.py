"""`billow check --live`: every system with its fields, a value of each, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from activities.company.live_probes import probes
from activities.delivery.smtp import SmtpTransport
from activities.providers.live_check import Probe, Report, tried_out
from billing.company import Company
from starter.cli import output
from workers.settings import NotConfigured, Settings

if TYPE_CHECKING:
    from rich.table import Table

_FIELD, _SOURCE = 29, 26
_SECONDS = 10.0


def told(folder: Path, company: Company, *, as_json: bool) -> bool:
    """Tries out every system of the folder and prints what came of it; True if nothing is wrong."""
    settings = _settings()
    systems = probes(folder, company, settings.web_url, _mail(settings))
    reports = []
    for number, report in enumerate(_watched(systems), start=1):
        reports.append(report)
        if not as_json:
            _print(report)
            _progress(f"{number} of {output.plural(len(systems), 'system')} tried out")
    wrong = [each for each in reports if each.problems]
    if as_json:
        output.document(
            {
                "folder": str(folder),
                "systems": [_as_data(each) for each in sorted(reports, key=lambda each: each.probe.id)],
                "wrong": len(wrong),
            }
        )
        return not wrong
    count = sum(len(each.problems) for each in wrong)
    found = (
        f"{output.plural(count, 'problem')} in {output.plural(len(wrong), 'system')}"
        if wrong
        else "No problems"
    )
    output.say(
        f"{found}: {output.plural(len(systems), 'system')} tried out; nothing was written to any of them."
    )
    return not wrong


def _settings() -> Settings:
    """Where the mail server and the web app are; a database is not needed for that."""
    given = {key: value for key, value in os.environ.items() if value}
    try:
        return Settings.from_environment({"BILLOW_DATABASE_URL": "none", **given})
    except (NotConfigured, ValidationError) as error:
        raise click.ClickException(str(error)) from error


def _mail(settings: Settings) -> SmtpTransport:
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
    return SmtpTransport(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_username or "",
        password,
        settings.smtp_starttls,
        timeout=_SECONDS,
    )


def _watched(systems: list[Probe]) -> Iterator[Report]:
    _progress(f"trying out {output.plural(len(systems), 'system')}, two at a time …")
    yield from tried_out(systems)


def _progress(text: str) -> None:
    """On a terminal, where somebody waits."""
    out = output.console(stderr=True)
    if out.is_terminal:
        out.print(output.styled(text, "dim"))


def _print(report: Report) -> None:
    from rich.table import Table

    probe, out = report.probe, output.console()
    out.print(
        output.styled(f"{probe.title} ", "bold")
        .append(output.styled(f"({probe.id}, {probe.port})"))
        .append(output.styled(f"  {probe.address}  {report.seconds:.1f} s", "dim")),
        overflow="fold",
    )
    if report.problem:
        out.print(_wrong(report.problem))
    said: set[str] = set()
    for each in report.samples:
        if not (each.theirs or each.value or each.problem):
            continue
        row = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
        row.add_column(width=2)
        row.add_column(width=_FIELD, overflow="fold")
        row.add_column(width=_SOURCE, overflow="fold")
        row.add_column(overflow="fold")
        row.add_row("", *map(output.styled, (each.ours, each.theirs or "–", each.value or "–")))
        out.print(row)
        if each.problem:
            out.print(_wrong("the same" if each.problem in said else each.problem))
            said.add(each.problem)
    unmapped = [each.ours for each in report.samples if not (each.theirs or each.value or each.problem)]
    if unmapped:
        out.print(_told(f"not mapped: {', '.join(unmapped)}", "dim"))
    if probe.webhook:
        out.print(_told(f"webhook {probe.webhook}"))
    output.say("")


def _told(text: str, style: str = "", sign: str = "") -> Table:
    """A text below its system, indented on every line."""
    from rich.table import Table

    row = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    row.add_column(width=2)
    row.add_column(overflow="fold")
    row.add_row(output.styled(f" {sign}", "red"), output.styled(text, style))
    return row


def _wrong(problem: str) -> Table:
    return _told(problem, sign="!")


def _as_data(report: Report) -> dict[str, Any]:
    probe = report.probe
    return {
        "id": probe.id,
        "system": probe.title,
        "port": probe.port,
        "address": probe.address,
        "webhook": probe.webhook,
        "seconds": round(report.seconds, 3),
        "problem": report.problem,
        "fields": [
            {"field": each.ours, "source": each.theirs, "value": each.value, "problem": each.problem}
            for each in report.samples
        ],
    }
