"""What the web app signs with: sessions, and the links in messages that workers send."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from workers.settings import NotConfigured

SECRET_VARIABLE, SECRET_FILE = "BILLOW_SECRET", "web-secret"

SHORTEST = 32
"""Characters: whoever guesses it signs links that decide."""


def secret(home: Path) -> str:
    """`BILLOW_SECRET`, which web app and workers must share, or a file in the home that only its owner reads.

    `NotConfigured` if the one that is set is short enough to be guessed.
    """
    if given := os.environ.get(SECRET_VARIABLE):
        if len(given) < SHORTEST:
            raise NotConfigured(
                f"{SECRET_VARIABLE} is too short: set {SHORTEST} random characters or more (`openssl rand -base64 48`)."
            )
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
