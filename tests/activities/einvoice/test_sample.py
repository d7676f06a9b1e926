"""Whatever the sample company can produce breaks no rule: each client, billing model, kind of document, language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from activities.company.folder import read_folder
from activities.company.sample import write_sample
from activities.einvoice.validation import breaches
from activities.invoicing.calendars import business_days
from activities.invoicing.fetching import fetch
from activities.invoicing.simulated_sources import _Nothing
from activities.invoicing.sources import Systems
from activities.languages.catalogue import LANGUAGES
from billing.agreements import Agreement, FixedPrice, Milestones, Occasion, PrepaidBlock, Recurring, Retainer
from billing.assembly import assemble
from billing.document import InvoiceDocument
from billing.document_check import placeholder
from billing.document_kind import DocumentKind
from billing.due import EXPENSES, FEE, OVERAGE, TIME, all_milestones
from billing.einvoice.document import einvoice_of
from billing.occasions import PRICE
from billing.overrides import overridden
from billing.periods import Period
from billing.request import BillingRequest

TODAY = date(2026, 11, 22)
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
OCTOBER = Period(start=date(2026, 10, 1), end=date(2026, 10, 31))
BY_HAND = {
    "C-1005": {"vat_id": "FR40303265045"},
    "C-1009": {"contact.name": "Ada Brown", "contact.email": "ap@thameside.example"},
}
"""What the sample's CRM leaves out on purpose, for a person to add."""


def _items(agreement: Agreement) -> Iterator[tuple[str, Period | None]]:
    match agreement:
        case Retainer():
            yield FEE, OCTOBER
            if agreement.bills_overage:
                yield OVERAGE, OCTOBER
        case Milestones():
            yield from ((each.id, None) for each in all_milestones(agreement))
        case FixedPrice():
            yield PRICE, None
        case PrepaidBlock():
            yield "block-1", None
        case _ if isinstance(agreement, Recurring):
            yield (EXPENSES if agreement.model == "expenses" else TIME), OCTOBER


@cache
def documents() -> dict[str, InvoiceDocument]:
    """By billing key, what each agreement of the sample bills, under a placeholder number."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "company"
        write_sample(folder, TODAY)
        company = read_folder(folder).company
        assert company is not None
        systems = Systems.in_folder(folder, company.integrations)
        made = {}
        for agreement in company.agreements:
            for item, period in _items(agreement):
                occasion = Occasion(agreement=agreement.id, item=item, period=period)
                request = BillingRequest(
                    billing_key=occasion.billing_key, trigger="manual", requested_by="pia", occasion=occasion
                )
                facts = fetch(systems, company, request, TODAY, _Nothing())
                client = company.client(agreement.client)
                assert client is not None
                assembled = assemble(request, company, overridden(facts, BY_HAND.get(client.crm, {})), TODAY)
                assert assembled.draft is not None, assembled.findings
                calendar = business_days(client, TODAY)
                made[occasion.billing_key] = placeholder(assembled.draft, AT, calendar)
        return made


@pytest.mark.parametrize("kind", DocumentKind)
def test_every_agreement_as_every_kind(kind: DocumentKind) -> None:
    """Whatever is billed, as invoice, corrected, prepayment, final, credit note or pro forma: nothing is broken."""
    assert len(documents()) > 20
    found = {
        key: broken
        for key, document in documents().items()
        if (broken := breaches(_as(document, kind=kind, preceding=_corrected(kind))))
    }
    assert found == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_agreement_in_every_language(language: str) -> None:
    """Whatever is billed, in whichever language, as one kind after the other: nothing is broken."""
    kinds, found = list(DocumentKind), {}
    for at, (key, document) in enumerate(documents().items(), start=LANGUAGES.index(language)):
        kind = kinds[at % len(kinds)]
        changed = _as(document, language=language, kind=kind, preceding=_corrected(kind))
        if broken := breaches(changed):
            found[key] = broken
    assert found == {}


def test_the_sample_has_each_usage() -> None:
    """Plain, Peppol and XRechnung: so that whoever tries Billow out sees all three."""
    made = [each for each in map(einvoice_of, documents().values()) if each is not None]
    assert {(each.profile.value, each.for_peppol) for each in made} == {
        ("EN 16931", False),
        ("EN 16931", True),
        ("XRECHNUNG", False),
    }


def _as(document: InvoiceDocument, **changes: object) -> InvoiceDocument:
    return document.model_copy(update={"draft": document.draft.model_copy(update=changes)})


def _corrected(kind: DocumentKind) -> str:
    return "BER-2026-00003" if kind in (DocumentKind.CORRECTED, DocumentKind.CREDIT_NOTE) else ""
