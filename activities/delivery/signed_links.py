"""Signed links in messages to our own people: to one thing they are asked to decide, for so many days.

A link says who it was sent to and about which draft. It shows a page; whoever opens it, a mail scanner say, decides
nothing by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

LASTS = timedelta(days=14)
"""Longer than any deadline with its reminders; what it led to is still there for who signs in."""

PATH = "/d/"
_SALT = "billow: a link to a decision"


class About(StrEnum):
    """What a link leads to."""

    APPROVAL = "approval"
    EXCEPTION = "exception"
    GIVING_UP = "giving-up"
    DISPUTE = "dispute"


@dataclass(frozen=True)
class SignedLink:
    """To one thing, sent to a person; `digest` of the draft, where it is about one."""

    about: About
    id: int
    person: str
    digest: str = ""


class LinkExpired(Exception):
    """It is one of ours, and too old."""


class NotOurLink(Exception):
    """It is not one of ours, or not whole."""


class SignedLinks:
    """Signs links and reads them; of several `secrets` the first signs, and all are still read."""

    def __init__(self, secrets: Sequence[str], web_url: str) -> None:
        # itsdangerous signs with the last of its keys
        self._serializer = URLSafeTimedSerializer(list(reversed(secrets)), salt=_SALT)
        self._base = f"{web_url.rstrip('/')}{PATH}"

    def to(self, link: SignedLink) -> str:
        """The address to put into a message."""
        return f"{self._base}{self._serializer.dumps([link.about, link.id, link.person, link.digest[:16]])}"

    def read(self, token: str, lasts: timedelta = LASTS) -> SignedLink:
        """What a link says. `LinkExpired` or `NotOurLink`."""
        try:
            about, number, person, digest = self._serializer.loads(token, max_age=int(lasts.total_seconds()))
            return SignedLink(About(about), int(number), str(person), str(digest))
        except SignatureExpired as error:
            raise LinkExpired from error
        except (BadData, ValueError, TypeError) as error:
            raise NotOurLink from error
