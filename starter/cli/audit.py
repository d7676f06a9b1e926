"""`billow audit`: proof that the audit trail is as it was written, and that numbers were given as the law asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from starter.cli import context, output
from starter.cli.failures import REFUSED
from starter.cli.parameters import Text, json_option
from starter.cli.progress import progress

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from activities.ledger.number_audit import NumberAudit

BATCH = 500
NAMED_AT_MOST = 1000
"""So many breaks are named one by one; all are counted."""


@click.group("audit", short_help="Prove that nothing was changed afterwards")
def audit() -> None:
    """The audit trail, for each invoice a chain of events each hashed with the one before; and the invoice numbers."""


@audit.command("verify", short_help="Check the audit trail of one invoice, or of all")
@click.argument("invoice", type=Text(), metavar="[INVOICE]", required=False)
@json_option
@click.pass_context
def verify(current: click.Context, invoice: str | None, as_json: bool) -> None:
    """Check the audit trail of one invoice, or of all. Exit code 1 if anything does not hold."""
    breaks: list[dict[str, Any]] = []
    invoices, broken = 0, 0
    with progress("Verifying", _count() if invoice is None else 1) as advance:
        for found in _checked(invoice):
            invoices += 1
            broken += len(found)
            breaks += found[: NAMED_AT_MOST - len(breaks)]
            advance()
    if as_json:
        output.document({"holds": not broken, "invoices": invoices, "break_count": broken, "breaks": breaks})
    else:
        for each in breaks:
            output.say(f"{each['invoice']}, event {each['position']}: {each['reason']}")
        if broken > len(breaks):
            output.say(f"and {broken - len(breaks):,} more")
        _conclude(invoices, broken)
    if broken:
        current.exit(REFUSED)


def _conclude(invoices: int, broken: int) -> None:
    of = f"The audit trail of {output.plural(invoices, 'invoice')}"
    if not invoices:
        output.say("There is no invoice yet, so there is nothing to verify.")
    elif broken:
        output.say(f"{of} does not hold in {output.plural(broken, 'place')}; compare it with a backup.")
    else:
        output.say(f"{of} holds.")


@audit.command("numbers", short_help="Check that invoice numbers have no gap and no double")
@click.option("--issuer", type=Text(), metavar="ID", help="Of this issuer only.")
@json_option
@click.pass_context
def numbers(current: click.Context, issuer: str | None, as_json: bool) -> None:
    """Check the numbers of invoices, credit notes and pro forma invoices, series by series.

    No gap, no double, in order of date, and as the audit trail says. Opening items keep the numbers of the system
    before and are left out. Exit code 1 if anything does not hold.
    """
    from activities.ledger import number_audit

    ledger = context.ledger()
    with ledger.transaction() as tx:
        _known_issuer(tx, issuer)
        total = number_audit.to_check(tx, issuer)
    with progress("Verifying", total) as advance, ledger.transaction() as tx:
        found = number_audit.audit_numbers(tx, issuer, advance)
    if as_json:
        output.document(_numbers_document(found))
    else:
        _print_numbers(found)
    if found.problem_count:
        current.exit(REFUSED)


def _known_issuer(tx: Session, issuer: str | None) -> None:
    """`NotFound` unless somebody by that name issues invoices, or once did."""
    if issuer is None:
        return
    from sqlalchemy import select

    from activities.ledger import company_records
    from activities.ledger.tables import NumberSeriesRow
    from billing.errors import NotFound

    once = tx.scalars(select(NumberSeriesRow.issuer)).all()
    known = sorted({*once, *(each.id for each in company_records.current(tx).company.issuers)})
    if issuer not in known:
        raise NotFound(f"there is no issuer {issuer!r}; there are: {', '.join(known[:12])}")


def _numbers_document(found: NumberAudit) -> dict[str, Any]:
    return {
        "holds": not found.problem_count,
        "invoices": found.invoices,
        "credit_notes": found.credit_notes,
        "opening_items": found.opening_items,
        "series": [
            {
                "issuer": each.issuer,
                "document_type": each.document_type,
                "year": each.year,
                "first": each.first,
                "last": each.last,
                "count": each.count,
                "on_opening_items": each.on_opening_items,
            }
            for each in found.series
        ],
        "problem_count": found.problem_count,
        "problems": [
            {"issuer": each.issuer, "kind": each.kind, "number": each.number, "reason": each.reason}
            for each in found.problems
        ],
    }


def _print_numbers(found: NumberAudit) -> None:
    from rich.table import Table

    if found.series:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("ISSUER", "DOCUMENT", "YEAR", "FIRST", "LAST"):
            table.add_column(name, overflow="fold")
        table.add_column("COUNT", justify="right")
        for each in found.series:
            cells = (
                each.issuer,
                each.document_type,
                str(each.year),
                each.first,
                each.last,
                f"{each.count:,}",
            )
            table.add_row(*map(output.styled, cells))
        output.console().print(table)
        output.say("")
    for problem in found.problems:
        output.say(problem.reason)
    if found.problem_count > len(found.problems):
        output.say(f"and {found.problem_count - len(found.problems):,} more")
    if found.opening_items:
        keep = "keeps its number" if found.opening_items == 1 else "keep their numbers"
        items = output.plural(found.opening_items, "opening item")
        output.say(f"{items} {keep} from the system before, not checked here.")
    for each in found.series:
        if each.on_opening_items:
            stands = "number" if each.on_opening_items == 1 else "numbers"
            verb = "stands" if each.on_opening_items == 1 else "stand"
            output.say(f"{each.on_opening_items:,} {stands} before {each.last} {verb} on them: no gap.")
    _conclude_numbers(found)


def _conclude_numbers(found: NumberAudit) -> None:
    of = output.plural(found.invoices, "invoice")
    if found.credit_notes:
        of += f" and {output.plural(found.credit_notes, 'credit note')}"
    if found.problem_count:
        places = output.plural(found.problem_count, "place")
        output.say(f"The numbers of {of} do not hold in {places}; compare them with a backup.")
    elif not found.invoices:
        output.say("No invoice is issued yet, so there is no number to check.")
    else:
        series = output.plural(len(found.series), "series", "series")
        output.say(f"The numbers of {of} in {series} hold: no gap, no double, in order of date.")


def _checked(invoice: str | None) -> Iterator[list[dict[str, Any]]]:
    """The breaks of one invoice after the other, by id, a batch a transaction: memory stays bounded."""
    from sqlalchemy import select

    from activities.ledger import audit_trail, invoices
    from activities.ledger.tables import InvoiceRow

    ledger = context.ledger()
    columns = select(InvoiceRow.id, InvoiceRow.number, InvoiceRow.billing_key)
    if invoice is not None:
        with ledger.transaction() as tx:
            row = invoices.find(tx, invoice)
            yield _named(audit_trail.verify(tx, row.id), row.name)
        return
    last = 0
    while True:
        with ledger.transaction() as tx:
            batch = tx.execute(columns.where(InvoiceRow.id > last).order_by(InvoiceRow.id).limit(BATCH)).all()
            for id_, number, billing_key in batch:
                yield _named(audit_trail.verify(tx, id_), number or billing_key)
                last = id_
        if len(batch) < BATCH:
            return


def _named(breaks: list[Any], name: str) -> list[dict[str, Any]]:
    return [{"invoice": name, "position": each.position, "reason": each.reason} for each in breaks]


def _count() -> int:
    from sqlalchemy import func, select

    from activities.ledger.tables import InvoiceRow

    with context.ledger().transaction() as tx:
        return tx.scalar(select(func.count()).select_from(InvoiceRow)) or 0


COMMANDS = [audit]
