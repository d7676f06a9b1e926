"""The card `billow show` prints: one invoice, compact, with what can be typed next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from starter.cli.inbox import other_ways
from starter.cli.output import console, day, hint, moment, money, plural, status, styled

if TYPE_CHECKING:
    from decimal import Decimal
    from zoneinfo import ZoneInfo

    from activities.ledger.dealings import Dealings
    from activities.ledger.views import InvoiceView


def print_card(view: InvoiceView, dealt: Dealings, zone: ZoneInfo) -> None:
    """Prints the invoice with days and hours in `zone`."""
    out = console()
    out.print(_head(view))
    out.print(Rule(style="dim"))
    out.print(_statuses(view, zone))
    if view.lines:
        _section(out, "Lines (net)", _lines(view))
    if view.approvals:
        _section(out, "Approvals", _approvals(view, zone))
    if view.payments:
        _section(out, "Payments", _payments(view))
    if view.credit_notes:
        _section(out, "Credit notes", _credit_notes(view))
    if view.disputes:
        _section(out, "Disputes", _disputes(view, zone))
    if dealt.parts:
        _section(out, "To be paid in parts", _parts(view, dealt))
    if dealt.given_up:
        _section(out, "Given up and paid back", _given_up(view, dealt, zone))
    if view.exceptions:
        _section(out, "Exceptions", _exceptions(view, zone))
    out.print()
    for command in next_commands(view):
        hint(command)


def _section(out: Console, title: str, content: Table | Group) -> None:
    out.print()
    out.print(styled(title, "bold"))
    out.print(Padding(content, (0, 0, 0, 2)))


def _grid(*justify: str) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for each in justify:
        table.add_column(
            justify="right" if each == "right" else "left", overflow="fold", no_wrap=each == "right"
        )
    return table


def _head(view: InvoiceView) -> Table:
    table = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(overflow="fold", ratio=1)
    table.add_column(justify="right", no_wrap=True)
    name = view.number or "draft"
    table.add_row(
        styled(f"{name} · {view.client_name}", "bold"), styled(money(view.gross, view.currency), "bold")
    )
    if view.open is not None and view.gross is not None and view.open != view.gross:
        table.add_row(styled(view.title), styled(_left(view.open, view.currency)))
    elif view.title:
        table.add_row(styled(view.title), "")
    table.add_row(styled(view.billing_key + _generation(view), "dim"), "")
    return table


def _left(open_amount: Decimal, currency: str | None) -> str:
    if open_amount < 0:
        return f"{money(-open_amount, currency)} too much"
    return f"open {money(open_amount, currency)}"


def _generation(view: InvoiceView) -> str:
    return f" (generation {view.generation} of {len(view.generations)})" if len(view.generations) > 1 else ""


def _statuses(view: InvoiceView, zone: ZoneInfo) -> Table:
    table = _grid("left", "left", "left", "left")
    late = f" ({plural(view.days_late, 'day')} late)" if view.days_late else " (late)" if view.late else ""
    collection = status(view.collection_status)
    if late:
        collection.append(late, style="red")
    terms = f" ({view.terms})" if view.terms else ""
    due = day(view.due_date) + terms if view.due_date else view.terms or "–"
    left = [
        ("Document", status(view.document_status)),
        ("Payment", status(view.payment_status)),
        ("Collection", collection),
    ]
    right = [
        ("Issued", day(view.issue_date)),
        ("Due", due),
        ("Supply", view.supply or "–"),
    ]
    for (name, value), (other, text) in zip(left, right, strict=True):
        table.add_row(styled(name, "dim"), value, styled(other, "dim"), styled(text))
    facts = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    for name, text in _facts(view, zone):
        facts.add_row(styled(f"{name:<10}", "dim"), styled(text))
    whole = Table.grid()
    whole.add_row(table)
    whole.add_row(facts)
    return whole


def _facts(view: InvoiceView, zone: ZoneInfo) -> list[tuple[str, str]]:
    """What stands about the invoice besides its statuses, and what it waits for."""
    waits = view.waits_for
    if view.next_at:
        waits = f"{waits or 'next step'}, until {moment(view.next_at, zone)}"
    part = f"{money(view.disputed_amount, view.currency)} of it: " if view.disputed_amount is not None else ""
    disputed = (
        f"{part}{view.disputed}; to be decided by {moment(view.disputed_until, zone)}"
        if view.disputed
        else ""
    )
    wanted = [
        ("Waits for", waits),
        ("Then", view.then if view.closed_at is None else ""),
        ("On hold", f"until {moment(view.held_until, zone)}" if "release" in view.actions else ""),
        ("Promised", f"for {day(view.promised_for)}" if view.promised_for else ""),
        ("Disputed", disputed),
        ("No reminder", _notice(view, zone)),
        ("Written off", money(view.written_off, view.currency) if view.written_off else ""),
        ("Delivered", moment(view.delivered_at, zone) if view.delivered_at else ""),
        ("Reminders", ", ".join(f"{each.act} {moment(each.done_at, zone)}" for each in view.acts)),
        ("Closed", moment(view.closed_at, zone) if view.closed_at else ""),
        ("Corrects", view.corrects or ""),
        ("Corrected", f"by {view.corrected_by}" if view.corrected_by else ""),
        ("Contact", view.contact),
        ("Contract", " · ".join(filter(None, (view.contract_reference, view.order_reference)))),
        ("Trigger", f"{view.trigger}, by {view.requested_by}"),
        ("Because", view.asked_because),
    ]
    return [(name, text) for name, text in wanted if text]


def _notice(view: InvoiceView, zone: ZoneInfo) -> str:
    """Until when a client whose dispute was decided is left in peace, while that is to come or matters."""
    if view.notice_until is None or view.closed_at is not None:
        return ""
    return f"before {moment(view.notice_until, zone)}, since a dispute was decided"


def _lines(view: InvoiceView) -> Table:
    table = _grid("left", "right")
    for each in view.lines:
        count = f"{each.quantity.normalize():,f} × {each.unit_price:,}"
        what = styled(each.description)
        for extra in filter(None, (each.detail, count if each.quantity != 1 else "", each.why)):
            what.append(f"\n{styled(extra).plain}", style="dim")
        table.add_row(what, styled(f"{each.net:,}"))
    for adjustment in view.adjustments:
        label = styled(adjustment.reason)
        if adjustment.why:
            label.append(f"\n{styled(adjustment.why).plain}", style="dim")
        table.add_row(label, styled(f"{adjustment.amount:,}"))
    for tax in view.taxes:
        rate = Text(f"{styled(tax.name).plain} {tax.rate.normalize():f} % ({tax.category})")
        if tax.why:
            rate.append(f"\n{styled(tax.why).plain}", style="dim")
        table.add_row(rate, styled(f"{tax.tax:,}"))
    if view.rounding:
        table.add_row("Rounding", styled(f"{view.rounding:,}"))
    table.add_row(styled("Gross", "bold"), styled(money(view.gross, view.currency), "bold"))
    return table


def _approvals(view: InvoiceView, zone: ZoneInfo) -> Table:
    table = _grid("left", "left", "left")
    for each in view.approvals:
        said = f"by {', '.join(each.approved_by)}" if each.approved_by else f"asked: {', '.join(each.asked)}"
        until = f", until {moment(each.deadline, zone)}" if each.status == "waiting" else ""
        outdated = "" if each.current else " (an earlier draft)"
        table.add_row(styled(each.tier), styled(each.status), styled(said + until + outdated))
    if view.digest and view.number is None:
        table.add_row(styled("digest", "dim"), styled(view.digest[:12], "dim"), "")
    return table


def _payments(view: InvoiceView) -> Table:
    table = _grid("left", "right", "left")
    for each in view.payments:
        source = " · ".join(filter(None, (each.source, each.reference, f"by {each.recorded_by}")))
        table.add_row(
            styled(day(each.received_on)), styled(money(each.amount, each.currency)), styled(source)
        )
    return table


def _credit_notes(view: InvoiceView) -> Table:
    table = _grid("left", "left", "right", "left")
    for each in view.credit_notes:
        what = "" if each.whole else f"line {', '.join(map(str, each.lines))}: " if each.lines else ""
        pending = "" if each.document else " (being made)"
        table.add_row(
            styled(each.number),
            styled(day(each.issue_date)),
            styled(money(each.gross, each.currency)),
            styled(f"{what}{each.reason}{pending}"),
        )
    return table


def _disputes(view: InvoiceView, zone: ZoneInfo) -> Table:
    table = _grid("left", "left")
    for each in view.disputes:
        part = f"line {', '.join(map(str, each.lines))}: " if each.lines else ""
        text = styled(f"{part}{each.reason}")
        waits = f"with {styled(each.owner).plain}, to be decided by {moment(each.deadline, zone)}"
        ended = f"{each.outcome} {moment(each.ended_at, zone)}" if each.outcome and each.ended_at else waits
        text.append(f"\n{each.code} · {ended}", style="dim")
        if each.answer:
            text.append(f"\n{styled(each.answer).plain}", style="dim")
        for file in each.files:
            text.append(f"\n{styled(file.name).plain} ({file.size:,} bytes)", style="dim")
        table.add_row(styled(moment(each.opened_at, zone)), text)
    return table


def _parts(view: InvoiceView, dealt: Dealings) -> Table:
    table = _grid("left", "right", "left")
    for each in dealt.parts:
        part = "" if each.open == each.amount else f", {money(each.open, view.currency)} of it"
        state = styled(f"open{part}") if each.open else styled("settled", "green")
        table.add_row(styled(f"by {day(each.due_date)}"), styled(money(each.amount, view.currency)), state)
    if dealt.plan_reason:
        table.add_row(styled("agreed", "dim"), "", styled(dealt.plan_reason, "dim"))
    return table


def _given_up(view: InvoiceView, dealt: Dealings, zone: ZoneInfo) -> Table:
    table = _grid("right", "left", "right", "left")
    for each in dealt.given_up:
        text = styled(each.status)
        if each.deadline is not None:
            whom = ", ".join(each.waits_for)
            text.append(f": with {styled(whom).plain}, until {moment(each.deadline, zone)}")
        elif each.decided_by:
            text.append(f" by {styled(each.decided_by).plain}")
        for said in filter(None, (each.reason, each.comment, each.last_error)):
            text.append(f"\n{styled(said).plain}", style="dim")
        table.add_row(
            styled(str(each.id)), styled(each.kind), styled(money(each.amount, view.currency)), text
        )
    return table


def _exceptions(view: InvoiceView, zone: ZoneInfo) -> Table:
    table = _grid("right", "left")
    for each in view.exceptions:
        if each.resolved_at:
            table.add_row(styled(str(each.id), "dim"), styled(f"{each.code}: {each.resolution}", "dim"))
            continue
        text = styled(each.code, "bold red")
        text.append(
            f" for {styled(each.owner).plain}, until {moment(each.deadline, zone)}\n", style="default"
        )
        text.append(styled(each.message).plain, style="default")
        table.add_row(styled(str(each.id)), text)
    return table


def next_commands(view: InvoiceView) -> list[str]:
    """What a person may type next about the invoice, the likeliest first."""
    name = shlex.quote(view.name)
    commands = [
        f"billow resolve {each.id} --retry --as WHO{other_ways(each.resolutions)}"
        if "retry" in each.resolutions
        else f"billow resolve {each.id} --accept --reason … --as WHO"
        for each in view.exceptions
        if each.resolved_at is None
    ]
    if any(each.status == "waiting" for each in view.approvals) and view.number is None:
        commands += [f"billow approve {name} --as WHO", f"billow reject {name} --as WHO --comment …"]
    if any(each.erased_at is None for each in view.documents):
        commands.append(f"billow pdf {name}")
    commands += [f"billow pdf {shlex.quote(each.number)}" for each in view.credit_notes if each.document]
    if any(file.erased_at is None for each in view.disputes for file in each.files):
        commands.append(f"billow dispute-files {name}")
    if "pay" in view.actions and view.open is not None and view.open > 0:
        commands.append(f"billow pay {name} --amount {view.open} --as WHO")
    if "release" in view.actions:
        commands.append(f"billow release {name} --as WHO")
    return [*commands, f"billow timeline {name}"]
