"""The hours appendix: which entry stands behind which line; and what else of the client and the request is drafted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.agreements import Agreement, Occasion
from billing.assembly import assemble
from billing.document_kind import DocumentKind
from billing.draft import Draft
from billing.one_off import OneOff
from billing.periods import Period
from billing.request import BillingRequest
from billing.sources import TimeEntry
from billing.work_records import HoursAppendix, WorkRecord
from tests.billing.assembling import JANUARY, TODAY, billed_by_hand, draft_of, found, requested
from tests.billing.records import (
    client,
    company,
    milestones,
    prepaid_block,
    project,
    retainer,
    time_and_materials,
    worked,
)

RATES = {"senior": "120.00", "junior": "95.00"}


def drafted(
    agreement: Agreement, item: str, *entries: TimeEntry, period: Period | None = JANUARY, **more: Any
) -> Draft:
    """The draft for a client who wants hours by person, unless it says something else."""
    wants = client(**{"hours_appendix": "by person", **more.pop("client", {})})
    occasion = Occasion(agreement=agreement.id, item=item, period=period)
    sources = found(time_entries=entries, project=project(), **more)
    return draft_of(assemble(requested(occasion), company(agreement, clients=(wants,)), sources, TODAY))


def told(draft: Draft) -> list[tuple[int, str, str]]:
    return [(each.line, each.person, f"{each.hours.normalize():f}") for each in draft.work]


THREE = (
    worked("T-1", "2.5", person="Mira", role="senior", day="2026-01-05", note="Deployed", ticket="OPS-7"),
    worked("T-2", "4.00", person="Jan", role="junior", day="2026-01-06"),
    worked("T-3", "1.25", person="Mira", role="senior", day="2026-01-09"),
)


def test_each_entry_stands_behind_its_line() -> None:
    """Two lines, Mira's and Jan's: three entries with all that is known of them, in the order of the lines."""
    draft = drafted(time_and_materials(), "time", *THREE)
    assert told(draft) == [(1, "Mira", "2.5"), (1, "Mira", "1.25"), (2, "Jan", "4")]
    assert draft.work[0] == WorkRecord(
        line=1,
        day=date(2026, 1, 5),
        person="Mira",
        hours=Decimal("2.5"),
        ticket="OPS-7",
        task=THREE[0].task,
        note="Deployed",
    )
    assert draft.hours_appendix is HoursAppendix.BY_PERSON


def test_who_asks_for_none_gets_none() -> None:
    """Then the draft is what it was, to the digest."""
    plain = drafted(time_and_materials(), "time", *THREE, client={"hours_appendix": "none"})
    assert (plain.work, plain.hours_appendix) == ((), HoursAppendix.NONE)
    stored = plain.model_dump(mode="json")
    for field in ("work", "hours_appendix", "kind", "buyer_reference", "preceding_date"):
        del stored[field]
    assert Draft.model_validate(stored).digest == plain.digest
    assert plain.digest != drafted(time_and_materials(), "time", *THREE).digest


def test_an_entry_that_is_included_in_part_stands_twice() -> None:
    """Of 2.5 and 4 hours, 5 are included: 1.5 of Jan's four cost something; a line's records are its quantity."""
    agreement = retainer(project="P-1", rates=RATES, included_hours="5")
    draft = drafted(agreement, "overage", *THREE)
    assert told(draft) == [
        (1, "Mira", "2.5"),
        (1, "Jan", "2.5"),
        (2, "Jan", "1.5"),
        (3, "Mira", "1.25"),
    ]
    for position, line in enumerate(draft.lines, start=1):
        assert sum(each.hours for each in draft.work if each.line == position) == line.quantity


def test_hours_beyond_a_block_stand_with_what_is_beyond() -> None:
    """Of four hours in the last entry but one, three are beyond the block."""
    agreement = prepaid_block(overage="rate", overage_rate="130.00")
    draft = drafted(agreement, "overage", *THREE, period=None, beyond_block="4.25")
    assert told(draft) == [(1, "Jan", "3"), (1, "Mira", "1.25")]


def test_prices_with_tax_change_nothing_about_hours() -> None:
    """Their lines are brought to net afterwards, and stay where they are."""
    draft = drafted(time_and_materials(prices="gross"), "time", *THREE)
    assert told(draft) == [(1, "Mira", "2.5"), (1, "Mira", "1.25"), (2, "Jan", "4")]


def test_a_fee_has_no_hours_behind_it() -> None:
    """Also where hours were worked: they are not what is billed."""
    assert drafted(retainer(project="P-1"), "fee", *THREE).work == ()


def test_what_the_client_routes_by() -> None:
    """Its own reference (BT-10) beside the order's, and where its e-invoices go (BT-49)."""
    own = {"buyer_reference": " 4711 ", "electronic_address": "9930:DE129273398"}
    draft = drafted(retainer(order_reference="PO 7"), "fee", client=own)
    assert (draft.buyer_reference, draft.order_reference) == ("4711", "PO 7")
    assert draft.buyer.electronic_address == "9930:DE129273398"


def test_what_a_one_off_corrects() -> None:
    """It is a corrected invoice, with the date of the one that was wrong; any other is an invoice."""
    one_off = OneOff.model_validate(
        {
            "client": "acme",
            "currency": "EUR",
            "title": "Workshop",
            "reason": "a day too many",
            "corrects": "B2026-00007",
            "lines": [{"description": "Workshop", "quantity": "1", "unit_price": "900"}],
        }
    )
    request = BillingRequest(billing_key="manual/w", trigger="manual", requested_by="pia", one_off=one_off)
    draft = draft_of(assemble(request, company(), found(preceding_date=date(2026, 1, 7)), TODAY))
    assert (draft.kind, draft.preceding, draft.preceding_date) == (
        DocumentKind.CORRECTED,
        "B2026-00007",
        date(2026, 1, 7),
    )
    assert draft_of(billed_by_hand(("1", "900"))).kind is DocumentKind.INVOICE


@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        ({"prepayment": True}, DocumentKind.PREPAYMENT),
        ({"final": True}, DocumentKind.FINAL),
        ({}, DocumentKind.INVOICE),
    ],
)
def test_milestones_are_what_they_say(stage: dict[str, bool], kind: DocumentKind) -> None:
    """A milestone paid in advance, the one that ends the project, and any other."""
    agreement = milestones(milestones=[{"id": "m1", "title": "Part", "amount": "4000", **stage}])
    draft = drafted(agreement, "m1", period=None)
    assert draft.kind is kind
