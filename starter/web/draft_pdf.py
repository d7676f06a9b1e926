"""The document a draft would become: rendered under a number nobody has, marked as a preview, kept nowhere."""

from __future__ import annotations

import atexit
import threading
from collections import OrderedDict
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from activities.documents.pool import RenderingPool
from activities.documents.preview import Wanted, preview
from activities.documents.sample_documents import Parties
from activities.invoicing.account_documents import invoice_document
from activities.ledger import looks
from activities.ledger.tables import ApprovalRow, InvoiceRow
from billing.errors import NotFound, Refused, WrongState
from starter.web.desk import desk_of, now

_MOST_KEPT = 24
_SECONDS = 60.0

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Cache-Control": "private, no-store",
}
"""Opened by itself; a page shows it by pictures (`starter.web.page_pictures`)."""


class _Kept:
    """The last few PDFs of this process, by the digest of their drafts, and the day they were made for."""

    def __init__(self) -> None:
        self._lock, self._pdfs = threading.Lock(), OrderedDict[tuple[str, ...], bytes]()

    def get(self, key: tuple[str, ...]) -> bytes | None:
        with self._lock:
            return self._pdfs.get(key)

    def put(self, key: tuple[str, ...], pdf: bytes) -> None:
        with self._lock:
            self._pdfs[key] = pdf
            while len(self._pdfs) > _MOST_KEPT:
                self._pdfs.popitem(last=False)


_kept = _Kept()


@lru_cache(maxsize=1)
def _pool() -> RenderingPool:
    """One process, from the first draft that is looked at: templates run there, and never in the web app itself."""
    made = RenderingPool(1, seconds=_SECONDS)
    atexit.register(made.close)
    return made


def draft_pdf(request: Request) -> Response:
    """The draft an approval is about, as it stands now; `WrongState` (409) if that is another than was asked about."""
    pdf, billing_key = pdf_of(request)
    return Response(pdf, media_type="application/pdf", headers=HEADERS | _named(billing_key))


def pdf_of(request: Request) -> tuple[bytes, str]:
    """The same as bytes, and the billing key."""
    desk, at = desk_of(request), now()
    with desk.ledger.transaction() as tx:
        number = request.path_params["id"]
        asked = tx.get(ApprovalRow, number) if number < 2**63 else None
        if asked is None:
            raise NotFound(f"there is no approval {number}")
        row = tx.get_one(InvoiceRow, asked.invoice)
        if row.draft_digest != asked.digest:
            raise WrongState("the draft has changed since; the page of the invoice shows what holds now")
        key = (desk.settings.database_url.get_secret_value(), asked.digest, at.date().isoformat())
        if (kept := _kept.get(key)) is not None:
            return kept, row.billing_key
        document = invoice_document(tx, row, at)
        look = looks.of_issuer(tx, row.company_version, document.draft.issuer.id)
    draft = document.draft
    parties = Parties(draft.issuer, draft.buyer, draft.language, draft.currency)
    made = _pool().run(preview, Wanted(look, "invoice", parties, document))
    if made.pdf is None:
        raise Refused("the draft cannot be rendered: " + "; ".join(each.message for each in made.faults))
    _kept.put(key, made.pdf)
    return made.pdf, row.billing_key


def _named(billing_key: str) -> dict[str, str]:
    name = "".join(
        each if each.isascii() and (each.isalnum() or each in "-_") else "-" for each in billing_key
    )
    return {"Content-Disposition": f'inline; filename="draft-{name}.pdf"'}
