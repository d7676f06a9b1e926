"""Documents as pictures of their pages: a frame that every browser can show, and the pictures in it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from activities.documents import page_pictures
from activities.documents.errors import PageUnreadable
from activities.ledger import preferences
from activities.ledger.preferences import Preferences
from billing.errors import BillowError
from starter.web import documents, draft_pdf
from starter.web.desk import desk_of, words_for
from starter.web.words import environment

_FRAMED = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "Cache-Control": "private, no-store",
}


def of_document(request: Request) -> Response:
    """The pages of an issued document; one that cannot be shown says why."""
    return _frame(request, lambda: documents.pdf_of(request))


def of_draft(request: Request) -> Response:
    """The same of the draft an approval is about, made for it."""
    return _frame(request, lambda: draft_pdf.pdf_of(request)[0])


def document_page(request: Request) -> Response:
    """One page of an issued document: its bytes never change, so neither does the picture."""
    pdf = documents.pdf_of(request)
    return _picture(request, pdf, "private, max-age=86400, immutable")


def draft_page(request: Request) -> Response:
    """One page of a draft, kept by nobody, as the draft is."""
    return _picture(request, draft_pdf.pdf_of(request)[0], "private, no-store")


def _frame(request: Request, pdf: Callable[[], bytes]) -> Response:
    """What cannot be shown is told inside the frame: the page around it still holds all else."""
    desk, count, problem, unreadable = desk_of(request), 0, "", False
    person = desk.person(request)
    with desk.ledger.transaction() as tx:
        chosen = preferences.of(tx, person.id) if person else Preferences()
    try:
        count = page_pictures.count(pdf())
    except PageUnreadable:
        unreadable = True
    except BillowError as error:
        problem = str(error)
    page = environment(words_for(request, chosen)).get_template("pages.html")
    return HTMLResponse(
        page.render(
            preferences=chosen,
            path=request.url.path.removesuffix("/pages"),
            count=count,
            shown=min(count, page_pictures.MOST_PAGES),
            problem=problem,
            unreadable=unreadable,
        ),
        headers=_FRAMED,
    )


def _picture(request: Request, pdf: bytes, cache: str) -> Response:
    data = page_pictures.picture(pdf, request.path_params["number"])
    return Response(data, media_type="image/png", headers={"Cache-Control": cache})
