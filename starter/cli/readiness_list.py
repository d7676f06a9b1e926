"""`billow check --readiness`: the list to clean data by, client by client, for people, for programs and as CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from activities.invoicing import readiness
from activities.invoicing.readiness import Readiness
from activities.invoicing.sources import Systems
from billing.company import Company
from starter.cli import context, output
from starter.cli.failures import Failure
from starter.cli.progress import progress

_WHAT = 22
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def told(
    folder: Path,
    company: Company,
    languages: Mapping[str, Sequence[str]],
    file: Path | None,
    *,
    as_json: bool,
) -> bool:
    """Looks at every client and prints, or writes, what is missing; True if all can be billed."""
    systems = Systems.in_folder(folder, company.integrations, company.connections)
    with progress("clients", len(company.clients)) as step:
        found = readiness.look(company, systems, context.now().date(), languages, step)
    if file is not None:
        _write(file, found)
    if as_json:
        _document(folder, found)
    else:
        _print(found, file)
    return found.ready


def _print(found: Readiness, file: Path | None) -> None:
    out = output.console()
    if file is None:
        _print_gaps(found)
    for port, why in found.unreadable.items():
        out.print(
            output.styled(f"! {port} cannot be read: ", "red").append(output.styled(why)), overflow="fold"
        )
    needed = [each for each in found.gaps if each.needed]
    counts = ", ".join(
        f"{what} {count}" for what, count in Counter(each.what for each in needed).most_common()
    )
    looked = (
        f"{output.plural(found.clients, 'client')}, {output.plural(found.agreements, 'agreement')} looked at"
    )
    if needed:
        them = output.plural(found.clients_not_ready, "client")
        output.say(f"{output.plural(len(needed), 'gap')} at {them}: {counts}. {looked}.")
    else:
        output.say(f"Nothing that is needed is missing; {looked}.")
    advised = len(found.gaps) - len(needed)
    if advised:
        output.say(
            f"{output.plural(advised, 'remark')} that stops nothing."
            if advised == 1
            else f"{output.plural(advised, 'remark')} that stop nothing."
        )
    if file is not None:
        output.say(f"The list is in {file}.")


def _print_gaps(found: Readiness) -> None:
    from rich.table import Table

    out, client = output.console(), ""
    for each in found.gaps:
        if each.client != client:
            client = each.client
            out.print(output.styled(client, "bold"))
        row = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
        row.add_column(width=1)
        row.add_column(width=_WHAT, overflow="fold")
        row.add_column(overflow="fold")
        what = each.what + (f" of {each.agreement}" if each.agreement else "")
        sign = output.styled("!", "red") if each.needed else output.styled("·", "dim")
        row.add_row(sign, output.styled(what), output.styled(each.message, "" if each.needed else "dim"))
        out.print(row)
    if found.gaps:
        output.say("")


def _document(folder: Path, found: Readiness) -> None:
    output.document(
        {
            "folder": str(folder),
            "ready": found.ready,
            "clients": found.clients,
            "clients_not_ready": found.clients_not_ready,
            "agreements": found.agreements,
            "unreadable": {str(port): why for port, why in found.unreadable.items()},
            "gaps": [
                {
                    "client": each.client,
                    "agreement": each.agreement or None,
                    "missing": each.what,
                    "needed": each.needed,
                    "message": each.message,
                }
                for each in found.gaps
            ],
        }
    )


def _write(file: Path, found: Readiness) -> None:
    """The list as CSV, as spreadsheets read it: UTF-8 with its mark, and nothing they would compute (CWE-1236)."""
    try:
        with file.open("w", encoding="utf-8-sig", newline="") as opened:
            rows = csv.writer(opened)
            rows.writerow(["client", "agreement", "missing", "needed", "message"])
            for each in found.gaps:
                told = (each.client, each.agreement, each.what, "yes" if each.needed else "no", each.message)
                rows.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in told])
    except OSError as error:
        raise Failure(f"{file} cannot be written ({error.strerror}); name another file with -o.") from error
