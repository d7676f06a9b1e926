"""The session in a browser's cookie, signed by us."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from itsdangerous import TimestampSigner
from starlette.middleware.sessions import SessionMiddleware
from starlette.types import ASGIApp


class SessionCookie(SessionMiddleware):
    """Starlette's, but by several secrets: the first signs, and all are still read.

    A session is signed anew, by the first, when it next changes.
    """

    def __init__(self, app: ASGIApp, /, secrets: Sequence[str], **options: Any) -> None:
        super().__init__(app, secrets[0], **options)
        # itsdangerous signs with the last of its keys
        self.signer = TimestampSigner(list(reversed(secrets)))
