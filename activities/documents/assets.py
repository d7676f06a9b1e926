"""What pages may load: files of the look and Billow's own by `asset:<name>`, and nothing else whatever."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

from weasyprint.urls import URLFetcher, URLFetcherResponse

from activities.documents.look import LookFiles

IMAGES = (".svg", ".png", ".jpg", ".jpeg")
FONTS = (".ttf", ".otf", ".woff", ".woff2")


class NotServed(ValueError):
    """A page asked for something that is no asset: WeasyPrint leaves it out and says so in its log."""


class Assets(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Serves images and fonts of a look, then those in the folder of Billow's own; no file, no network, no data URL.

    Whatever a page, a style sheet or an SVG in it names goes through here: WeasyPrint knows no other way.
    """

    def __init__(self, look: LookFiles, own: Path) -> None:
        super().__init__()
        self._look, self._own = look, own.resolve()

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:  # noqa: ARG002
        scheme, _, rest = url.partition(":")
        name = unquote(rest.partition("#")[0])
        data = self._data(name) if scheme.lower() == "asset" else None
        if data is None:
            raise NotServed(f"{url[:100]!r} is no asset of this look; documents load nothing else")
        return URLFetcherResponse(url, data)

    def _data(self, name: str) -> bytes | None:
        if not name.lower().endswith(IMAGES + FONTS):
            return None
        found = self._look.asset(name)
        if found is not None:
            return found
        path = (self._own / name).resolve()
        return path.read_bytes() if path.is_relative_to(self._own) and path.is_file() else None
