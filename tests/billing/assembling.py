"""Drafts in tests: what is assembled for an agreement, an item, a period, and what the sources say."""

from __future__ import annotations

from datetime import date
from typing import Any

from billing.agreements import Agreement, Occasion
from billing.assembly import Assembly, assemble
from billing.company import Company
from billing.draft import Draft
from billing.exceptions import Finding
from billing.one_off import OneOff
from billing.periods import Period
from billing.request import BillingRequest
from billing.sources import Sources, TimeEntry
from tests.billing.records import company, crm_client, retainer, time_and_materials

TODAY = date(2026, 2, 3)
JANUARY = Period(start=date(2026, 1, 1), end=date(2026, 1, 31))


def made(agreement: Agreement, item: str, period: Period | None = None, **sources: Any) -> Assembly:
    """What is assembled for an item of the agreement when the CRM knows the client."""
    occasion = Occasion(agreement=agreement.id, item=item, period=period)
    return assemble(requested(occasion), company(agreement), found(**sources), TODAY)


def requested(occasion: Occasion) -> BillingRequest:
    return BillingRequest(
        billing_key=occasion.billing_key, trigger="time", requested_by="billing-run", occasion=occasion
    )


def found(**sources: Any) -> Sources:
    return Sources.model_validate({"client": crm_client(), **sources})


def care(agreement: Agreement | None = None, **sources: Any) -> Assembly:
    return made(agreement or retainer(), "fee", JANUARY, **sources)


def hours(*entries: TimeEntry, **changes: Any) -> Assembly:
    return made(time_and_materials(**changes), "time", JANUARY, time_entries=entries)


def billed_by_hand(*lines: tuple[str, str], in_company: Company | None = None, **changes: Any) -> Assembly:
    """A one-off of lines, each a quantity and a unit price."""
    written = [
        {"description": f"Part {n}", "quantity": quantity, "unit_price": price}
        for n, (quantity, price) in enumerate(lines, start=1)
    ]
    record = {
        "client": "acme",
        "currency": "EUR",
        "title": "Workshop",
        "reason": "asked by mail",
        "lines": written,
    }
    one_off = OneOff.model_validate({**record, **changes})
    request = BillingRequest(billing_key="manual/w", trigger="manual", requested_by="pia", one_off=one_off)
    return assemble(request, in_company or company(), found(), TODAY)


def draft_of(assembly: Assembly) -> Draft:
    assert assembly.draft is not None
    return assembly.draft


def codes(assembly: Assembly) -> list[str]:
    return [finding.code.value for finding in assembly.findings]


def only(assembly: Assembly) -> Finding:
    (finding,) = assembly.findings
    return finding
