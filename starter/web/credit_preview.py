"""A credit note as it would be issued, before anybody issues it."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.ledger import company_records, credit_commands, invoices, standings, views
from billing.allowed_acts import Act, allowed_acts
from billing.errors import Refused
from billing.money import Money
from starter.web.commands.credit_notes import selection_of
from starter.web.desk import desk_of, now
from starter.web.guests import guest_of
from starter.web.invoices import form_key

_KEY, _POSITION = re.compile(r"[0-9a-f]{24}"), re.compile(r"[0-9]{1,9}")


def page(request: Request) -> Response:
    """What the credit note would say, and what would follow; issuing it is one more click. `Refused` where a rule
    would refuse it."""
    desk, at, asked = desk_of(request), now(), dict(request.query_params)
    reference, reason = asked.get("invoice", "").replace("\0", ""), asked.get("reason", "").strip()
    if not reference:
        return RedirectResponse("/invoices", 303)
    with desk.ledger.transaction() as tx:
        invoice = views.invoice(tx, reference, at)
        row = invoices.find(tx, invoice.billing_key)
        company, guest = company_records.current(tx).company, guest_of(request)
        acts = allowed_acts(standings.standing(tx, row, company, at), guest.role if guest else None)
        if (why_not := acts[Act.CREDIT]) is not None:
            raise Refused(why_not.value)
        seen = row.audit_position
    if not reason:
        raise Refused("say why: the reason stands on the credit note")
    selection = selection_of(asked, invoice.currency or "")
    _, note = credit_commands.preview(desk.ledger, invoice.billing_key, selection=selection, reason=reason)
    with desk.ledger.transaction() as tx:
        return desk.serve(
            request,
            tx,
            "credit_preview.html",
            invoice=invoice,
            note=note,
            reason=reason,
            left=(invoice.open or 0) - note.due,
            alone=company.payments.credit_notes.alone(Money.of(note.due, note.currency)),
            chosen={name: value for name, value in asked.items() if _is_chosen(name)},
            back=f"/invoices/{invoice.billing_key}",
            seen=_given(asked, "seen", _POSITION) or seen,
            key=_given(asked, "key", _KEY) or form_key(request, invoice.id, seen),
        )


def _given(asked: dict[str, str], name: str, form: re.Pattern[str]) -> str | None:
    """What the invoice's page gave along: who comes back here after issuing finds the same order, not a new one."""
    value = asked.get(name, "")
    return value if form.fullmatch(value) else None


def _is_chosen(name: str) -> bool:
    return name in ("of", "amount") or name.startswith(("line-", "net-"))
