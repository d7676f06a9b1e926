"""What the web app signs with: sessions, and the links in messages that workers send."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from workers.settings import NotConfigured

SECRET_VARIABLE, SECRET_FILE = "BILLOW_SECRET", "web-secret"
PREVIOUS_VARIABLE = "BILLOW_SECRET_PREVIOUS"
"""While one secret takes over from another: what the old one has signed counts until it is taken away."""

SHORTEST = 32
"""Characters: whoever guesses it signs links that decide."""


def secret(home: Path) -> str:
    """`BILLOW_SECRET`, which web app and workers must share, or a file in the home that only its owner reads.

    `NotConfigured` if the one that is set is short enough to be guessed.
    """
    if given := _given(SECRET_VARIABLE):
        return given
    file = home / SECRET_FILE
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if kept := file.read_text(encoding="ascii").strip():
            return kept
        descriptor = os.open(file, os.O_WRONLY | os.O_TRUNC, 0o600)
    made = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(made)
    return made


def accepted(home: Path) -> tuple[str, ...]:
    """What a signature may be by, newest first: the secret, which signs, and the previous one while it is still set.

    `NotConfigured` as for `secret`.
    """
    newest, previous = secret(home), _given(PREVIOUS_VARIABLE)
    return (newest, previous) if previous and previous != newest else (newest,)


def still_previous() -> str | None:
    """What to do about a previous secret in this environment; None where none is set."""
    if not os.environ.get(PREVIOUS_VARIABLE):
        return None
    return (
        f"{PREVIOUS_VARIABLE} is still set: what the secret before this one has signed counts. Take it away 14 days "
        "after the change; at once if that secret may be known to others."
    )


def _given(variable: str) -> str | None:
    given = os.environ.get(variable)
    if given and len(given) < SHORTEST:
        raise NotConfigured(
            f"{variable} is too short: set {SHORTEST} random characters or more (`openssl rand -base64 48`)."
        )
    return given or None
