"""The kinds of problem programs are told about (RFC 9457): stable names, each with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from activities.ledger.idempotency_keys import InProgress, KeyReused
from billing.errors import (
    BillowError,
    Conflicting,
    NotAllowed,
    NotFound,
    SourceUnavailable,
    WrongState,
)

BASE = "/api/v1/docs#"
"""Before the name in `type`: a reference to where the kind is described."""


@dataclass(frozen=True)
class ProblemType:
    """A kind of problem: its status, its title, and what it means for the program."""

    status: int
    title: str
    meaning: str


TYPES: Mapping[str, ProblemType] = {
    "malformed": ProblemType(
        400,
        "Malformed",
        "The request cannot be read: no JSON, a name twice in it, or a cursor of another list. Mend it.",
    ),
    "not-authenticated": ProblemType(
        401,
        "Not authenticated",
        "There is no token, or it has expired or was revoked. Make another (page API tokens).",
    ),
    "not-allowed": ProblemType(
        403,
        "Not allowed",
        "The role of the person or the scopes of the token do not reach; each operation says what it needs.",
    ),
    "not-found": ProblemType(
        404, "Not found", "What is named does not exist; a billing key in an address has each / written %2F."
    ),
    "method-not-allowed": ProblemType(
        405,
        "Method not allowed",
        "There is no such operation at this address; Allow says which methods there are.",
    ),
    "not-acceptable": ProblemType(406, "Not acceptable", "Answers are JSON, but for documents; accept that."),
    "wrong-state": ProblemType(
        409, "Wrong state", "It is past, or not yet at, the point where that makes sense. Look again."
    ),
    "conflict": ProblemType(
        409, "Conflict", "Somebody else was faster, or the draft has changed. Look again."
    ),
    "in-progress": ProblemType(409, "In progress", "The same request is being carried out; ask again soon."),
    "outdated": ProblemType(
        412, "Outdated", "It has changed since it was read (If-Match). Read it again, and decide anew."
    ),
    "too-large": ProblemType(
        413,
        "Too large",
        "Send less at once: 256 KB of JSON, 32 MB of a statement, 16 MB of a company folder.",
    ),
    "unsupported-media-type": ProblemType(
        415, "Unsupported media type", "Send the type that the operation takes."
    ),
    "invalid": ProblemType(
        422, "Invalid", "What was sent has not the shape asked for; `errors` says where and why."
    ),
    "refused": ProblemType(422, "Refused", "A rule refuses it; `detail` says why. Nothing was changed."),
    "key-reused": ProblemType(
        422, "Key reused", "The Idempotency-Key was sent with another request before. Take a new one."
    ),
    "too-often": ProblemType(
        429, "Too often", "Wait as many seconds as Retry-After says, then send it again."
    ),
    "fault": ProblemType(
        500, "Fault of ours", "It was logged. Send it again later, with the same Idempotency-Key."
    ),
    "unavailable": ProblemType(
        503, "Unavailable", "The ledger or a source does not answer now. Send it again."
    ),
}

_OF_ERRORS: tuple[tuple[type[BillowError], str], ...] = (
    (KeyReused, "key-reused"),
    (InProgress, "in-progress"),
    (NotFound, "not-found"),
    (NotAllowed, "not-allowed"),
    (WrongState, "wrong-state"),
    (Conflicting, "conflict"),
    (SourceUnavailable, "unavailable"),
)


def of_error(error: Exception) -> str:
    """Which kind an error of the business is."""
    return next((name for kind, name in _OF_ERRORS if isinstance(error, kind)), "refused")


def of_status(status: int) -> str | None:
    """The first kind with that status."""
    return next((name for name, each in TYPES.items() if each.status == status), None)
