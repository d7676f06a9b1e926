"""One invoice in full: its document beside what happened to it, what may be done now, and why not the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from activities.ledger import client_credit, company_records, dealings, standings, views
from activities.ledger.read_models import DocumentView, InvoiceView, TimelineEntry
from activities.ledger.tables import InvoiceRow
from billing.allowed_acts import Act, WhyNot, allowed_acts
from billing.currencies import MINOR_UNITS
from billing.dispute import DisputeCode
from starter.web.desk import csrf_token, desk_of, now, zone_of
from starter.web.guests import guest_of
from starter.web.invoice_words import ACTS, CHANNELS

MOST_TICKED = 60
"""Lines that can be ticked in a form; those of a longer invoice are credited and disputed as a whole, or by amount."""


@dataclass(frozen=True)
class Day:
    """What happened on a day, the newest first."""

    day: date
    entries: tuple[TimelineEntry, ...]


def detail(request: Request) -> Response:
    """One invoice in full, by number or billing key; `?generation=` shows an earlier, voided draft."""
    desk, at = desk_of(request), now()
    reference, generation = request.path_params["reference"], _id(request.query_params.get("generation", ""))
    with desk.ledger.transaction() as tx:
        invoice = views.invoice(tx, reference.replace("\0", ""), at, generation)
        row = tx.get_one(InvoiceRow, invoice.id)
        timeline = views.timeline_of(tx, row)
        company = company_records.current(tx).company
        guest, credit = guest_of(request), standings.credit_for(tx, row)
        is_newest = invoice.generation == max(invoice.generations)
        had = dealings.of(tx, row, company)
        acts = allowed_acts(
            standings.standing(tx, row, company, at, credit, had),
            guest.role if guest and guest.person else None,
        )
        seen = timeline[-1].position if timeline else 0
        return desk.serve(
            request,
            tx,
            "invoice.html",
            invoice=invoice,
            here=_address(invoice),
            days=by_day(timeline, zone_of(company)),
            seen=seen,
            key=form_key(request, invoice.id, seen),
            approval=next(
                (one for one in invoice.approvals if one.status == "waiting" and one.current), None
            ),
            acts=acts if is_newest else {},
            allowed=[act for act, why in acts.items() if why is None],
            refused=_refused(acts),
            act_words=ACTS,
            channels=CHANNELS,
            dealings=had,
            link=had.link_at(at),
            portal=f"{desk.settings.web_url}/i/",
            credit_there=credit,
            pdf=_pdf(invoice.documents),
            undoable=client_credit.undoable(tx, row) if invoice.payments and acts[Act.PAY] is None else (),
            dispute_codes=list(DisputeCode),
            may_tick=len(invoice.lines) <= MOST_TICKED,
            workflow_url=desk.workflow_url(invoice.billing_key),
            tomorrow=at + timedelta(days=1),
            decimals=MINOR_UNITS.get(invoice.currency or "", 2),
        )


def by_day(timeline: Iterable[TimelineEntry], zone: ZoneInfo) -> list[Day]:
    """The audit trail by days of the zone, the newest first."""
    newest_first = sorted(timeline, key=lambda each: -each.position)
    days = groupby(newest_first, key=lambda each: each.at.astimezone(zone).date())
    return [Day(day, tuple(entries)) for day, entries in days]


def form_key(request: Request, invoice: int, seen: int) -> str:
    """The key of what is ordered from a page: the same for a second click, and another once the invoice moved on."""
    content = f"{csrf_token(request)}/{invoice}/{seen}"
    return hashlib.sha256(content.encode()).hexdigest()[:24]


def _refused(acts: Mapping[Act, WhyNot | None]) -> list[tuple[str, list[Act]]]:
    """Reasons, each with the acts it stands against; the one against fewest first."""
    found: dict[str, list[Act]] = {}
    for act, why in acts.items():
        if why is not None:
            found.setdefault(why.value, []).append(act)
    return sorted(found.items(), key=lambda each: len(each[1]))


def _pdf(documents: Sequence[DocumentView]) -> DocumentView | None:
    """The document the client has."""
    return next((each for each in documents if each.current and not each.erased_at), None)


def _address(invoice: InvoiceView) -> str:
    """Where the page of this very generation is."""
    newest = invoice.generation == max(invoice.generations)
    return f"/invoices/{quote(invoice.billing_key)}" + ("" if newest else f"?generation={invoice.generation}")


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
