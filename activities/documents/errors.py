"""What can go wrong with a document that nobody's data can mend."""

from __future__ import annotations

from billing.errors import BillowError, Refused


class RenderingFailed(BillowError):
    """The document cannot be turned into a valid PDF: the template or the fonts need repair, not the data."""


class RendererUnavailable(BillowError):
    """Nobody can render here now, whatever the document: no fonts, no memory, a worker that stops. Retryable."""


class PageUnreadable(Refused):
    """A page of a document cannot be shown as a picture; the document itself is as it was."""
